"""The gate of one account: who may go, who waits, and that no turn is ever lost."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from aimlapi_core import ConcurrencyTimeoutError, ConfigurationError, Settings
from aimlapi_core._io import limits
from aimlapi_core._io.limits import Gate, Turn, _Entry, turn_of
from tests.waiting import LONG_S, wait_until

URL = "https://api.example/v1/chat/completions"
KEY = {"Authorization": "Bearer sk-of-this-test"}


def turn(limit: int = 1) -> Turn:
    return turn_of(limit, URL, KEY)


def is_free(limit: int = 1) -> bool:
    """Whether a request could be sent at once; it is not."""
    probe = turn(limit)
    try:
        probe.take(0)
    except ConcurrencyTimeoutError:
        return False
    finally:
        probe.give_back()
    return True


@pytest.mark.parametrize("wrong", [0, -1, True, 1.5, "2"], ids=repr)
def test_a_limit_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_concurrency must be an int of 1 or more"):
        Settings(max_concurrency=wrong)


def test_a_place_is_free_again_once_it_was_given_back() -> None:
    first = turn()
    first.take(None)
    assert not is_free()
    first.give_back()
    assert is_free()
    first.take(0)
    assert not is_free()
    first.give_back()


def test_giving_back_twice_frees_one_place() -> None:
    one, other = turn(2), turn(2)
    one.take(0)
    other.take(0)
    one.give_back()
    one.give_back()
    assert is_free(2)
    assert not is_free(1)
    other.give_back()


def test_the_account_is_origin_and_key_however_the_header_is_spelled() -> None:
    held = turn()
    held.take(0)
    same = turn_of(1, "https://api.example/v1/embeddings", {"authorization": KEY["Authorization"]})
    with pytest.raises(ConcurrencyTimeoutError):
        same.take(0)
    same.give_back()
    turn_of(1, "https://other.example/v1/chat/completions", KEY).take(0)
    turn_of(1, URL, {"Authorization": "Bearer sk-other"}).take(0)
    held.give_back()


def test_the_registry_holds_no_key_and_nothing_of_what_is_over() -> None:
    gc.collect()
    before = len(limits._gates)
    held = turn()
    held.take(0)
    assert len(limits._gates) == before + 1
    assert "sk-of" not in repr(dict(limits._gates)) + repr(vars(held._gate))
    held.give_back()
    del held
    assert len(limits._gates) == before


def enter(gate: Gate, name: str, limit: int, went: list[str]) -> _Entry:
    entry = _Entry(limit, None)
    if gate.enter(entry, partial(went.append, name)):
        went.append(name)
    return entry


def test_each_that_ends_wakes_the_one_that_came_first_and_no_other() -> None:
    gate, went = Gate(), []  # type: tuple[Gate, list[str]]
    entries = [enter(gate, name, 2, went) for name in "abcdef"]
    assert went == ["a", "b"]
    gate.leave(entries[3])  # waits no longer
    for number, expected in [(1, "abc"), (0, "abce"), (2, "abcef"), (4, "abcef"), (5, "abcef")]:
        gate.leave(entries[number])
        assert "".join(went) == expected
    assert not gate._under_way
    assert not gate._waiting


def test_who_has_the_lower_limit_is_passed_by_those_with_a_higher_one() -> None:
    gate, went = Gate(), []  # type: tuple[Gate, list[str]]
    holder = enter(gate, "holder", 1, went)
    low = enter(gate, "low", 1, went)
    high = enter(gate, "high", 2, went)
    late = enter(gate, "late", 2, went)
    assert went == ["holder", "high"]
    gate.leave(holder)  # one is under way: too many for `low`
    assert went[2:] == ["late"]
    gate.leave(high)
    assert len(went) == 3
    gate.leave(late)
    assert went[3:] == ["low"]
    gate.leave(low)


def test_a_turn_forgotten_is_given_back_also_from_inside_the_gate() -> None:
    held = turn()
    held.take(0)
    gate = held._gate
    holders = [held]

    class Collected(dict[int, Any]):
        """Stands for the garbage collector, which may come at any step."""

        def items(self) -> Any:
            holders.clear()
            return super().items()

    gate._waiting = Collected()
    del held
    went: list[str] = []
    entry = enter(gate, "next", 1, went)
    assert went == ["next"]
    gate.leave(entry)


@pytest.mark.parametrize("steps", range(4))
async def test_a_waiter_cancelled_while_it_is_woken_passes_the_turn_on(steps: int) -> None:
    held, waits, last = turn(), turn(), turn()
    held.take(0)
    cancelled = asyncio.ensure_future(waits.atake(LONG_S))
    behind = asyncio.ensure_future(last.atake(LONG_S))
    await asyncio.sleep(0)
    held.give_back()
    for _ in range(steps):
        await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    waits.give_back()  # as the call would, where the turn came before the cancelling
    await behind
    last.give_back()
    assert is_free()


def test_the_waiter_of_a_closed_loop_is_passed_over() -> None:
    held, gone = turn(), turn()
    held.take(0)
    loop = asyncio.new_event_loop()
    task = loop.create_task(gone.atake(None))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    with ThreadPoolExecutor(1) as thread:
        waits = turn()
        taken = thread.submit(waits.take, LONG_S)
        held.give_back()
        taken.result()
    waits.give_back()
    assert is_free()
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # it was left on purpose


def test_what_a_closed_loop_left_under_way_holds_nobody_up() -> None:
    left = turn()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(left.atake(None))
    assert not is_free()
    loop.close()
    assert is_free()


def test_a_thousand_waiters_in_threads_and_loops_all_get_their_turn() -> None:
    now, most, lock = [0], [0], threading.Lock()

    def count(step: int) -> None:
        with lock:
            now[0] += step
            most[0] = max(most[0], now[0])

    def one() -> None:
        mine = turn(7)
        mine.take(LONG_S)
        count(1)
        count(-1)
        mine.give_back()

    async def aone() -> None:
        mine = turn(7)
        await mine.atake(LONG_S)
        count(1)
        await asyncio.sleep(0)
        count(-1)
        mine.give_back()

    async def many() -> None:
        await asyncio.gather(*(aone() for _ in range(450)))

    held = [turn(7) for _ in range(7)]
    for each in held:
        each.take(0)
    jobs: list[Callable[[], Any]] = [one] * 100
    jobs += [lambda: asyncio.run(many())] * 2
    with ThreadPoolExecutor(len(jobs)) as threads:
        running = [threads.submit(job) for job in jobs]
        waiting = held[0]._gate._waiting
        wait_until(lambda: len(waiting.get(7, ())) == 1_000)
        for each in held:
            each.give_back()
        for done in running:
            done.result()
    assert 1 < most[0] <= 7
    assert is_free()


def test_who_waits_in_a_queue_that_moves_is_not_timed_out() -> None:
    before, within_s, order = turn(), 1.0, []

    def ask(name: int) -> None:
        mine = turn()
        mine.take(within_s)
        order.append(name)
        threading.Event().wait(within_s * 0.3)
        mine.give_back()

    before.take(0)
    with ThreadPoolExecutor(5) as threads:
        asked = [threads.submit(ask, name) for name in range(5)]
        before.give_back()
        for one in asked:
            one.result()  # the last waits longer than the time-out, but no turn takes as long
    assert len(order) == 5


async def test_who_waits_in_a_loop_for_a_queue_that_moves_is_not_timed_out() -> None:
    within_s = 1.0

    async def ask() -> None:
        mine = turn()
        await mine.atake(within_s)
        await asyncio.sleep(within_s * 0.3)
        mine.give_back()

    await asyncio.gather(*(ask() for _ in range(5)))
    assert is_free()


def test_a_turn_that_is_withdrawn_while_it_waits_raises_and_holds_nothing() -> None:
    first, other = turn(), turn()
    first.take(0)
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(other.take, None)
        wait_until(lambda: other._entry is not None and other._entry.wake is not None)
        other.withdraw()
        with pytest.raises(CancelledError):
            waits.result()
    first.give_back()
    assert is_free()


def test_a_pool_time_out_longer_than_any_clock_is_taken() -> None:
    mine = turn()
    mine.take(float("inf"))
    other = turn()
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(other.take, float("inf"))
        mine.give_back()
        waits.result()
    other.give_back()
