"""What scopes count: every call inside them, to the credit, and nothing that nobody said."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from decimal import Context, Decimal, localcontext
from typing import Any

import httpx
import pytest

from aimlapi_core import (
    AIMLAPIError,
    AsyncClient,
    AuthenticationError,
    Client,
    ConfigurationError,
    Settings,
    StreamCutError,
    Totals,
    note_cache_hit,
    track_costs,
)
from aimlapi_core.costs import nested_scope
from aimlapi_emulator import Emulator, Fault
from tests.costs.conftest import settings
from tests.costs.ways import (
    CHAT,
    EMBED,
    HELLO,
    PRO,
    asking,
    complete,
    embed,
    settled,
    stream,
    whole,
)
from tests.waiting import LONG_S, wait_until


def test_each_way_to_call_is_counted_to_the_credit(how: str, emu: Emulator) -> None:
    with track_costs() as costs:
        replies = [
            complete(how, settings(emu)),
            whole(stream(how, settings(emu))),
            complete(how, settings(emu), asking(model=PRO)),
            whole(stream(how, settings(emu), asking(model=PRO))),
        ]
        vectors = embed(how, settings(emu), "a lake", "a river")
    stated = [r.cost.credits for r in replies if r.cost] + [vectors.cost and vectors.cost.credits]
    assert costs.credits == sum(c or 0 for c in stated) == emu.ledger.credits > 0
    assert costs.usd == Decimal(emu.ledger.credits) / 2_000_000
    assert {model: sums.calls for model, sums in costs.by_model.items()} == {
        CHAT: 2,
        PRO: 2,
        EMBED: 1,
    }
    assert costs.unknown == ()
    assert costs.estimated_credits == 0


def test_tokens_are_counted_with_their_parts(emu: Emulator) -> None:
    long = asking("lake " * 1200)
    with track_costs() as costs:
        replies = [complete("sync", settings(emu), long) for _ in range(2)]
        replies.append(complete("sync", settings(emu), asking(reasoning_effort="low")))
    usages = [reply.usage for reply in replies if reply.usage]
    assert costs.total == Totals(
        calls=3,
        billed_calls=3,
        input_tokens=sum(u.input_tokens for u in usages),
        cached_tokens=sum(u.cached_tokens or 0 for u in usages),
        output_tokens=sum(u.output_tokens for u in usages),
        reasoning_tokens=sum(u.reasoning_tokens or 0 for u in usages),
        credits=emu.ledger.credits,
    )
    assert costs.total.cached_tokens > 0
    assert costs.total.reasoning_tokens > 0


def test_nested_scopes_pass_everything_upward(emu: Emulator) -> None:
    with track_costs() as outer:
        complete("sync", settings(emu))
        with track_costs() as inner:
            complete("sync", settings(emu))
            stream("sync", settings(emu), events=1)
        complete("sync", settings(emu))
    assert (outer.total.calls, inner.total.calls) == (4, 2)
    assert outer.unknown == inner.unknown
    assert inner.settle() == ()
    assert outer.unknown == ()
    assert outer.credits == emu.ledger.credits
    assert inner.credits == outer.credits // 2


def test_nothing_is_counted_outside(emu: Emulator) -> None:
    with track_costs() as costs:
        pass
    complete("sync", settings(emu))
    assert costs.total == Totals()


def test_a_call_that_ends_after_its_scope_still_reports_to_it(emu: Emulator) -> None:
    with track_costs() as costs:
        events = Client(settings(emu)).stream(HELLO)
        next(events)
    assert costs.total.calls == 0
    assert costs.in_flight == 1
    list(events)
    assert costs.credits == emu.ledger.credits > 0
    assert costs.in_flight == 0


def test_tasks_are_counted(emu: Emulator) -> None:
    async def run() -> None:
        client = AsyncClient(settings(emu))
        await asyncio.gather(*(asyncio.create_task(client.complete(HELLO)) for _ in range(20)))

    with track_costs() as costs:
        asyncio.run(run())
    assert costs.total.calls == 20
    assert costs.credits == emu.ledger.credits


def test_two_scopes_in_two_tasks_are_kept_apart(emu: Emulator) -> None:
    async def piece(calls: int) -> int:
        client = AsyncClient(settings(emu))
        with track_costs() as costs:
            for _ in range(calls):
                await client.complete(HELLO)
        return costs.total.calls

    async def run() -> list[int]:
        return await asyncio.gather(piece(1), piece(3), piece(2))

    assert asyncio.run(run()) == [1, 3, 2]


def test_batches_of_an_embedding_are_counted_from_its_threads(how: str, emu: Emulator) -> None:
    with track_costs() as costs:
        embed(how, settings(emu), *map(str, range(9)), batch_size=2)
    assert costs.total.calls == 5
    assert costs.credits == emu.ledger.credits > 0


def test_a_thread_of_ones_own_is_counted_when_wrapped(emu: Emulator) -> None:
    client = Client(settings(emu))
    with track_costs() as costs, ThreadPoolExecutor(4) as threads:
        list(threads.map(costs.wrap(client.complete), [HELLO] * 12))
    assert costs.total.calls == 12
    assert costs.credits == emu.ledger.credits


def test_an_async_function_can_be_wrapped(emu: Emulator) -> None:
    costs = track_costs()
    asyncio.run(costs.wrap(AsyncClient(settings(emu)).complete)(HELLO))
    assert costs.credits == emu.ledger.credits > 0


def test_a_scope_is_opened_once() -> None:
    with track_costs() as costs:
        pass
    with pytest.raises(ConfigurationError, match="once"):
        costs.__enter__()


def test_a_scope_that_a_generator_holds_open_brings_no_ended_scope_back(emu: Emulator) -> None:
    def work() -> Any:
        with track_costs() as inner:
            yield inner

    with track_costs() as outer:
        held = work()
        inner = next(held)
    complete("sync", settings(emu))
    held.close()
    complete("sync", settings(emu))
    assert (inner.total.calls, outer.total.calls) == (1, 1)


def test_scopes_that_end_in_the_order_in_which_they_began_leave_none_open(emu: Emulator) -> None:
    scopes = [track_costs() for _ in range(3)]
    for scope in scopes:
        scope.__enter__()
    for scope in scopes:
        scope.__exit__()
    complete("sync", settings(emu))
    assert [scope.total.calls for scope in scopes] == [0, 0, 0]


def test_a_scope_can_end_in_another_task_than_it_began(emu: Emulator) -> None:
    costs = track_costs()

    async def begin() -> None:
        costs.__enter__()

    async def end() -> None:
        costs.__exit__()

    async def run() -> None:
        await asyncio.create_task(begin())
        await asyncio.create_task(end())
        await AsyncClient(settings(emu)).complete(HELLO)

    asyncio.run(run())
    assert costs.total.calls == 0


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_function_that_yields_cannot_be_wrapped(kind: Any, emu: Emulator) -> None:
    """Its work would be done after it has returned, outside the scope."""
    with pytest.raises(ConfigurationError, match="yields"):
        track_costs().wrap(kind(settings(emu)).stream)


def test_amounts_are_exact_whatever_the_callers_decimal_context() -> None:
    with localcontext(Context(prec=3)), track_costs(budget_usd="1.2345675") as costs:
        assert str(costs.budget_usd) == "1.2345675"
        assert str(Totals(credits=123_456_789).usd) == "61.7283945"


def failing(how: str, setup: Settings, form: str) -> None:
    with pytest.raises(AIMLAPIError):
        (complete if form == "whole" else stream)(how, setup)


@pytest.mark.parametrize("form", ["whole", "stream"])
@pytest.mark.parametrize("status", [400, 401, 429, 503])
def test_a_refused_call_is_known_to_cost_nothing(
    how: str, form: str, status: int, emu: Emulator
) -> None:
    emu.faults.append(Fault(status=status))
    with track_costs() as costs:
        failing(how, settings(emu, max_retries=0), form)
    assert costs.total == Totals(calls=1, failed=1)
    assert costs.unknown == ()


def test_retries_are_counted(how: str, quick: None, emu: Emulator) -> None:
    emu.faults += [Fault(status=503), Fault(status=429)]
    with track_costs() as costs:
        complete(how, settings(emu))
    assert (costs.total.calls, costs.total.retries, costs.total.failed) == (1, 2, 0)
    assert costs.credits == emu.ledger.credits > 0


UNSAID: dict[str, tuple[Fault, type[AIMLAPIError] | None]] = {
    "cut": (Fault(cut_after_events=3), StreamCutError),
    "unstated": (Fault(cost_metadata=False), None),
    "lost": (Fault(delay_head_s=3600), AIMLAPIError),
}


@pytest.mark.parametrize("why", UNSAID)
def test_a_cost_that_never_came_is_unknown_until_the_logs_say_it(
    how: str, why: str, emu: Emulator
) -> None:
    fault, error = UNSAID[why]
    emu.faults.append(fault)
    expected = nullcontext() if error is None else pytest.raises(error)
    with track_costs() as costs, expected:
        silent = httpx.Timeout(None, read=0.1 if why == "lost" else None)
        stream(how, settings(emu, timeout=silent))
    assert costs.credits == 0
    assert [call.reason for call in costs.unknown] == [why]
    wait_until(lambda: emu.ledger.entries)
    assert settled(how, costs) == ()
    assert costs.credits == emu.ledger.credits > 0


def test_a_stream_that_its_caller_leaves_is_unknown_and_no_failure(how: str, emu: Emulator) -> None:
    with track_costs() as costs:
        stream(how, settings(emu), events=2)
    (call,) = costs.unknown
    assert (call.reason, call.model, costs.total.failed) == ("closed", CHAT, 0)
    assert call.inference_id
    assert settled(how, costs) == ()
    assert costs.credits == emu.ledger.credits > 0
    assert costs.total.output_tokens > 0


def test_a_forgotten_stream_is_unknown(emu: Emulator) -> None:
    with track_costs() as costs:
        events = Client(settings(emu)).stream(HELLO)
        next(events)
        del events
        gc.collect()
    assert [call.reason for call in costs.unknown] == ["closed"]


def test_a_cancelled_task_is_unknown(emu: Emulator) -> None:
    async def run() -> None:
        task = asyncio.create_task(AsyncClient(settings(emu)).complete(HELLO))
        while not emu.ledger.entries:  # noqa: ASYNC110  # the emulator runs in a thread
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    emu.faults.append(Fault(delay_head_s=30))
    with track_costs() as costs:
        asyncio.run(run())
    assert [call.reason for call in costs.unknown] == ["closed"]
    assert costs.settle() == ()
    assert costs.credits == emu.ledger.credits > 0


def test_a_call_that_is_left_between_two_requests_is_known_to_cost_nothing(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent was refused; the repetition is not sent yet."""

    sleep = time.sleep

    def stop(delay_s: float) -> None:
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        sleep(delay_s)  # the thread that closes idle connections

    monkeypatch.setattr("time.sleep", stop)
    emu.faults.append(Fault(status=503))
    with track_costs() as costs, pytest.raises(KeyboardInterrupt):
        complete("sync", settings(emu))
    assert costs.unknown == ()
    assert costs.in_flight == 0


