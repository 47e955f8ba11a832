from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.outputs import Generation
from langsmith import Client

from langchain_aimlapi import ChatAIMLAPI
from langchain_aimlapi.tracing import CostTracer, _with_total_cost
from tests.langchain.calls import call, events

Make = Callable[..., ChatAIMLAPI]


class Kept(Client):
    """LangSmith's client, which keeps what it would send."""

    def __init__(self) -> None:
        super().__init__(api_key="none", api_url="http://127.0.0.1:9", auto_batch_tracing=False)
        self.updates: list[dict[str, Any]] = []

    def create_run(self, *_: Any, **__: Any) -> None:
        pass

    def update_run(self, *_: Any, **update: Any) -> None:
        self.updates.append(update)


@pytest.fixture
def kept() -> Kept:
    return Kept()


def _usage(kept: Kept) -> dict[str, Any]:
    usage: dict[str, Any] = kept.updates[-1]["extra"]["metadata"]["usage_metadata"]
    return usage


@pytest.mark.parametrize("streaming", [False, True])
def test_a_trace_holds_the_cost(how: str, streaming: bool, kept: Kept, chat: Make) -> None:
    counter = UsageMetadataCallbackHandler()
    model = chat(callbacks=[CostTracer(client=kept), counter])
    first, second = (call(how, streaming, model, "hi") for _ in range(2))
    assert _usage(kept)["total_cost"] == second.response_metadata["cost"] > 0
    assert _usage(kept)["total_tokens"] == second.usage_metadata["total_tokens"]
    assert "total_cost" not in first.usage_metadata
    counted = counter.usage_metadata["openai/gpt-5-2"]["total_tokens"]
    assert counted == 2 * second.usage_metadata["total_tokens"]


def test_a_trace_of_the_v3_protocol_holds_the_cost(how: str, kept: Kept, chat: Make) -> None:
    _, message = events(how, chat(callbacks=[CostTracer(client=kept)]), "hi")
    assert _usage(kept)["total_cost"] == message.response_metadata["cost"] > 0


def test_several_answers_cost_once_and_cached_ones_nothing(kept: Kept, chat: Make) -> None:
    model = chat(n=2, cache=InMemoryCache(), callbacks=[CostTracer(client=kept)])
    message = model.invoke("hi")
    assert _usage(kept)["total_cost"] == message.response_metadata["cost"] > 0
    model.invoke("hi")
    assert _usage(kept)["total_cost"] == 0


def test_what_other_models_said_is_traced_as_it_is() -> None:
    other = Generation(text="x")
    assert _with_total_cost(other) is other
