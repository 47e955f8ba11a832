"""The limiter of one account: who is admitted, who waits, and that no slot is ever lost."""

from __future__ import annotations

import asyncio
import gc
import linecache
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from functools import partial
from itertools import count
from types import FrameType
from typing import Any

import pytest

from aimlapi_core import ConcurrencyTimeoutError, ConfigurationError, Settings
from aimlapi_core._io import concurrency_limit
from aimlapi_core._io.concurrency_limit import AccountLimiter, Slot, _Waiter, slot_for
from tests.waiting import LONG_S, wait_until

URL = "https://api.example/v1/chat/completions"
KEY = {"Authorization": "Bearer sk-of-this-test"}


def slot(limit: int = 1) -> Slot:
    return slot_for(limit, URL, KEY)


def is_free(limit: int = 1) -> bool:
    """Whether a request could be sent at once; it is not."""
    probe = slot(limit)
    try:
        probe.acquire(0)
    except ConcurrencyTimeoutError:
        return False
    finally:
        probe.release()
    return True


@pytest.mark.parametrize("wrong", [0, -1, True, 1.5, "2"], ids=repr)
def test_a_limit_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_concurrency must be an int of 1 or more"):
        Settings(max_concurrency=wrong)


def test_a_slot_is_free_again_once_it_was_released() -> None:
    first = slot()
    first.acquire(None)
    assert not is_free()
    first.release()
    assert is_free()
    first.acquire(0)
    assert not is_free()
    first.release()


def test_releasing_twice_frees_one_slot() -> None:
    one, other = slot(2), slot(2)
    one.acquire(0)
    other.acquire(0)
    one.release()
    one.release()
    assert is_free(2)
    assert not is_free(1)
    other.release()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://[::1]:8000/v1", "http://[0:0:0:0:0:0:0:1]:8000/v1"),
        ("https://bücher.example/v1", "https://xn--bcher-kva.example/v1"),
        ("https://api.example/v1", "https://api.example./v1"),
    ],
)
def test_a_host_is_one_account_in_each_of_its_forms(one: str, other: str) -> None:
    held, same = slot_for(1, one, KEY), slot_for(1, other, KEY)
    held.acquire(0)
    with pytest.raises(ConcurrencyTimeoutError):
        same.acquire(0)
    same.release()
    held.release()


def test_the_account_is_origin_and_key_however_they_are_spelled() -> None:
    held = slot()
    held.acquire(0)
    same = slot_for(1, "https://api.example/v1/embeddings", {"authorization": KEY["Authorization"]})
    with pytest.raises(ConcurrencyTimeoutError):
        same.acquire(0)
    same.release()
    for origin in ("https://API.example", "https://api.example:443", "HTTPS://api.example:0443"):
        same = slot_for(1, f"{origin}/v1/embeddings", KEY)
        with pytest.raises(ConcurrencyTimeoutError):
            same.acquire(0)
        same.release()
    slot_for(1, "https://api.example:80/v1", KEY).acquire(0)
    slot_for(1, "http://api.example/v1", KEY).acquire(0)
    slot_for(1, "https://other.example/v1/chat/completions", KEY).acquire(0)
    slot_for(1, URL, {"Authorization": "Bearer sk-other"}).acquire(0)
    held.release()


def test_the_registry_holds_no_key_and_nothing_of_what_is_over() -> None:
    gc.collect()
    before = len(concurrency_limit._limiters)
    held = slot()
    held.acquire(0)
    assert len(concurrency_limit._limiters) == before + 1
    assert "sk-of" not in repr(dict(concurrency_limit._limiters)) + repr(vars(held._limiter))
    held.release()
    del held
    assert len(concurrency_limit._limiters) == before


def enter(limiter: AccountLimiter, name: str, limit: int, went: list[str]) -> _Waiter:
    waiter = _Waiter(limit, notify=partial(went.append, name))
    limiter.submit(waiter)
    return waiter


def leave(limiter: AccountLimiter, waiter: _Waiter) -> None:
    waiter.has_left = True
    limiter.submit(waiter)


def test_each_that_ends_admits_the_one_that_came_first_and_no_other() -> None:
    limiter, went = AccountLimiter(), []  # type: tuple[AccountLimiter, list[str]]
    waiters = [enter(limiter, name, 2, went) for name in "abcdef"]
    assert went == ["a", "b"]
    leave(limiter, waiters[3])
    assert list(limiter._waiting) == [waiters[2], waiters[4], waiters[5]]
    for number, expected in [(1, "abc"), (0, "abce"), (2, "abcef"), (4, "abcef"), (5, "abcef")]:
        leave(limiter, waiters[number])
        assert "".join(went) == expected
    assert not limiter._active
    assert not limiter._waiting


