"""Budgets: what is refused, when, and how much may be spent beyond."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from typing import Any

import httpx
import pytest

from aimlapi_core import (
    AsyncClient,
    BudgetExceededError,
    BudgetWarning,
    CatalogModel,
    Client,
    Prices,
    ServerError,
    Settings,
    Totals,
    UnknownCall,
    UnknownCostError,
    track_costs,
)
from aimlapi_core.costs.call_cost import CallCost
from aimlapi_core.costs.ledger import CostLedger
from aimlapi_core.costs.pending_call import PendingCall
from aimlapi_core.costs.reconciliation import budget_lookups
from aimlapi_emulator import Emulator, Fault
from tests.costs.conftest import settings
from tests.costs.ways import CHAT, HELLO, asking, complete, stream

pytestmark = pytest.mark.filterwarnings("ignore::aimlapi_core.BudgetWarning")


def price_of_one(emu: Emulator) -> int:
    complete("sync", settings(emu))
    credits = emu.ledger.credits
    emu.clear()
    return credits


def test_the_call_after_the_ceiling_is_not_sent(how: str, emu: Emulator) -> None:
    price = price_of_one(emu)
    with track_costs(budget_usd=Decimal(3 * price) / 2_000_000) as costs:
        for _ in range(3):
            complete(how, settings(emu))
        with pytest.raises(BudgetExceededError, match="not sent") as caught:
            complete(how, settings(emu))
        with pytest.raises(BudgetExceededError):
            stream(how, settings(emu))
    assert len(emu.requests) == 3
    assert costs.credits == emu.ledger.credits == 3 * price
    assert caught.value.spent_usd == caught.value.budget_usd == costs.usd
    assert not caught.value.is_retryable
    assert costs.total.calls == 3


def test_a_credit_below_the_ceiling_one_more_is_sent(emu: Emulator) -> None:
    price = price_of_one(emu)
    with track_costs(budget_usd=Decimal(2 * price + 1) / 2_000_000) as costs:
        for _ in range(3):
            complete("sync", settings(emu))
        with pytest.raises(BudgetExceededError):
            complete("sync", settings(emu))
    assert costs.credits == 3 * price


def test_an_empty_budget_sends_nothing(how: str, emu: Emulator) -> None:
    with track_costs(budget_usd=0), pytest.raises(BudgetExceededError):
        complete(how, settings(emu))
    assert not emu.requests


def test_the_outer_ceiling_holds_in_an_inner_scope(emu: Emulator) -> None:
    with track_costs(budget_usd="0.0000005"), track_costs(budget_usd=5) as inner:
        complete("sync", settings(emu))
        with pytest.raises(BudgetExceededError):
            complete("sync", settings(emu))
    assert inner.total.calls == 1


def test_a_repetition_stands_before_the_ceiling_too(how: str, quick: None) -> None:
    """What another call spends before this one is repeated counts."""
    sent = []

    def refuse(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        costs.set_budget(0)
        return httpx.Response(503)

    transport = httpx.MockTransport(refuse)
    with track_costs(budget_usd=1) as costs, httpx.Client(transport=transport) as http:
        other = httpx.AsyncClient(transport=transport)  # opens nothing, so nothing is closed
        given = Settings(api_key="sk-test-0000", http_client=http, http_async_client=other)
        with pytest.raises(BudgetExceededError):
            complete(how, given)
    assert len(sent) == 1
    assert (costs.total.calls, costs.total.failed, costs.in_flight) == (1, 1, 0)


def test_a_larger_ceiling_lets_the_work_go_on(emu: Emulator) -> None:
    with track_costs(budget_usd="0.0000005") as costs:
        complete("sync", settings(emu))
        with pytest.raises(BudgetExceededError):
            complete("sync", settings(emu))
        costs.set_budget(1)
        complete("sync", settings(emu))
    assert costs.total.calls == 2


@pytest.mark.parametrize("workers", [1, 8, 30])
def test_threads_overspend_by_no_more_than_their_calls_in_flight(
    workers: int, emu: Emulator
) -> None:
    price = price_of_one(emu)
    client = Client(settings(emu))

    def one(_number: int) -> None:
        with suppress(BudgetExceededError):
            client.complete(HELLO)

    costs = track_costs(budget_usd=Decimal(40 * price) / 2_000_000)
    with costs, ThreadPoolExecutor(workers) as threads:
        list(threads.map(costs.wrap(one), range(100)))
    assert costs.credits == emu.ledger.credits
    assert 40 * price <= costs.credits <= (40 + workers - 1) * price
    assert costs.in_flight == 0


def test_tasks_overspend_by_no_more_than_their_calls_in_flight(emu: Emulator) -> None:
    price = price_of_one(emu)

    async def run() -> None:
        client = AsyncClient(settings(emu))
        free = asyncio.Semaphore(10)

        async def one() -> None:
            async with free:
                with suppress(BudgetExceededError):
                    await client.complete(HELLO)

        await asyncio.gather(*(one() for _ in range(60)))

    with track_costs(budget_usd=Decimal(20 * price) / 2_000_000) as costs:
        asyncio.run(run())
    assert costs.credits == emu.ledger.credits
    assert 20 * price <= costs.credits <= 29 * price


def test_what_is_under_way_is_held_back_at_the_mean_so_far(emu: Emulator) -> None:
    """Known price, room for two: a third at the same time is refused, though nothing more is
    spent yet."""
    price = price_of_one(emu)
    client = Client(settings(emu))
    with track_costs(budget_usd=Decimal(3 * price) / 2_000_000):
        client.complete(HELLO)
        first, second, third = (client.stream(HELLO) for _ in range(3))
        next(first)
        next(second)
        with pytest.raises(BudgetExceededError) as caught:
            next(third)
        assert caught.value.reserved_usd == Decimal(2 * price) / 2_000_000
        first.close()
        second.close()


def test_a_warning_comes_once_at_the_share(emu: Emulator) -> None:
    price = price_of_one(emu)
    with track_costs(budget_usd=Decimal(10 * price) / 2_000_000, warn_at=0.5):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _ in range(5):
                complete("sync", settings(emu))
        with pytest.warns(BudgetWarning, match="spent"):
            complete("sync", settings(emu))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            complete("sync", settings(emu))


def test_a_warning_that_is_an_error_loses_no_answer(emu: Emulator) -> None:
    with track_costs(budget_usd="0.0004", warn_at=0.1) as costs:
        complete("sync", settings(emu))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(BudgetWarning):
                complete("sync", settings(emu))
    assert len(emu.requests) == 1
    assert costs.in_flight == 0


def test_without_a_stated_cost_the_tokens_are_estimated_at_live_prices(
    how: str, emu: Emulator
) -> None:
    emu.faults += [Fault(cost_metadata=False)] * 9
    price = price_of_one_hidden(emu)
    with track_costs(budget_usd=Decimal(3 * price) / 2_000_000) as costs:
        for _ in range(3):
            complete(how, settings(emu))
        with pytest.raises(BudgetExceededError) as caught:
            complete(how, settings(emu))
    assert not isinstance(caught.value, UnknownCostError)
    assert costs.credits == 0
    assert costs.estimated_credits == emu.ledger.credits == 3 * price
    assert caught.value.estimated_usd == caught.value.budget_usd
    catalogue = [s for s in emu.requests if s.path.startswith("/v1/models")]
    assert len(catalogue) == 1


def price_of_one_hidden(emu: Emulator) -> int:
    faults = list(emu.faults)
    emu.faults.clear()
    price = price_of_one(emu)
    emu.faults += faults
    return price


def test_raise_looks_into_the_logs_and_refuses_what_they_do_not_know(
    how: str, emu: Emulator
) -> None:
    emu.faults += [Fault(cost_metadata=False)] * 9
    with track_costs(budget_usd=1, on_unknown_cost="raise") as costs:
        complete(how, settings(emu))
        complete(how, settings(emu))  # the first stands in the logs by now
        assert costs.credits * 2 == emu.ledger.credits
        emu.ledger.delay_s = 3600.0
        with pytest.raises(UnknownCostError, match="settle"):
            complete(how, settings(emu))
        emu.ledger.delay_s = 0.0
        complete(how, settings(emu))
    assert costs.estimated_credits == 0
    assert [seen.method for seen in emu.requests].count("POST") == 3


@pytest.mark.parametrize("on_unknown_cost", ["estimate", "raise"])
def test_with_neither_cost_nor_usage_nor_a_row_the_next_call_is_refused(
    how: str, on_unknown_cost: Any, emu: Emulator
) -> None:
    with track_costs(budget_usd=1, on_unknown_cost=on_unknown_cost) as costs:
        stream(how, settings(emu), events=1)
        emu.ledger.delay_s = 3600.0
        with pytest.raises(UnknownCostError):
            complete(how, settings(emu))
        emu.ledger.delay_s = 0.0
        complete(how, settings(emu))  # the logs know the first by now
    assert costs.unknown == ()
    assert costs.credits == emu.ledger.credits


def test_a_model_without_a_price_cannot_be_estimated(emu: Emulator) -> None:
    emu.enqueue_response(
        {
            "id": "x",
            "model": "m",
            "created": 1,
            "choices": [
                {"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"},
            ],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
    )
    with track_costs(budget_usd=1):
        complete("sync", settings(emu), asking(model="nobody/has-a-price"))
        with pytest.raises(UnknownCostError):
            complete("sync", settings(emu))


def test_when_the_service_cannot_be_asked_the_call_is_refused(
    how: str, emu: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    keys = ["sk-test-0000"]
    ours = settings(emu, api_key=lambda: keys[-1])
    with track_costs(budget_usd=1):
        stream(how, ours, events=1)
        keys.append("sk-invalid-key")
        with pytest.raises(UnknownCostError):
            complete(how, ours)
    assert "could not ask" in caplog.text
    assert [seen.method for seen in emu.requests].count("POST") == 1


def test_a_budget_asks_the_account_that_a_call_was_made_with(how: str, emu: Emulator) -> None:
    with track_costs(budget_usd=1) as costs:
        stream(how, settings(emu, api_key="sk-one-0000"), events=1)
        complete(how, settings(emu, api_key="sk-two-0000"))
    assert costs.unknown == ()
    assert costs.credits == emu.ledger.credits > 0


def unknown(ledger: CostLedger, began_s: float, setup: Settings) -> UnknownCall:
    """A call in `ledger` that ended without a cost or a usage."""
    call = PendingCall(ledger, CHAT)
    call.begin_request()
    name = f"call-{began_s}"
    cost = CallCost(CHAT, "chat", 0.0, 0.0, 1, False, None, None, name, f"inf-{name}")
    ended = UnknownCall(cost, "closed", began_s, setup, True, ledger)
    call.end_unknown(ended)
    return ended


def logged(call: UnknownCall, credits: int) -> dict[str, Any]:
    return {"inference_id": call.inference_id, "cost": {"credits": credits}}


def test_a_budget_asks_for_what_ended_while_it_was_asking(emu: Emulator) -> None:
    """Also for a call that began after the look at the clock."""
    ledger = CostLedger(budget_usd=None)
    first, second = (unknown(ledger, began_s, settings(emu)) for began_s in (5.0, 5.5))
    del ledger._unknown[second]
    ledger.set_budget(1)
    lookups = budget_lookups(ledger, 5.0)
    assert dict(next(lookups).query)["period"] == "1h"
    ledger._unknown[second] = None
    again = lookups.send({"data": [logged(first, 7)], "pagination": {}})
    assert dict(again.query)["period"] == "1h"
    with pytest.raises(StopIteration):
        lookups.send({"data": [logged(second, 8), logged(first, 7)], "pagination": {}})
    assert (ledger.unknown, ledger.credits) == ((), 15)


def test_an_estimate_takes_the_prices_of_its_own_model() -> None:
    """A catalogue may tell of more models than it was asked for."""
    dear, own = Prices(Decimal(1000), Decimal(1000)), Prices(Decimal(1), Decimal(1))
    ledger = CostLedger()
    rows = [
        CatalogModel("another/model", (), "openai/chat-completions", prices=dear),
        CatalogModel("gpt", (CHAT,), "openai/chat-completions", prices=own),
    ]
    ledger.set_prices(CHAT, rows)
    ledger.set_prices("missing", rows)
    assert ledger._prices == {CHAT: own, "missing": None}


def test_small_amounts_are_written_out(emu: Emulator) -> None:
    with track_costs(budget_usd="0.0000005") as costs:
        complete("sync", settings(emu))
        with pytest.raises(BudgetExceededError, match=r"of 0\.0000005\. The request was not sent"):
            complete("sync", settings(emu))
    assert "Budget: 0.0000005 USD;" in str(costs)


def test_without_a_budget_nothing_is_asked(how: str, emu: Emulator) -> None:
    emu.faults.append(Fault(cost_metadata=False))
    with track_costs():
        complete(how, settings(emu))
        complete(how, settings(emu))
    assert [seen.method for seen in emu.requests] == ["POST", "POST"]


def test_a_failed_call_gives_its_hold_back(quick: None, emu: Emulator) -> None:
    emu.faults += [Fault(status=500)] * 3
    with track_costs(budget_usd=1) as costs, pytest.raises(ServerError):
        complete("sync", settings(emu))
    assert costs.in_flight == 0
    assert costs._ledger._reserved == 0


def test_the_error_can_be_pickled(emu: Emulator) -> None:
    with track_costs(budget_usd=0), pytest.raises(BudgetExceededError) as caught:
        complete("sync", settings(emu))
    for twin in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
        assert str(twin) == str(caught.value)
        assert twin.budget_usd == 0


def test_two_threads_are_never_let_through_by_one_look(emu: Emulator) -> None:
    """The look at the ceiling and the hold are one step: of many at once, one may go."""
    ledger = CostLedger(budget_usd=Decimal(15) / 2_000_000)
    ledger.add(CHAT, Totals(calls=1, billed_calls=1, credits=10))
    gate, let_through = threading.Barrier(16), []

    def go() -> None:
        call = PendingCall(ledger, CHAT)
        gate.wait()
        with suppress(BudgetExceededError):
            call.begin_request()
            let_through.append(1)

    workers = [threading.Thread(target=go) for _ in range(16)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(let_through) == 1
