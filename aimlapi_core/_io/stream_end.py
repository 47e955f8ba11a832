"""Reading of a response body: raw byte stream, idle time-out, bounded drain after its end."""

from __future__ import annotations

import time
from typing import Any

import httpx

from aimlapi_core._io.http_call import FAILURES
from aimlapi_core._wire.stream_reader import StreamReader
from aimlapi_core.errors import StreamCutError

# After the closing event only the end of the body is left. Reading it lets the connection be
# reused; the limits are for a server that does not end it.
DRAIN_BYTES = 65_536
DRAIN_S = 0.5


def is_plain(response: httpx.Response) -> bool:
    """Whether the body has no content encoding, so that its bytes can be read undecoded."""
    return "content-encoding" not in response.headers and not response.is_stream_consumed


def sync_stream(response: httpx.Response) -> httpx.SyncByteStream:
    """The raw byte stream of a plain body, without httpx's wrappers."""
    assert isinstance(response.stream, httpx.SyncByteStream)
    return response.stream


def async_stream(response: httpx.Response) -> httpx.AsyncByteStream:
    """As `sync_stream`."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    return response.stream


class IdleStreamTimeout:
    """Ends a stream that sends only SSE comments for longer than the read time-out.

    Comments keep the connection from timing out, so a service whose model hangs could block a
    call forever. Call `check` after each chunk of bytes.
    """

    def __init__(self, request: httpx.Request, reader: StreamReader) -> None:
        self._limit_s = request.extensions.get("timeout", {}).get("read")
        self._reader = reader
        self._last_progress = 0
        self._last_progress_s = time.monotonic()

    def check(self) -> None:
        """Raise StreamCutError if only comments were received for too long."""
        if self._reader.progress != self._last_progress:
            self._last_progress = self._reader.progress
            self._last_progress_s = time.monotonic()
        elif self._limit_s is not None and time.monotonic() - self._last_progress_s > self._limit_s:
            raise StreamCutError(
                f"The stream brought nothing but comments for {self._limit_s:g} seconds: what "
                "came is not the whole answer. Raise timeout; the part that came is in .partial.",
                partial=self._reader.partial(),
            )


class ResponseDrain:
    """Context manager that limits reading the rest of a body; suppresses transport errors.

    Inside it, each read of the connection waits no longer than the rest of `DRAIN_S`. httpx fixes
    the read time-out when a request is built, so the limit is set on the response's own
    `network_stream` (httpx's public extension), by wrapping its `read(max_bytes, timeout)`.
    Responses without one (cassettes, test transports) are not drained, nor is a response that
    the service is still generating.
    """

    def __init__(self, response: httpx.Response, reader: StreamReader) -> None:
        # An HTTP/2 connection is shared with other calls, whose reads keep their own time-out.
        own = response.http_version in ("HTTP/1.1", "HTTP/1.0") and not reader.stopped_early
        self._stream = response.extensions.get("network_stream") if own else None
        self._deadline = time.monotonic() + DRAIN_S
        self._bytes_left = DRAIN_BYTES

    def __enter__(self) -> ResponseDrain:
        if self._stream is not None:
            read = self._stream.read

            def bounded(max_bytes: int, timeout: float | None = None) -> Any:
                return read(max_bytes, timeout=max(0.001, self._deadline - time.monotonic()))

            try:
                self._stream.read = bounded
            except AttributeError:  # a stream class with __slots__: not drained
                self._stream = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> bool:
        if self._stream is not None:
            del self._stream.read
        return kind is not None and issubclass(kind, FAILURES)

    def should_continue(self) -> bool:
        """Whether to read another chunk."""
        in_time = time.monotonic() < self._deadline
        return self._stream is not None and self._bytes_left > 0 and in_time

    def consumed(self, chunk: bytes | None) -> None:
        """Count a chunk; None is the end of the body."""
        self._bytes_left = 0 if chunk is None else self._bytes_left - len(chunk)
