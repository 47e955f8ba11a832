"""Which transport a call takes, and since when the others are idle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import Generic, TypeVar

import httpx

from aimlapi_core._io.sockets.single_connection import SingleConnection

# Below the 5 seconds after which Node's HTTP server, which the service's headers name (contract
# 4, `X-Powered-By: Express`), closes an idle connection by default: a request written to a
# connection that is being closed is lost, and must not be repeated.
KEEPALIVE_S = 4.0

TransportT = TypeVar("TransportT", httpx.HTTPTransport, httpx.AsyncHTTPTransport)


class TransportPool(Generic[TransportT]):
    """Transports by index, created on first use; a heap holds the free indices."""

    def __init__(self, create: Callable[[], TransportT], keepalive_s: float = KEEPALIVE_S) -> None:
        self._create: Callable[[], TransportT] = create
        self._keepalive_s = keepalive_s
        self._free: list[int] = []  # a heap
        self._count = 0
        self._transports: dict[int, TransportT] = {}
        self._idle_since: dict[int, float] = {}
        self._holders: dict[int, object] = {}
        # Reentrant: the garbage collector may close an abandoned stream, which releases its index,
        # while this thread holds the lock.
        self._lock = threading.RLock()

    def acquire(self, holder: object = None) -> tuple[int, TransportT]:
        """The lowest free index and its transport, held by `holder` until it is released."""
        with self._lock:
            if self._free:
                index = heappop(self._free)
            else:
                index, self._count = self._count, self._count + 1
            self._idle_since.pop(index, None)
            transport = self._transports.get(index)
            if transport is None:
                transport = self._transports[index] = self._create()
            self._holders[index] = holder
        return index, transport

    def release(self, index: int, holder: object = None) -> None:
        """Free an index; its transport, unless removed, can be acquired again.

        Does nothing if `holder` has released it: Ctrl-C may repeat what it interrupted.
        """
        with self._lock:
            if self._holders.get(index) is not holder:
                return
            try:
                if index in self._transports:
                    self._idle_since[index] = time.monotonic()
                heappush(self._free, index)
                self._holders.pop(index, None)
            except BaseException:  # Ctrl-C in between
                if index not in self._free:
                    heappush(self._free, index)
                self._holders.pop(index, None)
                raise

    def shut_down(self, holder: object) -> None:
        """Shut down the connection of what `holder` holds, and no other's."""
        with self._lock:  # so that it is not released, and acquired by another, meanwhile
            for index, held_by in self._holders.items():
                transport = self._transports.get(index)
                if held_by is holder and isinstance(transport, SingleConnection):
                    transport.shut_down()

    def remove(self, index: int, holder: object = None) -> TransportT | None:
        """Remove and return the transport that `holder` holds: close it, then release the index."""
        with self._lock:
            is_held = self._holders.get(index) is holder
            return self._transports.pop(index, None) if is_held else None

    def pop_expired(self) -> Iterator[TransportT]:
        """Remove and yield the transports that were idle for too long: close each."""
        limit = time.monotonic() - self._keepalive_s
        # Copied atomically: an abandoned stream may release its index at any time.
        for index, since in self._idle_since.copy().items():
            if since <= limit:
                with self._lock:
                    still_idle = self._idle_since.get(index) == since
                    if still_idle:
                        del self._idle_since[index]
                        transport = self._transports.pop(index)
                if still_idle:
                    yield transport

    def next_expiry_s(self) -> float:
        """The seconds until the next idle transport expires, or could, if there is none now."""
        since = min(self._idle_since.copy().values(), default=None)
        if since is None:
            return self._keepalive_s
        return max(0.0, since + self._keepalive_s - time.monotonic())

    def pop_all(self) -> Iterator[TransportT]:
        """Remove and yield all transports: close each."""
        while True:
            with self._lock:
                if not self._transports:
                    return
                index, transport = self._transports.popitem()
                self._idle_since.pop(index, None)
            yield transport
