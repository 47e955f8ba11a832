"""Balance, logs, usage, transactions and catalogue: all of them views of one ledger."""

from __future__ import annotations

import json
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from aimlapi_emulator import Emulator, Fault
from tests.emulator.asking import CHAT, PRO, Asker, raw_post, user

MANAGER = {"authorization": "Bearer sk-management"}


@pytest.fixture
def root(ask: Asker, emu: Emulator) -> str:
    return emu.base_url.removesuffix("/v1")


def get(ask: Asker, root: str, path: str, **headers: str) -> httpx.Response:
    return ask.client.get(root + path, headers=headers)


def rows(ask: Asker, root: str, query: str = "period=1h") -> list[dict[str, Any]]:
    answer = get(ask, root, f"/v2/logs?{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def paid(answer: httpx.Response) -> int:
    return int(answer.headers["x-aimlapi-credits-used"])


def test_balance_logs_usage_and_transactions_tell_one_sum(ask: Asker, root: str) -> None:
    answers = [
        ask.chat("Hello"),
        ask.responses("Hello"),
        ask.client.post("/embeddings", json={"model": "text-embedding-3-small", "input": "a b"}),
    ]
    streamed = ask.chat("Hello", stream=True)
    last = json.loads(streamed.text.split("data: ")[-2])
    total = sum(map(paid, answers)) + last["meta"]["usage"]["credits_used"]
    usd = total / 2_000_000
    assert get(ask, root, "/v2/billing").json()["current_balance"] == pytest.approx(100 - usd)
    assert get(ask, root, "/v1/billing/balance").json()["balance"] == 200_000_000 - total
    assert sum(row["cost"]["credits"] for row in rows(ask, root)) == total
    usage = get(ask, root, "/v2/usage?period=1h").json()
    assert usage["spend"] == pytest.approx(usd)
    assert usage["requests"] == 4
    told = get(ask, root, "/v2/billing/transactions?direction=CHARGE", **MANAGER).json()["data"]
    assert sum(row["amount"]["credits"] for row in told) == total


def test_a_row_names_its_request_as_the_answers_headers_do(ask: Asker, root: str) -> None:
    ask.client.headers["x-client-request-id"] = "customer-42"
    answer = ask.chat("Hello", model=CHAT)
    (row,) = rows(ask, root)
    assert row["inference_id"] == answer.headers["x-inference-id"]
    assert row["request_id"] == answer.headers["x-request-id"]
    assert row["client_request_id"] == answer.headers["x-client-request-id"] == "customer-42"
    usage = answer.json()["usage"]
    assert row["tokens"] == {
        "input": usage["prompt_tokens"],
        "output": usage["completion_tokens"],
        "total": usage["total_tokens"],
    }
    assert (row["status"], row["origin"], row["model"]) == ("succeeded", "api", CHAT)
    told = get(ask, root, "/v2/billing/transactions", **MANAGER).json()["data"][0]
    assert told["reference_id"] == row["inference_id"]


@pytest.mark.parametrize("wrong", ["two words", "a" * 129, "semi;colon"])
def test_a_wrong_client_request_id_is_dropped(wrong: str, ask: Asker, root: str) -> None:
    ask.client.headers["x-client-request-id"] = wrong
    assert "x-client-request-id" not in ask.chat("Hello").headers
    assert rows(ask, root)[0]["client_request_id"] is None


@pytest.mark.parametrize(
    "fault", [Fault(status=503), Fault(error_event="openai"), Fault(status=429)]
)
def test_a_failed_request_is_listed_at_nothing(
    fault: Fault, ask: Asker, root: str, emu: Emulator
) -> None:
    emu.faults.append(fault)
    ask.chat("Hello", stream=fault.error_event is not None)
    (row,) = rows(ask, root)
    assert (row["status"], row["cost"]["credits"]) == ("failed", 0)
    assert emu.ledger.credits == 0


def test_a_refused_body_is_listed_at_nothing(ask: Asker, root: str) -> None:
    assert ask.chat("Hello", temperature=9).status_code == 400
    assert rows(ask, root)[0]["status"] == "failed"


def test_an_answer_that_its_reader_leaves_is_charged(ask: Asker, root: str, emu: Emulator) -> None:
    body = {"model": CHAT, "messages": [user("Hello")], "stream": True}
    with raw_post(emu.base_url, body) as connection:
        connection.recv(100)
        connection.shutdown(socket.SHUT_RDWR)
    (entry,) = emu.ledger.entries
    assert entry.usage.credits > 0


def test_each_key_sees_its_own_requests(ask: Asker, root: str) -> None:
    ask.chat("Hello")
    other = {"authorization": "Bearer sk-other-000"}
    assert get(ask, root, "/v2/logs?period=1h", **other).json()["data"] == []
    foreign = get(ask, root, "/v2/logs?period=1h&key_prefix=sk-test", **other)
    assert foreign.status_code == 403
    managed = get(ask, root, "/v2/logs?period=1h&key_prefix=sk-test", **MANAGER)
    assert len(managed.json()["data"]) == 1
    assert get(ask, root, "/v2/billing/transactions", **other).status_code == 403


def test_the_logs_can_be_filtered_and_paged(ask: Asker, root: str) -> None:
    for said in ("one", "two", "three"):
        ask.chat(said)
    ask.responses("four")
    assert [row["model"] for row in rows(ask, root)] == [PRO, CHAT, CHAT, CHAT]
    assert len(rows(ask, root, "period=1h&model=gpt-5-2")) == 3
    assert len(rows(ask, root, f"period=1h&model={PRO}&model={CHAT}")) == 4
    assert rows(ask, root, f"period=1h&model={PRO},{CHAT}") == []
    assert rows(ask, root, "period=1h&status=failed") == []
    page = get(ask, root, "/v2/logs?period=1h&limit=3&offset=2").json()
    assert page["pagination"] == {"limit": 3, "offset": 2, "total": 4, "has_more": False}
    assert len(page["data"]) == 2
    earlier = datetime.now(UTC) - timedelta(days=3)
    window = f"start={earlier:%Y-%m-%dT%H:%M:%SZ}&end={earlier:%Y-%m-%dT%H:%M:%SZ}"
    assert rows(ask, root, window) == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "period=soon",
        "period=0d",
        "period=93d",
        "period=1d&start=2026-01-01&end=2026-01-02",
        "start=2026-01-01",
        "start=2026-01-02&end=2026-01-01",
        "period=1h&limit=0",
        "period=1h&limit=101",
        "period=1h&offset=-1",
        "period=1h&status=maybe",
        "period=1h&status=succeeded,failed",
        "period=1h" + "&model=m" * 51,
    ],
)
def test_a_wrong_question_is_refused(query: str, ask: Asker, root: str) -> None:
    answer = get(ask, root, f"/v2/logs?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]


def test_the_logs_take_200_questions_a_minute(ask: Asker, root: str) -> None:
    codes = [get(ask, root, "/v2/logs?period=1h").status_code for _ in range(201)]
    assert codes == [200] * 200 + [429]


def test_transactions_are_paged_by_an_opaque_cursor(ask: Asker, root: str) -> None:
    for said in ("one", "two", "three"):
        ask.chat(said)
    path, found = "/v2/billing/transactions?limit=2", []
    query = ""
    while True:
        page = get(ask, root, path + query, **MANAGER).json()
        found += [row["type"] for row in page["data"]]
        if not page["pagination"]["has_more"]:
            break
        query = f"&cursor={page['pagination']['next_cursor']}"
    assert found == ["MODEL_USAGE"] * 3 + ["INIT"]
    assert page["pagination"]["next_cursor"] is None
    assert get(ask, root, path + "&cursor=altered", **MANAGER).status_code == 400


def test_a_charge_can_be_made_to_come_late(ask: Asker, root: str, emu: Emulator) -> None:
    emu.ledger.delay_s = 3600.0
    ask.chat("Hello")
    assert rows(ask, root) == []
    emu.ledger.delay_s = 0.0
    assert len(rows(ask, root)) == 1


@pytest.mark.parametrize("path", ["/v2/billing", "/v2/logs?period=1h", "/v1/key", "/v2/usage"])
def test_an_account_needs_a_key(path: str, ask: Asker, root: str) -> None:
    assert get(ask, root, path, authorization="Bearer sk-invalid").status_code == 401


def test_an_account_without_funds_still_tells_its_balance(ask: Asker, root: str) -> None:
    broke = {"authorization": "Bearer sk-broke"}
    assert get(ask, root, "/v2/billing", **broke).json()["current_balance"] == 0
    assert get(ask, root, "/v1/key", **broke).status_code == 200


def test_the_catalogue_is_sent_once_by_its_etag(ask: Asker, root: str) -> None:
    first = get(ask, root, "/v1/models?include=all")
    again = {"if-none-match": first.headers["etag"]}
    second = get(ask, root, "/v1/models?include=all", **again)
    assert (second.status_code, second.content) == (304, b"")
    assert get(ask, root, "/v1/models", **again).status_code == 200


def test_the_catalogue_can_be_asked_for_several_models(ask: Asker, root: str) -> None:
    data = get(ask, root, f"/v1/models?id={PRO},gpt-5.2-codex&details=true").json()["data"]
    assert {row["id"] for row in data} == {PRO, "openai/gpt-5-2-codex"}
    assert data[0]["pricing"]["units"][0] == {
        "name": "token",
        "measure": "input",
        "price": 27.3,
        "per": 1_000_000,
    }
    (one,) = [get(ask, root, f"/model/{PRO}").json()["data"]]
    assert one["id"] == PRO
    assert get(ask, root, "/model/no/such").status_code == 404


def test_clearing_forgets_the_ledger(ask: Asker, root: str, emu: Emulator) -> None:
    ask.chat("Hello")
    emu.clear()
    assert emu.ledger.entries == []
    assert get(ask, root, "/v2/billing").json()["current_balance"] == 100


PUBLISHED = {
    "billing-v2": "/v2/billing",
    "logs-v2": "/v2/logs?period=1h",
    "usage-v2": "/v2/usage?period=1h",
    "billing-transactions-v2": "/v2/billing/transactions",
    "key-get": "/v1/key",
    "models": "/v1/models?include=all",
}


@pytest.mark.skipif(
    "AIMLAPI_OPENAPI_DIR" not in os.environ, reason="the vendor's files are not at hand"
)
@pytest.mark.parametrize("name", PUBLISHED)
def test_answers_fit_the_published_schemas(name: str, ask: Asker, root: str) -> None:
    ask.chat("Hello")
    answer = get(ask, root, PUBLISHED[name], **MANAGER)
    path = Path(os.environ["AIMLAPI_OPENAPI_DIR"]) / f"{name}.json"
    spec = json.loads(path.read_text())
    operation = spec["paths"][PUBLISHED[name].partition("?")[0]]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(answer.json(), nullable(schema))


def nullable(schema: Any) -> Any:
    """OpenAPI 3.0's `nullable` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: nullable(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain
