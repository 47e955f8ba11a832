"""Reading of a response body: raw byte stream, gzip, idle time-out, bounded drain after its end."""

from __future__ import annotations

import time
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from aimlapi_core._io.http_call import FAILURES
from aimlapi_core._wire.stream_reader import StreamReader
from aimlapi_core.errors import StreamCutError

# After the closing event only the end of the body is left. Reading it lets the connection be
# reused; the limits are for a server that does not end it.
DRAIN_BYTES = 65_536
DRAIN_S = 0.5

_GZIP = zlib.MAX_WBITS | 16
_MAGIC = b"\x1f\x8b"


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
    """Ends a stream that sends only keep-alives for longer than the read time-out.

    SSE comments and the like keep the connection from timing out, so a service whose model hangs
    could block a call forever. Call `check` after each chunk of bytes.
    """

    def __init__(self, request: httpx.Request, reader: StreamReader) -> None:
        self._limit_s = request.extensions.get("timeout", {}).get("read")
        self._reader = reader
        self._last_progress = 0
        self._last_progress_s = time.monotonic()

    def check(self) -> None:
        """Raise StreamCutError if only keep-alives were received for too long."""
        if self._reader.progress != self._last_progress:
            self._last_progress = self._reader.progress
            self._last_progress_s = time.monotonic()
        elif self._limit_s is not None and time.monotonic() - self._last_progress_s > self._limit_s:
            raise StreamCutError(
                f"The stream brought nothing but keep-alives for {self._limit_s:g} seconds: what "
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
        self._reader = reader
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
        """Read usage and cost in a chunk, and count it; None is the end of the body."""
        self._reader.feed_rest(chunk)
        self._bytes_left = 0 if chunk is None else self._bytes_left - len(chunk)


def with_gzip_decoded(response: httpx.Response) -> httpx.Response:
    """The response with a decoded body, and no content encoding, if it is a gzip one."""
    encoding = response.headers.get("content-encoding", "")
    # httpx has decoded a body that is consumed already.
    if encoding.strip().lower() in ("gzip", "x-gzip") and not response.is_stream_consumed:
        response.stream = _GzipStream(response.stream)
        del response.headers["content-encoding"]
    return response


class GzipDecoder:
    """Pieces of a gzip body in, decoded bytes out. Raises httpx.DecodingError.

    Reads all members (RFC 1952), httpx only the first: gateways that flush a compressed stream by
    ending a member write several.

    Padding and other bytes behind the last member are ignored, as gzip does. Whether the body is
    whole is decided by what it holds.
    """

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._between = b""  # the beginning of what may be the next member
        self._ended = False

    def feed(self, piece: bytes) -> bytes:
        data, self._between = self._between + piece, b""
        decoded = []
        while data and not self._ended:
            if self._member.eof:
                data = data.lstrip(b"\0")
                if len(data) < len(_MAGIC) and _MAGIC.startswith(data):
                    self._between = data
                    break
                if not data.startswith(_MAGIC):
                    self._ended = True
                    break
                self._member = zlib.decompressobj(_GZIP)
            try:
                decoded.append(self._member.decompress(data))
            except zlib.error as exc:
                raise httpx.DecodingError(str(exc)) from exc
            data = self._member.unused_data
        return b"".join(decoded)


class _GzipStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The decoded body of a gzip one."""

    def __init__(self, body: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        self._body = body
        self._decoder = GzipDecoder()

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._body, httpx.SyncByteStream)
        for piece in self._body:
            yield self._decoder.feed(piece)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._body, httpx.AsyncByteStream)
        async for piece in self._body:
            yield self._decoder.feed(piece)

    def close(self) -> None:
        assert isinstance(self._body, httpx.SyncByteStream)
        self._body.close()

    async def aclose(self) -> None:
        assert isinstance(self._body, httpx.AsyncByteStream)
        await self._body.aclose()
