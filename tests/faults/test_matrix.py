"""The matrix, cell by cell: fault x framework x sync/async x whole/stream x endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk

from aimlapi_emulator import Emulator
from langchain_aimlapi import ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI
from tests.faults.matrix import ANSWER, MARKED, ROWS, Row

PROMPT = "Say: Grüße aus Łódź, 世界 🌍 and a few words more than that"
TEXT = "Grüße aus Łódź, 世界 🌍 and a few words more than that"
MODELS = {"chat": "openai/gpt-5-2", "responses": "openai/gpt-5-2-pro"}

# (text, finish reason) of a call.
Said = tuple[str, str | None]


def langchain(kind: str, form: str, how: dict[str, Any]) -> Said:
    model = ChatAIMLAPI(**how)

    async def run() -> Any:
        if form == "whole":
            return await model.ainvoke(PROMPT)
        return merged([chunk async for chunk in model.astream(PROMPT)])

    if kind == "async":
        message = asyncio.run(run())
    else:
        message = model.invoke(PROMPT) if form == "whole" else merged(list(model.stream(PROMPT)))
    return message.text, message.response_metadata.get("finish_reason")


def merged(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    first, *rest = chunks
    return first + rest if rest else first  # type: ignore[return-value]  # chunks add up to a chunk


def llama_index(kind: str, form: str, how: dict[str, Any]) -> Said:
    llm = AIMLAPI(**how)

    async def run() -> Any:
        if form == "whole":
            return await llm.acomplete(PROMPT)
        return [item async for item in await llm.astream_complete(PROMPT)][-1]

    if kind == "async":
        answer = asyncio.run(run())
    else:
        answer = llm.complete(PROMPT) if form == "whole" else list(llm.stream_complete(PROMPT))[-1]
    llm.close()
    return answer.text, answer.additional_kwargs.get("finish_reason")


FRAMEWORKS: dict[str, Callable[[str, str, dict[str, Any]], Said]] = {
    "langchain": langchain,
    "llama_index": llama_index,
}


@pytest.mark.parametrize("endpoint", MODELS)
@pytest.mark.parametrize("form", ["whole", "stream"])
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_cell(
    emu: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    row: Row,
    framework: str,
    kind: str,
    form: str,
    endpoint: str,
) -> None:
    monkeypatch.setattr("random.random", lambda: 0.0)  # retries without waiting
    emu.faults.extend(row.faults)
    how = {"model": MODELS[endpoint], "api_key": "sk-test", "base_url": emu.base_url}
    # Short only where silence is the fault: this machine may be busy.
    how |= {"timeout": 0.3 if "silence" in row.name else 30, "max_retries": 1}  # type: ignore[dict-item]  # of any type
    expected = row.whole if form == "whole" else row.stream
    if isinstance(expected, str):
        text, reason = FRAMEWORKS[framework](kind, form, how)
        assert (TEXT in text, reason) == (expected == ANSWER, reason_for(expected, row))
    else:
        with pytest.raises(expected) as caught:
            FRAMEWORKS[framework](kind, form, how)
        kinds = [cls.__name__ for cls in type(caught.value).__mro__]
        assert type(caught.value).__name__ == expected.__name__, kinds
    # Never more requests than the policy allows; one whose bytes were not read is not seen.
    assert len(emu.seen) == (
        0 if row.name == "closed before the request was read" else row.requests
    )


def reason_for(expected: str, row: Row) -> str | None:
    return row.faults[0].finish_reason if expected == MARKED else "stop"
