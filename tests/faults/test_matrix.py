"""The matrix, cell by cell: fault x framework x sync/async x whole/stream x endpoint.

Of each fault half of the cells, in which any three of these four axes meet in every combination. A
last group of cells asks for embeddings: every fault that makes a whole answer fail makes them fail
alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import product
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessageChunk

from aimlapi_core import AIMLAPIError
from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding
from tests.faults.matrix import ANSWER, MARKED, ROWS, Row
from tests.waiting import wait_until

PROMPT = "Say: Grüße aus Łódź, 世界 🌍 and a few words more than that"
TEXT = "Grüße aus Łódź, 世界 🌍 and a few words more than that"
MODELS = {"chat": "openai/gpt-5-2", "responses": "openai/gpt-5-2-pro"}

# (text, finish reason) of a call.
Said = tuple[str, str | None]


def langchain(kind: str, form: str, calls: int, how: dict[str, Any]) -> list[Said]:
    model = ChatAIMLAPI(**how)

    async def one() -> Any:
        if form == "whole":
            return await model.ainvoke(PROMPT)
        return merged([chunk async for chunk in model.astream(PROMPT)])

    async def run() -> list[Any]:
        return [await one() for _ in range(calls)]

    if kind == "async":
        messages = asyncio.run(run())
    elif form == "whole":
        messages = [model.invoke(PROMPT) for _ in range(calls)]
    else:
        messages = [merged(list(model.stream(PROMPT))) for _ in range(calls)]
    return [(message.text, message.response_metadata.get("finish_reason")) for message in messages]


def merged(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    first, *rest = chunks
    return first + rest if rest else first  # type: ignore[return-value]  # chunks add up to a chunk


def llama_index(kind: str, form: str, calls: int, how: dict[str, Any]) -> list[Said]:
    llm = AIMLAPI(**how)

    async def one() -> Any:
        if form == "whole":
            return await llm.acomplete(PROMPT)
        return [item async for item in await llm.astream_complete(PROMPT)][-1]

    async def run() -> list[Any]:
        return [await one() for _ in range(calls)]

    if kind == "async":
        answers = asyncio.run(run())
    elif form == "whole":
        answers = [llm.complete(PROMPT) for _ in range(calls)]
    else:
        answers = [list(llm.stream_complete(PROMPT))[-1] for _ in range(calls)]
    llm.close()
    return [(answer.text, answer.additional_kwargs.get("finish_reason")) for answer in answers]


FRAMEWORKS: dict[str, Callable[[str, str, int, dict[str, Any]], list[Said]]] = {
    "langchain": langchain,
    "llama_index": llama_index,
}


ALL_WAYS = [*product(FRAMEWORKS, ("sync", "async"), ("whole", "stream"), MODELS)]
WAYS = [way for number, way in enumerate(ALL_WAYS) if number.bit_count() % 2 == 0]
CELLS = [
    pytest.param(row, framework, kind, form, endpoint, id=f"{framework}-{kind}-{form}-{row.title}")
    for row in ROWS
    for framework, kind, form, endpoint in (ALL_WAYS if row.endpoint else WAYS)
    if row.endpoint in (None, endpoint) and (row.whole if form == "whole" else row.stream)
]


def connection_to(emu: Emulator, row: Row, form: str = "whole") -> dict[str, Any]:
    """How a model reaches the emulator. Time is short only where silence is the fault.

    Where that comes behind the head, the head must have come by then.
    """
    silence_s = {"silence after the head": 1.0} if form == "stream" else {}
    read_s = silence_s.get(row.name, 0.1) if "silence" in row.name else None
    how = {"api_key": "sk-test", "base_url": emu.base_url}
    return {**how, "timeout": httpx.Timeout(None, read=read_s), "max_retries": 1}


@pytest.mark.parametrize(("row", "framework", "kind", "form", "endpoint"), CELLS)
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
    how = {"model": MODELS[endpoint], **connection_to(emu, row, form)}
    expected = row.whole if form == "whole" else row.stream
    assert expected is not None
    if isinstance(expected, str):
        for text, reason in FRAMEWORKS[framework](kind, form, row.calls, how):
            # The whole text once, or a part of it that says that it is one.
            assert (text.count(TEXT), reason) == (expected == ANSWER, reason_for(expected, row))
    else:
        with pytest.raises(expected) as caught:
            FRAMEWORKS[framework](kind, form, row.calls, how)
        assert_exactly(caught.value, expected)
    # Never more requests than the policy allows; one that nobody waited for may be read late.
    wait_until(lambda: len(emu.requests) >= row.requests - row.unread)
    assert len(emu.requests) == row.requests - row.unread
    assert emu.connections <= row.connections
    assert form == "whole" or not any(seen.ineffective_fault_fields for seen in emu.requests)


@pytest.mark.parametrize(("framework", "kind", "form", "endpoint"), WAYS)
def test_a_text_of_megabytes_in_one_event_is_whole(
    emu: Emulator, framework: str, kind: str, form: str, endpoint: str
) -> None:
    text = " ".join(["ł" * 500_000] * 3)
    emu.enqueue_response(text)
    emu.faults.append(Fault(single_delta=True))
    how = {"model": MODELS[endpoint], "api_key": "sk-test", "base_url": emu.base_url}
    ((said, reason),) = FRAMEWORKS[framework](kind, form, 1, how)
    assert (said == text, reason) == (True, "stop")
    assert len(emu.requests) == 1


def reason_for(expected: str, row: Row) -> str | None:
    fault = row.faults[0] if row.faults else None
    return fault.finish_reason if fault and expected == MARKED else "stop"


def assert_exactly(error: BaseException, expected: type[AIMLAPIError]) -> None:
    kinds = [cls.__name__ for cls in type(error).__mro__]
    # Of LangChain's server errors those that LangGraph must not repeat have a class of their own.
    assert type(error).__name__.removeprefix("Final") == expected.__name__, kinds


def langchain_embeddings(kind: str, calls: int, how: dict[str, Any]) -> None:
    model = AIMLAPIEmbeddings(**how)

    async def run() -> None:
        for _ in range(calls):
            await model.aembed_query(PROMPT)

    if kind == "async":
        asyncio.run(run())
    else:
        for _ in range(calls):
            model.embed_query(PROMPT)


def llama_index_embeddings(kind: str, calls: int, how: dict[str, Any]) -> None:
    model = AIMLAPIEmbedding(**how)

    async def run() -> None:
        for _ in range(calls):
            await model.aget_query_embedding(PROMPT)

    if kind == "async":
        asyncio.run(run())
    else:
        for _ in range(calls):
            model.get_query_embedding(PROMPT)


EMBEDDINGS = {"langchain": langchain_embeddings, "llama_index": llama_index_embeddings}
FAILING = [row for row in ROWS if isinstance(row.whole, type) and not row.needs_text]


@pytest.mark.parametrize(
    ("row", "framework", "kind"),
    [
        pytest.param(row, framework, ("sync", "async")[(at + number) % 2], id=row.title)
        for number, framework in enumerate(EMBEDDINGS)
        for at, row in enumerate(FAILING)
    ],
)
def test_embeddings_fail_as_whole_answers_do(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch, row: Row, framework: str, kind: str
) -> None:
    monkeypatch.setattr("random.random", lambda: 0.0)  # retries without waiting
    emu.faults.extend(row.faults)
    assert isinstance(row.whole, type)
    with pytest.raises(row.whole) as caught:
        EMBEDDINGS[framework](kind, row.calls, connection_to(emu, row))
    assert_exactly(caught.value, row.whole)
    wait_until(lambda: len(emu.requests) >= row.requests - row.unread)
    assert len(emu.requests) == row.requests - row.unread
    assert emu.connections <= row.connections
