"""The limit is only worth something if the models in memory do what ours do."""

from __future__ import annotations

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
