"""The limit is only worth something if the models in memory do what ours do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from benchmarks import subjects
from benchmarks.payloads import KINDS, Kind
from benchmarks.server import Answer


def _streams(origin: str, ours: str, memory: str, kind: Kind) -> tuple[list[Any], list[Any]]:
    answer = Answer(kind=kind, count=5)
    base = f"{origin}{answer.path}/v1"
    model = subjects.made(ours, base)
    found = list(subjects.calls_of(ours, model).stream())
    model.close()
    return found, list(subjects.calls(memory, base, kind, 5).stream())


@pytest.mark.parametrize("kind", KINDS)
def test_the_langchain_model_in_memory_gives_the_chunks_of_ours(origin: str, kind: Kind) -> None:
    ours, memory = _streams(origin, "ChatAIMLAPI", "memory", kind)
    assert [_plain(chunk) for chunk in memory] == [_plain(chunk) for chunk in ours]


def _plain(chunk: Any) -> dict[str, Any]:
    members: dict[str, Any] = chunk.model_dump()
    assert members.pop("id").startswith("lc_run--")  # LangChain's, another for each run
    members["response_metadata"].pop("client_request_id", None)  # ours, another for each call
    return members


@pytest.mark.parametrize("kind", KINDS)
def test_the_llama_index_llm_in_memory_gives_the_items_of_ours(origin: str, kind: Kind) -> None:
    ours, memory = _streams(origin, "AIMLAPI", "memory LlamaIndex", kind)
    assert len(ours) == len(memory) == 6
    assert [item.model_dump() for item in memory[:-1]] == [item.model_dump() for item in ours[:-1]]


async def test_each_call_of_the_limit_in_flight_has_a_transport_of_its_own(origin: str) -> None:
    answer = Answer(delay_ms=50)
    model = subjects.made("limit in flight", f"{origin}{answer.path}/v1")
    answers = await asyncio.gather(*(model.ainvoke("Go.") for _ in range(3)))
    transports = model._transports
    assert len({one.text for one in answers}) == 1
    assert len(transports._free) == 3
    await model.ainvoke("Go.")
    assert len(transports._free) == 3
    await transports.aclose()
