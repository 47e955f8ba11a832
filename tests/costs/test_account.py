"""Balance, logs and catalogue, and the doctor that looks at all of them."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from aimlapi_core import (
    AIMLAPIError,
    AsyncClient,
    AuthenticationError,
    BadRequestError,
    Client,
    InvalidRequestError,
    Prices,
    RateLimitError,
    Settings,
    UnexpectedReplyError,
    track_costs,
)
from aimlapi_core._io.doctor import run_checks
from aimlapi_core.account import parse_account, parse_logs, parse_models
from aimlapi_emulator import Emulator, Fault
from tests.costs.conftest import settings
from tests.costs.ways import CHAT, PRO, complete, embed, stream


def ask(how: str, setup: Settings, name: str, *args: Any, **kwargs: Any) -> Any:
    """A method of either client by its name."""
    if how == "sync":
        return getattr(Client(setup), name)(*args, **kwargs)
    return asyncio.run(getattr(AsyncClient(setup), name)(*args, **kwargs))


def test_the_balance_falls_by_what_calls_cost(how: str, emu: Emulator) -> None:
    before = ask(how, settings(emu), "account")
    with track_costs() as costs:
        complete(how, settings(emu))
    after = ask(how, settings(emu), "account")
    assert before.balance == 100
    assert after.currency == "USD"
    assert before.balance - after.balance == costs.usd > 0


def test_a_wrong_key_is_told_by_the_balance_but_not_by_the_catalogue(
    how: str, emu: Emulator
) -> None:
    wrong = settings(emu, api_key="sk-invalid-key")
    assert ask(how, wrong, "list_models")
    with pytest.raises(AuthenticationError) as caught:
        ask(how, wrong, "account")
    assert "sk-invalid-key" not in str(caught.value)


def test_the_logs_list_calls_newest_first_with_their_ids(how: str, emu: Emulator) -> None:
    emu.faults.append(Fault(status=400))
    with pytest.raises(BadRequestError):
        complete(how, settings(emu))
    reply = complete(how, settings(emu))
    page = ask(how, settings(emu), "usage_logs")
    assert (page.total, page.has_more) == (2, False)
    newest, failed = page.calls
    assert reply.transport is not None
    assert reply.usage is not None
    assert reply.cost is not None
    assert newest.inference_id == reply.transport.inference_id
    assert newest.client_request_id == reply.transport.client_request_id
    assert newest.request_id == reply.transport.request_id
    assert (newest.status, newest.credits) == ("succeeded", reply.cost.credits)
    assert (newest.input_tokens, newest.output_tokens) == (
        reply.usage.input_tokens,
        reply.usage.output_tokens,
    )
    assert newest.model == CHAT
    assert abs(newest.created - datetime.now(UTC)) < timedelta(minutes=5)
    assert (failed.status, failed.credits) == ("failed", 0)


def test_the_logs_can_be_narrowed(how: str, emu: Emulator) -> None:
    for _ in range(3):
        complete(how, settings(emu))
    embed(how, settings(emu), "a")
    now = datetime.now(UTC)
    logs = [
        ask(how, settings(emu), "usage_logs", **narrowed)
        for narrowed in (
            {"models": [CHAT]},
            {"models": CHAT},
            {"models": ["text-embedding-3-small", "openai/gpt-5-2"]},
            {"limit": 1, "offset": 1},
            {"status": "failed"},
            {"start": now - timedelta(days=2), "end": now - timedelta(days=1)},
            {"start": now - timedelta(days=2), "end": now + timedelta(minutes=1)},
            {"period": "7d"},
        )
    ]
    assert [len(page.calls) for page in logs] == [3, 3, 4, 1, 0, 0, 4, 4]
    assert logs[3].has_more


@pytest.mark.parametrize(
    "wrong",
    [
        {"period": "1d", "start": datetime.now(UTC), "end": datetime.now(UTC)},
        {"start": datetime.now(UTC)},
        {"start": datetime(2026, 1, 1), "end": datetime(2026, 1, 2)},
        {"limit": 0},
        {"limit": 101},
        {"offset": -1},
        {"models": ["m"] * 51},
        {"models": f"{CHAT},{PRO}"},
    ],
)
def test_what_the_logs_would_refuse_is_refused_before(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        Client(Settings(api_key="k", base_url="http://127.0.0.1:9")).usage_logs(**wrong)


def test_the_logs_own_refusal_is_typed(how: str, emu: Emulator) -> None:
    with pytest.raises(BadRequestError, match="period"):
        ask(how, settings(emu), "usage_logs", period="soon")


def test_models_come_with_their_prices_and_capabilities(how: str, emu: Emulator) -> None:
    rows = ask(how, settings(emu), "list_models", PRO)
    (row,) = rows
    assert row.id == PRO
    assert row.endpoint_type == "openai/responses/submit"
    assert row.prices == Prices(Decimal("27.3"), Decimal("218.4"))
    assert row.context_window == 400_000
    assert "tools" in row.capabilities
    by_alias = ask(how, settings(emu), "list_models", "gpt-5.2-pro-2025-12-11")
    assert by_alias == rows


def test_an_unchanged_catalogue_is_not_sent_again(how: str, emu: Emulator) -> None:
    if how == "sync":
        client = Client(settings(emu))
        first, second = client.list_models(), client.list_models()
    else:

        async def run() -> list[Any]:
            client = AsyncClient(settings(emu))
            return [await client.list_models() for _ in range(2)]

        first, second = asyncio.run(run())
    assert len(first) > 10
    assert second == first
    assert [seen.status for seen in emu.requests] == [200, 304]


def test_questions_are_repeated_like_calls(quick: None, emu: Emulator) -> None:
    """The service takes 200 questions for logs in a minute."""
    client = Client(settings(emu))
    for _ in range(200):
        client.usage_logs(limit=1)
    with pytest.raises(RateLimitError):
        client.usage_logs(limit=1)
    assert len(emu.requests) == 203


def test_questions_are_counted_in_no_scope(how: str, emu: Emulator) -> None:
    with track_costs(budget_usd=0) as costs:
        ask(how, settings(emu), "account")
    assert costs.total.calls == 0


@pytest.mark.parametrize("base", ["{0}/v1", "{0}/v2", "{0}", "{0}/v1/"])
def test_the_account_is_found_from_every_base_url(base: str, emu: Emulator) -> None:
    host = emu.base_url.removesuffix("/v1")
    assert Client(settings(emu, base_url=base.format(host))).account().balance == 100


@pytest.mark.parametrize("payload", [{}, [], None, "x", {"data": {}}, {"current_balance": "much"}])
def test_what_is_no_answer_raises(payload: Any) -> None:
    for read in (parse_account, parse_logs, parse_models):
        with pytest.raises(UnexpectedReplyError):
            read(payload)


def test_odd_rows_are_read_as_far_as_they_go() -> None:
    page = parse_logs({"data": [{}, {"cost": {"usd": 0.000946}, "created": "soon"}, 7]})
    assert [call.credits for call in page.calls] == [0, 1892]
    assert page.calls[1].created is None
    units = [
        {"name": "token", "measure": "output", "price": 3.25, "per": 1_000_000},
        {"name": "token", "measure": "input", "price": 0.002, "per": 1_000},
    ]
    rows = parse_models(
        {
            "data": [
                {"id": "a", "pricing": {"kind": "fixed", "units": units}},
                {"id": "b", "pricing": {"kind": "variants", "units": units}},
                {"id": "c", "pricing": {"kind": "fixed", "units": [{**units[0], "price": 0}]}},
                {"id": ""},
            ]
        }
    )
    prices = [Prices(Decimal(2), Decimal("3.25")), None, Prices(None, Decimal(0))]
    assert [row.prices for row in rows] == prices


def test_a_missing_rate_gives_no_estimate() -> None:
    assert Prices(None, Decimal(1)).credits_for(3, 1) is None
    assert Prices(Decimal("2.275"), Decimal("18.2")).credits_for(7, 13) == 32 + 474


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> dict[str, Any]:
        names = {n: f for n, f in inspect.getmembers(kind, inspect.isfunction) if n[0] != "_"}
        return {
            n.removeprefix("a") if n == "aclose" else n: inspect.signature(f).parameters.keys()
            for n, f in names.items()
        }

    assert methods(Client) == methods(AsyncClient)


def doctor(emu: Emulator | None, key: str, url: str = "") -> tuple[int, str]:
    """Exit code and output of `python -m aimlapi_core doctor`."""
    environment = {**os.environ, "AIMLAPI_BASE_URL": url or (emu.base_url if emu else "")}
    run = subprocess.run(
        [sys.executable, "-m", "aimlapi_core", "doctor"],
        env={**environment, "AIMLAPI_API_KEY": key},
        capture_output=True,
        text=True,
    )
    assert run.stderr == ""
    return run.returncode, run.stdout


class Fewer(httpx.HTTPTransport):
    """A catalogue without pro, and chat-latest on another endpoint than is asked."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if not request.url.path.endswith("/models"):
            return answer
        rows = json.loads(answer.read())["data"]
        answer.close()
        left = [
            row
            for row in rows
            if row["id"] != PRO
            and not (row["id"].endswith("chat-latest") and row["type"] == "openai/chat-completions")
        ]
        assert len(left) < len(rows)
        return httpx.Response(200, json={"data": left})


