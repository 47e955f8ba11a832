"""httpx transports that hold one connection, where httpx's own hold a pool.

A place of `_io/wire` serves one call at a time, so a pool would only look through its one
connection. They are still `httpx.HTTPTransport`s, whose `handle_request` is looked up on the
class, so that a recorder that replaces it (vcrpy, for cassettes) is asked here too. One that
replaces the pool's method (vcrpy 8.0 and 8.1) finds a pool, or cassettes would be passed by
without a word, and calls billed.

`_pool` is httpx's own name, the same from 0.27 to 0.28; where a later httpx has another, its own
pool serves. httpcore is imported with the first call, as httpx itself does: it takes a while.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, cast

import httpx

if TYPE_CHECKING:
    import httpcore

# Read off the code, so that no transport is made for it.
HAS_POOL = "_pool" in httpx.HTTPTransport.handle_request.__code__.co_names


class SingleConnection(httpx.HTTPTransport):
    """A transport for one call at a time. Opens its connection at the first."""

    def __init__(self, ssl_context: ssl.SSLContext, keepalive_s: float) -> None:
        if HAS_POOL:
            self._pool = cast("httpcore.ConnectionPool", _One(ssl_context, keepalive_s))
        else:
            super().__init__(verify=ssl_context, limits=_limits(keepalive_s))


class AsyncSingleConnection(httpx.AsyncHTTPTransport):
    """As `SingleConnection`."""

    def __init__(self, ssl_context: ssl.SSLContext, keepalive_s: float) -> None:
        if HAS_POOL:
            self._pool = cast("httpcore.AsyncConnectionPool", _AsyncOne(ssl_context, keepalive_s))
        else:
            super().__init__(verify=ssl_context, limits=_limits(keepalive_s))


class _One:
    """What a transport asks of its pool. A connection that was closed or expired is replaced."""

    def __init__(self, ssl_context: ssl.SSLContext, keepalive_s: float) -> None:
        self._given: dict[str, Any] = {"ssl_context": ssl_context, "keepalive_expiry": keepalive_s}
        self._held: httpcore.HTTPConnection | None = None
        self._stand_in: httpcore.ConnectionPool | None = None

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        import httpcore

        if _is_replaced(httpcore.ConnectionPool, "handle_request"):
            self._stand_in = self._stand_in or httpcore.ConnectionPool(**self._given)
            return self._stand_in.handle_request(request)
        if self._held is None or _is_spent(self._held):
            self.close()
            self._held = httpcore.HTTPConnection(request.url.origin, **self._given)
        try:
            return self._held.handle_request(request)
        except httpcore.ConnectionNotAvailable:  # another thread has closed it; nothing was sent
            self._held = httpcore.HTTPConnection(request.url.origin, **self._given)
            return self._held.handle_request(request)

    def close(self) -> None:
        for open_one in (self._held, self._stand_in):
            if open_one is not None:
                open_one.close()


class _AsyncOne:
    """As `_One`."""

    def __init__(self, ssl_context: ssl.SSLContext, keepalive_s: float) -> None:
        self._given: dict[str, Any] = {"ssl_context": ssl_context, "keepalive_expiry": keepalive_s}
        self._held: httpcore.AsyncHTTPConnection | None = None
        self._stand_in: httpcore.AsyncConnectionPool | None = None

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        import httpcore

        if _is_replaced(httpcore.AsyncConnectionPool, "handle_async_request"):
            self._stand_in = self._stand_in or httpcore.AsyncConnectionPool(**self._given)
            return await self._stand_in.handle_async_request(request)
        if self._held is None or _is_spent(self._held):
            await self.aclose()
            self._held = httpcore.AsyncHTTPConnection(request.url.origin, **self._given)
        try:
            return await self._held.handle_async_request(request)
        except httpcore.ConnectionNotAvailable:  # closed meanwhile; nothing was sent
            self._held = httpcore.AsyncHTTPConnection(request.url.origin, **self._given)
            return await self._held.handle_async_request(request)

    async def aclose(self) -> None:
        for open_one in (self._held, self._stand_in):
            if open_one is not None:
                await open_one.aclose()


def _is_spent(held: httpcore.HTTPConnection | httpcore.AsyncHTTPConnection) -> bool:
    """Whether no more requests can be sent: closed, by either side, or idle for too long."""
    return held.is_closed() or held.has_expired()


def _is_replaced(pool: type, name: str) -> bool:
    """Whether the method is no longer from the file of its class (`__module__` names no file)."""

    def file_of(method: str) -> object:
        return getattr(getattr(getattr(pool, method), "__code__", None), "co_filename", None)

    return file_of(name) != file_of("__init__")


def _limits(keepalive_s: float) -> httpx.Limits:
    return httpx.Limits(
        max_connections=None, max_keepalive_connections=None, keepalive_expiry=keepalive_s
    )
