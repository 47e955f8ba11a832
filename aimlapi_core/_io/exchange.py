"""What both clients do around their I/O lines: the request to send, what a failure means."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any, Generic, TypeVar

import httpx

from aimlapi_core._check import LONGEST_REQUEST_ID, check_client_request_id, is_client_request_id
from aimlapi_core._embeddings import EmbeddingPlan
from aimlapi_core._endpoint import Plan, StreamReader
from aimlapi_core._io.limits import slot_for
from aimlapi_core._io.pools import AsyncHttp, Http
from aimlapi_core._io.sending import FAILURES, Sending
from aimlapi_core._io.watch import watch
from aimlapi_core.errors import (
    ConfigurationError,
    InvalidRequestError,
    StreamCutError,
    parse_body,
)
from aimlapi_core.models import model_info
from aimlapi_core.settings import CONNECT_TIMEOUT_S, DEFAULT_TIMEOUT_S, Settings
from aimlapi_core.types import (
    ChatRequest,
    EmbeddingReply,
    EmbeddingRequest,
    Endpoint,
    Finished,
    Reply,
    StreamEvent,
    Transport,
)

# After the closing event only the end of the body is left. Reading it lets the connection serve
# the next call; a server that holds it back is not waited for.
DRAIN_BYTES = 65_536
DRAIN_S = 0.5

PlanT = TypeVar("PlanT", Plan, EmbeddingPlan)


class Exchange(Sending, Generic[PlanT]):
    """One call: its HTTP request, and the errors it can end in. Made once, used for each try."""

    def __init__(
        self,
        settings: Settings,
        plan: PlanT,
        user_agent: str,
        asked: ChatRequest | EmbeddingRequest | None = None,
    ) -> None:
        super().__init__(settings)
        self.plan: PlanT = plan
        self.url = settings.resolved_base_url() + plan.path
        self.content = encode_json(plan.body)
        fresh = os.urandom(16).hex()
        run_id = getattr(asked, "run_id", None)
        own = {
            "X-Client-Request-Id": run_id if is_client_request_id(run_id) else fresh,
            "Content-Type": "application/json",
            "User-Agent": user_agent,
        }
        self.headers = self.checked_headers(own, settings.default_headers, plan.headers)
        # The id stands first in `own`, and so in what is merged, however it is spelled there.
        self._id_header, given = next(iter(self.headers.items()))
        self._is_fresh = given is fresh
        if not self._is_fresh:
            check_client_request_id(given)
            if isinstance(plan, EmbeddingPlan) and plan.start:  # a batch is a request of its own
                given = _suffixed(given, f".b{plan.start}")
        self._call_id = self.client_request_id = given
        self.headers[self._id_header] = given
        self._reader: StreamReader | None = None
        model, endpoint = str(plan.body.get("model")), getattr(plan, "endpoint", "embeddings")
        self.watch = watch(settings, asked, endpoint, model, self.url)
        if settings.max_concurrency is not None:
            self.slot = slot_for(settings.max_concurrency, self.url, self.headers)

    def request(self, http: Http | AsyncHttp) -> httpx.Request:
        """The request for one try, by an id of its own. Raises BudgetExceededError."""
        if self._requests:
            self.client_request_id = _suffixed(self._call_id, f".r{self._requests}")
            self.headers[self._id_header] = self.client_request_id
        if self.watch is not None:
            self.watch.begin_request(self.client_request_id, self._is_fresh)
        self._count_request()
        timeout = _timeout(self.settings, http)
        try:
            return http.build_request(
                "POST", self.url, content=self.content, headers=self.headers, timeout=timeout
            )
        except (httpx.InvalidURL, UnicodeError, TypeError) as exc:
            raise ConfigurationError(f"{self.url!r} cannot be asked: {exc}") from exc

    def patience_s(self, http: Http | AsyncHttp) -> float | None:
        """As many seconds as for a connection that is free."""
        return _timeout(self.settings, http).pool

    def _not_found_hint(self) -> str:
        model = self.plan.body.get("model")
        asked = f"{model!r} was asked on {self.url}"
        if isinstance(self.plan, EmbeddingPlan):
            return f"{asked}."
        other: Endpoint = "responses" if self.plan.endpoint == "chat" else "chat"
        info = model_info(str(model))
        if info is not None and other not in info.params:
            return f"{asked}."
        return f'{asked}; endpoint="{other}" is the other one to try.'

    def decoded(self: Exchange[Plan], body: bytes) -> Reply:
        """The Reply of a 2xx answer with this body."""
        return self.finished(self.plan.decode(parse_body(body), self.head))

    def vectors(self: Exchange[EmbeddingPlan], body: bytes) -> tuple[EmbeddingReply, Transport]:
        """The vectors of a 2xx answer with this body."""
        reply = self.plan.decode(parse_body(body), self.head)
        if self.watch is not None:
            self.watch.finish(reply, self.head)
        return reply, self.transport()

    def reader(self: Exchange[Plan], response: httpx.Response) -> StreamReader:
        """A reader for the body of a 2xx answer."""
        self._reader = self.plan.reader(self.head)
        return self._reader

    def finished_event(self, event: StreamEvent) -> StreamEvent:
        """`event`, with the facts of the HTTP answer where it is the last one."""
        if type(event) is not Finished:
            return event
        return Finished(self.finished(event.reply))

    def finished(self, reply: Reply) -> Reply:
        """`reply` with the facts of its HTTP answer."""
        if self.watch is not None:
            stopped = self._reader is not None and self._reader.stopped_early
            self.watch.finish(reply, self.head, stopped=stopped)
        return replace(reply, transport=self.transport())

    def transport(self) -> Transport:
        """The facts of the HTTP answer."""
        return Transport(
            status_code=self.status_code,
            request_id=self.head.get("x-request-id"),
            inference_id=self.head.get("x-inference-id"),
            client_request_id=self.client_request_id,
            headers=self.head,
        )

    def cut(self, exc: Exception, reader: StreamReader) -> StreamCutError:
        """The error of a failure of the transport inside the body."""
        return StreamCutError(
            f"The stream broke off ({type(exc).__name__}: {exc}): what came is not the whole "
            "answer. Nothing is repeated, since it may be billed; the part that came is in "
            ".partial.",
            partial=reader.partial(),
        )


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encode_json(body: Mapping[str, Any]) -> bytes:
    """Compact UTF-8 JSON. Raises InvalidRequestError, naming what JSON cannot hold."""
    try:
        return _ENCODER.encode(body).encode()
    except (TypeError, ValueError, RecursionError) as exc:
        with suppress(RecursionError):
            for found in _no_json(body, ""):
                raise InvalidRequestError(
                    f"The request cannot be written as JSON: {found}"
                ) from exc
        raise InvalidRequestError(f"The request cannot be written as JSON: {exc}") from exc


def _no_json(value: Any, at: str) -> Iterator[str]:
    """What in `value`, which stands at `at`, no JSON can hold."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _no_json(member, f"{at}.{key}" if at else str(key))
    elif isinstance(value, (list, tuple)):
        for index, member in enumerate(value):
            yield from _no_json(member, f"{at}[{index}]")
    elif isinstance(value, str):
        broken = next((c for c in value if "\ud800" <= c <= "\udfff"), None)
        if broken is not None:
            yield f"{at} holds {broken!r}, half of a character, which has no bytes: take it out"
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{at} is {value!r}, which is no number there"
    elif value is not None and not isinstance(value, (bool, int, float)):
        yield f"{at} is of type {type(value).__name__}"