def test_a_call_stopped_by_this_library_is_unknown_and_found(how: str, emu: Emulator) -> None:
    with track_costs() as costs:
        events = stream(how, settings(emu), asking("Say: one two three", stop=("two",)))
    assert whole(events).cost is None
    assert [call.reason for call in costs.unknown] == ["stopped"]
    assert settled(how, costs) == ()
    assert costs.credits == emu.ledger.credits > 0


def test_an_answer_that_cannot_be_read_still_states_its_cost(how: str, emu: Emulator) -> None:
    emu.faults.append(Fault(drop_row=True))
    with track_costs() as costs, pytest.raises(AIMLAPIError):
        embed(how, settings(emu), "a lake", "a river")
    assert costs.total.failed == 1
    assert costs.unknown == ()
    assert costs.credits == emu.ledger.credits > 0


def test_a_charge_that_comes_late_is_waited_for(how: str, emu: Emulator) -> None:
    with track_costs() as costs:
        stream(how, settings(emu), events=1)
    emu.ledger.delay_s = 3600.0
    assert len(settled(how, costs)) == 1
    assert costs.credits == 0
    asked = len(emu.requests)

    def show_after_the_first_look() -> None:
        wait_until(lambda: len(emu.requests) > asked)
        emu.ledger.delay_s = 0.0

    shown = threading.Thread(target=show_after_the_first_look)
    shown.start()
    assert settled(how, costs, within_s=LONG_S) == ()
    shown.join()
    assert costs.credits == emu.ledger.credits


