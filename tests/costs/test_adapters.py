"""What the adapters add: run ids, cache hits, ids in metadata, LangChain's errors."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import langchain_core.exceptions as lc
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from llama_index.core.llms import ChatMessage

import langchain_aimlapi
from aimlapi_core import BudgetExceededError, UnknownCostError, track_costs
from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI


def chat(emu: Emulator, **more: Any) -> ChatAIMLAPI:
    return ChatAIMLAPI(base_url=emu.base_url, api_key="sk-test", **more)


class Runs(BaseCallbackHandler):
    """The ids of model runs, as LangChain tells them to its tracers."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def on_chat_model_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        self.ids.append(str(run_id))


def test_langchains_run_id_is_the_client_request_id(how: str, emu: Emulator) -> None:
    runs, model = Runs(), chat(emu)
    if how == "sync":
        message = model.invoke("Hello", {"callbacks": [runs]})
    else:
        message = asyncio.run(model.ainvoke("Hello", {"callbacks": [runs]}))
    assert [entry.client_request_id for entry in emu.ledger.entries] == runs.ids
    assert message.response_metadata["client_request_id"] == runs.ids[0]


def test_a_run_id_of_the_callers_leads_to_the_bill(emu: Emulator) -> None:
    run_id = uuid4()
    chat(emu).invoke("Hello", {"run_id": run_id})
    assert emu.ledger.entries[0].client_request_id == str(run_id)


def test_the_callers_own_id_beats_the_run_id(emu: Emulator) -> None:
    chat(emu).invoke("Hello", client_request_id="mine")
    chat(emu, default_headers={"X-Client-Request-Id": "ours"}).invoke("Hello")
    chat(emu, model_kwargs={"client_request_id": "set"}).invoke("Hello")
    assert [e.client_request_id for e in emu.ledger.entries] == ["mine", "ours", "set"]


def test_a_stream_has_a_fresh_id_which_its_metadata_tells(how: str, emu: Emulator) -> None:
    model = chat(emu)
    if how == "sync":
        whole = sum_of(list(model.stream("Hello")))
    else:

        async def run() -> Any:
            return [chunk async for chunk in model.astream("Hello")]

        whole = sum_of(asyncio.run(run()))
    assert whole.response_metadata["client_request_id"] == emu.ledger.entries[-1].client_request_id
    assert whole.response_metadata["inference_id"] == emu.ledger.entries[-1].inference_id


def sum_of(chunks: list[Any]) -> Any:
    whole, *rest = chunks
    for chunk in rest:
        whole = whole + chunk
    return whole


def test_llama_index_tells_the_ids_and_hands_its_span_over(how: str, emu: Emulator) -> None:
    llm = AIMLAPI(base_url=emu.base_url, api_key="sk-test")
    if how == "sync":
        answers = [llm.chat([ChatMessage("Hello")]), list(llm.stream_chat([ChatMessage("Hi")]))[-1]]
    else:

        async def run() -> list[Any]:
            *_, last = [r async for r in await llm.astream_chat([ChatMessage("Hi")])]
            first = await llm.achat([ChatMessage("Hello")])
            await llm.aclose()
            return [last, first]

        answers = asyncio.run(run())
    llm.close()
    for answer, entry in zip(answers, emu.ledger.entries, strict=True):
        assert answer.additional_kwargs["client_request_id"] == entry.client_request_id
        assert answer.additional_kwargs["inference_id"] == entry.inference_id
        assert str(entry.client_request_id).startswith("AIMLAPI.")
    assert len({entry.client_request_id for entry in emu.ledger.entries}) == 2


def test_an_answer_from_langchains_cache_is_a_hit_at_no_cost(how: str, emu: Emulator) -> None:
    model = chat(emu, cache=InMemoryCache())

    def ask() -> Any:
        return model.invoke("Hello") if how == "sync" else asyncio.run(model.ainvoke("Hello"))

    with track_costs() as costs:
        paid, free = ask(), ask()
    assert (costs.total.calls, costs.total.cache_hits) == (1, 1)
    assert costs.credits == emu.ledger.credits == paid.response_metadata["credits_used"]
    assert free.response_metadata["credits_used"] == 0


def test_langchain_knows_the_budgets_errors(how: str, emu: Emulator) -> None:
    with track_costs(budget_usd=0), pytest.raises(lc.ModelError) as caught:
        chat(emu).invoke("Hello")
    assert isinstance(caught.value, BudgetExceededError)
    assert isinstance(caught.value, langchain_aimlapi.errors.BudgetExceededError)
    assert not caught.value.is_retryable
    emu.faults.append(Fault(cut_after_events=2))
    with track_costs(budget_usd=1):
        emu.ledger.delay_s = 3600.0
        with pytest.raises(lc.ModelError):
            list(chat(emu).stream("Hello"))
        with pytest.raises(langchain_aimlapi.errors.UnknownCostError) as unknown:
            chat(emu).invoke("Hello")
    assert isinstance(unknown.value, UnknownCostError)
