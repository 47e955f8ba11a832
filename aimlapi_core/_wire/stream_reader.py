"""Reads a streamed response: bytes to SSE payloads to stream events."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

from aimlapi_core._error_reading.messages import MAX_SENTENCE_CHARS
from aimlapi_core._json_reading import as_mapping, loads, loads_with_halves
from aimlapi_core._values.readable import readable
from aimlapi_core._wire.answers.choice_events import events_from_choice
from aimlapi_core._wire.answers.failures import answer_failed
from aimlapi_core._wire.answers.whole_characters import (
    HalfCharacterFilter,
    mend_error,
    whole_characters,
)
from aimlapi_core._wire.sse import SSEDecoder, is_keep_alive
from aimlapi_core._wire.stop_sequences import StopSequenceFilter, truncate_reply
from aimlapi_core._wire.usage import USAGE_FIELDS, parse_cost, parse_serving
from aimlapi_core.errors import AIMLAPIError, StreamError, StreamFailedError
from aimlapi_core.types import (
    Finished,
    Reply,
    StreamEvent,
)

logger = logging.getLogger("aimlapi")

# The first byte of an unstreamed JSON answer, or of an HTML page.
_NON_SSE_PREFIXES = (b"{", b"[", b"<")


class Accumulator(ABC):
    """SSE payloads in, stream events out: `feed` many times, `close` once.

    Payloads after `done` are ignored.
    """

    done = False
    may_hold_halves = False
    """Whether there may be halves of characters in the events and the reply."""

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether the answer is complete; usage and cost may follow."""

    @abstractmethod
    def feed(self, name: str, data: str) -> list[StreamEvent]:
        """The events of one payload.

        Raises StreamFailedError if it cannot be read, AnswerFailedError, or ContextTooLongError
        before any content, if it reports an error.
        """

    @abstractmethod
    def close(self) -> list[StreamEvent]:
        """The last events, at the end of the body. Raises StreamCutError if it is incomplete."""

    @abstractmethod
    def reply(self, headers: Mapping[str, str]) -> Reply:
        """The reply accumulated so far."""

    def _parse_object(self, data: str, name: str) -> dict[str, Any]:
        try:
            payload, has_halves = loads_with_halves(data)
        except ValueError:
            payload, has_halves = None, False
        if has_halves:
            self.may_hold_halves = True
        if isinstance(payload, dict):
            return payload
        if name == "error":
            what = f"the service reported: {data[:200].strip()}"
            raise self._stream_error(what, None, {"error": data})
        raise self._stream_error(f"a payload of the stream is not a JSON object: {data[:200]!r}")

    def _stream_error(
        self, what: str, code: str | None = None, details: Mapping[str, Any] | None = None
    ) -> AIMLAPIError:
        partial = self.reply({})
        if details is not None:
            return answer_failed(what, partial, details, code)
        what = readable(what, MAX_SENTENCE_CHARS)
        return StreamFailedError(
            f"The stream failed: {what}. The part that came is in .partial.", partial=partial
        )


