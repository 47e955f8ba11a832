"""The bytes of a response body, its idle time-out, and the bounded drain after its end."""

from __future__ import annotations

import time
from typing import Any

import httpx

from aimlapi_core._io.http_call import FAILURES
from aimlapi_core._wire.stream_reader import StreamReader
from aimlapi_core.errors import StreamCutError

# After the closing event only the end of the body is left. Reading it lets the connection serve
# the next call; a server that holds it back is not waited for.
DRAIN_BYTES = 65_536
DRAIN_S = 0.5


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
