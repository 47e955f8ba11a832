"""Client-side stop sequences, for endpoints without a `stop` parameter. No I/O.

The chat schema of the dashed GPT-5.2 ids and every Responses schema list no `stop`
(aimlapi/api-docs, state 2026-08-21). Whether the service bills what it had not sent when a
stream is closed early is not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from aimlapi_core.types import Choice, Finished, Part, Reply, StreamEvent, Text, TextDelta, ToolCall


class StopSequenceFilter:
    """Filters stream events: nothing at or after the first stop sequence of each choice.

    Text that may be the start of a stop sequence is held back until that is known. `done` once
    every expected choice was stopped: the caller then takes `truncate_reply` of the reply so far
    and closes the stream.
    """

    def __init__(self, stop: tuple[str, ...], expected_choices: int = 1) -> None:
        self._stop = stop
        self._expected_choices = expected_choices
        self._held: dict[int, str] = {}
        self._stopped: set[int] = set()

    @property
    def done(self) -> bool:
        """Whether every expected choice was stopped."""
        return len(self._stopped) >= self._expected_choices

    def feed(self, events: Iterable[StreamEvent]) -> list[StreamEvent]:
        """The events to pass on to the caller."""
        return [out for event in events for out in self._filter_event(event)]

    def _filter_event(self, event: StreamEvent) -> list[StreamEvent]:
        if isinstance(event, Finished):
            held = [TextDelta(text, choice) for choice, text in self._held.items() if text]
            self._held = {}
            return [*held, Finished(truncate_reply(event.reply, self._stop))]
        if event.choice in self._stopped:
            return []
        if not isinstance(event, TextDelta):
            return [event]
        text = self._held.pop(event.choice, "") + event.text
        found = find_stop(text, self._stop)
        if found >= 0:
            self._stopped.add(event.choice)
            return [replace(event, text=text[:found])] if found else []
        keep = _partial_match_length(text, self._stop)
        if keep:
            self._held[event.choice] = text[-keep:]
        ready = text[: len(text) - keep]
        return [replace(event, text=ready)] if ready else []


def find_stop(text: str, stop: tuple[str, ...]) -> int:
    """The index of the earliest stop sequence in `text`; -1 if there is none."""
    return min((at for s in stop if (at := text.find(s)) >= 0), default=-1)


def truncate_reply(reply: Reply, stop: tuple[str, ...]) -> Reply:
    """`reply` with each choice's text truncated at its first stop sequence."""
    return replace(reply, choices=tuple(_truncate_choice(choice, stop) for choice in reply.choices))


def _truncate_choice(choice: Choice, stop: tuple[str, ...]) -> Choice:
    at = find_stop(choice.text, stop)
    if at < 0:
        return choice
    parts: list[Part] = []
    is_truncated = False
    for part in choice.parts:
        if isinstance(part, Text):
            is_truncated = True
            parts.append(replace(part, text=part.text[:at]))
        elif not (is_truncated and isinstance(part, ToolCall)):  # drop tool calls after the stop
            parts.append(part)
    return replace(choice, parts=tuple(parts), finish_reason="stop")


def _partial_match_length(text: str, stop: tuple[str, ...]) -> int:
    """The length of the longest suffix of `text` that is a prefix of a stop sequence."""
    longest = min(len(text), max(map(len, stop)) - 1)
    for length in range(longest, 0, -1):
        tail = text[-length:]
        if any(s.startswith(tail) for s in stop):
            return length
    return 0
