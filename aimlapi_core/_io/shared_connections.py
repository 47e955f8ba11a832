"""HTTP clients shared by all clients of one account: claims, TLS context, fork safety.

An account is an origin and a key. Its synchronous calls share one HTTP client per process, its
asynchronous ones one per running event loop: a call in a new loop never uses sockets of another.
They are created at the first call and closed with their last claim; one TLS context serves all.

No connection serves two keys. HTTP/1.1 gives answers no number: what a server writes behind an
answer, and what arrives only after the next request was sent, is taken for the answer to that one.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import time
import weakref
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

import httpx

from aimlapi_core._io.connections import AsyncPooledClient, PooledClient
from aimlapi_core._io.sockets.idle import IdleThread, IdleTimer
from aimlapi_core._io.sockets.proxies import proxy_for
from aimlapi_core._io.sockets.single_connection import AsyncSingleConnection, SingleConnection
from aimlapi_core._io.sockets.tls import is_tls, origin_of, ssl_context_for, tls_context
from aimlapi_core._io.sockets.transport_pool import KEEPALIVE_S

HTTPClient = httpx.Client | PooledClient
AsyncHTTPClient = httpx.AsyncClient | AsyncPooledClient
ClientT = TypeVar("ClientT", bound=PooledClient | AsyncPooledClient)


class SharedClient(Generic[ClientT]):
    """One HTTP client with its claims (the objects that use it) and its calls in flight.

    Claims are weak references. Once its last claim is dropped, it is removed from the registry,
    and closed at the end of its last call.
    """

    def __init__(
        self, http: ClientT, shutdown_hook: AsyncGenerator[None, None] | None = None
    ) -> None:
        self.http = http
        self.shutdown_hook = shutdown_hook
        self.calls_in_flight = 0
        self.idle_since_s = 0.0
        self.idle_timer: IdleTimer | None = None
        self.is_unclaimed = False
        self._owners: weakref.WeakSet[object] = weakref.WeakSet()

    def acquire(self, owner: object) -> None:
        """Begin a call of `owner`, which claims the client from now on."""
        self.calls_in_flight += 1
        if owner not in self._owners:
            self._owners.add(owner)

    def release(self) -> bool:
        """End a call; True if the client must be closed now."""
        self.calls_in_flight -= 1
        self.idle_since_s = time.monotonic()
        return self.is_unclaimed and not self.calls_in_flight

    def idle_for_s(self) -> float:
        """The seconds since its last call; 0 during a call."""
        return 0.0 if self.calls_in_flight else time.monotonic() - self.idle_since_s

    def drop_claim(self, owner: object) -> bool:
        """Drop a claim; True if none is left."""
        claimed = owner in self._owners
        self._owners.discard(owner)
        self.is_unclaimed = self.is_unclaimed or (claimed and not self._owners)
        return self.is_unclaimed


Account = tuple[str, bytes]  # an origin, and a digest of the key

# Reentrant: the garbage collector may close an abandoned stream, which releases its client, while
# this thread holds the lock.
_lock = threading.RLock()
_sync_clients: dict[Account, SharedClient[PooledClient]] = {}
_async_clients: dict[asyncio.AbstractEventLoop, dict[Account, SharedClient[AsyncPooledClient]]] = {}


def acquire_client(url: str, key: bytes, owner: object) -> SharedClient[PooledClient]:
    """The process's client for this account, claimed by `owner`, open until `release_client`.

    `key`: a digest of the key.
    """
    account = origin, _ = origin_of(url), key
    if account not in _sync_clients and is_tls(origin):  # not under the lock: it takes time
        tls_context()
    with _lock:
        shared = _sync_clients.get(account)
        if shared is None:
            http = _create_client(origin)
            shared = _sync_clients[account] = SharedClient(http)
        shared.acquire(owner)
    _idle_thread.ensure_running()
    return shared


def release_client(shared: SharedClient[PooledClient]) -> None:
    """End a call that acquired this client; close it if it is no longer needed."""
    with _lock:
        is_unused = shared.release()
    if is_unused:
        shared.http.close()


def drop_claims(owner: object) -> None:
    """Drop all claims of `owner`; close the clients without claims and calls."""
    with _lock:
        unclaimed = [key for key, shared in _sync_clients.items() if shared.drop_claim(owner)]
        clients = [_sync_clients.pop(key) for key in unclaimed]
        unused = [shared for shared in clients if not shared.calls_in_flight]
    for shared in unused:
        shared.http.close()


async def acquire_async_client(
    url: str, key: bytes, owner: object
) -> SharedClient[AsyncPooledClient]:
    """The running loop's client for this account, claimed by `owner`, open until released."""
    account = origin_of(url), key
    shared = await _find_or_create_async_client(account)
    shared.acquire(owner)
    if shared.idle_timer is None:
        close_idle = partial(_aclose_idle, asyncio.get_running_loop(), account, shared)
        shared.idle_timer = IdleTimer(close_idle, KEEPALIVE_S)
    return shared