def test_the_doctor_finds_nothing_wrong(emu: Emulator) -> None:
    code, said = doctor(emu, "sk-test-0000")
    assert code == 0, said
    assert "balance is 100.0 USD" in said
    for model in ("openai/gpt-5-2", "openai/gpt-5-2-chat-latest", "openai/gpt-5-2-pro"):
        assert re.search(rf"^ok +{re.escape(model)}: offered", said, re.M)
    assert said.endswith("Everything is set up.\n")
    assert "sk-test" not in said
    assert {seen.method for seen in emu.requests} == {"GET"}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "No API key"),
        ("sk-invalid", "the service does not know it"),
        ("sk-broke-00", "Top up"),
        ("sk-chatonly", "it may not call model:responses"),
        ("two words", "paste it again"),
    ],
)
def test_the_doctor_says_what_is_wrong_with_a_key(key: str, words: str, emu: Emulator) -> None:
    code, said = doctor(emu, key)
    assert code == 1
    assert words in said
    assert "WRONG" in said


def test_the_doctor_says_that_an_address_is_none(emu: Emulator) -> None:
    code, said = doctor(None, "sk-test-0000", "http://two words")
    assert code == 1
    assert "WRONG  Address: base_url 'http://two words' is not the URL of a host" in said


def test_the_doctor_takes_a_key_that_may_not_read_the_balance() -> None:
    """A 403 is not a wrong key: the key may be good for models alone."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/billing":
            return httpx.Response(403, json={"message": "This key lacks a scope."})
        return httpx.Response(200, json={"data": [] if "models" in request.url.path else {}})

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        found = list(run_checks(Settings(api_key="sk-test-0000", http_client=http)))
    (key,) = [one for one in found if "may not read the balance" in one.text]
    assert key.state == "note"
    assert any(one.text == "Scopes of the key: chat and responses" for one in found)


@pytest.mark.parametrize("status", [200, 304])
def test_a_catalogue_of_nothing_is_no_answer(status: int) -> None:
    """JSON's null, or word that what was never seen has not changed."""
    nothing = httpx.MockTransport(lambda _: httpx.Response(status, content=b"null"))
    with httpx.Client(transport=nothing) as http, pytest.raises(UnexpectedReplyError):
        Client(Settings(api_key="sk-test-0000", http_client=http)).list_models()


