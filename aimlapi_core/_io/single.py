"""httpx transports that hold one connection, where httpx's own hold a pool.

A place of `_io/wire` serves one call at a time, so a pool would only look through its one
connection. They are still `httpx.HTTPTransport`s, whose `handle_request` is looked up on the
class, so that whatever replaces it there (vcrpy does, to replay cassettes) is asked here too.

`_pool` is httpx's own name, the same from 0.27 to 0.28; it can go when a transport takes a pool.
httpcore is imported with the first connection, as httpx itself does: it takes a while.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, cast

import httpx

if TYPE_CHECKING:
    import httpcore


class SingleConnection(httpx.HTTPTransport):
    """A transport for one call at a time. Opens its connection at the first."""

    def __init__(self, ssl_context: ssl.SSLContext, keepalive_s: float) -> None:
        self._pool = cast("httpcore.ConnectionPool", _One(ssl_context, keepalive_s))


class AsyncSingleConnection(httpx.AsyncHTTPTransport):
    """As `SingleConnection`."""

    def __init__(self, ssl_context: ssl.SSLContext, keepalive_s: float) -> None:
        self._pool = cast("httpcore.AsyncConnectionPool", _AsyncOne(ssl_context, keepalive_s))


class _One:
    """What a transport asks of its pool. A connection that was closed or expired is replaced."""

    def __init__(self, ssl_context: ssl.SSLContext, keepalive_s: float) -> None:
        self._given: dict[str, Any] = {"ssl_context": ssl_context, "keepalive_expiry": keepalive_s}
        self._held: httpcore.HTTPConnection | None = None

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        held = self._held
        if held is None or _is_spent(held):
            import httpcore

            self.close()
            held = self._held = httpcore.HTTPConnection(request.url.origin, **self._given)
        return held.handle_request(request)

    def close(self) -> None:
        if self._held is not None:
            self._held.close()


class _AsyncOne:
    """As `_One`."""

    def __init__(self, ssl_context: ssl.SSLContext, keepalive_s: float) -> None:
        self._given: dict[str, Any] = {"ssl_context": ssl_context, "keepalive_expiry": keepalive_s}
        self._held: httpcore.AsyncHTTPConnection | None = None

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        held = self._held
        if held is None or _is_spent(held):
            import httpcore

            await self.aclose()
            held = self._held = httpcore.AsyncHTTPConnection(request.url.origin, **self._given)
        return await held.handle_async_request(request)

    async def aclose(self) -> None:
        if self._held is not None:
            await self._held.aclose()


def _is_spent(held: httpcore.HTTPConnection | httpcore.AsyncHTTPConnection) -> bool:
    """Whether no more requests can be sent: closed, by either side, or idle for too long."""
    return held.is_closed() or held.has_expired()
