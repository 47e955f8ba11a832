"""Stop sequences where the API has none: text is cut on the way to the caller. No I/O.

The chat schema of the dashed GPT-5.2 ids and every Responses schema list no `stop`
(aimlapi/api-docs, state 2026-08-21). Whether the service bills what it had not sent when a
stream is closed early is not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from aimlapi_core.types import Choice, Finished, Part, Reply, StreamEvent, Text, TextDelta, ToolCall


class StopSequenceFilter:
    """Events in, events out, nothing at or after the first stop sequence of each choice.

    Text that may be the beginning of a stop sequence is held back until that is known. `done`
    is set once every expected choice was cut: the caller then takes `truncate_reply` of what has
    come and closes the stream.
    """

    def __init__(self, stop: tuple[str, ...], expected: int = 1) -> None:
        self._stop = stop
        self._expected = expected
        self._held: dict[int, str] = {}
        self._stopped: set[int] = set()

    @property
    def done(self) -> bool:
        """Whether nothing more can come out but the end."""
        return len(self._stopped) >= self._expected

    def feed(self, events: Iterable[StreamEvent]) -> list[StreamEvent]:
        """What the caller may see of `events`."""
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
    """Where the earliest stop sequence begins in `text`; -1 where there is none."""
    return min((at for s in stop if (at := text.find(s)) >= 0), default=-1)


def truncate_reply(reply: Reply, stop: tuple[str, ...]) -> Reply:
    """`reply` with each choice's text ended before its first stop sequence."""
    return replace(reply, choices=tuple(_truncate_choice(choice, stop) for choice in reply.choices))


def _truncate_choice(choice: Choice, stop: tuple[str, ...]) -> Choice:
    at = find_stop(choice.text, stop)
    if at < 0:
        return choice
    parts: list[Part] = []
    was_cut = False
    for part in choice.parts:
        if isinstance(part, Text):
            was_cut = True
            parts.append(replace(part, text=part.text[:at]))
        elif not (was_cut and isinstance(part, ToolCall)):  # a call behind the cut goes with it
            parts.append(part)
    return replace(choice, parts=tuple(parts), finish_reason="stop")


def _partial_match_length(text: str, stop: tuple[str, ...]) -> int:
    """The length of the longest end of `text` that a stop sequence begins with."""
    longest = min(len(text), max(map(len, stop)) - 1)
    for length in range(longest, 0, -1):
        tail = text[-length:]
        if any(s.startswith(tail) for s in stop):
            return length
    return 0