def test_the_logs_are_searched_page_by_page(emu: Emulator) -> None:
    with track_costs() as costs:
        stream("sync", settings(emu), events=1)
    for _ in range(2):
        embed("sync", settings(emu), *map(str, range(105)), batch_size=1)
    assert costs.settle() == ()
    assert [seen.path for seen in emu.requests].count(
        "/v2/logs?period=1h&limit=100&offset=200"
    ) == 1


def test_an_id_that_calls_share_tells_nothing(emu: Emulator) -> None:
    """Two calls by one id, one of which never got an answer's head: no row is surely its own."""
    shared = asking(client_request_id="customer-42")
    emu.faults += [None, Fault(drop="after_read")]
    with track_costs() as costs:
        complete("sync", settings(emu), shared)
        with pytest.raises(AIMLAPIError):
            complete("sync", settings(emu), shared)
    assert len(costs.settle()) == 1
    assert costs.credits == emu.ledger.credits


def test_a_retrys_suffix_makes_a_shared_id_no_id_of_its_own(quick: None, emu: Emulator) -> None:
    """The second call's repetition is never noted; the first one's is not taken for it."""
    shared = asking(client_request_id="customer-42")
    emu.faults += [Fault(status=503), None, Fault(status=503), Fault(drop="after_read")]
    with track_costs() as costs:
        complete("sync", settings(emu), shared)
        with pytest.raises(AIMLAPIError):
            complete("sync", settings(emu), shared)
    assert [call.client_request_id for call in costs.settle()] == ["customer-42.r1"]
    assert costs.credits == emu.ledger.credits > 0


