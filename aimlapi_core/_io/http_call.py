"""What is sent, once or again: its headers, its head when it came, the errors it can end in."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError
from typing import Any, TypeVar

import httpx

from aimlapi_core._error_responses import error_from_response
from aimlapi_core._io.call_observer import Watch
from aimlapi_core._io.concurrency_limit import Slot
from aimlapi_core._io.shared_connections import AsyncHttp, Http
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
from aimlapi_core.settings import Settings

# What httpx, or a transport of the caller's, raises while an answer is read, and while a request
# is sent.
FAILURES = (httpx.HTTPError, httpx.StreamError, OSError)
SEND_FAILURES = (*FAILURES, RuntimeError, UnicodeError, httpx.InvalidURL)

_LEAST_MASKED = 8  # a shorter key is none of the service's, and stands inside common words
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)


SendingT = TypeVar("SendingT", bound="Sending")


class Sending:
    """What is sent, once or again: its names, its head when it came, the errors it can end in."""

    url: str
    headers: dict[str, str]
    client_request_id: str
    watch: Watch | None = None
    slot: Slot | None = None

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.head: Mapping[str, str] = {}
        self.status_code = 0
        self._key = settings.resolved_key()
        self._requests = 0
        self._began = 0.0
        self._is_withdrawn = False

    def checked_headers(self, own: Mapping[str, str], *layers: Mapping[str, str]) -> dict[str, str]:
        """`own`, which can be sent, and the key, then `layers`, of which later ones win.

        Raises ConfigurationError for one that cannot be sent, from frames that hold no value: a
        traceback may be shown with its locals.
        """
        wrong = _unsendable(*layers)
        if wrong is not None:
            del layers
            raise ConfigurationError(
                f"The header {wrong!r} cannot be sent: names and values must be printable ASCII."
            )
        return _merged_headers({**own, "Authorization": f"Bearer {self._key}"}, *layers)

    def elapsed_s(self) -> float:
        """Seconds since the first request began; the wait for its slot is before that."""
        return time.monotonic() - self._began

    def withdraw(self) -> None:
        """Send no more requests: one that waits for its slot gives it up."""
        self._is_withdrawn = True
        if self.slot is not None:
            self.slot.cancel()

    def check(self) -> None:
        """Before each request. Raises CancelledError when it is not to be sent any more."""
        if self._is_withdrawn:
            raise CancelledError("The request was withdrawn before it was sent.")

    def _count_request(self) -> None:
        if not self._requests:
            self._began = time.monotonic()
        self._requests += 1

    def request(self, http: Http | AsyncHttp) -> httpx.Request:
        """The request for one try."""
        raise NotImplementedError

    def patience_s(self, http: Http | AsyncHttp) -> float | None:
        """How many seconds a request may wait for its slot; None is for ever."""
        return None

    def _not_found_hint(self) -> str:
        return f"{self.url} was asked."

    def refused(self, response: httpx.Response, body: bytes) -> StatusError:
        """The error of an answer outside 2xx, of whose body `body` came."""
        error = error_from_response(response.status_code, lower(response.headers), body)
        if isinstance(error, NotFoundError):
            error.args = (f"{error.args[0]} {self._not_found_hint()}",)
        self.head = response.headers
        return error

    def accept(self, response: httpx.Response) -> httpx.Response:
        """A 2xx answer, whose head is known from now on."""
        self.head = lower(response.headers)
        self.status_code = response.status_code
        return response

    def repeat(self, error: AIMLAPIError, delay_s: float) -> None:
        """The request failed with `error` and is made again after `delay_s`."""
        self.head = {}
        if self.watch is not None:
            self.watch.repeat(error, delay_s)
        if self.slot is not None:
            self.slot.release()

    def leave(self, error: BaseException | None) -> None:
        """The call is over; with `error` where that ended it, which leaves named and masked."""
        if isinstance(error, AIMLAPIError):
            error.client_request_id = self.client_request_id if self._requests else None
            error.request_id = error.request_id or self.head.get("x-request-id")
            error.inference_id = error.inference_id or self.head.get("x-inference-id")
            self.masked(error)
        if self.watch is not None:
            self.watch.end(error, self.head)

    def masked(self, error: AIMLAPIError) -> AIMLAPIError:
        """`error` without the key, which the service may have repeated in its answer."""
        if len(self._key) >= _LEAST_MASKED:
            error.args = _masked(error.args, self._key)
            for name, value in error.__dict__.items():
                if name != "partial":
                    error.__dict__[name] = _masked(value, self._key)
        return error

    def broken(self, exc: Exception) -> AIMLAPIError:
        """The error of a failure of the transport before the body began."""
        what = (str(exc) or type(exc).__name__).rstrip(".")
        if isinstance(exc, _NOT_SENT):
            return ConnectFailedError(
                f"No connection to {self.url}: {what}. Nothing was sent; check base_url, the "
                "network and the proxy."
            )
        if isinstance(exc, (httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
            return ConfigurationError(f"The request cannot be sent: {what}")
        if isinstance(exc, httpx.TimeoutException):
            return RequestTimeoutError(
                f"No answer from {self.url} within the time-out. The request was sent and may "
                "be billed, so it is not repeated; raise timeout, or stream."
            )
        if isinstance(exc, httpx.DecodingError):
            return UnexpectedReplyError(f"The answer of {self.url} cannot be decoded: {what}")
        # RuntimeError is httpx's word for a client that was closed, or of another event loop.
        if isinstance(exc, (RuntimeError, UnicodeError, httpx.InvalidURL)):
            return ConfigurationError(f"The HTTP client cannot be used: {what}")
        return ConnectionLostError(
            f"The connection to {self.url} was lost: {what}. The request was sent and may be "
            "billed, so it is not repeated."
        )


class Together:
    """The requests of one call that are sent side by side: once one has failed, no more."""

    def __init__(self) -> None:
        self._all: list[Sending] = []
        self._failures: list[BaseException] = []

    def added(self, one: SendingT) -> SendingT:
        """`one`, as a part of the call."""
        self._all.append(one)
        if self._failures:
            one.withdraw()
        return one

    def stop(self, failure: BaseException) -> BaseException:
        """Send nothing that has not begun; gives the first failure, which is the call's."""
        self._failures.append(failure)
        for one in list(self._all):
            one.withdraw()
        return self._failures[0]