def test_who_has_the_lower_limit_is_not_passed_and_keeps_to_it() -> None:
    limiter, went = AccountLimiter(), []  # type: tuple[AccountLimiter, list[str]]
    first, second = (enter(limiter, name, 2, went) for name in ("first", "second"))
    enter(limiter, "low", 1, went)
    enter(limiter, "high", 9, went)
    leave(limiter, first)  # one is under way: too many for `low`
    assert went == ["first", "second"]
    leave(limiter, second)
    assert went[2:] == ["low", "high"]


def test_one_that_gives_up_no_longer_holds_up_those_behind_it() -> None:
    limiter, went = AccountLimiter(), []  # type: tuple[AccountLimiter, list[str]]
    enter(limiter, "under way", 2, went)
    low = enter(limiter, "low", 1, went)
    enter(limiter, "behind", 2, went)
    leave(limiter, low)
    assert went == ["under way", "behind"]


def test_a_slot_that_is_forgotten_is_released_also_from_inside_the_limiter() -> None:
    """As the garbage collector may do at any step."""
    kept = [slot(3), slot(3)]
    kept[0].acquire(0)
    kept[1].acquire(0)
    limiter, went = kept[0]._limiter, []  # type: tuple[AccountLimiter, list[str]]
    limiter.submit(_Waiter(3, notify=kept.clear))  # two are forgotten while it is admitted
    for name in "abc":
        enter(limiter, name, 3, went)
    assert went == ["a", "b"]


def test_a_request_that_comes_just_before_the_lock_is_released_is_admitted() -> None:
    limiter, went = AccountLimiter(), []  # type: tuple[AccountLimiter, list[str]]
    lock, coming = limiter._lock, ["other"]

    class Lock:
        locked = lock.locked

        def __enter__(self) -> None:
            lock.acquire()

        def __exit__(self, *error: object) -> None:
            while coming:  # from another thread, which finds the lock taken and goes on
                enter(limiter, coming.pop(), 2, went)
            lock.release()

    limiter._lock = Lock()  # type: ignore[assignment]  # all of a lock that is used
    enter(limiter, "one", 2, went)
    assert went == ["one", "other"]


class Interrupt:
    """Raises KeyboardInterrupt before the nth line that the limiter runs, as Ctrl-C may."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.where = ""

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        code = frame.f_code
        if code.co_filename != concurrency_limit.__file__:
            return None
        line = linecache.getline(code.co_filename, frame.f_lineno).strip()
        # The end of a `with` is a line to a tracer, but Python looks at no signal there.
        is_end = line == "with self._lock:" and frame.f_locals["self"]._lock.locked()
        if event == "line" and not is_end:
            self.left -= 1
            if not self.left:
                self.where = f"{code.co_name}: {line}"
                raise KeyboardInterrupt
        return self

    def comes_in(self, function: Callable[[], object]) -> bool:
        """Whether it came while `function` ran."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            function()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
        return False


def test_a_release_that_is_interrupted_anywhere_admits_the_next() -> None:
    for number in count(1):
        interrupt, went = Interrupt(number), []  # type: tuple[Interrupt, list[str]]
        held = slot()
        held.acquire(0)
        behind = enter(held._limiter, "behind", 1, went)
        if not interrupt.comes_in(held.release):
            break
        if interrupt.where.startswith(("release:", "submit: try")):  # it was not begun:
            held.release()  # its finaliser does this
        assert went, interrupt.where
        leave(held._limiter, behind)
        assert is_free(), interrupt.where
    assert number > 20


def test_an_acquire_that_is_interrupted_anywhere_loses_no_slot() -> None:
    for number in count(1):
        interrupt, mine = Interrupt(number), slot()
        if not interrupt.comes_in(partial(mine.acquire, 0)):
            break
        mine.release()
        assert is_free(), interrupt.where
    assert number > 20
    mine.release()


def test_a_release_that_was_interrupted_before_it_began_holds_up_no_later_request() -> None:
    held = slot()
    held.acquire(0)
    assert held._waiter is not None
    held._waiter.has_left = True
    assert is_free()


