"""Warns of an answer that is empty because reasoning used up its output limit."""

from __future__ import annotations

import warnings

from aimlapi_core import Choice, Finished, Reply, StreamEvent


def warn_at_stream_end(event: StreamEvent) -> None:
    """`warn_if_reasoning_exhausted` for the last event of a stream."""
    if type(event) is Finished:
        warn_if_reasoning_exhausted(event.reply)


def warn_if_reasoning_exhausted(reply: Reply) -> None:
    """Warn of an answer that is empty because reasoning used up its output limit."""
    if warning := exhausted_reasoning_message(reply):
        warnings.warn(warning, stacklevel=2)


def exhausted_reasoning_message(reply: Reply) -> str | None:
    """The text of the warning; None when there is nothing to warn of."""
    choice = reply.choices[0] if reply.choices else Choice(0)
    tokens = reply.usage.reasoning_tokens if reply.usage else None
    if choice.finish_reason != "length" or choice.text or choice.tool_calls or not tokens:
        return None
    return (
        f"The answer is empty: {tokens} tokens of reasoning used up the output limit "
        "(finish_reason 'length'). Raise max_tokens or lower reasoning_effort."
    )