class StreamReader:
    """Bytes in, stream events out: SSE decoder, accumulator, stop filter. Feed, then close once.

    `decode` decodes an unstreamed answer; `client_stop`: stop sequences to apply here.
    An unstreamed answer to a streaming request is read too. It is detected by its first byte, as
    neither JSON nor HTML begins like an SSE event; the content type is ignored.

    Behind the closing event only usage and cost count: what comes with it is read by `feed`, what
    is read later by `feed_rest`; `finished` adds them to the reply.

    `done`: the rest of the body does not matter; `stopped_early`: because of a stop sequence,
    though the service continues. `complete`: the answer is complete, and only usage or cost may
    follow. `progress` increases with received data, but not with comments and other keep-alives.
    """

    __slots__ = (
        "_accumulator",
        "_client_stop",
        "_decode",
        "_decoder",
        "_half_filter",
        "_late",
        "_start",
        "_stop_filter",
        "_unstreamed",
        "_usage_expected",
        "done",
        "progress",
        "stopped_early",
    )

    def __init__(
        self,
        accumulator: Accumulator,
        decode: Callable[[bytes], Reply],
        client_stop: tuple[str, ...],
        expected_choices: int,
        *,
        usage_expected: bool = False,
    ) -> None:
        self._accumulator = accumulator
        self._decode = decode
        self._client_stop = client_stop
        self._start: bytes | None = b""
        self._unstreamed: bytearray | None = None
        self._decoder = SSEDecoder()
        self._half_filter: HalfCharacterFilter | None = None
        self._late: dict[str, Any] = {}
        self._usage_expected = usage_expected
        self._stop_filter = (
            StopSequenceFilter(client_stop, expected_choices, self._calls_before_stop)
            if client_stop
            else None
        )
        self.done = self.stopped_early = False
        self.progress = 0

    def feed(self, piece: bytes) -> Iterator[StreamEvent]:
        """The events that this piece completes. Raises StreamError after the events before it."""
        if self._start is not None:
            piece = self._start = self._start + piece  # until the first byte is known
            first = piece.removeprefix(BOM_UTF8).lstrip()[:1]
            if not first or BOM_UTF8.startswith(piece):
                return iter(())
            self._start = None
            if first in _NON_SSE_PREFIXES:
                self._unstreamed = bytearray()
        if self._unstreamed is not None:
            self._unstreamed += piece
            # White space only keeps the connection alive.
            self.progress += bool(piece) and not piece.isspace()
            return iter(())
        return self._read_payloads(self._decoder.feed(piece))

    def close(self) -> Iterator[StreamEvent]:
        """The last events, at the end of the body. Raises StreamCutError if it is incomplete."""
        if self._unstreamed is not None:
            yield from self._read_unstreamed(bytes(self._unstreamed))
            return
        if not self.done:
            yield from self._flush_decoder()
        if not self.done:
            self.done = True
            try:
                events = self._accumulator.close()
            except StreamError as error:
                self._mend(error)
                raise
            if self._accumulator.may_hold_halves:
                events = self._with_whole_characters(events)
            yield from self._apply_stop(events)

    def feed_rest(self, piece: bytes | None) -> None:
        """Take in usage and cost of a piece behind the closing event; None at the body's end."""
        self._read_late(self._decoder.close() if piece is None else self._decoder.feed(piece))

    def _read_late(self, payloads: Iterable[tuple[str, str]]) -> None:
        for _, data in payloads:
            try:
                payload = loads(data)
            except ValueError:
                continue
            holders = as_mapping(payload), as_mapping(as_mapping(payload).get("response"))
            for holder, name in product(holders, ("usage", "meta")):
                if found := holder.get(name):
                    self._late[name] = found

    def finished(self, reply: Reply) -> Reply:
        """The reply of Finished, with the usage and the cost that came behind it."""
        usage = USAGE_FIELDS[reply.endpoint].parse(self._late.get("usage")) or reply.usage
        cost = parse_cost({}, self._late.get("meta")) or reply.cost
        serving = parse_serving({}, self._late.get("meta")) or reply.serving
        if usage is None and self._usage_expected and not self.stopped_early:
            logger.warning("Stream %s ended well but brought no usage: it is None.", reply.id)
        if not self._late:
            return reply
        return replace(reply, usage=usage, cost=cost, serving=serving)

    def _read_unstreamed(self, body: bytes) -> Iterator[StreamEvent]:
        self.done = True
        reply = self._decode(body)
        yield from (event for choice in reply.choices for event in events_from_choice(choice))
        yield Finished(reply)

    def _flush_decoder(self) -> Iterator[StreamEvent]:
        """Flush the decoder. An incomplete last event is dropped: the connection was cut."""
        events = self._decoder.close()
        is_incomplete = not all(_is_complete_payload(data) for _, data in events)
        try:
            yield from self._read_payloads([] if is_incomplete else events)
        except StreamError:
            if not self._accumulator.complete:
                raise
            is_incomplete = True
        if is_incomplete and self._accumulator.complete:
            logger.warning("The stream was cut behind the end of the answer: usage may be missing.")

    @property
    def complete(self) -> bool:
        """Whether the answer is complete; usage and cost may follow."""
        return self._accumulator.complete

    def partial(self) -> Reply:
        """The reply accumulated so far."""
        reply = self._accumulator.reply({})
        if self._accumulator.may_hold_halves:
            reply = whole_characters(reply)
        return truncate_reply(reply, self._client_stop)

    def _with_whole_characters(self, events: list[StreamEvent]) -> list[StreamEvent]:
        if self._half_filter is None:
            self._half_filter = HalfCharacterFilter()
        return self._half_filter.feed(events)

    def _mend(self, error: StreamError) -> None:
        if self._accumulator.may_hold_halves:
            mend_error(error)

    def _calls_before_stop(self, choice: int) -> int:
        found = (c.tool_calls for c in self.partial().choices if c.index == choice)
        return sum(map(len, found))

    def _read_payloads(self, payloads: list[tuple[str, str]]) -> Iterator[StreamEvent]:
        self.progress += self._decoder.is_inside_event
        for position, (name, data) in enumerate(payloads, 1):
            if self.done:
                return
            if not data.startswith("{") and is_keep_alive(name, data):
                continue
            self.progress += bool(data.strip())  # an empty one is a keep-alive
            try:
                events = self._accumulator.feed(name, data)
            except StreamError as error:
                self._mend(error)
                raise
            if self._accumulator.may_hold_halves:
                events = self._with_whole_characters(events)
            self.done = self._accumulator.done
            if self.done:
                self._read_late(payloads[position:])
            yield from events if self._stop_filter is None else self._apply_stop(events)

    def _apply_stop(self, events: list[StreamEvent]) -> list[StreamEvent]:
        if self._stop_filter is None:
            return events
        out = self._stop_filter.feed(events)
        if self._stop_filter.done and not self.done:
            self.done = self.stopped_early = True
            out.append(Finished(self.partial()))
        return out


def _is_complete_payload(payload: str) -> bool:
    """Whether a payload without the terminating empty line is complete."""
    if payload.strip() in ("", "[DONE]"):
        return True
    try:
        loads(payload)
    except ValueError:
        return False
    return True