def test_the_doctor_says_when_nobody_listens(emu: Emulator) -> None:
    code, said = doctor(None, "sk-test-0000", "http://127.0.0.1:9/v1")
    assert code == 1
    assert "No connection" in said


def test_the_doctor_says_when_the_address_is_not_the_services(emu: Emulator) -> None:
    code, said = doctor(None, "sk-test-0000", emu.base_url + "/elsewhere")
    assert code == 1
    assert "does not answer as AI/ML API does" in said


def test_the_doctor_says_which_model_is_not_offered(emu: Emulator) -> None:
    with httpx.Client(transport=Fewer()) as http:
        how = {"api_key": "sk-test-0000", "base_url": emu.base_url, "http_client": http}
        wrong = {one.text for one in run_checks(Settings(**how)) if one.state == "wrong"}
    assert any("openai/gpt-5-2-pro: not in the catalogue" in text for text in wrong)
    said = "openai/gpt-5-2-chat-latest: not offered on the chat endpoint now"
    assert any(said in text for text in wrong)


def test_questions_find_errors_typed_when_cut(how: str, emu: Emulator) -> None:
    with pytest.raises(AIMLAPIError):
        ask(how, Settings(api_key="k", base_url="http://127.0.0.1:9", max_retries=0), "account")
    stream(how, settings(emu))


@pytest.mark.parametrize("parse", [parse_account, parse_logs, parse_models])
def test_an_answer_without_what_was_asked_for_is_described_in_few_words(parse: Any) -> None:
    with pytest.raises(UnexpectedReplyError, match="in the answer") as caught:
        parse({f"\x1b[2J member {at}": at for at in range(50_000)})
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1_000
