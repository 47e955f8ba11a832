"""Which endpoint a request goes to, and how its answer is read there."""

from __future__ import annotations

import logging
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from aimlapi_core._json_reading import as_index, loads
from aimlapi_core._wire import chat, responses
from aimlapi_core._wire.sse import SSEDecoder
from aimlapi_core._wire.stop_sequences import StopSequenceFilter, truncate_reply
from aimlapi_core._wire.validation import check_request, drop_unsupported_params, warn_once
from aimlapi_core.errors import InvalidRequestError, StreamError, parse_body
from aimlapi_core.models import ModelInfo, model_info, nearest_model
from aimlapi_core.types import (
    ChatRequest,
    Choice,
    CitationDelta,
    Endpoint,
    Finished,
    Reasoning,
    ReasoningDelta,
    Refusal,
    RefusalDelta,
    Reply,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)


class UnknownModelWarning(UserWarning):
    """A model id that is nearly a listed one."""


logger = logging.getLogger("aimlapi")


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """One request, ready to be sent: `path` below the base URL, JSON `body`, extra headers.

    `stop` holds the sequences that the client itself has to cut at.
    """

    endpoint: Endpoint
    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    choices: int
    stop: tuple[str, ...]
    usage_expected: bool

    def decode(self, payload: Any, headers: Mapping[str, str]) -> Reply:
        """The Reply of a whole answer. `headers` in lower case."""
        reply = _CODECS[self.endpoint].decode(payload, headers)
        return truncate_reply(reply, self.stop) if self.stop else reply

    def stream_reader(self, headers: Mapping[str, str] | None = None) -> StreamReader:
        """A reader for the answer's stream. `headers` in lower case."""
        return StreamReader(self, headers or {})


class _Fold(Protocol):
    """What an endpoint's fold has."""

    done: bool

    @property
    def complete(self) -> bool: ...

    def feed(self, name: str, data: str) -> list[StreamEvent]: ...

    def close(self) -> list[StreamEvent]: ...

    def reply(self, headers: Mapping[str, str]) -> Reply: ...


class _EndpointCodec(NamedTuple):
    """The four names that an endpoint's module has."""

    path: str
    encode: Callable[..., dict[str, Any]]
    decode: Callable[[Any, Mapping[str, str]], Reply]
    fold: Callable[..., _Fold]


# What a whole JSON answer, or a page, begins with.
_NON_SSE_PREFIXES = (b"{", b"[", b"<")

_CODECS: Mapping[Endpoint, _EndpointCodec] = {
    "chat": _EndpointCodec(chat.PATH, chat.encode, chat.decode, chat.Fold),
    "responses": _EndpointCodec(responses.PATH, responses.encode, responses.decode, responses.Fold),
}


def prepare_request(request: ChatRequest, *, stream: bool) -> PreparedRequest:
    """Check the request, fit it to its model and encode it. Raises InvalidRequestError."""
    check_request(request)
    info = model_info(request.model)
    if info is None:
        _warn_if_misspelled(request.model)
    endpoint = select_endpoint(request, info)
    request = drop_unsupported_params(request, info, endpoint)
    own_stop = _client_side_stop(request, info, endpoint)
    if own_stop:
        request = replace(request, stop=())
    wire = _CODECS[endpoint]
    body = wire.encode(request, info, stream=stream)
    headers = dict(request.extra_headers)
    if request.client_request_id:
        headers["X-Client-Request-Id"] = request.client_request_id
    return PreparedRequest(
        endpoint=endpoint,
        path=wire.path,
        body={**body, **request.extra_body},
        headers=headers,
        choices=as_index(request.extra_body.get("n", request.n)) or 1,
        stop=own_stop,
        usage_expected=stream and request.stream_usage,
    )


def select_endpoint(request: ChatRequest, info: ModelInfo | None) -> Endpoint:
    """The endpoint: the caller's own choice first, then the table, chat for unknown ids."""
    wanted = request.endpoint
    if wanted not in ("auto", "chat", "responses"):
        raise InvalidRequestError(f'endpoint must be "auto", "chat" or "responses": {wanted!r}')
    if wanted == "auto":
        return info.endpoints[0] if info else "chat"
    if info and wanted not in info.params and request.unsupported_params != "send":
        raise InvalidRequestError(
            f"{info.id!r} is served on the {info.endpoints[0]} endpoint only ({info.source}). "
            'Set endpoint="auto".'
        )
    return wanted


def _client_side_stop(
    request: ChatRequest, info: ModelInfo | None, endpoint: Endpoint
) -> tuple[str, ...]:
    """The stop sequences that the endpoint does not take, so that the client cuts at them."""
    if endpoint == "chat" and (info is None or request.unsupported_params == "send"):
        return ()
    sent = info is not None and "stop" in info.params.get(endpoint, ())
    return () if sent else request.stop


