"""httpx transports with one keep-alive connection instead of a connection pool.

Each serves one call at a time, so a pool would add only overhead; and httpcore's pool deadlocks
if it is interrupted (Ctrl-C) while it holds its lock. That holds through a proxy too.

The connection is one of `http11_connection`; httpcore's through a proxy, where its steps are traced
or logged when it is opened, and where a tool of tests has replaced httpcore's.

They subclass `httpx.HTTPTransport`, whose `handle_request` is looked up on the class at each call,
so that a patch of that class (vcrpy from 8.2, for cassettes) applies here too.

`_pool` is httpx's own attribute, the same from 0.27 to 0.28; `tests/core/test_single_connection.py`
fails if a later httpx renames it. httpcore is imported with the first call, as in httpx: it is
slow.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from types import FunctionType
from typing import TYPE_CHECKING, Any

import httpx

from aimlapi_core._io.sockets.proxies import connect_through, with_default_timeout
from aimlapi_core._io.sockets.unread_bytes import (
    has_buffered_bytes,
    has_unread_bytes,
    innermost_connection,
)

if TYPE_CHECKING:
    import httpcore

_PORTS = {b"http": 80, b"https": 443}


class SingleConnection(httpx.HTTPTransport):
    """Opens its connection at the first call, and a new one whenever it cannot be reused."""

    _pool: Any  # a connection by httpcore's interface in place of a pool; None before the first

    def __init__(
        self, ssl_context: ssl.SSLContext, keepalive_s: float, proxy: httpx.Proxy | None = None
    ) -> None:
        self._proxy = proxy
        self._backend: _Backend | None = None  # of a connection of httpcore's
        self._kwargs: dict[str, Any] = {
            "ssl_context": ssl_context,
            "keepalive_expiry": keepalive_s,
        }
        self._pool = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        import httpcore

        origin = _origin(request.url)
        if not _is_usable(self._pool, origin):
            self.close()
            self._pool = self._connection_to(origin, request)
        try:
            return super().handle_request(request)
        except httpcore.ConnectionNotAvailable:  # closed by another thread since; nothing was sent
            return self.handle_request(request)

    def _connection_to(self, origin: httpcore.Origin, request: httpx.Request) -> Any:
        import httpcore

        from aimlapi_core._io.sockets.http11_connection import HTTP11Connection, is_observed

        if not (self._proxy or is_observed(request.extensions) or _is_httpcore_replaced()):
            return HTTP11Connection(origin, **self._kwargs)
        self._backend = _Backend()
        kwargs = {**self._kwargs, "network_backend": self._backend}
        if self._proxy is None:
            return httpcore.HTTPConnection(origin, **kwargs)
        pools = httpcore.HTTPProxy, httpcore.SOCKSProxy
        return connect_through(self._proxy, *pools, origin, **kwargs)

    def shut_down(self) -> None:
        """End what another thread does with the connection: its wait fails at once.

        Not by `close`, which would leave that thread waiting for a file descriptor of others.
        """
        try:
            opened = _stream_of(self._pool).get_extra_info("socket")
        except AttributeError:  # it is not connected yet
            return
        with suppress(OSError):
            socket.socket.shutdown(opened, socket.SHUT_RDWR)  # an SSLSocket's own forgets its TLS

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
        if self._backend is not None and self._backend.opened is not None:
            self._backend.opened.close()


class AsyncSingleConnection(httpx.AsyncHTTPTransport):
    """As `SingleConnection`."""

    _pool: Any

    def __init__(
        self, ssl_context: ssl.SSLContext, keepalive_s: float, proxy: httpx.Proxy | None = None
    ) -> None:
        self._proxy = proxy
        self._backend: _AsyncBackend | None = None
        self._kwargs: dict[str, Any] = {
            "ssl_context": ssl_context,
            "keepalive_expiry": keepalive_s,
        }
        self._pool = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        import httpcore

        origin = _origin(request.url)
        if not _is_usable(self._pool, origin):
            await self.aclose()
            self._pool = self._connection_to(origin, request)
        try:
            return await super().handle_async_request(request)
        except httpcore.ConnectionNotAvailable:  # closed by another task since; nothing was sent
            return await self.handle_async_request(request)
        except Exception as exc:
            if type(exc).__name__ != "EndOfStream":
                raise
            # anyio's, which httpcore 1.0.0 lets pass where a TLS handshake breaks off.
            raise httpx.ConnectError("the connection was closed in the TLS handshake") from exc

    def _connection_to(self, origin: httpcore.Origin, request: httpx.Request) -> Any:
        import httpcore

        from aimlapi_core._io.sockets.http11_connection import AsyncHTTP11Connection, is_observed

        if not (self._proxy or is_observed(request.extensions) or _is_httpcore_replaced()):
            return AsyncHTTP11Connection(origin, **self._kwargs)
        self._backend = _AsyncBackend()
        kwargs = {**self._kwargs, "network_backend": self._backend}
        if self._proxy is None:
            return httpcore.AsyncHTTPConnection(origin, **kwargs)
        pools = httpcore.AsyncHTTPProxy, httpcore.AsyncSOCKSProxy
        return connect_through(self._proxy, *pools, origin, **kwargs)

    async def aclose(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()
        if self._backend is not None and self._backend.opened is not None:
            await self._backend.opened.aclose()


class _Backend:
    """Network backend for httpcore's own connections that keeps what it opened, to close it.

    httpcore leaks a connection whose SOCKS handshake fails, or whose TLS handshake is cancelled
    (seen with 1.0.9).
    """

    opened: httpcore.NetworkStream | None = None

    def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        import httpcore

        self.opened = opened = httpcore.SyncBackend().connect_tcp(*args, **kwargs)
        with_default_timeout(opened, kwargs.get("timeout"))
        return opened


class _AsyncBackend:
    """As `_Backend`."""

    opened: httpcore.AsyncNetworkStream | None = None

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        import httpcore

        self.opened = opened = await httpcore.AnyIOBackend().connect_tcp(*args, **kwargs)
        with_default_timeout(opened, kwargs.get("timeout"))
        return opened


def _origin(url: httpx.URL) -> httpcore.Origin:
    import httpcore

    scheme = url.raw_scheme
    return httpcore.Origin(scheme, url.raw_host, url.port or _PORTS[scheme])


def _is_usable(connection: Any, origin: httpcore.Origin) -> bool:
    """Whether it leads to `origin`, is idle, not expired, not closed by the server, all read.

    `has_expired` finds what the server sent since; `_has_unread_bytes` what was received before.
    """
    return (
        connection is not None
        and connection.can_handle_request(origin)
        and connection.is_available()
        and not connection.has_expired()
        and not _has_unread_bytes(connection)
        and not (hasattr(connection, "network_stream") and _is_httpcore_replaced())
    )


def _is_httpcore_replaced() -> bool:
    """Whether a tool of tests has replaced httpcore's methods, as respx does.

    A request that one of our own connections sends would go past it, to the service.
    """
    import httpcore

    sync, in_loop = httpcore.HTTPConnection, httpcore.AsyncHTTPConnection
    return not (
        _is_own(sync.handle_request, sync.__init__)
        and _is_own(in_loop.handle_async_request, in_loop.__init__)
    )


def _is_own(method: Any, other: Any) -> bool:
    """Whether a method is a function of the same module as another one."""
    return type(method) is FunctionType and method.__globals__ is other.__globals__


def _has_unread_bytes(connection: Any) -> bool:
    """Whether it holds any. A connection of ours is available only if its reader holds none."""
    try:
        if hasattr(connection, "network_stream"):
            return has_buffered_bytes(connection.network_stream)
        return has_unread_bytes(innermost_connection(connection))
    except AttributeError:  # an httpcore with other names: no connection is used twice
        return True


def _stream_of(connection: Any) -> Any:
    """The network stream of a connection, httpcore's or ours. Raises AttributeError for none."""
    if hasattr(connection, "network_stream"):
        return connection.network_stream
    return innermost_connection(connection)._network_stream
