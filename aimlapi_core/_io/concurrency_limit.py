"""Concurrency limit: a fair semaphore per account, across all threads and event loops.

An account is an origin and its API key. All its requests in this process share one limiter with one
FIFO queue. Each request has its own limit: it is admitted once it is first in the queue and fewer
requests than that are in flight.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import ip_address
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import httpx

from aimlapi_core.errors import ConcurrencyTimeoutError

# How often a waiting request looks whether a loop was closed with a request of its own in flight:
# that is reported by no event.
CLOSED_LOOP_CHECK_S = 1.0

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(eq=False, slots=True)
class _Waiter:
    """A request in the queue; in flight once `is_admitted`, finished once `has_left`."""

    limit: int
    loop: asyncio.AbstractEventLoop | None = None
    notify: Callable[[], object] | None = None
    is_admitted: bool = False
    has_left: bool = False

    def is_gone(self) -> bool:
        """Whether it has left, or its event loop was closed, so that it never will."""
        return self.has_left or (self.loop is not None and self.loop.is_closed())

    def wake(self) -> None:
        """Wake the waiting request to check its state. May be called more than once."""
        if self.notify is not None:
            with suppress(RuntimeError):  # the thread is awake already, or the loop is closed
                self.notify()


class AccountLimiter:
    """The requests of one account: those in flight, and the queue of waiting ones.

    The garbage collector may release a slot at any time, also while this thread changes the state.
    So each change is queued as an event, and one thread at a time processes them: a thread that
    finds the lock taken leaves its event to the lock holder, and does not block.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: deque[_Waiter] = deque()  # requests that are new, or have left
        self._active: set[_Waiter] = set()
        self._waiting: OrderedDict[_Waiter, None] = OrderedDict()  # its first item is found in O(1)
        self.admitted = 0  # a counter: the queue moves while it grows

    def submit(self, waiter: _Waiter) -> None:
        """Add a new request, or remove one that has left; then admit those that fit."""
        try:
            self._events.append(waiter)
            self._process_events()
        except BaseException:  # Ctrl-C in between: the others would wait forever
            self.submit(waiter)
            raise

    def _process_events(self) -> None:
        # The lock holder checks the events again after releasing it: none is left behind.
        while self._events and not self._lock.locked():
            with self._lock:
                if self._events:
                    self._process(self._events[0])
                    self._events.popleft()

    def _process(self, waiter: _Waiter) -> None:
        """Each step may be repeated: an event that Ctrl-C interrupted is processed again."""
        if waiter.has_left:
            self._active.discard(waiter)
            self._waiting.pop(waiter, None)
        elif not waiter.is_admitted:
            self._waiting[waiter] = None
            if len(self._active) >= next(iter(self._waiting)).limit:
                self._active.difference_update([w for w in self._active if w.is_gone()])
        while self._waiting:
            first = next(iter(self._waiting))
            if not first.is_gone():
                if len(self._active) >= first.limit and not first.is_admitted:
                    break
                first.is_admitted = True
                self._active.add(first)
                self.admitted += 1
                first.wake()
            del self._waiting[first]


class Slot:
    """One slot of the limit: acquired before a request is sent, and released after it.

    Always release it, also if acquiring failed; releasing is idempotent. It can be acquired again.
    An abandoned slot is released by the garbage collector.
    """

    def __init__(self, limiter: AccountLimiter, limit: int) -> None:
        self._limiter = limiter
        self._limit = limit
        self._waiter: _Waiter | None = None
        self._is_cancelled = False

    def acquire(self, within_s: float | None) -> None:
        """Wait for it. Raises ConcurrencyTimeoutError if no request is admitted for `within_s`."""
        # Not a threading.Event: it has a lock, in which the collector may close a stream.
        woken = threading.Lock()
        woken.acquire()
        for delay_s in self._waits(_Waiter(self._limit), woken.release, within_s):
            woken.acquire(timeout=delay_s)

    async def aacquire(self, within_s: float | None) -> None:
        """Wait for it without blocking the event loop, as `acquire` does."""
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        notify = partial(loop.call_soon_threadsafe, woken.cancel)  # set_result works only once
        for delay_s in self._waits(_Waiter(self._limit, loop), notify, within_s):
            await asyncio.wait([woken], timeout=delay_s)

    def _waits(
        self, waiter: _Waiter, notify: Callable[[], object], within_s: float | None
    ) -> Iterator[float]:
        """Yield the seconds of each wait, until the request is admitted or the queue is stuck."""
        self._waiter = waiter
        seen, stuck_since_s = -1, 0.0
        while True:
            self._limiter.submit(waiter)  # also after a wait: a loop may have been closed
            waiter.notify = notify  # set before the check, so no wake-up is missed
            if waiter.is_admitted:
                return
            if self._is_cancelled:
                raise CancelledError("The request was withdrawn before it was sent.")
            now_s = time.monotonic()
            if seen != self._limiter.admitted:
                seen, stuck_since_s = self._limiter.admitted, now_s
            elif within_s is not None and now_s - stuck_since_s >= within_s:
                raise ConcurrencyTimeoutError(
                    f"Nobody's turn came for {within_s:g} seconds: as many requests of the "
                    f"account as max_concurrency={self._limit} allows were under way. It was not "
                    "sent, and nothing of it is billed. Raise max_concurrency or timeout, or close "
                    "what is open: a stream counts until it is read to its end or closed."
                )
            left_s = CLOSED_LOOP_CHECK_S if within_s is None else stuck_since_s + within_s - now_s
            yield max(0.0, min(left_s, CLOSED_LOOP_CHECK_S))

    def cancel(self) -> None:
        """Cancel the request: a pending `acquire` raises."""
        self._is_cancelled = True
        waiter = self._waiter
        if waiter is not None:
            waiter.wake()

    def release(self) -> None:
        """Release it: the response is closed, or the request will not be sent."""
        waiter = self._waiter
        if waiter is not None:
            waiter.has_left = True
            self._limiter.submit(waiter)
            self._waiter = None

    def __del__(self) -> None:
        self.release()


# A limiter lives as long as one of its slots. Keys are stored only as digests.
_lock = threading.RLock()
_limiters: WeakValueDictionary[tuple[str, bytes], AccountLimiter] = WeakValueDictionary()


def key_digest(headers: Mapping[str, str]) -> bytes:
    """A digest of the key that a request with these headers is sent with."""
    key = headers.get("Authorization")
    if key is None:
        key = next(
            (value for name, value in headers.items() if name.lower() == "authorization"), ""
        )
    return hashlib.sha256(key.encode()).digest()


def slot_for(limit: int, url: str, headers: Mapping[str, str]) -> Slot:
    """A new slot for one request of the account that `url` and `headers` identify."""
    account = _origin(url), key_digest(headers)
    with _lock:
        limiter = _limiters.get(account)
        if limiter is None:
            limiter = _limiters[account] = AccountLimiter()
    return Slot(limiter, limit)


@lru_cache(maxsize=64)
def _origin(url: str) -> str:
    """Scheme, host and port in one form, however the URL writes them."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    with suppress(ValueError):  # not an address
        host = ip_address(host).compressed
    if not host.isascii():
        host = httpx.URL(url).raw_host.decode().rstrip(".")
    return f"{parts.scheme}://{host}:{parts.port or _DEFAULT_PORTS.get(parts.scheme)}"


def _after_fork() -> None:
    """A child process starts with no requests in flight."""
    global _lock, _limiters
    _lock, _limiters = threading.RLock(), WeakValueDictionary()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork)
