"""Costs that no call can have are unknown, and sums do not depend on the program's decimals."""

from __future__ import annotations

import decimal
import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from aimlapi_core import (
    BudgetExceededError,
    BudgetWarning,
    ConfigurationError,
    Reply,
    track_costs,
)
from aimlapi_core._wire.usage import CHAT_USAGE, MAX_CREDITS, parse_cost
from aimlapi_core.account import Prices, parse_logs, parse_models
from aimlapi_core.costs.log_matching import match_calls_to_logs
from aimlapi_core.costs.totals import to_credits, to_usd
from aimlapi_emulator import Emulator, Fault
from tests.costs.conftest import settings
from tests.costs.ways import CHAT, PRO, asking, complete, stream, whole

SENSELESS = ["1e19", "5e18", "9e18", "1e300", "1e999", "-1", "-0.5", "nan", "inf", "-inf", "9" * 40]


@pytest.mark.parametrize("given", [*SENSELESS, 10**19, -1, 1e300, True, None, [], {}])
def test_an_amount_that_no_call_can_have_is_none(given: Any) -> None:
    meta = {"usage": {"credits_used": given, "usd_spent": given}}
    assert parse_cost({}, meta) is None
    if isinstance(given, str):
        names = ("x-aimlapi-credits-used", "x-aimlapi-usd-spent")
        assert parse_cost(dict.fromkeys(names, given), meta) is None


def test_the_largest_cost_is_one_million_dollars() -> None:
    most = parse_cost({"x-aimlapi-credits-used": str(MAX_CREDITS)}, None)
    assert most is not None
    assert most.usd == 1_000_000
    assert MAX_CREDITS * 1_000_000 < 2**63  # as many calls add up in SQLite


@pytest.mark.parametrize("given", [1e300, 10**19, -1, 1e13])
def test_a_count_of_tokens_that_no_call_can_have_is_none(given: Any) -> None:
    assert CHAT_USAGE.parse({"prompt_tokens": given}) is None


def answer(form: str, model: str, amounts: dict[str, Any]) -> Fault:
    """An answer that reports its cost by these members of `meta.usage`."""
    meta = {"usage": amounts}
    if model == PRO:
        text = {"type": "output_text", "text": "Hi"}
        output = [{"type": "message", "role": "assistant", "content": [text]}]
        response = {"id": "r", "status": "completed", "output": output, "meta": meta}
        event = {"type": "response.completed", "response": response}
        return raw(json.dumps(response) if form == "whole" else f"data: {json.dumps(event)}\n\n")
    message = "message" if form == "whole" else "delta"
    choice = {"index": 0, message: {"content": "Hi"}, "finish_reason": "stop"}
    body = json.dumps({"choices": [choice], "meta": meta})
    return raw(body if form == "whole" else f"data: {body}\n\ndata: [DONE]\n\n")


def raw(body: str) -> Fault:
    return Fault(raw_body=body.encode())


def ask(how: str, form: str, emu: Emulator, model: str = CHAT) -> Reply:
    request = asking(model=model)
    if form == "whole":
        return complete(how, settings(emu), request)
    return whole(stream(how, settings(emu), request))


@pytest.mark.parametrize("model", [CHAT, PRO])
@pytest.mark.parametrize("form", ["whole", "stream"])
@pytest.mark.parametrize("given", [1e19, -5, "nan"])
def test_a_paid_answer_with_a_senseless_cost_is_an_answer_of_unknown_cost(
    how: str, form: str, model: str, given: Any, emu: Emulator
) -> None:
    emu.faults.append(answer(form, model, {"credits_used": given, "usd_spent": given}))
    with track_costs() as costs:
        reply = ask(how, form, emu, model)
    assert reply.choices[0].text == "Hi"
    assert reply.cost is None
    assert (costs.credits, costs.total.calls, costs.total.failed) == (0, 1, 0)
    assert [call.reason for call in costs.unknown] == ["unstated"]


class Call:
    client_request_id = "c"
    inference_id = "i"
    model = "openai/gpt-5-2"
    has_unique_id = True
    is_routed = False


@pytest.mark.parametrize("credits", [1e19, -1, 1e300])
def test_a_senseless_cost_in_the_logs_settles_no_call(credits: float) -> None:
    row = {"inference_id": "i", "client_request_id": "c", "cost": {"credits": credits}}
    page = parse_logs({"data": [row]})
    assert page.calls[0].credits == round(credits)  # what the service says can be read
    assert match_calls_to_logs([Call()], page.calls) == {}