def _warn_if_misspelled(model_id: str) -> None:
    near = nearest_model(model_id)
    if near is not None:
        message = (
            f"{model_id!r} is not a listed model id; did you mean {near!r}? It is sent as it is, "
            "and no parameter is checked."
        )
        warn_once(("model", model_id), message, UnknownModelWarning)


class StreamReader:
    """Bytes of a stream in, events out: SSE decoder, fold, stop cutter. Feed, then close once.

    An answer that came unstreamed, though a stream was asked for, is read too: its first byte
    tells, for neither JSON nor HTML begins as an event does. What it is marked as does not count.

    `done` is set once nothing that follows can matter; `stopped_early` when that is so because
    of a stop sequence, while the service goes on. `complete`: the answer is whole, and only
    usage or cost may follow. `progress` grows with what comes, but not with comments.
    """

    __slots__ = (
        "_cutter",
        "_decoder",
        "_fold",
        "_head",
        "_headers",
        "_plan",
        "_unstreamed",
        "done",
        "progress",
        "stopped_early",
    )

    def __init__(self, plan: PreparedRequest, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._head: bytes | None = b""
        self._unstreamed: bytearray | None = None
        self._decoder = SSEDecoder()
        fold = _CODECS[plan.endpoint].fold
        self._fold = fold(plan.choices, usage_expected=plan.usage_expected)
        self._plan = plan
        self._cutter = StopSequenceFilter(plan.stop, plan.choices) if plan.stop else None
        self.done = self.stopped_early = False
        self.progress = 0

    def feed(self, piece: bytes) -> Iterator[StreamEvent]:
        """The events that end in this piece. Raises StreamError, after those before it."""
        if self._head is not None:
            piece = self._head = self._head + piece  # until its first byte shows
            first = piece.removeprefix(BOM_UTF8).lstrip()[:1]
            if not first or BOM_UTF8.startswith(piece):
                return iter(())
            self._head = None
            if first in _NON_SSE_PREFIXES:
                self._unstreamed = bytearray()
        if self._unstreamed is not None:
            self._unstreamed += piece
            return iter(())
        return self._read(self._decoder.feed(piece))

    def close(self) -> Iterator[StreamEvent]:
        """The end of the body: the last events. Raises StreamCutError when it came too early."""
        if self._unstreamed is not None:
            yield from self._whole(bytes(self._unstreamed))
            return
        if not self.done:
            yield from self._tail()
        if not self.done:
            self.done = True
            yield from self._passed(self._fold.close())

    def _whole(self, body: bytes) -> Iterator[StreamEvent]:
        self.done = True
        reply = self._plan.decode(parse_body(body), self._headers)
        yield from (event for choice in reply.choices for event in events_from_choice(choice))
        yield Finished(reply)

    def _tail(self) -> Iterator[StreamEvent]:
        """An event that the body ended in. Half of one says that the body was cut, no more."""
        events = self._decoder.close()
        is_half = not all(_is_whole(data) for _, data in events)
        try:
            yield from self._read([] if is_half else events)
        except StreamError:
            if not self._fold.complete:
                raise
            is_half = True
        if is_half and self._fold.complete:
            logger.warning("The stream was cut behind the end of the answer: usage may be missing.")

    @property
    def complete(self) -> bool:
        """Whether the answer itself has come to its end."""
        return self._fold.complete

    def partial(self) -> Reply:
        """All that has come so far."""
        return truncate_reply(self._fold.reply({}), self._plan.stop)

    def _read(self, payloads: list[tuple[str, str]]) -> Iterator[StreamEvent]:
        self.progress += self._decoder.is_inside_event
        for name, data in payloads:
            if self.done:
                return
            self.progress += bool(data.strip())  # a blank one is no more than a comment
            events = self._fold.feed(name, data)
            self.done = self._fold.done
            yield from events if self._cutter is None else self._passed(events)

    def _passed(self, events: list[StreamEvent]) -> list[StreamEvent]:
        if self._cutter is None:
            return events
        out = self._cutter.feed(events)
        if self._cutter.done and not self.done:
            self.done = self.stopped_early = True
            out.append(Finished(self.partial()))
        return out


def _is_whole(payload: str) -> bool:
    """Whether a payload that no empty line ended is all that was meant."""
    if payload.strip() in ("", "[DONE]"):
        return True
    try:
        loads(payload)
    except ValueError:
        return False
    return True


def events_from_choice(choice: Choice) -> Iterator[StreamEvent]:
    """The deltas that a stream of this choice would have brought, one a part."""
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