def test_a_refused_request_by_a_shared_id_is_not_taken_for_a_lost_one(
    quick: None, emu: Emulator
) -> None:
    """The refused one stands in the logs at nothing, the lost one does not stand there yet."""
    shared = asking(client_request_id="customer-42")
    emu.faults += [Fault(status=503), None, Fault(drop="after_read")]
    with track_costs() as costs:
        complete("sync", settings(emu), shared)
        with pytest.raises(AIMLAPIError):
            complete("sync", settings(emu), shared)
    assert [call.reason for call in costs.settle()] == ["lost"]


def test_calls_of_one_account_are_looked_up_together(how: str, emu: Emulator) -> None:
    with track_costs() as costs:
        for key in ("sk-one-0000", "sk-two-0000", "sk-one-0000"):
            stream(how, settings(emu, api_key=key), events=1)
    assert settled(how, costs) == ()
    assert costs.credits == emu.ledger.credits > 0
    assert [seen.method for seen in emu.requests].count("GET") == 2


def test_settling_that_fails_changes_nothing_and_can_be_repeated(how: str, emu: Emulator) -> None:
    keys = ["sk-test-0000"]
    with track_costs() as costs:
        stream(how, settings(emu, api_key=lambda: keys[-1]), events=1)
    keys.append("sk-invalid-key")
    with pytest.raises(AuthenticationError):
        settled(how, costs)
    assert (costs.credits, len(costs.unknown)) == (0, 1)
    keys.pop()
    assert settled(how, costs) == settled(how, costs) == ()
    assert costs.credits == emu.ledger.credits > 0


def test_what_the_logs_do_not_know_stays_unknown_with_an_estimate(emu: Emulator) -> None:
    emu.faults.append(Fault(cost_metadata=False))
    with track_costs() as costs:
        complete("sync", settings(emu))
    assert costs.estimated_credits == 0
    emu.ledger.delay_s = 3600.0
    (call,) = costs.settle()
    assert call.estimated_credits == costs.estimated_credits == emu.ledger.credits > 0
    assert costs.estimated_usd == Decimal(emu.ledger.credits) / 2_000_000
    assert costs.credits == 0
    assert "Estimated" in str(costs)
    emu.ledger.delay_s = 0.0
    assert costs.settle() == ()
    assert (costs.credits, costs.estimated_credits) == (emu.ledger.credits, 0)