def is_plain(response: httpx.Response) -> bool:
    """Whether the bytes of a body are what was sent, so that no decoder has to look at them."""
    return "content-encoding" not in response.headers and not response.is_stream_consumed


def sync_stream(response: httpx.Response) -> httpx.SyncByteStream:
    """The bytes of a plain body as they come, without what httpx wraps around them."""
    assert isinstance(response.stream, httpx.SyncByteStream)
    return response.stream


def async_stream(response: httpx.Response) -> httpx.AsyncByteStream:
    """As `sync_stream`."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    return response.stream


class Watchdog:
    """Ends a stream that brings nothing but comments for longer than the read time-out.

    A comment keeps the connection from timing out, so that a service whose model hangs could
    hold a call for ever. `check` after each piece of bytes.
    """

    def __init__(self, request: httpx.Request, reader: StreamReader) -> None:
        self._limit_s = request.extensions.get("timeout", {}).get("read")
        self._reader = reader
        self._seen = 0
        self._since = time.monotonic()

    def check(self) -> None:
        """Raise StreamCutError when only comments have come for too long."""
        if self._reader.progress != self._seen:
            self._seen = self._reader.progress
            self._since = time.monotonic()
        elif self._limit_s is not None and time.monotonic() - self._since > self._limit_s:
            raise StreamCutError(
                f"The stream brought nothing but comments for {self._limit_s:g} seconds: what "
                "came is not the whole answer. Raise timeout; the part that came is in .partial.",
                partial=self._reader.partial(),
            )


class Drain:
    """Bounds for reading what is left of a body; swallows what the transport raises meanwhile.

    While it is entered, each read of the connection waits no longer than what is left of
    `DRAIN_S`. httpx fixes the read time-out when a request is made, so the bound is set on the
    answer's own `network_stream` (httpx's public extension), whose `read(max_bytes, timeout)`
    is wrapped. Answers without one (cassettes, test transports) are not read any further, nor
    is an answer that the service is still giving.
    """

    def __init__(self, response: httpx.Response, reader: StreamReader) -> None:
        # A stream of HTTP/2 is shared by other calls, whose reads must keep their own bound.
        own = response.http_version in ("HTTP/1.1", "HTTP/1.0") and not reader.stopped_early
        self._stream = response.extensions.get("network_stream") if own else None
        self._deadline = time.monotonic() + DRAIN_S
        self._bytes_left = DRAIN_BYTES

    def __enter__(self) -> Drain:
        if self._stream is not None:
            read = self._stream.read

            def bounded(max_bytes: int, timeout: float | None = None) -> Any:
                return read(max_bytes, timeout=max(0.001, self._deadline - time.monotonic()))

            try:
                self._stream.read = bounded
            except AttributeError:  # a stream with slots: not read any further
                self._stream = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> bool:
        if self._stream is not None:
            del self._stream.read
        return kind is not None and issubclass(kind, FAILURES)

    def wants_more(self) -> bool:
        """Whether to read on."""
        in_time = time.monotonic() < self._deadline
        return self._stream is not None and self._bytes_left > 0 and in_time

    def took(self, piece: bytes | None) -> None:
        """Count a piece; None is the end of the body."""
        self._bytes_left = 0 if piece is None else self._bytes_left - len(piece)


def _timeout(settings: Settings, http: Http | AsyncHttp) -> httpx.Timeout:
    given = settings.timeout
    if given == DEFAULT_TIMEOUT_S and http in (settings.http_client, settings.http_async_client):
        return http.timeout
    if given is None or isinstance(given, httpx.Timeout):
        return httpx.Timeout(given)
    return _timeout_of(given)


@lru_cache(maxsize=16)
def _timeout_of(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=min(seconds, CONNECT_TIMEOUT_S))


def _suffixed(name: str, suffix: str) -> str:
    """A client request id with a suffix, its beginning cut where it would be too long."""
    return name[: LONGEST_REQUEST_ID - len(suffix)] + suffix
