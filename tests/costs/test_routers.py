"""Routers: who answered, and the cost of the choice, which is a request of its own."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from aimlapi_core import (
    AIMLAPIError,
    Costs,
    Message,
    StreamCutError,
    Text,
    ToolCall,
    start_tracing,
    stop_tracing,
    track_costs,
)
from aimlapi_core.costs import ledger
from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI
from tests.costs.conftest import settings
from tests.costs.ways import asking, complete, stream

ROUTER, CHOOSER = "liquid/d1-router", "liquid/d1"
ANSWERED = "openai/gpt-6-luna"
METRICS = {"duration_ms": 617, "ttft_ms": 616, "tps": 8.1}


def settle(how: str, costs: Costs, **given: Any) -> Any:
    return costs.settle(**given) if how == "sync" else asyncio.run(costs.asettle(**given))


@pytest.mark.parametrize("is_streamed", [False, True])
def test_settle_adds_what_the_choice_cost(how: str, is_streamed: bool, emu: Emulator) -> None:
    with track_costs() as outer, track_costs() as costs:
        (stream if is_streamed else complete)(how, settings(emu), asking(model=ROUTER))
    reported = costs.credits
    assert emu.cost.credits == reported + 2
    assert settle(how, costs) == ()
    for scope in (costs, outer):
        assert scope.credits == emu.cost.credits
        assert scope.by_model[CHOOSER].credits == 2
        assert scope.by_model[ROUTER].credits == reported
        assert scope.total.calls == 1
    settle(how, costs)
    assert costs.credits == emu.cost.credits


def test_choices_of_calls_with_one_id_of_the_caller_are_found(how: str, emu: Emulator) -> None:
    """By the request id that both entries share."""
    with track_costs() as costs:
        for _ in range(2):
            complete(how, settings(emu), asking(model=ROUTER, client_request_id="mine"))
    settle(how, costs)
    assert costs.credits == emu.cost.credits


def test_a_choice_that_is_listed_late_is_waited_for(how: str, emu: Emulator) -> None:
    with track_costs() as costs:
        complete(how, settings(emu), asking(model=ROUTER))
    emu.ledger.delay_s = 1.0
    settle(how, costs, within_s=30)
    assert costs.credits == emu.cost.credits


BROKEN: dict[str, tuple[Fault | None, type[Exception] | None]] = {
    "closed": (None, None),
    "cut": (Fault(cut_after_events=3), StreamCutError),
    "unstated": (Fault(cost_metadata=False), None),
    "lost": (Fault(delay_head_s=3600), AIMLAPIError),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_call_is_settled_with_its_choice(how: str, kind: str, emu: Emulator) -> None:
    """By its inference id, or, where none came, by the client request id of both entries."""
    fault, error = BROKEN[kind]
    emu.faults += [fault] if fault else []
    setup = replace(settings(emu), timeout=1.0 if kind == "lost" else 30.0)
    with (
        track_costs() as outer,
        track_costs() as costs,
        pytest.raises(error) if error else nullcontext(),
    ):
        stream(how, setup, asking(model=ROUTER), events=1 if kind == "closed" else None)
    assert [call.reason for call in costs.unknown] == [kind]
    assert settle(how, costs, within_s=30) == ()
    for scope in (costs, outer):
        assert scope.credits == emu.cost.credits > 2
        assert scope.by_model[CHOOSER].credits == 2
        assert scope.total.calls == 1


def test_a_turn_that_returns_results_has_no_choice(how: str, emu: Emulator) -> None:
    call = ToolCall("c", "weather", "{}")
    history = (
        Message("user", (Text("Weather?"),)),
        Message("assistant", (call,)),
        Message("tool", (Text("Rain."),), tool_call_id="c"),
    )
    with track_costs() as costs:
        complete(how, settings(emu), asking(model=ROUTER, messages=history))
    emu.requests.clear()
    assert settle(how, costs, within_s=30) == ()
    assert costs.credits == emu.cost.credits
    assert not emu.requests  # nothing was looked for


def test_a_scope_that_stays_open_keeps_the_newest_calls(
    how: str, emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_KEPT_CALLS", 2)
    with track_costs() as costs:
        for _ in range(3):
            complete(how, settings(emu), asking(model=ROUTER))
    settle(how, costs)
    assert costs.by_model[CHOOSER].credits == 2 * 2


def test_another_model_is_not_looked_for(how: str, emu: Emulator) -> None:
    with track_costs() as costs:
        complete(how, settings(emu))
    emu.requests.clear()
    settle(how, costs)
    assert not emu.requests


@pytest.mark.parametrize("is_streamed", [False, True])
def test_langchain_says_who_answered(is_streamed: bool, emu: Emulator) -> None:
    llm = ChatAIMLAPI(model=ROUTER, api_key="sk-test", base_url=emu.base_url)
    answer: Any
    if is_streamed:
        first, *rest = llm.stream("Hello")
        answer = sum(rest, start=first)
    else:
        answer = llm.invoke("Hello")
    metadata = answer.response_metadata
    assert (metadata["served_model"], metadata["provider"]) == (ANSWERED, "openai")
    assert metadata["metrics"] == METRICS
    assert metadata["model_name"] == ROUTER
    assert answer.usage_metadata["input_token_details"]["cache_creation"] == 0
    assert metadata["token_usage"]["prompt_tokens_details"]["cache_write_tokens"] == 0


@pytest.mark.parametrize("is_streamed", [False, True])
def test_llama_index_says_who_answered(is_streamed: bool, emu: Emulator) -> None:
    llm = AIMLAPI(model=ROUTER, api_key="sk-test", base_url=emu.base_url)
    done = list(llm.stream_complete("Hello"))[-1] if is_streamed else llm.complete("Hello")
    known: Any = done.additional_kwargs
    assert (known["served_model"], known["provider"]) == (ANSWERED, "openai")
    assert known["metrics"] == METRICS
    assert known["cache_write_tokens"] == 0
    assert done.raw["meta"] == {
        "model": ANSWERED,
        "provider": "openai",
        "metrics": METRICS,
        "usage": done.raw["meta"]["usage"],
    }


def test_cache_writes_are_in_the_sums_and_spans(how: str, emu: Emulator) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    body = complete(how, settings(emu), asking(model=ROUTER))
    assert body.usage is not None
    answer = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-6-luna",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "x"},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 14,
            "completion_tokens": 5,
            "total_tokens": 19,
            "prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 9},
        },
        "meta": {"model": ANSWERED, "provider": "openai", "metrics": {**METRICS, "odd": [1]}},
    }
    emu.enqueue_response(answer)
    start_tracing(provider)
    try:
        with track_costs() as costs:
            complete(how, settings(emu))
    finally:
        stop_tracing()
    assert costs.total.cache_write_tokens == 9
    assert "9 input tokens written to the cache" in str(costs)
    (span,) = exporter.get_finished_spans()
    attributes = dict(span.attributes or {})
    assert attributes["gen_ai.usage.cache_creation.input_tokens"] == 9
    assert attributes["aimlapi.served_model"] == ANSWERED
    assert attributes["aimlapi.provider"] == "openai"
    assert attributes["aimlapi.metrics.tps"] == 8.1
    assert "aimlapi.metrics.odd" not in attributes