@pytest.mark.parametrize("steps", range(4))
async def test_a_waiter_cancelled_while_it_is_woken_passes_the_slot_on(steps: int) -> None:
    held, waits, last = slot(), slot(), slot()
    held.acquire(0)
    cancelled = asyncio.ensure_future(waits.aacquire(LONG_S))
    behind = asyncio.ensure_future(last.aacquire(LONG_S))
    await asyncio.sleep(0)
    held.release()
    for _ in range(steps):
        await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    waits.release()  # as the call would, where it was admitted before
    await behind
    last.release()
    assert is_free()


def test_the_waiter_of_a_closed_loop_is_passed_over() -> None:
    held, gone = slot(), slot()
    held.acquire(0)
    loop = asyncio.new_event_loop()
    task = loop.create_task(gone.aacquire(None))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    went: list[str] = []
    behind = enter(held._limiter, "behind", 1, went)
    held.release()
    assert went == ["behind"]
    leave(held._limiter, behind)
    assert is_free()
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # it was left on purpose


def test_what_a_closed_loop_left_under_way_holds_nobody_up() -> None:
    left = slot()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(left.aacquire(None))
    assert not is_free()
    waits = enter(left._limiter, "waits", 1, [])
    loop.close()
    later = slot(9)
    later.acquire(0)
    assert waits.is_admitted  # it came before
    leave(left._limiter, waits)
    later.release()
    assert is_free()


def test_who_waits_finds_a_loop_that_was_closed_meanwhile_before_it_times_out() -> None:
    left, mine = slot(), slot()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(left.aacquire(None))
    waits = mine._waits(_Waiter(1), lambda: None, 0)
    next(waits)
    loop.close()
    assert list(waits) == []  # it has not to wait again
    mine.release()