def test_two_accounts_are_each_asked_for_their_own(emu: Emulator) -> None:
    with track_costs() as costs:
        for key in ("sk-first-0000", "sk-second-000"):
            stream("sync", settings(emu, api_key=key), events=1)
    assert costs.settle() == ()
    assert costs.credits == emu.ledger.credits


@pytest.mark.parametrize("said", ["-5", "nan", "1e400", "many"])
def test_a_cost_that_is_no_amount_is_read_from_the_body(said: str, emu: Emulator) -> None:
    emu.faults.append(Fault(headers={"x-aimlapi-credits-used": said}))
    with track_costs() as costs:
        complete("sync", settings(emu))
    assert costs.credits == emu.ledger.credits > 0


def test_cache_hits_cost_nothing() -> None:
    with track_costs() as outer, track_costs() as costs:
        note_cache_hit(CHAT)
    note_cache_hit(CHAT)
    assert costs.by_model == outer.by_model == {CHAT: Totals(cache_hits=1)}


def test_no_key_is_in_a_scope(emu: Emulator) -> None:
    with track_costs() as costs:
        stream("sync", settings(emu), events=1)
    assert "sk-test" not in repr(costs.unknown) + str(costs) + repr(costs.unknown[0].settings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"budget_usd": -1},
        {"budget_usd": "much"},
        {"budget_usd": float("nan")},
        {"budget_usd": True},
        {"warn_at": 0},
        {"warn_at": 1.5},
        {"on_unknown_cost": "ignore"},
    ],
)
def test_what_a_scope_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        track_costs(**wrong)


def test_credits_add_up_where_threads_end_calls_at_once() -> None:
    from aimlapi_core.costs.call_cost import CallCost
    from aimlapi_core.costs.ledger import CostLedger
    from aimlapi_core.costs.pending_call import PendingCall

    ledger = CostLedger()
    cost = CallCost(CHAT, "chat", 0.0, 0.0, 1, False, 3, None, "id", None)

    def work() -> None:
        for _ in range(500):
            call = PendingCall(ledger, CHAT)
            call.begin_request()
            call.end(cost)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert ledger.total == Totals(calls=2000, billed_calls=2000, credits=6000)
    assert ledger.in_flight == 0


def _forked(run: Callable[[], object]) -> int:
    """The status with which a forked child ends that does this; -14 if it hangs."""
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        run()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
# That a process with threads forks, from Python 3.12 on.
expected = pytest.mark.filterwarnings("ignore:This process")


class Holder(threading.Thread):
    """Holds the lock of all scopes until `end` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.holds, self.end = threading.Event(), threading.Event()

    def run(self) -> None:
        with nested_scope.NestedScope._lock:
            self.holds.set()
            self.end.wait()


@needs_fork
@expected
@pytest.mark.parametrize("is_nested", [False, True], ids=["one scope", "nested"])
def test_a_forked_child_goes_on_whoever_holds_the_lock_of_a_scope(
    monkeypatch: pytest.MonkeyPatch, is_nested: bool
) -> None:
    monkeypatch.setattr(nested_scope, "_FORK_WAIT_S", 0.05)
    with track_costs() as outer, track_costs() if is_nested else nullcontext(outer) as costs:
        thread = Holder()
        thread.start()
        thread.holds.wait()

        def add() -> None:
            costs._ledger.add("x", Totals(calls=1))
            assert outer.total.calls == 1

        try:
            assert _forked(add) == 0
        finally:
            thread.end.set()
            thread.join()
        add()  # the parent goes on too


@needs_fork
@expected
def test_a_fork_finds_the_sums_of_a_scope_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nested_scope, "_FORK_WAIT_S", LONG_S)
    with track_costs() as costs:
        thread = Holder()
        thread.start()
        thread.holds.wait()
        ended: list[bool] = []

        def end() -> None:
            ended.append(True)
            thread.end.set()

        threading.Timer(0.2, end).start()
        assert _forked(lambda: costs._ledger.add("x", Totals(calls=1))) == 0
        assert ended  # it was waited for
        thread.join()
