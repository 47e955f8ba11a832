"""Client-side stop sequences, for endpoints without a `stop` parameter. No I/O.

The chat schema of the dashed GPT-5.2 ids and every Responses schema list no `stop`
(aimlapi/api-docs, state 2026-08-21). Whether the service bills what it had not sent when a
stream is closed early is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from aimlapi_core._json_reading import loads
from aimlapi_core.types import (
    Choice,
    Finished,
    Part,
    Reply,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)


class StopSequenceFilter:
    """Filters stream events: nothing at or after the first stop sequence of each choice.

    Text that may be the start of a stop sequence is held back until that is known. A tool call that
    began before the stop goes on to its end: `calls_before_stop` gives their number in a choice.
    `done` once every expected choice was stopped, without such a call: the caller then takes
    `truncate_reply` of the reply so far and closes the stream.
    """

    def __init__(
        self,
        stop: tuple[str, ...],
        expected_choices: int = 1,
        calls_before_stop: Callable[[int], int] = lambda choice: 0,
    ) -> None:
        self._stop = stop
        self._expected_choices = expected_choices
        self._calls_before_stop = calls_before_stop
        self._held: dict[int, str] = {}
        self._stopped: dict[int, int] = {}  # by choice: the number of calls that go on

    @property
    def done(self) -> bool:
        """Whether every expected choice was stopped, and no call goes on."""
        return len(self._stopped) >= self._expected_choices and not any(self._stopped.values())

    def feed(self, events: Iterable[StreamEvent]) -> list[StreamEvent]:
        """The events to pass on to the caller."""
        return [out for event in events for out in self._filter_event(event)]

    def _filter_event(self, event: StreamEvent) -> list[StreamEvent]:
        if isinstance(event, Finished):
            held = [TextDelta(text, choice) for choice, text in self._held.items() if text]
            self._held = {}
            return [*held, Finished(truncate_reply(event.reply, self._stop))]
        if event.choice in self._stopped:
            goes_on = isinstance(event, ToolCallDelta) and event.index < self._stopped[event.choice]
            return [event] if goes_on else []
        if not isinstance(event, TextDelta):
            return [event]
        text = self._held.pop(event.choice, "") + event.text
        found = find_stop(text, self._stop)
        if found >= 0:
            self._stopped[event.choice] = self._calls_before_stop(event.choice)
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
    text = choice.text
    at = find_stop(text, stop)
    if at < 0:
        return choice
    parts: list[Part] = []
    reason: str | None = "stop"
    for part in choice.parts:
        if isinstance(part, Text):
            part = replace(part, text=part.text[:at])
        elif isinstance(part, ToolCall):
            if find_stop(text[: part.text_before], stop) >= 0:
                continue  # it began after the stop
            if not _is_whole(part):  # so it must not be run, should the answer have been cut
                reason = choice.finish_reason
        parts.append(part)
    return replace(choice, parts=tuple(parts), finish_reason=reason)


def _is_whole(call: ToolCall) -> bool:
    try:
        return isinstance(loads(call.arguments), dict)
    except ValueError:
        return False


def _partial_match_length(text: str, stop: tuple[str, ...]) -> int:
    """The length of the longest suffix of `text` that is a prefix of a stop sequence."""
    longest = min(len(text), max(map(len, stop)) - 1)
    for length in range(longest, 0, -1):
        tail = text[-length:]
        if any(s.startswith(tail) for s in stop):
            return length
    return 0