def _merged_headers(own: Mapping[str, str], *layers: Mapping[str, str]) -> dict[str, str]:
    """Later layers win, names compared without case."""
    if not any(layers):
        return dict(own)
    merged = {name.lower(): (name, value) for name, value in own.items()}
    for layer in layers:
        for name, value in layer.items():
            merged[name.lower()] = (name, value)
    return dict(merged.values())


def sendable_user_agent(given: str) -> str:
    """`given`. Raises ConfigurationError where no header can hold it."""
    if _unsendable({"User-Agent": given}) is not None:
        raise ConfigurationError(f"user_agent must be printable ASCII, not {given!r}.")
    return given


def _unsendable(*layers: Mapping[str, str]) -> str | None:
    """The name of the first header that cannot be sent."""
    for layer in layers:
        for name, value in layer.items():
            fine = isinstance(value, str) and value.isascii() and value.isprintable()
            if not (fine and isinstance(name, str) and _HEADER_NAME.fullmatch(name)):
                return name
    return None


def _masked(value: Any, key: str) -> Any:
    if isinstance(value, str):
        return value.replace(key, "***")
    if isinstance(value, tuple):
        return tuple(_masked(item, key) for item in value)
    if isinstance(value, list):
        return [_masked(item, key) for item in value]
    if isinstance(value, Mapping):
        return {_masked(k, key): _masked(v, key) for k, v in value.items()}
    return value


def lower(headers: httpx.Headers) -> dict[str, str]:
    return dict(headers.items())  # httpx gives names in lower case
