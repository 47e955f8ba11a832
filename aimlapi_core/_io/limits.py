"""At most so many requests of one account under way at once, in this process.

An account is an origin and the key in force there. Its requests share one gate, from all threads
and event loops; each says how many may be under way, itself included. They begin in the order in
which they came, but one whose own limit is reached is passed by those with a higher one. A
request that ends wakes the one that takes its place and no other.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from aimlapi_core.errors import ConcurrencyTimeoutError


class _Entry:
    """A request at the gate: waiting, under way once `is_granted`, gone once `has_left`."""

    __slots__ = ("has_left", "is_granted", "limit", "loop", "wake")

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop | None) -> None:
        self.limit = limit
        self.loop = loop
        self.wake: Callable[[], object] | None = None
        self.is_granted = False
        self.has_left = False


class Gate:
    """The requests of one account, those under way and those that wait.

    The garbage collector may end a forgotten stream, whose request then leaves, while this very
    thread is inside: who finds the gate busy leaves its news to the one who is at it.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Nothing is under way and nothing waits."""
        self._lock = threading.RLock()
        self._news: deque[_Entry] = deque()
        self._is_busy = False
        self._under_way: set[_Entry] = set()
        self.granted = 0  # turns so far: while it grows, the queue moves
        self._waiting: dict[int, OrderedDict[_Entry, None]] = {}  # by limit, as they came

    def enter(self, entry: _Entry, wake: Callable[[], object]) -> bool:
        """Whether the request may be sent now; if not, `wake` is called once when it may."""
        with self._lock:
            self._tell(entry)
            entry.wake = wake
            return entry.is_granted

    def leave(self, entry: _Entry) -> None:
        """The request has ended, or waits no longer. May be called again."""
        entry.has_left = True
        self._tell(entry)

    def withdraw(self, entry: _Entry) -> None:
        """A request that still waits will not be sent: it is woken, and finds that it has left."""
        with self._lock:
            if not entry.is_granted and entry.wake is not None:
                self.leave(entry)
                entry.wake()

    def _tell(self, entry: _Entry) -> None:
        self._news.append(entry)
        with self._lock:
            while self._news and not self._is_busy:
                try:
                    self._is_busy = True
                    self._take_in()
                except BaseException:  # Ctrl-C in between: nobody may be left unwoken by it
                    self._take_in()
                    raise
                finally:
                    try:
                        self._is_busy = False
                    finally:  # where Ctrl-C came in the line above
                        self._is_busy = False

    def _take_in(self) -> None:
        """Each step may be done again: what was begun when Ctrl-C came is done anew."""
        while self._news:
            self._place(self._news[0])
            self._news.popleft()
        while (entry := self._next()) is not None:
            self._grant(entry)

    def _place(self, entry: _Entry) -> None:
        if entry.has_left:
            self._under_way.discard(entry)
            self._take_from_queue(entry)
        elif not entry.is_granted:
            if len(self._under_way) >= entry.limit:
                self._forget_closed_loops()
            self._waiting.setdefault(entry.limit, OrderedDict())[entry] = None

    def _take_from_queue(self, entry: _Entry) -> None:
        queue = self._waiting.get(entry.limit, OrderedDict())
        queue.pop(entry, None)
        if not queue:
            self._waiting.pop(entry.limit, None)

    def _next(self) -> _Entry | None:
        """Who came first of those whose limit lets them go, or is half on its way.

        One that leaves makes room for one limit alone: whoever has a higher one does not wait.
        """
        under_way = len(self._under_way)
        for limit, queue in self._waiting.items():
            first = next(iter(queue), None)
            if first is not None and (limit > under_way or first.is_granted):
                return first
        return None

    def _grant(self, entry: _Entry) -> None:
        """Send it off. It leaves its queue last, so that one who is interrupted finds it again."""
        entry.is_granted = True
        self.granted += 1
        self._under_way.add(entry)
        if entry.wake is not None:
            try:
                entry.wake()
            except RuntimeError:  # its event loop was closed, or a thread was woken already
                if entry.loop is not None:
                    self._under_way.discard(entry)
        self._take_from_queue(entry)

    def _forget_closed_loops(self) -> None:
        """Requests of loops that were closed without ending their tasks will never leave."""
        closed = [e for e in self._under_way if e.loop is not None and e.loop.is_closed()]
        self._under_way.difference_update(closed)


class Turn:
    """One request's turn: taken before it is sent, given back once its answer is closed.

    Given back in any case, also where taking it failed; twice is once. May be taken again after
    that. One that is forgotten is given back by the garbage collector.
    """

    def __init__(self, gate: Gate, limit: int) -> None:
        self._gate = gate
        self._limit = limit
        self._entry: _Entry | None = None

    def take(self, within_s: float | None) -> None:
        """Wait for it. Raises ConcurrencyTimeoutError when nobody's turn came for `within_s`."""
        entry = self._entry = _Entry(self._limit, None)
        # A bare lock: an Event has a lock of its own, in which the collector may end a stream.
        called = threading.Lock()
        called.acquire()
        within = -1 if within_s is None else min(within_s, threading.TIMEOUT_MAX)
        if not self._gate.enter(entry, called.release):
            seen = -1
            while seen != self._gate.granted:
                seen = self._gate.granted
                if called.acquire(timeout=within):
                    break
        self._check(entry, within_s)

    async def atake(self, within_s: float | None) -> None:
        """Wait for it without a thread, as `take` does."""
        loop = asyncio.get_running_loop()
        entry = self._entry = _Entry(self._limit, loop)
        called = loop.create_future()
        if not self._gate.enter(entry, lambda: loop.call_soon_threadsafe(_resolve, called)):
            seen = -1
            while seen != self._gate.granted and not called.done():
                seen = self._gate.granted
                await asyncio.wait([called], timeout=within_s)
        self._check(entry, within_s)

    def withdraw(self) -> None:
        """The request is not to be sent any more, if it waits still: taking its turn raises."""
        if self._entry is not None:
            self._gate.withdraw(self._entry)

    def give_back(self) -> None:
        """The answer is closed, or the request will not be sent."""
        if self._entry is not None:
            self._gate.leave(self._entry)
            self._entry = None

    def __del__(self) -> None:
        self.give_back()

    def _check(self, entry: _Entry, within_s: float | None) -> None:
        if entry.is_granted:
            return
        if entry.has_left:
            raise CancelledError("The request was withdrawn before it was sent.")
        raise ConcurrencyTimeoutError(
            f"Nobody's turn came for {within_s:g} seconds: as many requests of the account as "
            f"max_concurrency={self._limit} allows were under way. It was not sent, and nothing "
            "of it is billed. Raise max_concurrency or timeout, or close what is open: a stream "
            "counts until it is read to its end or closed."
        )


def _resolve(called: asyncio.Future[None]) -> None:
    if not called.done():
        called.set_result(None)


# A gate lives as long as a turn at it does. No key is held, only its digest.
_lock = threading.RLock()
_gates: WeakValueDictionary[tuple[str, bytes], Gate] = WeakValueDictionary()


def turn_of(limit: int, url: str, headers: Mapping[str, str]) -> Turn:
    """The turn of one request, at the gate of the account that `url` and `headers` mean."""
    parts = urlsplit(url)
    key = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    account = f"{parts.scheme}://{parts.netloc}", hashlib.sha256(key.encode()).digest()
    with _lock:
        gate = _gates.get(account)
        if gate is None:
            gate = _gates[account] = Gate()
    return Turn(gate, limit)


def _after_fork() -> None:
    """A child has nothing under way: the requests of its parent are not its to wait for."""
    global _lock
    _lock = threading.RLock()
    for gate in list(_gates.values()):
        gate.reset()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork)