@pytest.mark.parametrize("price", [-1, "NaN", 1e300, "1e-300", "1e999999"])
def test_a_senseless_price_is_none(price: Any) -> None:
    units = [{"name": "token", "measure": "input", "price": price, "per": 1_000_000}]
    row = {"id": CHAT, "pricing": {"kind": "fixed", "units": units}}
    (model,) = parse_models({"data": [row]})
    assert model.prices is None


@pytest.mark.parametrize(
    "usd", ["1e999999", 1e300, "-1", Decimal("sNaN"), True, [], "ten", 10**400]
)
def test_an_amount_that_is_no_budget_is_refused(usd: Any) -> None:
    with pytest.raises(ConfigurationError, match="An amount in USD"):
        to_credits(usd)


@pytest.mark.parametrize("warn_at", ["0.5", True, 0, 2, [1]])
def test_a_share_that_is_no_number_is_refused(warn_at: Any) -> None:
    with pytest.raises(ConfigurationError, match="warn_at"):
        track_costs(warn_at=warn_at)


CONTEXTS = {
    "3 digits": decimal.Context(prec=3),
    "Inexact is an error": decimal.Context(prec=4, traps=[decimal.Inexact]),
    "rounded up": decimal.Context(prec=2, rounding=decimal.ROUND_UP),
    "every trap": decimal.Context(
        prec=1,
        Emax=1,
        Emin=-1,
        traps=[
            decimal.Inexact,
            decimal.Rounded,
            decimal.Subnormal,
            decimal.FloatOperation,
            decimal.Clamped,
            decimal.InvalidOperation,
        ],
    ),
}


@pytest.fixture(params=CONTEXTS)
def context(request: pytest.FixtureRequest) -> Iterator[None]:
    with decimal.localcontext(CONTEXTS[request.param]):
        yield


@pytest.mark.parametrize("model", [CHAT, PRO])
@pytest.mark.parametrize("form", ["whole", "stream"])
def test_sums_are_exact_in_any_decimal_context(
    how: str, form: str, model: str, context: None, emu: Emulator
) -> None:
    """An accounting program sets it for itself; async, it reaches the tasks too."""
    emu.faults += [answer(form, model, {"usd_spent": 0.123456})] * 3
    with track_costs(budget_usd="0.37", warn_at=None) as costs:
        for _ in range(3):
            assert ask(how, form, emu, model).choices[0].text == "Hi"
        with pytest.raises(BudgetExceededError, match=r"0\.370368 USD spent"):
            ask(how, form, emu, model)
    assert costs.credits == 3 * 246_912
    assert str(costs.usd) == "0.370368"
    assert "0.3703680" in str(costs)


def test_a_warning_is_given_in_any_decimal_context(context: None, emu: Emulator) -> None:
    emu.faults.append(answer("whole", CHAT, {"usd_spent": 0.123456}))
    with track_costs(budget_usd="0.2", warn_at=0.5):
        ask("sync", "whole", emu)
        with pytest.warns(BudgetWarning, match=r"0\.123456 USD of the budget of 0\.2 are spent"):
            ask("sync", "whole", emu)


def test_prices_and_logs_are_exact_in_any_decimal_context(context: None) -> None:
    units = [{"name": "token", "measure": "input", "price": 2.275, "per": 1_000_000}]
    row = {"id": CHAT, "pricing": {"kind": "fixed", "units": units}}
    (model,) = parse_models({"data": [row]})
    assert model.prices == Prices(Decimal("2.275"))
    assert model.prices.credits_for(123_457, 0) == 561_730
    (call,) = parse_logs({"data": [{"cost": {"usd": 0.123456}}]}).calls
    assert call.credits == 246_912
    assert str(to_usd(246_913)) == "0.1234565"
    assert to_credits("0.1234567") == 246_913


def test_the_program_s_default_context_is_not_ours() -> None:
    """What is set on `DefaultContext` before the import goes into every new context."""
    code = (
        "import decimal; d = decimal.DefaultContext; d.prec = 2; d.traps[decimal.Inexact] = True\n"
        "from aimlapi_core.costs.totals import to_usd; print(to_usd(246_912))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "0.123456"
