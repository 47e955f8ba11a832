"""The connections that all clients of one origin share.

Synchronous calls share one httpx client per process, asynchronous ones one per running event
loop: a call in a new loop never touches sockets of another. Clients are made at the first
call; one TLS context serves all of them. A pool is closed with its last claim.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import threading
import weakref
from collections.abc import AsyncGenerator
from functools import cache
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import httpx

# Below the 5 seconds after which Node's HTTP server, the service's by its headers (contract
# 4, `X-Powered-By: Express`), closes an idle connection by default: a request written into a
# connection that is being closed is lost, and may not be repeated.
KEEPALIVE_S = 4.0

LIMITS = httpx.Limits(
    max_connections=None, max_keepalive_connections=None, keepalive_expiry=KEEPALIVE_S
)

HttpT = TypeVar("HttpT", bound="httpx.Client | httpx.AsyncClient")


class Pool(Generic[HttpT]):
    """One httpx client and the objects that claim it. Claims are weak: the dead claim nothing."""

    def __init__(self, http: HttpT, keeper: AsyncGenerator[None, None] | None = None) -> None:
        self.http = http
        self.keeper = keeper
        self._owners: weakref.WeakSet[object] = weakref.WeakSet()

    def claim(self, owner: object) -> HttpT:
        """The client, kept open at least until `owner` lets go."""
        if owner not in self._owners:
            self._owners.add(owner)
        return self.http

    def release(self, owner: object) -> bool:
        """Let go; True when nobody holds it any more."""
        claimed = owner in self._owners
        self._owners.discard(owner)
        return claimed and not self._owners


_lock = threading.Lock()
_sync: dict[str, Pool[httpx.Client]] = {}
_async: dict[asyncio.AbstractEventLoop, dict[str, Pool[httpx.AsyncClient]]] = {}


def sync_client(base_url: str, owner: object) -> httpx.Client:
    """The process's client for this origin, claimed by `owner`."""
    origin = _origin(base_url)
    with _lock:
        pool = _sync.get(origin)
        if pool is None:
            http = httpx.Client(verify=_verify(origin), limits=LIMITS, follow_redirects=False)
            pool = _sync[origin] = Pool(http)
        return pool.claim(owner)


def release_sync(owner: object) -> None:
    """Give up all claims of `owner`; what nobody claims is closed."""
    with _lock:
        free = [origin for origin, pool in _sync.items() if pool.release(owner)]
        pools = [_sync.pop(origin) for origin in free]
    for pool in pools:
        pool.http.close()


async def async_client(base_url: str, owner: object) -> httpx.AsyncClient:
    """The running loop's client for this origin, claimed by `owner`."""
    loop = asyncio.get_running_loop()
    origin = _origin(base_url)
    pool = _async.get(loop, {}).get(origin)
    if pool is not None:
        return pool.claim(owner)
    if _is_tls(origin):  # its first build reads the certificates: not on the loop
        await asyncio.to_thread(_tls_context)
    with _lock:
        _forget_closed_loops()
        pool = _async.setdefault(loop, {}).get(origin)  # another task may have been faster
        if pool is None:
            http = httpx.AsyncClient(verify=_verify(origin), limits=LIMITS, follow_redirects=False)
            pool = _async[loop][origin] = Pool(http, _keep(http, loop, origin))
            new = pool.keeper
        else:
            new = None
        client = pool.claim(owner)
    if new is not None:
        await anext(new)
    return client


async def release_async(owner: object) -> None:
    """Give up the claims of `owner` in the running loop; what nobody claims is closed."""
    pools = list(_async.get(asyncio.get_running_loop(), {}).values())
    for pool in pools:
        if pool.release(owner) and pool.keeper is not None:
            await pool.keeper.aclose()


async def _keep(
    http: httpx.AsyncClient, loop: asyncio.AbstractEventLoop, origin: str
) -> AsyncGenerator[None, None]:
    """Holds the client open. The loop ends its async generators, so `asyncio.run` closes it."""
    try:
        yield
    finally:
        with _lock:
            _async.get(loop, {}).pop(origin, None)
            if not _async.get(loop):
                _async.pop(loop, None)
        with contextlib.suppress(RuntimeError):  # the loop may be past taking new work
            await http.aclose()


def _forget_closed_loops() -> None:
    """Drop the pools of loops that were closed without ending their generators."""
    for loop in [loop for loop in _async if loop.is_closed()]:
        del _async[loop]


def _origin(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_tls(origin: str) -> bool:
    return origin.startswith("https:")


def _verify(origin: str) -> ssl.SSLContext:
    """The TLS context; for plain http an empty one, which costs nothing, for httpx wants one."""
    return _tls_context() if _is_tls(origin) else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@cache
def _tls_context() -> ssl.SSLContext:
    """Built once a process, in about 84 ms."""
    return httpx.create_ssl_context()


def _after_fork() -> None:
    """A child opens its own connections: those of its parent are not its to use or close."""
    global _lock
    _lock = threading.Lock()
    _sync.clear()
    _async.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork)
