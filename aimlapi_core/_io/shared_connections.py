"""The connections that all clients of one origin share.

Synchronous calls share one httpx client per process, asynchronous ones one per running event
loop: a call in a new loop never touches sockets of another. Clients are made at the first
call; one TLS context serves all of them. A pool is closed with its last claim.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import ssl
import threading
import weakref
from collections.abc import AsyncGenerator, Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Generic, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from aimlapi_core._io.connections import KEEPALIVE_S, AsyncWire, Wire
from aimlapi_core._io.single_connection import AsyncSingleConnection, SingleConnection
from aimlapi_core.errors import ConfigurationError

LIMITS = httpx.Limits(
    max_connections=None, max_keepalive_connections=None, keepalive_expiry=KEEPALIVE_S
)

HTTPClient = httpx.Client | Wire
AsyncHTTPClient = httpx.AsyncClient | AsyncWire
HTTPClientT = TypeVar("HTTPClientT", bound="HTTPClient | AsyncHTTPClient")


class Pool(Generic[HTTPClientT]):
    """One httpx client, the objects that claim it, and the calls that are using it.

    Claims are weak: the dead claim nothing. A pool whose last claim was given up leaves the
    registry at once, and is closed when its last call has ended.
    """

    def __init__(self, http: HTTPClientT, keeper: AsyncGenerator[None, None] | None = None) -> None:
        self.http = http
        self.keeper = keeper
        self.in_use = 0
        self.given_up = False
        self._owners: weakref.WeakSet[object] = weakref.WeakSet()

    def begin(self, owner: object) -> None:
        """Count a call of `owner`, who claims the pool from now on."""
        self.in_use += 1
        if owner not in self._owners:
            self._owners.add(owner)

    def end(self) -> bool:
        """Count a call as ended; True when the pool is to be closed now."""
        self.in_use -= 1
        return self.given_up and not self.in_use

    def release(self, owner: object) -> bool:
        """Give up a claim; True when nobody holds it any more."""
        claimed = owner in self._owners
        self._owners.discard(owner)
        self.given_up = self.given_up or (claimed and not self._owners)
        return self.given_up


# Reentrant: the garbage collector may end a forgotten stream, which gives its client back, in the
# middle of a section that this very thread has locked.
_lock = threading.RLock()
_sync: dict[str, Pool[HTTPClient]] = {}
_async: dict[asyncio.AbstractEventLoop, dict[str, Pool[AsyncHTTPClient]]] = {}


def begin_sync(base_url: str, owner: object) -> Pool[HTTPClient]:
    """The process's pool for this origin, claimed by `owner`, open until `end_sync`."""
    origin = _origin(base_url)
    verify = None if origin in _sync else _verify(origin)  # not under the lock: it takes time
    with _lock:
        pool = _sync.get(origin)
        if pool is None:
            pool = _sync[origin] = Pool(_made(verify or _verify(origin)))
        pool.begin(owner)
    return pool


def end_sync(pool: Pool[HTTPClient]) -> None:
    """A call that began with this pool is over."""
    with _lock:
        unused = pool.end()
    if unused:
        pool.http.close()


def release_sync(owner: object) -> None:
    """Give up all claims of `owner`; what nobody claims or uses is closed."""
    with _lock:
        free = [origin for origin, pool in _sync.items() if pool.release(owner)]
        pools = [_sync.pop(origin) for origin in free]
        unused = [pool for pool in pools if not pool.in_use]
    for pool in unused:
        pool.http.close()


async def begin_async(base_url: str, owner: object) -> Pool[AsyncHTTPClient]:
    """The running loop's pool for this origin, claimed by `owner`, open until `end_async`."""
    pool = await _async_pool(_origin(base_url))
    pool.begin(owner)
    return pool


async def end_async(pool: Pool[AsyncHTTPClient]) -> None:
    """A call that began with this pool is over."""
    if pool.end():
        await _close(pool)


