"""A connection straight to the service, which speaks HTTP/1.1 by itself: see `http11`.

It stands in the place of httpcore's `HTTPConnection`: it has httpcore's interface of connections,
opens its socket with httpcore's network backends and raises httpcore's exceptions. A request that
is not plain, or whose steps are traced or logged, is sent by httpcore over the same socket, which
is not used again then.

Imported with the first call, as httpcore is.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from logging import DEBUG, getLogger
from typing import Any, Generic, TypeVar

import anyio
import httpcore

from aimlapi_core._io.sockets.http11 import RequestBytes, ResponseHead, ResponseReader, request_head

READ_BYTES = 64 * 1024  # as in httpcore
_NO_RESPONSE = (httpcore.ReadError, httpcore.RemoteProtocolError)

StreamT = TypeVar("StreamT", httpcore.NetworkStream, httpcore.AsyncNetworkStream)

_http11_log = getLogger("httpcore.http11")
_connection_log = getLogger("httpcore.connection")


class CutRequestError(httpcore.WriteError):
    """Only a part of a request was written, and no response came."""


def is_observed(extensions: Mapping[str, Any]) -> bool:
    """Whether the steps of a request are traced or logged: httpcore reports them."""
    is_logged = _http11_log.isEnabledFor(DEBUG) or _connection_log.isEnabledFor(DEBUG)
    return is_logged or "trace" in extensions


class _Connection(Generic[StreamT]):
    """What the sync and the async connection share.

    A connection is new, then active and idle in turn, then closed. It is idle only once a response
    was read to its end and nothing behind it: interrupted at any line, it is not used again.
    """

    def __init__(
        self, origin: httpcore.Origin, ssl_context: ssl.SSLContext, keepalive_expiry: float
    ) -> None:
        self.network_stream: StreamT | None = None  # None before the first request
        self.address = origin.host.decode("ascii"), origin.port
        self._origin = origin
        self._ssl_context = ssl_context
        self._keepalive_s = keepalive_expiry
        self._state = "new"
        self._expires_s = 0.0

    def can_handle_request(self, origin: httpcore.Origin) -> bool:
        """Whether it leads to this origin."""
        return origin == self._origin

    def is_available(self) -> bool:
        """Whether it waits for another request."""
        return self._state == "idle"

    is_idle = is_available

    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._state == "closed"

    def has_expired(self) -> bool:
        """Whether it was idle for too long, or the server closed it or sent something since."""
        if self._state != "idle" or self.network_stream is None:
            return False
        is_late = time.monotonic() > self._expires_s
        return is_late or bool(self.network_stream.get_extra_info("is_readable"))

    def info(self) -> str:
        """The origin and the state."""
        return f"{str(self._origin)!r}, HTTP/1.1, {self._state.upper()}"

    def begin(self, request: httpcore.Request) -> Mapping[str, Any]:
        """Be active, for a request to this origin; its time-outs."""
        if self._state not in ("new", "idle"):
            raise httpcore.ConnectionNotAvailable
        self._state = "active"
        timeouts: Mapping[str, Any] = request.extensions.get("timeout", {})
        return timeouts

    def tls(self, request: httpcore.Request) -> dict[str, Any] | None:
        """The arguments of a TLS handshake but for its time-out; None where there is none."""
        if self._origin.scheme != b"https":
            return None
        self._ssl_context.set_alpn_protocols(["http/1.1"])
        name = request.extensions.get("sni_hostname") or self.address[0]
        return {"ssl_context": self._ssl_context, "server_hostname": name}

    def response(self, head: ResponseHead, body: Any) -> httpcore.Response:
        """The response with this head; its body unread."""
        extensions = {
            "http_version": head.http_version,
            "reason_phrase": head.reason,
            "network_stream": self.network_stream,
        }
        response = httpcore.Response(head.status, content=body, extensions=extensions)
        response.headers = head.headers  # the constructor would check the type of each
        return response

    def keep(self) -> None:
        """Wait for another request."""
        self._expires_s = time.monotonic() + self._keepalive_s
        self._state = "idle"


class _ReadBody:
    """What the sync and the async body share."""

    def __init__(self, connection: Any, reader: ResponseReader, timeout_s: float | None) -> None:
        self._connection = connection
        self._stream = connection.network_stream
        self._reader = reader
        self._timeout_s = timeout_s


class HTTP11Connection(_Connection[httpcore.NetworkStream], httpcore.ConnectionInterface):
    """Connects with its first request; serves one at a time."""

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """The response, whose body is to be read and closed. Without one it is closed itself."""
        timeouts, unsent = self.begin(request), None
        try:
            stream = self.network_stream or self._connect(request, timeouts.get("connect"))
            head = None if is_observed(request.extensions) else request_head(request)
            if head is None:
                return httpcore.HTTP11Connection(self._origin, stream).handle_request(request)
            body: Any = request.stream
            unsent = _send(body, RequestBytes(head), stream, timeouts.get("write"))
            reader, timeout_s = ResponseReader(is_request_sent=not unsent), timeouts.get("read")
            while (found := reader.read_head(stream.read(READ_BYTES, timeout_s))) is None:
                pass
            return self.response(found, _Body(self, reader, timeout_s))
        except BaseException as exc:
            self.close()
            if unsent and isinstance(exc, _NO_RESPONSE):
                raise unsent from exc
            raise

    def _connect(
        self, request: httpcore.Request, timeout_s: float | None
    ) -> httpcore.NetworkStream:
        stream = httpcore.SyncBackend().connect_tcp(*self.address, timeout_s)
        self.network_stream = stream
        if (tls := self.tls(request)) is not None:
            self.network_stream = stream = stream.start_tls(**tls, timeout=timeout_s)
        return stream

    def close(self) -> None:
        """Close the socket."""
        self._state = "closed"
        if self.network_stream is not None:
            self.network_stream.close()


def _send(
    body: Iterable[bytes],
    sending: RequestBytes,
    stream: httpcore.NetworkStream,
    timeout_s: float | None,
) -> CutRequestError | None:
    """Why not all was sent. A server may answer before it has all, and close its side."""
    try:
        for piece in body:
            if data := sending.add(piece):
                stream.write(data, timeout_s)
        stream.write(sending.end(), timeout_s)
    except httpcore.WriteError as exc:
        return CutRequestError(exc)
    return None


class _Body(_ReadBody):
    """The body of a response. Closing it keeps or closes the connection."""

    def __iter__(self) -> Iterator[bytes]:
        try:
            while (data := self._reader.read_body()) is not None:
                if data:
                    yield data
                else:
                    self._reader.receive(self._stream.read(READ_BYTES, self._timeout_s))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back, once."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._reader.leaves_reusable():
            connection.keep()
        else:
            connection.close()


class AsyncHTTP11Connection(
    _Connection[httpcore.AsyncNetworkStream], httpcore.AsyncConnectionInterface
):
    """As `HTTP11Connection`."""

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """As `HTTP11Connection.handle_request`."""
        timeouts, unsent = self.begin(request), None
        try:
            stream = self.network_stream or await self._connect(request, timeouts.get("connect"))
            head = None if is_observed(request.extensions) else request_head(request)
            if head is None:
                other = httpcore.AsyncHTTP11Connection(self._origin, stream)
                return await other.handle_async_request(request)
            body: Any = request.stream
            unsent = await _asend(body, RequestBytes(head), stream, timeouts.get("write"))
            reader, timeout_s = ResponseReader(is_request_sent=not unsent), timeouts.get("read")
            while (found := reader.read_head(await stream.read(READ_BYTES, timeout_s))) is None:
                pass
            return self.response(found, _AsyncBody(self, reader, timeout_s))
        except BaseException as exc:
            with anyio.CancelScope(shield=True):
                await self.aclose()
            if unsent and isinstance(exc, _NO_RESPONSE):
                raise unsent from exc
            raise

    async def _connect(
        self, request: httpcore.Request, timeout_s: float | None
    ) -> httpcore.AsyncNetworkStream:
        stream = await httpcore.AnyIOBackend().connect_tcp(*self.address, timeout_s)
        self.network_stream = stream
        if (tls := self.tls(request)) is not None:
            try:
                self.network_stream = stream = await stream.start_tls(**tls, timeout=timeout_s)
            except ssl.SSLError as exc:  # httpcore 1.0.0 lets it through
                raise httpcore.ConnectError(exc) from exc
        return stream

    async def aclose(self) -> None:
        """Close the socket."""
        self._state = "closed"
        if self.network_stream is not None:
            await self.network_stream.aclose()


async def _asend(
    body: AsyncIterable[bytes],
    sending: RequestBytes,
    stream: httpcore.AsyncNetworkStream,
    timeout_s: float | None,
) -> CutRequestError | None:
    """As `_send`."""
    try:
        async for piece in body:
            if data := sending.add(piece):
                await stream.write(data, timeout_s)
        await stream.write(sending.end(), timeout_s)
    except httpcore.WriteError as exc:
        return CutRequestError(exc)
    return None


class _AsyncBody(_ReadBody):
    """As `_Body`."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while (data := self._reader.read_body()) is not None:
                if data:
                    yield data
                else:
                    self._reader.receive(await self._stream.read(READ_BYTES, self._timeout_s))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.aclose()
            raise

    async def aclose(self) -> None:
        """As `_Body.close`."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._reader.leaves_reusable():
            connection.keep()
        else:
            await connection.aclose()
