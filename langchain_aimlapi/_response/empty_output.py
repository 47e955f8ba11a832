"""The warning of an answer that is empty because thinking used up its limit."""

from __future__ import annotations

import warnings

from aimlapi_core import Choice, Finished, Reply, StreamEvent


def warn_of_empty_end(event: StreamEvent) -> None:
    """Warn where the event ends an answer that is empty for this reason."""
    if type(event) is Finished:
        warn_of_emptiness(event.reply)


def warn_of_emptiness(reply: Reply) -> None:
    """Warn where the answer is empty for this reason."""
    warning = warning_for(reply)
    if warning:
        warnings.warn(warning, stacklevel=2)


def warning_for(reply: Reply) -> str | None:
    """The sentence that explains an answer that is empty because thinking used up its limit."""
    choice = reply.choices[0] if reply.choices else Choice(0)
    thought = reply.usage.reasoning_tokens if reply.usage else None
    if choice.finish_reason != "length" or choice.text or choice.tool_calls or not thought:
        return None
    return (
        f"The answer is empty: {thought} tokens of reasoning used up the output limit "
        "(finish_reason 'length'). Raise max_tokens or lower reasoning_effort."
    )