async def _close(pool: Pool[AsyncHTTPClient]) -> None:
    """Close the connections, then the keeper, which has nothing left to wait for."""
    await pool.http.aclose()
    if pool.keeper is not None:
        with contextlib.suppress(RuntimeError):  # the loop, which is ending, closes it already
            await pool.keeper.aclose()


async def _async_pool(origin: str) -> Pool[AsyncHTTPClient]:
    loop = asyncio.get_running_loop()
    pool = _async.get(loop, {}).get(origin)
    if pool is not None:
        return pool
    if _is_tls(origin):  # its first build reads the certificates: not on the loop
        await asyncio.to_thread(_tls_context)
    with _lock:
        _forget_closed_loops()
        pool = _async.setdefault(loop, {}).get(origin)  # another task may have been faster
        if pool is not None:
            return pool
        http = _made_async(_verify(origin))
        keeper = _keep(http, loop, origin)
        pool = _async[loop][origin] = Pool(http, keeper)
    await anext(keeper)
    return pool


async def release_async(owner: object) -> None:
    """Give up the claims of `owner` in the running loop; what nobody claims or uses is closed."""
    of_loop = _async.get(asyncio.get_running_loop(), {})
    free = [origin for origin, pool in of_loop.items() if pool.release(owner)]
    for pool in [of_loop.pop(origin) for origin in free]:
        if not pool.in_use:
            await _close(pool)


def _made(verify: ssl.SSLContext) -> HTTPClient:
    if not getproxies():
        return Wire(lambda: SingleConnection(verify, KEEPALIVE_S))
    with _proxies_checked():
        return httpx.Client(verify=verify, limits=LIMITS, cookies=_no_cookies())


def _made_async(verify: ssl.SSLContext) -> AsyncHTTPClient:
    if not getproxies():
        return AsyncWire(lambda: AsyncSingleConnection(verify, KEEPALIVE_S))
    with _proxies_checked():
        return httpx.AsyncClient(verify=verify, limits=LIMITS, cookies=_no_cookies())


def _no_cookies() -> CookieJar:
    """A jar that keeps nothing: objects with other keys share the client, as they do `Wire`."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


@contextlib.contextmanager
def _proxies_checked() -> Iterator[None]:
    """What the environment says of proxies may make a client impossible."""
    try:
        yield
    except (ValueError, ImportError, OSError, httpx.InvalidURL) as exc:
        raise ConfigurationError(
            f"No HTTP client can be made: {exc}. Check the proxy settings in the environment."
        ) from exc


async def _keep(
    http: AsyncHTTPClient, loop: asyncio.AbstractEventLoop, origin: str
) -> AsyncGenerator[None, None]:
    """Holds the client open. The loop ends its async generators, so `asyncio.run` closes it."""
    try:
        yield
    finally:
        with _lock:
            of_loop = _async.get(loop, {})
            if origin in of_loop and of_loop[origin].http is http:
                del of_loop[origin]
            if not of_loop:
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


def _tls_context() -> ssl.SSLContext:
    """Built once a process, in about 84 ms, whoever asks first; the others wait for it."""
    with _tls_lock:
        if not _tls:
            try:
                _tls.append(httpx.create_ssl_context())
            except (OSError, ValueError) as exc:
                raise ConfigurationError(
                    f"The TLS certificates cannot be read: {exc}. Check SSL_CERT_FILE."
                ) from exc
        return _tls[0]


_tls_lock = threading.Lock()
_tls: list[ssl.SSLContext] = []


@atexit.register
def _at_exit() -> None:
    """Leave no socket behind for the interpreter to complain of."""
    for pool in list(_sync.values()):
        pool.http.close()


def _after_fork() -> None:
    """A child opens its own connections: those of its parent are not its to use or close."""
    global _lock, _tls_lock
    _lock, _tls_lock = threading.RLock(), threading.Lock()
    _sync.clear()
    _async.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork)
