"""Chat completions read piece by piece: chunks of a stream, or one whole answer as one chunk.

A whole answer goes through the same code as a stream, so both give the same Reply. Any member
may be missing, null or unknown; what has no field of its own is kept in `extra`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from aimlapi_core._json_reading import (
    as_index,
    as_int,
    as_mapping,
    as_mappings,
    loads,
    non_placeholder_str,
    nonempty_str,
)
from aimlapi_core._wire import usage
from aimlapi_core._wire.chat_choice import ChoiceAccumulator
from aimlapi_core._wire.reported_cost import parse_cost
from aimlapi_core.errors import StreamCutError, StreamFailedError, failure_in
from aimlapi_core.types import (
    Finished,
    Reply,
    StreamEvent,
)

logger = logging.getLogger("aimlapi")


def came(payload: Any) -> str:
    """What came instead of an answer, in a few words: its error, or its shape."""
    if isinstance(payload, Mapping):
        failure = failure_in(payload)
        if failure:
            return f"an error: {failure[0]}"
        kind = payload.get("object")
        return (f"object={kind!r}, " if kind else "") + f"members {sorted(map(str, payload))}"
    return f"{type(payload).__name__} {str(payload)[:200]!r}"


class Fold:
    """A stream's payloads in, events out. Feed many times, close once; `done` after `[DONE]`.

    `expected` is the number of choices asked for. An answer is whole when every choice has its
    finish reason; what comes after that may add usage, cost or the same reason again, but no
    text. Whatever follows `[DONE]` is ignored.
    """

    def __init__(self, expected: int = 1, *, usage_expected: bool = False) -> None:
        self.done = False
        self._expected = expected
        self._usage_expected = usage_expected
        self._id: str | None = None
        self._model: str | None = None
        self._created: int | None = None
        self._usage: Any = None
        self._meta: Any = None
        self._extra: dict[str, Any] = {}
        self._head: dict[str, Any] = {}
        self._choices: dict[int, ChoiceAccumulator] = {}

    @property
    def complete(self) -> bool:
        """Whether every expected choice has its finish reason: what follows is optional."""
        finished = sum(choice.finish_reason is not None for choice in self._choices.values())
        return finished >= max(self._expected, len(self._choices))

    def feed(self, name: str, data: str) -> list[StreamEvent]:
        """The events of one payload. Raises StreamFailedError when it reports a failure."""
        if self.done:
            return []
        if not data.startswith("{"):
            said = data.strip()
            if said == "[DONE]":
                self.done = True
                return [self._finish(asked=1)]
            if not said:
                return []
        try:
            frame = loads(data)
        except ValueError:
            frame = None
        if not isinstance(frame, dict):
            raise self._failed(f"a payload of the stream is not a JSON object: {data[:200]!r}")
        # What a failure has, as failure_in says; nearly no frame does.
        suspect = "error" in frame or "choices" not in frame or name == "error"
        failure = failure_in(frame, name) if suspect else None
        if failure:
            raise self._failed(f"the service reported: {failure[0]}", failure[1], frame)
        return self.absorb(frame)

    def close(self) -> list[StreamEvent]:
        """The end of the body: Finished, unless it was given out at `[DONE]`.

        Raises StreamCutError when a choice has no finish reason.
        """
        if self.done:
            return []
        self.done = True
        return [self._finish(asked=self._expected)]

    def absorb(self, frame: dict[str, Any], *, whole: bool = False) -> list[StreamEvent]:
        """Take in one chunk, or with `whole` one unstreamed answer; `frame` is used up."""
        events: list[StreamEvent] = []
        choices = frame.pop("choices", None)
        frame.pop("obfuscation", None)  # padding that hides lengths
        if frame != self._head:  # most chunks have the head of the last one
            self._head = frame
            self._absorb_head(frame)
        for position, row in enumerate(as_mappings(choices)):
            self._absorb_choice(row, position, whole, events)
        return events

    def _absorb_head(self, head: dict[str, Any]) -> None:
        for key, value in head.items():
            if value is None or key == "object":
                continue
            if key == "id":
                self._id = nonempty_str(value) or self._id
            elif key == "model":
                self._model = nonempty_str(value) or self._model
            elif key == "created":
                self._created = as_int(value)
            elif key == "usage":
                self._usage = value  # cumulative counts come too: the last one is the sum
            elif key == "meta":
                self._meta = value
            else:
                self._extra[key] = value

    def _absorb_choice(
        self, row: Mapping[str, Any], position: int, whole: bool, events: list[StreamEvent]
    ) -> None:
        given = as_index(row.get("index"))
        index = position if given is None or (whole and given in self._choices) else given
        if row.get("error"):
            raise self._failed(f"the service reported: {came(row)}", details=row)
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = ChoiceAccumulator(index)
        # Some servers stream whole messages where deltas belong, and the other way round.
        names = ("message", "delta") if whole else ("delta", "message")
        delta = as_mapping(row.get(names[0])) or as_mapping(row.get(names[1]))
        new = choice.absorb(delta, row, whole)
        if new and choice.finish_reason is not None:
            raise self._failed(f"choice {index} went on after its finish reason")
        events += new
        reason = non_placeholder_str(row.get("finish_reason"))
        if reason is not None or whole:
            events += choice.finish(reason, self._id)

    def _finish(self, *, asked: int) -> Finished:
        finished = [c for c in self._choices.values() if c.finish_reason is not None]
        if len(finished) < max(asked, len(self._choices)):
            raise StreamCutError(
                "The stream ended before the answer did (no finish reason): what came is not "
                "the whole answer. Ask again; the part that came is in .partial.",
                partial=self.reply({}),
            )
        if self._usage_expected and self._usage is None:
            logger.warning("Stream %s ended well but brought no usage: it is None.", self._id)
        return Finished(self.reply({}))

    def reply(self, headers: Mapping[str, str]) -> Reply:
        """All that has come so far."""
        return Reply(
            id=self._id,
            model=self._model,
            created=self._created,
            choices=tuple(self._choices[i].value() for i in sorted(self._choices)),
            usage=usage.CHAT.read(self._usage),
            cost=parse_cost(headers, self._meta),
            extra=self._extra,
        )

    def _failed(
        self, what: str, code: str | None = None, details: Mapping[str, Any] | None = None
    ) -> StreamFailedError:
        return StreamFailedError(
            f"The stream failed: {what}. The part that came is in .partial.",
            partial=self.reply({}),
            code=code,
            details=details,
        )