@pytest.mark.parametrize("kind", ["thread", "task"])
def test_a_thread_that_waits_without_end_finds_a_loop_that_was_closed(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Nobody else comes, and no time-out ends the wait."""
    monkeypatch.setattr(concurrency_limit, "CLOSED_LOOP_CHECK_S", 0.05)
    left, mine = slot(), slot()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(left.aacquire(None))
    close = threading.Timer(0.2, loop.close)
    close.start()
    started_s = time.monotonic()
    if kind == "thread":
        mine.acquire(None)
    else:
        asyncio.run(mine.aacquire(None))
    assert loop.is_closed()
    assert time.monotonic() - started_s < LONG_S / 10
    mine.release()
    assert is_free()


def test_a_thousand_waiters_in_threads_and_loops_are_all_admitted() -> None:
    now, most, lock = [0], [0], threading.Lock()

    def count(step: int) -> None:
        with lock:
            now[0] += step
            most[0] = max(most[0], now[0])

    def one() -> None:
        mine = slot(7)
        mine.acquire(LONG_S)
        count(1)
        count(-1)
        mine.release()

    async def aone() -> None:
        mine = slot(7)
        await mine.aacquire(LONG_S)
        count(1)
        await asyncio.sleep(0)
        count(-1)
        mine.release()

    async def many() -> None:
        await asyncio.gather(*(aone() for _ in range(450)))

    held = [slot(7) for _ in range(7)]
    for each in held:
        each.acquire(0)
    jobs: list[Callable[[], Any]] = [one] * 100
    jobs += [lambda: asyncio.run(many())] * 2
    with ThreadPoolExecutor(len(jobs)) as threads:
        running = [threads.submit(job) for job in jobs]
        waiting = held[0]._limiter._waiting
        wait_until(lambda: len(waiting) == 1_000)
        for each in held:
            each.release()
        for done in running:
            done.result()
    assert 1 < most[0] <= 7
    assert is_free()


def test_who_waits_in_a_queue_that_moves_is_not_timed_out() -> None:
    before, within_s, order = slot(), 2.0, []

    def ask(name: int) -> None:
        mine = slot()
        mine.acquire(within_s)
        order.append(name)
        threading.Event().wait(within_s * 0.3)
        mine.release()

    before.acquire(0)
    with ThreadPoolExecutor(5) as threads:
        asked = [threads.submit(ask, name) for name in range(5)]
        before.release()
        for one in asked:
            one.result()  # the last waits longer than the time-out, but no slot is held as long
    assert len(order) == 5


async def test_who_waits_in_a_loop_for_a_queue_that_moves_is_not_timed_out() -> None:
    within_s = 2.0

    async def ask() -> None:
        mine = slot()
        await mine.aacquire(within_s)
        await asyncio.sleep(within_s * 0.3)
        mine.release()

    await asyncio.gather(*(ask() for _ in range(5)))
    assert is_free()


def test_a_slot_that_is_cancelled_while_it_is_waited_for_raises_and_holds_nothing() -> None:
    first, other = slot(), slot()
    first.acquire(0)
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(other.acquire, None)
        wait_until(lambda: len(other._limiter._waiting) == 1)
        other.cancel()
        with pytest.raises(CancelledError):
            waits.result()
        other.release()  # as the call does, however it ended
    first.release()
    assert is_free()


def test_a_pool_time_out_longer_than_any_clock_is_taken() -> None:
    mine = slot()
    mine.acquire(float("inf"))
    other = slot()
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(other.acquire, float("inf"))
        mine.release()
        waits.result()
    other.release()


class Held:
    """How many slots are held, and the most that were at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = self.most = 0

    def count(self, step: int) -> None:
        with self._lock:
            self.now += step
            self.most = max(self.most, self.now)


def run_in_thread(seed: int, held: Held, rounds: int) -> None:
    """Waits with time-outs; some slots are cancelled by another thread, some forgotten."""
    dice = random.Random(seed)
    for _ in range(rounds):
        mine = slot(3)
        canceller = threading.Timer(dice.random() / 500, mine.cancel)
        if dice.random() < 0.1:
            canceller.start()
        try:
            mine.acquire(dice.choice([None, LONG_S, 0, 0.001]))
            held.count(1)
            time.sleep(dice.random() / 2_000)
            held.count(-1)
        except (ConcurrencyTimeoutError, CancelledError):
            mine.release()
        if dice.random() < 0.8:
            mine.release()
        if canceller.is_alive():
            canceller.join()  # or it would hold the slot that is forgotten here


async def run_in_loop(seed: int, held: Held, rounds: int) -> None:
    """Tasks that time out, or are cancelled at any of their steps."""

    async def one(dice: random.Random) -> None:
        mine = slot(3)
        try:
            await mine.aacquire(dice.choice([None, LONG_S, 0.001]))
            held.count(1)
            try:
                await asyncio.sleep(dice.random() / 2_000)
            finally:
                held.count(-1)
        except ConcurrencyTimeoutError:
            pass
        finally:
            mine.release()

    for number in range(rounds):
        dice = random.Random(f"{seed} {number}")
        tasks = [asyncio.ensure_future(one(dice)) for _ in range(8)]
        await asyncio.sleep(dice.random() / 500)
        for task in dice.sample(tasks, 4):
            task.cancel()
        await asyncio.wait(tasks)
        assert not [task for task in tasks if not task.cancelled() and task.exception()]


class Interrupts:
    """Signals to the main thread, each a KeyboardInterrupt inside the limiter."""

    def __init__(self) -> None:
        self.come = False
        self.is_over = threading.Event()
        self._main = threading.get_ident()

    def send(self) -> None:
        while not self.is_over.wait(0.001):
            signal.pthread_kill(self._main, signal.SIGUSR1)

    def receive(self, number: int, frame: FrameType | None) -> None:
        outermost = ""
        while frame is not None and frame.f_code.co_filename == concurrency_limit.__file__:
            outermost, frame = frame.f_code.co_name, frame.f_back
        if self.come and outermost in ("acquire", "release"):  # what a finaliser raises is lost
            raise KeyboardInterrupt

    def run(self, held: Held, is_over: Callable[[], bool]) -> int:
        """Acquire and release until `is_over`; gives how often an interrupt came."""
        interrupts = 0
        while not is_over():
            mine = slot(3)
            try:
                self.come = True
                mine.acquire(LONG_S)
                held.count(1)
                held.count(-1)
                mine.release()
            except KeyboardInterrupt:
                interrupts += 1
            self.come = False
            mine.release()
        return interrupts


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no such signal")
@pytest.mark.parametrize("seed", range(3))
def test_cancels_time_outs_and_interrupts_in_threads_and_loops_lose_nothing(seed: int) -> None:
    held, interrupts, keep = Held(), Interrupts(), slot(3)
    before = signal.signal(signal.SIGUSR1, interrupts.receive)
    try:
        with ThreadPoolExecutor(9) as threads:
            jobs = [threads.submit(run_in_thread, seed * 10 + n, held, 60) for n in range(6)]
            loops = [run_in_loop(seed * 10 + n, held, 20) for n in range(2)]
            jobs += [threads.submit(asyncio.run, loop) for loop in loops]
            helper = threads.submit(interrupts.send)
            try:
                came = interrupts.run(held, lambda: all(job.done() for job in jobs))
            finally:
                interrupts.is_over.set()
            for job in [*jobs, helper]:
                job.result()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert held.most == 3
    assert came > 0
    gc.collect()
    assert not keep._limiter._active
    assert not keep._limiter._waiting
