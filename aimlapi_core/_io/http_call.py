"""One HTTP call: its headers, its attempts, and the mapping of failures to errors."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from functools import partial

import httpx

from aimlapi_core._error_reading.messages import MAX_SENTENCE_CHARS
from aimlapi_core._error_reading.responses import error_from_response
from aimlapi_core._io.call_observer import CallObserver
from aimlapi_core._io.concurrency_limit import Slot
from aimlapi_core._io.connections import PooledClient
from aimlapi_core._io.shared_connections import AsyncHTTPClient, HTTPClient
from aimlapi_core._io.sockets.open_files import is_out_of_files, raise_file_limit
from aimlapi_core._io.sockets.proxies import was_cut, was_sent
from aimlapi_core._values.readable import readable
from aimlapi_core._values.secret_headers import Mask
from aimlapi_core.errors import (
    AIMLAPIError,
    ConfigurationError,
    ConnectFailedError,
    ConnectionLostError,
    NotFoundError,
    RequestTimeoutError,
    StatusError,
    UnexpectedReplyError,
)
from aimlapi_core.retry import RetryPolicy, decide_retry
from aimlapi_core.settings import Settings

# What httpx, or a custom transport, raises while a response is read, and while a request is sent.
FAILURES = (httpx.HTTPError, httpx.StreamError, OSError)
SEND_FAILURES = (*FAILURES, RuntimeError, UnicodeError, httpx.InvalidURL)

# They say how the body is sent, which is decided here.
_BODY_HEADERS = frozenset(
    "content-length transfer-encoding content-encoding trailer te upgrade expect".split()
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_CONNECT_FAILURES = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)


class HTTPCall:
    """One call, sent once or several times: request headers, response headers, errors."""

    url: str
    headers: dict[str, str]
    client_request_id: str
    observer: CallObserver | None = None
    slot: Slot | None = None
    stopped: threading.Event | None = None  # set when the other calls of its group are stopped

    def __init__(
        self, settings: Settings, keyed: Settings | None = None, *, needs_key: bool = True
    ) -> None:
        """`keyed`: the settings with an awaited key, where it may have to be awaited."""
        self.settings = settings
        self.response_headers: Mapping[str, str] = {}
        self.status_code = 0
        self._key = (keyed or settings).resolved_key() if needs_key else ""
        self._requests = 0
        self._started_s = 0.0
        self.is_cancelled = False
        self._abort: Callable[[], None] | None = None

    def checked_headers(self, own: Mapping[str, str], *layers: Mapping[str, str]) -> dict[str, str]:
        """Merge `own` headers, the key and `layers`; later layers win.

        Raises ConfigurationError for an invalid header, from frames that hold no value: a
        traceback may be shown with its locals.
        """
        invalid = _find_invalid_header(*layers)
        if invalid is not None:
            del layers
            raise ConfigurationError(_header_advice(invalid))
        key = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        return _merged_headers({**own, **key}, *layers)

    def elapsed_s(self) -> float:
        """Seconds since the first request was built; excludes the wait for its slot."""
        return time.monotonic() - self._started_s

    def cancel(self) -> None:
        """Send no more requests; a pending wait for a slot is cancelled."""
        self.is_cancelled = True
        if self.slot is not None:
            self.slot.cancel()

    def make_stoppable(self, request: httpx.Request, http: HTTPClient) -> None:
        """Let `cancel` and `abort` end this request, which another thread is about to send."""
        assert isinstance(request.stream, httpx.SyncByteStream)
        request.stream = _StoppableBody(request.stream, self)
        self._abort = partial(http.abort, request) if isinstance(http, PooledClient) else None

    def abort(self) -> None:
        """End the request in flight, if its connection is ours: it is lost at once."""
        if self._abort is not None:
            self._abort()

    def sleep(self, delay_s: float) -> None:
        """Wait before a retry, but no longer than until its group is stopped."""
        if self.stopped is None:
            time.sleep(delay_s)
        else:
            self.stopped.wait(delay_s)

    def raise_if_cancelled(self) -> None:
        """Raise CancelledError after `cancel()`. Call it before each request."""
        if self.is_cancelled:
            raise CancelledError("The request was withdrawn before it was sent.")

    def _count_request(self) -> None:
        if not self._requests:
            self._started_s = time.monotonic()
        self._requests += 1

    def build_request(self, http: HTTPClient | AsyncHTTPClient) -> httpx.Request:
        """The httpx request for one attempt."""
        raise NotImplementedError

    def slot_timeout_s(self, http: HTTPClient | AsyncHTTPClient) -> float | None:
        """How many seconds a request may wait for its concurrency slot; None is unlimited."""
        return None

    def _not_found_hint(self) -> str:
        return f"{self.url} was asked."

    def status_error(self, response: httpx.Response, body: bytes) -> StatusError:
        """The error for a non-2xx response; `body` as far as it was received."""
        error = error_from_response(
            response.status_code,
            _header_dict(response.headers),
            body,
            url=self.url,
            now_s=time.time(),
        )
        if isinstance(error, NotFoundError) and not response.has_redirect_location:
            error.args = (f"{error.args[0]} {self._not_found_hint()}",)
        self.response_headers = response.headers
        return error

    def accept(self, response: httpx.Response) -> httpx.Response:
        """Store status and headers of a 2xx response, and return it."""
        self.response_headers = _header_dict(response.headers)
        self.status_code = response.status_code
        return response

    def prepare_retry(
        self, error: AIMLAPIError, cause: Exception | None, policy: RetryPolicy
    ) -> float:
        """Reset after a failed request; returns the delay before the next one in seconds.

        Raises `error` from `cause` if `policy` allows no retry.
        """
        wait = decide_retry(error, self._requests - 1, policy, random.random(), self.elapsed_s())
        if wait is None:
            raise error from cause
        self.response_headers = {}
        if self.observer is not None:
            self.observer.retry(error, wait.delay_s)
        if self.slot is not None:
            self.slot.release()
        return wait.delay_s

    def finish(self, error: BaseException | None) -> None:
        """End the call. An AIMLAPIError gets the request ids, and the key redacted."""
        if isinstance(error, AIMLAPIError):
            error.client_request_id = self.client_request_id if self._requests else None
            error.request_id = error.request_id or self.response_headers.get("x-request-id")
            error.inference_id = error.inference_id or self.response_headers.get("x-inference-id")
            self.redact(error)
        if self.observer is not None:
            self.observer.abort(error, self.response_headers)

    def redact(self, error: AIMLAPIError) -> AIMLAPIError:
        """Remove the key, and what secret headers hold, from `error`: a body may repeat them."""
        mask = Mask(self._key, getattr(self, "headers", {}))
        cause: BaseException | None = error
        while cause is not None:  # those of the HTTP libraries quote a head that cannot be read
            cause.args, cause = mask(cause.args), cause.__cause__
        for name, value in error.__dict__.items():
            if name != "partial":
                error.__dict__[name] = mask(value)
        return error

    def transport_error(self, exc: Exception) -> AIMLAPIError:
        """The error for a transport exception before the first event of the body."""
        detail = readable(str(exc), MAX_SENTENCE_CHARS).rstrip(".") or type(exc).__name__
        is_lost = isinstance(exc, (httpx.TransportError, OSError))
        if isinstance(exc, _CONNECT_FAILURES) or (is_lost and not was_sent(exc)):
            if is_out_of_files(exc):  # a retry finds the limit raised, where it can be
                return ConnectFailedError(
                    f"No connection to {self.url}: the process had as many files open as it may "
                    f"({raise_file_limit()}). Nothing was sent; raise its limit (`ulimit -n`), or "
                    "set max_concurrency."
                )
            return ConnectFailedError(
                f"No connection to {self.url}: {detail}. Nothing was sent; check base_url, the "
                "network and the proxy."
            )
        if isinstance(exc, (httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
            return ConfigurationError(f"The request cannot be sent: {detail}")
        if isinstance(exc, httpx.WriteTimeout):
            return RequestTimeoutError(
                f"The request to {self.url} could not be written within the write time-out: only "
                "a part of it was sent, so the service cannot have answered it, and nothing is "
                "billed. Raise timeout, or send less.",
                request_sent=False,
            )
        if was_cut(exc):
            return ConnectionLostError(
                f"The connection to {self.url} was lost while the request was written: {detail}. "
                "Only a part of it was sent, so the service cannot have answered it, and nothing "
                "is billed. Ask again; if that fails too, send less.",
                request_sent=False,
            )
        if isinstance(exc, httpx.TimeoutException):
            return RequestTimeoutError(
                f"No answer from {self.url} within the time-out. The request was sent and may "
                "be billed, so it is not repeated; raise timeout, or stream."
            )
        if isinstance(exc, httpx.DecodingError):
            return UnexpectedReplyError(f"The answer of {self.url} cannot be decoded: {detail}")
        # httpx raises RuntimeError for a closed client, and for one of another event loop.
        if isinstance(exc, (RuntimeError, UnicodeError, httpx.InvalidURL)):
            return ConfigurationError(f"The HTTP client cannot be used: {detail}")
        return ConnectionLostError(
            f"The connection to {self.url} was lost: {detail}. The request was sent and may be "
            "billed, so it is not repeated."
        )


class _StoppableBody(httpx.SyncByteStream):
    """The body of a request, unless its call is cancelled: the service then never has it whole."""

    def __init__(self, body: Iterable[bytes], call: HTTPCall) -> None:
        self._body = body
        self._call = call

    def __iter__(self) -> Iterator[bytes]:
        if self._call.is_cancelled and self._call.observer is not None:
            self._call.observer.not_sent()
        self._call.raise_if_cancelled()
        yield from self._body


def _merged_headers(own: Mapping[str, str], *layers: Mapping[str, str]) -> dict[str, str]:
    """Merge headers case-insensitively; later layers win."""
    if not any(layers):
        return dict(own)
    merged = {name.lower(): (name, value) for name, value in own.items()}
    for layer in layers:
        for name, value in layer.items():
            merged[name.lower()] = (name, value.strip())
    return dict(merged.values())


def sendable_user_agent(given: str) -> str:
    """Return `given`, or raise ConfigurationError if it is no valid header value."""
    if _find_invalid_header({"User-Agent": given}) is not None:
        raise ConfigurationError(f"user_agent must be printable ASCII, not {given!r}.")
    return given


def _find_invalid_header(*layers: Mapping[str, str]) -> str | None:
    """The name of the first header with an invalid name or value."""
    for layer in layers:
        for name, value in layer.items():
            is_valid = isinstance(value, str) and value.isascii() and value.isprintable()
            if not (is_valid and isinstance(name, str) and _HEADER_NAME.fullmatch(name)):
                return name
            if name.lower() in _BODY_HEADERS:
                return name
    return None


def _header_advice(name: object) -> str:
    """Why a header is refused, by its name alone: its value may be a key."""
    if isinstance(name, str) and name.lower() in _BODY_HEADERS:
        return f"The header {name!r} cannot be set, since it follows from the body: leave it out."
    return f"The header {name!r} cannot be sent: names and values must be text in printable ASCII."


def _header_dict(headers: httpx.Headers) -> dict[str, str]:
    return dict(headers.items())  # httpx lowercases the names
