"""500 mixed calls that end in every way: the tracker's total is the ledger's, to the credit."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing, suppress
from decimal import Decimal
from itertools import cycle, islice
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage

from aimlapi_core import AIMLAPIError, BudgetExceededError, track_costs
from aimlapi_emulator import Emulator
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding
from tests.costs.ways import CHAT, PRO
from tests.waiting import wait_until

CALLS = 500

# What happens to a call; {n} makes a directive one call's own.
FATES = (
    "",
    "",
    '[[fault status=503 message="n{n}" times=1]]',
    '[[fault status=429 message="n{n}" times=2]]',
    "[[fault status=400]]",
    "[[fault cost_metadata=false]]",
    "[[fault drop=after_read]]",
)
STREAM_FATES = (
    *FATES,
    "[[fault cut_after_events=3]]",
    "[[fault cut_after_events=2 drop_with=rst]]",
    "[[fault error_event=openai error_after_events=2]]",
    "left",
)
ASYNC_FATES = (*FATES, "[[fault delay_head_s=30]]")


class Doer:
    """Makes one call of each kind: both frameworks, both endpoints, whole and streamed."""

    def __init__(self, emu: Emulator) -> None:
        self.emu = emu
        given: dict[str, Any] = {"base_url": emu.base_url, "api_key": "sk-test-0000"}
        self.chats = [ChatAIMLAPI(model=model, **given) for model in (CHAT, PRO)]
        self.llms = [AIMLAPI(model=model, **given) for model in (CHAT, PRO)]
        self.lc_embeddings = AIMLAPIEmbeddings(**given)
        self.li_embeddings = AIMLAPIEmbedding(**given)

    def has_come(self, text: str, before: int) -> bool:
        """Whether the request with this text came after so many, and so was charged."""
        lake = " ".join(text.split()[:3])
        return any(f"{lake} " in str(seen.body) for seen in self.emu.requests[before:])

    def sync_calls(self) -> list[Callable[[str], Any]]:
        calls: list[Callable[[str], Any]] = [
            self.lc_embeddings.embed_query,
            self.li_embeddings.get_text_embedding,
        ]
        for chat, llm in zip(self.chats, self.llms, strict=True):
            calls += [chat.invoke, lambda text, chat=chat: take(chat.stream(text), text)]
            calls += [
                llm.complete,
                lambda text, llm=llm: take(llm.stream_chat([ChatMessage(text)]), text),
            ]
        return calls

    def async_calls(self) -> list[Callable[[str], Coroutine[Any, Any, Any]]]:
        calls: list[Callable[[str], Coroutine[Any, Any, Any]]] = [
            self.lc_embeddings.aembed_query,
            self.li_embeddings.aget_text_embedding,
        ]
        for chat, llm in zip(self.chats, self.llms, strict=True):
            calls += [chat.ainvoke, lambda text, chat=chat: atake(chat.astream(text), text)]
            calls += [llm.acomplete, lambda text, llm=llm: llm_atake(llm, text)]
        return calls


def take(stream: Any, text: str) -> None:
    with closing(stream):
        for count, _ in enumerate(stream):
            if "left" in text and count == 1:
                return


async def atake(stream: Any, text: str) -> None:
    async with aclosing(stream):
        count = 0
        async for _ in stream:
            count += 1
            if "left" in text and count == 2:
                return


async def llm_atake(llm: AIMLAPI, text: str) -> None:
    await atake(await llm.astream_chat([ChatMessage(text)]), text)


def jobs(calls: list[Any], fates: tuple[str, ...], start: int) -> list[tuple[Any, str]]:
    """Half of all calls: each kind meets each fate, in an order that looks random."""
    draw = random.Random(start)
    pairs = [(call, fate) for call in calls for fate in fates]
    chosen = list(islice(cycle(draw.sample(pairs, len(pairs))), CALLS // 2))
    return [
        (call, f"Describe lake {start + at} {fate}".format(n=start + at))
        for at, (call, fate) in enumerate(chosen)
    ]


def run_sync(doer: Doer, wrap: Callable[[Any], Any]) -> None:
    def one(job: tuple[Any, str]) -> None:
        with suppress(AIMLAPIError):
            job[0](job[1])

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(wrap(one), jobs(doer.sync_calls(), STREAM_FATES, 0)))


async def run_async(doer: Doer) -> None:
    free = asyncio.Semaphore(8)

    async def one(call: Any, text: str) -> None:
        async with free:
            before = len(doer.emu.requests)
            task = asyncio.ensure_future(call(text))
            if "delay_head_s" in text:
                await asyncio.to_thread(wait_until, lambda: doer.has_come(text, before))
                task.cancel()
            with suppress(AIMLAPIError, asyncio.CancelledError):
                await task

    half = jobs(doer.async_calls(), (*STREAM_FATES, *ASYNC_FATES), CALLS // 2)
    await asyncio.gather(*(one(call, text) for call, text in half))
    for model in (*doer.chats, doer.lc_embeddings, *doer.llms, doer.li_embeddings):
        await model.aclose()


def test_after_settling_the_total_is_the_ledgers_to_the_credit(emu: Emulator, quick: None) -> None:
    doer = Doer(emu)
    with track_costs() as costs:
        run_sync(doer, costs.wrap)
        asyncio.run(run_async(doer))
    assert costs.total.calls == CALLS
    assert costs.in_flight == 0
    assert {call.reason for call in costs.unknown} == {"cut", "closed", "lost", "unstated"}
    before = costs.credits
    left = costs.settle()
    assert before < costs.credits == emu.ledger.credits
    assert costs.total.retries > 20
    charged = {entry.client_request_id for entry in emu.ledger.entries if entry.usage.credits}
    assert not charged & {call.client_request_id for call in left}


@pytest.mark.filterwarnings("ignore::aimlapi_core.BudgetWarning")
def test_a_budget_over_the_same_run_is_overspent_by_no_more_than_is_in_flight(
    emu: Emulator, quick: None
) -> None:
    doer = Doer(emu)
    with track_costs(budget_usd=Decimal("0.02")) as costs:
        run_sync(doer, costs.wrap)
    costs.settle()
    dearest = max(entry.usage.credits for entry in emu.ledger.entries)
    assert costs.credits == emu.ledger.credits
    assert 0 <= costs.credits - 40_000 <= 5 * dearest
    with pytest.raises(BudgetExceededError):
        costs.wrap(doer.chats[0].invoke)("one more")
