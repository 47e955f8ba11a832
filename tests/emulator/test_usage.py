"""Tokens and cost that add up wherever they are told."""

from __future__ import annotations

from typing import Any

import httpx

from aimlapi_emulator import Emulator
from tests.emulator.asking import CHAT, CODEX, KEY, LATEST, PRO, Asker, events, user


def test_chat_tokens_add_up(ask: Asker) -> None:
    usage = ask.chat("Hello there", reasoning_effort="medium").json()["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    details = usage["completion_tokens_details"]
    assert 0 < details["reasoning_tokens"] < usage["completion_tokens"]


def test_effort_orders_reasoning_tokens(ask: Asker) -> None:
    counts = [
        ask.chat("x", reasoning_effort=effort).json()["usage"]["completion_tokens"]
        for effort in ("low", "medium", "high")
    ]
    assert counts == sorted(counts)
    assert len(set(counts)) == 3


def test_cost_is_the_same_everywhere(emu: Emulator, ask: Asker) -> None:
    answer = ask.chat("Hello")
    body: dict[str, Any] = answer.json()
    spent = body["meta"]["usage"]
    assert int(answer.headers["x-aimlapi-credits-used"]) == spent["credits_used"]
    assert float(answer.headers["x-aimlapi-usd-spent"]) == spent["usd_spent"]
    assert spent["usd_spent"] == spent["credits_used"] / 2_000_000
    assert len(answer.headers["x-aimlapi-usd-spent"].split(".")[1]) == 9
    streamed = events(ask.chat("Hello", stream=True).text)
    assert streamed[-2]["meta"]["usage"] == spent
    balance = httpx.get(f"{emu.base_url.removesuffix('/v1')}/v2/billing", headers=KEY).json()
    assert balance["current_balance"] == round(100 - 2 * spent["usd_spent"], 9)
    assert balance["currency"] == "USD"


def test_cost_follows_the_published_price(ask: Asker) -> None:
    for model, dollars in ((CHAT, (2.275, 18.2)), (LATEST, (2.275, 18.2))):
        body = ask.chat("Hello", model=model).json()
        usage = body["usage"]
        exact = (usage["prompt_tokens"] * dollars[0] + usage["completion_tokens"] * dollars[1]) * 2
        assert 0 <= body["meta"]["usage"]["credits_used"] - exact < 2
    costs = [
        ask.responses("Hello", model).json()["meta"]["usage"]["credits_used"]
        for model in (CODEX, PRO)
    ]
    assert costs[1] > costs[0]


def test_stream_and_whole_count_alike(ask: Asker) -> None:
    whole = ask.chat("Hello there").json()["usage"]
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    streamed = events(ask.chat("Hello there", **asked).text)
    assert next(c["usage"] for c in streamed if c.get("usage")) == whole


def test_choices_are_counted_each(ask: Asker) -> None:
    one = ask.chat("Hello").json()["usage"]["completion_tokens"]
    assert ask.chat("Hello", n=2).json()["usage"]["completion_tokens"] > 2 * one - 1


def test_long_prefix_is_cached_at_the_second_sight(ask: Asker) -> None:
    system = {"role": "system", "content": "word " * 1500}
    cached = [
        ask.chat([system, user(said)]).json()["usage"]["prompt_tokens_details"]["cached_tokens"]
        for said in ("one", "two")
    ]
    assert cached[0] == 0
    assert cached[1] >= 1024


def test_responses_tokens_add_up(ask: Asker) -> None:
    body = ask.responses("Hello", CODEX, reasoning={"effort": "high"}).json()
    usage = body["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert 0 < usage["output_tokens_details"]["reasoning_tokens"] < usage["output_tokens"]
    streamed = events(ask.responses("Hello", CODEX, reasoning={"effort": "high"}, stream=True).text)
    assert streamed[-1]["response"]["usage"] == usage
    assert streamed[-1]["response"]["meta"] == body["meta"]


def test_refused_requests_cost_nothing(emu: Emulator, ask: Asker) -> None:
    answer = ask.chat("x", seed=0)
    assert "x-aimlapi-credits-used" not in answer.headers
    url = f"{emu.base_url.removesuffix('/v1')}/v2/billing"
    assert httpx.get(url, headers=KEY).json()["current_balance"] == 100


INPUT = "word " * 150_000


def test_more_input_than_the_model_takes_is_refused_in_openais_words(
    emu: Emulator, ask: Asker
) -> None:
    """Of GPT-5.2 more than 272,000 tokens, of chat-latest more than its window of 128,000."""
    emu.enqueue_response("a queued answer")
    long = ask.chat(INPUT * 2)
    assert (long.status_code, long.headers["content-type"].split(";")[0]) == (
        400,
        "application/problem+json",
    )
    assert long.json()["message"] == (
        "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in "
        "300004 tokens. Please reduce the length of the messages."
    )
    assert ask.responses(INPUT * 2).status_code == 400
    small = ask.chat(INPUT, model=LATEST).json()["message"]
    assert small.startswith("This model's maximum context length is 128000 tokens")
    assert ask.text(INPUT) == "a queued answer"  # the refusals used nothing up


def test_a_stored_conversation_counts_unless_it_may_be_truncated(ask: Asker) -> None:
    first = ask.responses(INPUT, store=True).json()["id"]
    more = {"previous_response_id": first}
    assert ask.responses(INPUT, **more).status_code == 400
    assert ask.responses(INPUT, truncation="auto", **more).status_code == 200
