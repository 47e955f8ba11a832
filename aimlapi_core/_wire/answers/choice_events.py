"""The stream events of an answer that came whole."""

from __future__ import annotations

from collections.abc import Iterator

from aimlapi_core.types import (
    Choice,
    CitationDelta,
    Reasoning,
    ReasoningDelta,
    Refusal,
    RefusalDelta,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)


def events_from_choice(choice: Choice) -> Iterator[StreamEvent]:
    """The deltas of an unstreamed choice, one per part."""
    calls = 0
    for part in choice.parts:
        if isinstance(part, Reasoning):
            yield ReasoningDelta(part.text, choice.index)
        elif isinstance(part, Text):
            yield TextDelta(part.text, choice.index, choice.logprobs)
            yield from (CitationDelta(citation, choice.index) for citation in part.citations)
        elif isinstance(part, Refusal):
            yield RefusalDelta(part.text, choice.index)
        elif isinstance(part, ToolCall):
            yield ToolCallDelta(calls, part.id, part.name, part.arguments, choice.index)
            calls += 1