async def release_async_client(shared: SharedClient[AsyncPooledClient]) -> None:
    """End a call that acquired this client; close it if it is no longer needed."""
    if shared.release():
        await _close(shared)


async def _close(shared: SharedClient[AsyncPooledClient]) -> None:
    """Close the connections and the shutdown hook."""
    await shared.http.aclose()
    if shared.shutdown_hook is not None:
        with suppress(RuntimeError):  # the loop, which is ending, closes it already
            await shared.shutdown_hook.aclose()


async def _find_or_create_async_client(account: Account) -> SharedClient[AsyncPooledClient]:
    loop = asyncio.get_running_loop()
    shared = _async_clients.get(loop, {}).get(account)
    if shared is not None:
        return shared
    origin, _ = account
    if is_tls(origin):  # its first build reads the certificates: not on the loop
        await asyncio.to_thread(tls_context)
    with _lock:
        _forget_closed_loops()
        # Another task may have been faster.
        shared = _async_clients.setdefault(loop, {}).get(account)
        if shared is not None:
            return shared
        http = _create_async_client(origin)
        hook = _shutdown_hook(http, loop, account)
        shared = _async_clients[loop][account] = SharedClient(http, hook)
    await anext(hook)
    return shared


async def drop_async_claims(owner: object) -> None:
    """Drop the claims of `owner` in the running loop; close clients without claims and calls."""
    try:
        of_loop = _async_clients.get(asyncio.get_running_loop(), {})
    except RuntimeError:  # no loop: nothing was claimed
        return
    unclaimed = [key for key, shared in of_loop.items() if shared.drop_claim(owner)]
    for shared in [of_loop.pop(key) for key in unclaimed]:
        if not shared.calls_in_flight:
            await _close(shared)


def _close_idle() -> float | None:
    """Close connections that were idle for too long; None if no client is left, else a delay."""
    delays = []
    for account, shared in list(_sync_clients.items()):
        with _lock:
            idle_for_s = shared.idle_for_s()
            is_idle = idle_for_s >= KEEPALIVE_S
            if is_idle and _sync_clients.get(account) is shared:
                del _sync_clients[account]
        with suppress(OSError):
            if is_idle:
                shared.http.close()
                continue
            delays.append(KEEPALIVE_S - idle_for_s)
            delays.append(shared.http.close_expired())
    return min(delays, default=None)


async def _aclose_idle(
    loop: asyncio.AbstractEventLoop, account: Account, shared: SharedClient[AsyncPooledClient]
) -> float | None:
    """As `_close_idle`, for one client."""
    idle_for_s = shared.idle_for_s()
    if idle_for_s >= KEEPALIVE_S:
        of_loop = _async_clients.get(loop, {})
        if of_loop.get(account) is shared:
            del of_loop[account]
        await _close(shared)
        return None
    return min(KEEPALIVE_S - idle_for_s, await shared.http.aclose_expired())


_idle_thread = IdleThread(_close_idle)


def _create_client(origin: str) -> PooledClient:
    proxy, tls = proxy_for(origin), ssl_context_for(origin)
    return PooledClient(lambda: SingleConnection(tls, KEEPALIVE_S, proxy), KEEPALIVE_S)


def _create_async_client(origin: str) -> AsyncPooledClient:
    proxy, tls = proxy_for(origin), ssl_context_for(origin)
    return AsyncPooledClient(lambda: AsyncSingleConnection(tls, KEEPALIVE_S, proxy), KEEPALIVE_S)


async def _shutdown_hook(
    http: AsyncPooledClient, loop: asyncio.AbstractEventLoop, account: Account
) -> AsyncGenerator[None, None]:
    """Async generator that closes the client when the loop shuts down its async generators."""
    try:
        yield
    finally:
        with _lock:
            of_loop = _async_clients.get(loop, {})
            if account in of_loop and of_loop[account].http is http:
                del of_loop[account]
            if not of_loop:
                _async_clients.pop(loop, None)
        with suppress(RuntimeError):  # the loop may be past taking new work
            await http.aclose()


def _forget_closed_loops() -> None:
    """Remove the clients of loops that were closed without `shutdown_asyncgens`."""
    for loop in [loop for loop in _async_clients if loop.is_closed()]:
        del _async_clients[loop]


@atexit.register
def _at_exit() -> None:
    """Close all sockets, to avoid ResourceWarning at interpreter shutdown."""
    for shared in list(_sync_clients.values()):
        shared.http.close()


def _after_fork() -> None:
    """A child process opens its own connections and leaves those of its parent alone."""
    global _lock, _idle_thread
    _lock = threading.RLock()
    _idle_thread = IdleThread(_close_idle)
    _sync_clients.clear()
    _async_clients.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork)
