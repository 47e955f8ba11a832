"""Concurrency limit: at most so many requests of one account under way at once in a process.

An account is an origin and the API key in force there. Its requests, from all threads and event
loops, share one limiter with one queue, first in, first out. Each request brings its own limit: it
is admitted once it is the first in the queue and fewer requests than that are under way.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from aimlapi_core.errors import ConcurrencyTimeoutError

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(eq=False, slots=True)
class _Waiter:
    """A request in the queue; under way once `is_admitted`, over once `has_left`."""

    limit: int
    loop: asyncio.AbstractEventLoop | None = None
    notify: Callable[[], object] | None = None
    is_admitted: bool = False
    has_left: bool = False

    def is_gone(self) -> bool:
        """Whether it has left, or never will because its event loop was closed under it."""
        return self.has_left or (self.loop is not None and self.loop.is_closed())

    def wake(self) -> None:
        """Let the one who waits look at the state again. May be called more than once."""
        if self.notify is not None:
            with suppress(RuntimeError):  # the thread was woken before, or its loop is closed
                self.notify()


class AccountLimiter:
    """The requests of one account: those under way, and the queue of those that wait.

    The garbage collector may release a slot at any time, also while this very thread changes the
    state. So every change is an event, and one thread at a time processes them: a thread that
    finds the lock taken leaves its event to the one that holds it, and does not wait.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: deque[_Waiter] = deque()  # requests that are new, or have left
        self._active: set[_Waiter] = set()
        self._waiting: OrderedDict[_Waiter, None] = OrderedDict()  # finds its first in O(1)
        self.admitted = 0  # how many so far: while it grows, the queue moves

    def submit(self, waiter: _Waiter) -> None:
        """Queue a request that is new, or remove one that has left; then admit who may go."""
        try:
            self._events.append(waiter)
            self._process_events()
        except BaseException:  # Ctrl-C in between: the others would wait for ever
            self.submit(waiter)
            raise

    def _process_events(self) -> None:
        # Who holds the lock looks at the events once more after it: none is left behind.
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
    """One request's place among those under way: acquired before it is sent, then released.

    Release it in any case, also where acquiring it failed; twice is once. It may be acquired again
    after that. One that is forgotten is released by the garbage collector.
    """

    def __init__(self, limiter: AccountLimiter, limit: int) -> None:
        self._limiter = limiter
        self._limit = limit
        self._waiter: _Waiter | None = None
        self._is_cancelled = False

    def acquire(self, within_s: float | None) -> None:
        """Wait for it. Raises ConcurrencyTimeoutError when nobody was admitted for `within_s`."""
        # A bare lock: an Event has a lock of its own, in which the collector may end a stream.
        woken = threading.Lock()
        woken.acquire()
        timeout = -1 if within_s is None else min(within_s, threading.TIMEOUT_MAX)
        for _ in self._waits(_Waiter(self._limit), woken.release, within_s):
            woken.acquire(timeout=timeout)

    async def aacquire(self, within_s: float | None) -> None:
        """Wait for it without blocking the event loop, as `acquire` does."""
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        notify = partial(loop.call_soon_threadsafe, woken.cancel)  # set_result works only once
        for _ in self._waits(_Waiter(self._limit, loop), notify, within_s):
            await asyncio.wait([woken], timeout=within_s)

    def _waits(
        self, waiter: _Waiter, notify: Callable[[], object], within_s: float | None
    ) -> Iterator[None]:
        """One wait after another, until the request is admitted or the queue stands still."""
        self._waiter = waiter
        seen = -1
        while True:
            self._limiter.submit(waiter)  # after a wait too: a loop may have been closed meanwhile
            waiter.notify = notify  # before the next line: who is admitted behind it is woken
            if waiter.is_admitted:
                return
            if self._is_cancelled:
                raise CancelledError("The request was withdrawn before it was sent.")
            if seen == self._limiter.admitted:
                raise ConcurrencyTimeoutError(
                    f"Nobody's turn came for {within_s:g} seconds: as many requests of the "
                    f"account as max_concurrency={self._limit} allows were under way. It was not "
                    "sent, and nothing of it is billed. Raise max_concurrency or timeout, or close "
                    "what is open: a stream counts until it is read to its end or closed."
                )
            seen = self._limiter.admitted
            yield

    def cancel(self) -> None:
        """The request is not to be sent any more: where it waits, acquiring its slot raises."""
        self._is_cancelled = True
        waiter = self._waiter
        if waiter is not None:
            waiter.wake()

    def release(self) -> None:
        """The answer is closed, or the request will not be sent."""
        waiter = self._waiter
        if waiter is not None:
            waiter.has_left = True
            self._limiter.submit(waiter)
            self._waiter = None

    def __del__(self) -> None:
        self.release()


# A limiter lives as long as a slot of it does. No key is held, only its digest.
_lock = threading.RLock()
_limiters: WeakValueDictionary[tuple[str, bytes], AccountLimiter] = WeakValueDictionary()


def slot_for(limit: int, url: str, headers: Mapping[str, str]) -> Slot:
    """A slot for one request, of the account that `url` and `headers` mean."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.hostname}:{parts.port or _DEFAULT_PORTS.get(parts.scheme)}"
    key = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    account = origin, hashlib.sha256(key.encode()).digest()
    with _lock:
        limiter = _limiters.get(account)
        if limiter is None:
            limiter = _limiters[account] = AccountLimiter()
    return Slot(limiter, limit)


def _after_fork() -> None:
    """A child has nothing under way: the requests of its parent are not its to wait for."""
    global _lock, _limiters
    _lock, _limiters = threading.RLock(), WeakValueDictionary()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork)
