"""httpx transports with one keep-alive connection instead of a connection pool.

Each serves one call at a time, so a pool would add only overhead; and httpcore's pool deadlocks
if it is interrupted (Ctrl-C) while it holds its lock. That holds through a proxy too.

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
from typing import TYPE_CHECKING, Any

import httpx

from aimlapi_core._io.sockets.proxies import connect_through, with_default_timeout
from aimlapi_core._io.sockets.unread_bytes import has_unread_bytes, http11_connection

if TYPE_CHECKING:
    import httpcore


class SingleConnection(httpx.HTTPTransport):
    """Opens its connection at the first call, and a new one whenever it cannot be reused."""

    _pool: Any  # an `httpcore.HTTPConnection` in place of httpx's pool; None before the first call

    def __init__(
        self, ssl_context: ssl.SSLContext, keepalive_s: float, proxy: httpx.Proxy | None = None
    ) -> None:
        self._proxy = proxy
        self._backend: _ProxyBackend | None = None
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
            self._pool = self._connection_to(origin)
        try:
            return super().handle_request(request)
        except httpcore.ConnectionNotAvailable:  # closed by another thread since; nothing was sent
            return self.handle_request(request)

    def _connection_to(self, origin: httpcore.Origin) -> Any:
        import httpcore

        if self._proxy is None:
            return httpcore.HTTPConnection(origin, **self._kwargs)
        pools = httpcore.HTTPProxy, httpcore.SOCKSProxy
        self._backend = backend = _ProxyBackend()
        return connect_through(self._proxy, *pools, origin, network_backend=backend, **self._kwargs)

    def shut_down(self) -> None:
        """End what another thread does with the connection: its wait fails at once.

        Not by `close`, which would leave that thread waiting for a file descriptor of others.
        """
        try:
            opened = http11_connection(self._pool)._network_stream.get_extra_info("socket")
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
        self._backend = _Backend(is_proxied=proxy is not None)
        self._kwargs: dict[str, Any] = {
            "ssl_context": ssl_context,
            "keepalive_expiry": keepalive_s,
        }
        self._kwargs["network_backend"] = self._backend
        self._pool = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        import httpcore

        origin = _origin(request.url)
        if not _is_usable(self._pool, origin):
            await self.aclose()
            self._pool = self._connection_to(origin)
        try:
            return await super().handle_async_request(request)
        except httpcore.ConnectionNotAvailable:  # closed by another task since; nothing was sent
            return await self.handle_async_request(request)

    def _connection_to(self, origin: httpcore.Origin) -> Any:
        import httpcore

        if self._proxy is None:
            return httpcore.AsyncHTTPConnection(origin, **self._kwargs)
        pools = httpcore.AsyncHTTPProxy, httpcore.AsyncSOCKSProxy
        return connect_through(self._proxy, *pools, origin, **self._kwargs)

    async def aclose(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()
        if self._backend.opened is not None:
            await self._backend.opened.aclose()


class _Backend:
    """Network backend for httpcore that keeps a reference to the connection, to close it.

    httpcore leaks a connection whose TLS handshake is cancelled (seen with 1.0.9).
    """

    opened: httpcore.AsyncNetworkStream | None = None

    def __init__(self, *, is_proxied: bool) -> None:
        self._is_proxied = is_proxied

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        import httpcore

        self.opened = opened = await httpcore.AnyIOBackend().connect_tcp(*args, **kwargs)
        if self._is_proxied:
            with_default_timeout(opened, kwargs.get("timeout"))
        return opened


class _ProxyBackend:
    """As `_Backend`, to a proxy: httpcore leaks a connection whose SOCKS handshake fails."""

    opened: httpcore.NetworkStream | None = None

    def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        import httpcore

        self.opened = opened = httpcore.SyncBackend().connect_tcp(*args, **kwargs)
        with_default_timeout(opened, kwargs.get("timeout"))
        return opened


def _origin(url: httpx.URL) -> httpcore.Origin:
    import httpcore

    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    ).origin


def _is_usable(connection: Any, origin: httpcore.Origin) -> bool:
    """Whether it leads to `origin`, is idle, not expired, not closed by the server, all read.

    `has_expired` finds what the server sent since; `has_unread_bytes` what was received before.
    """
    return (
        connection is not None
        and connection.can_handle_request(origin)
        and connection.is_available()
        and not connection.has_expired()
        and not _has_unread_bytes(connection)
    )


def _has_unread_bytes(connection: Any) -> bool:
    try:
        return has_unread_bytes(http11_connection(connection))
    except AttributeError:  # an httpcore with other names: no connection is used twice
        return True
