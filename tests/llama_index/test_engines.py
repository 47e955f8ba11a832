"""LlamaIndex's query and chat engines over the model. Nothing is embedded or downloaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core import Document, SummaryIndex, VectorStoreIndex
from llama_index.core.chat_engine import (
    CondensePlusContextChatEngine,
    ContextChatEngine,
    SimpleChatEngine,
)
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.query_engine import RouterQueryEngine, SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.response_synthesizers import ResponseMode, get_response_synthesizer
from llama_index.core.selectors import LLMSingleSelector, PydanticSingleSelector
from llama_index.core.tools import QueryEngineTool
from pydantic import BaseModel

from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI
from tests.llama_index.ways import SETUPS

Make = Callable[..., AIMLAPI]
DOCUMENTS = [
    Document(text="The Aare flows through Bern."),
    Document(text="The Rhine flows through Basel."),
]
QUESTION = "Which river flows through Bern?"
STREAMING = pytest.mark.parametrize("streaming", [False, True])


@pytest.fixture(scope="module")
def index() -> SummaryIndex:
    return SummaryIndex.from_documents(DOCUMENTS)


async def text_of(response: Any) -> str:
    """The text of any kind of response, streamed or not."""
    if hasattr(response, "async_response_gen"):
        return "".join([piece async for piece in response.async_response_gen()])
    if hasattr(response, "response_gen"):
        return "".join(response.response_gen)
    return str(response)


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize("asynchronous", [False, True])
@STREAMING
async def test_summary_query_engine(
    make: Make, emu: Emulator, index: SummaryIndex, setup: str, asynchronous: bool, streaming: bool
) -> None:
    engine = index.as_query_engine(llm=make(**SETUPS[setup]), streaming=streaming, use_async=False)
    response = await engine.aquery(QUESTION) if asynchronous else engine.query(QUESTION)
    assert "Aare" in await text_of(response)
    assert len(emu.requests) == 1  # the context window is known, so all fits into one call
    assert emu.requests[0].problems == ()


@pytest.mark.parametrize(
    "mode",
    # LlamaIndex builds these two without handing the model on, and asks for OpenAI's.
    [
        mode
        for mode in ResponseMode
        if mode not in (ResponseMode.NO_TEXT, ResponseMode.CONTEXT_ONLY)
    ],
)
def test_every_response_mode(make: Make, index: SummaryIndex, mode: ResponseMode) -> None:
    engine = index.as_query_engine(llm=make(), response_mode=mode)
    assert engine.query(QUESTION) is not None


def test_structured_query_engine(make: Make, index: SummaryIndex) -> None:
    class River(BaseModel):
        name: str

    engine = index.as_query_engine(llm=make(), output_cls=River, response_mode="compact")
    assert isinstance(engine.query(QUESTION).response, River)


def test_answers_can_be_filtered_by_structure(make: Make, index: SummaryIndex) -> None:
    synthesizer = get_response_synthesizer(llm=make(), structured_answer_filtering=True)
    engine = index.as_query_engine(llm=make(), response_synthesizer=synthesizer)
    assert str(engine.query(QUESTION))


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize("asynchronous", [False, True])
@STREAMING
async def test_vector_query_engine(
    make: Make, emu: Emulator, setup: str, asynchronous: bool, streaming: bool
) -> None:
    index = VectorStoreIndex.from_documents(DOCUMENTS, embed_model=MockEmbedding(embed_dim=4))
    engine = index.as_query_engine(llm=make(**SETUPS[setup]), streaming=streaming)
    response = await engine.aquery(QUESTION) if asynchronous else engine.query(QUESTION)
    assert "Aare" in await text_of(response)
    assert [seen.problems for seen in emu.requests] == [()]


def engine_tools(index: SummaryIndex, llm: AIMLAPI) -> list[QueryEngineTool]:
    return [
        QueryEngineTool.from_defaults(
            index.as_query_engine(llm=llm), name="rivers", description="Knows rivers."
        ),
        QueryEngineTool.from_defaults(
            index.as_query_engine(llm=llm), name="cities", description="Knows cities."
        ),
    ]


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("selector", [LLMSingleSelector, PydanticSingleSelector])
async def test_router_query_engine(
    make: Make, emu: Emulator, index: SummaryIndex, selector: Any, setup: str, asynchronous: bool
) -> None:
    llm = make(**SETUPS[setup])
    engine = RouterQueryEngine.from_defaults(
        engine_tools(index, llm), llm=llm, selector=selector.from_defaults(llm=llm)
    )
    response = await engine.aquery(QUESTION) if asynchronous else engine.query(QUESTION)
    assert "Aare" in str(response)
    assert [seen.problems for seen in emu.requests] == [(), ()]


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_sub_question_query_engine(
    make: Make, emu: Emulator, index: SummaryIndex, setup: str, asynchronous: bool
) -> None:
    llm = make(**SETUPS[setup])
    engine = SubQuestionQueryEngine.from_defaults(
        engine_tools(index, llm),
        question_gen=LLMQuestionGenerator.from_defaults(llm=llm),
        llm=llm,
        use_async=asynchronous,
        verbose=False,
    )
    response = await engine.aquery(QUESTION) if asynchronous else engine.query(QUESTION)
    assert "Aare" in str(response)
    assert all(seen.problems == () for seen in emu.requests)


def chat_engines(index: SummaryIndex, llm: AIMLAPI) -> dict[str, Any]:
    # Not LlamaIndex's default memory, which leaves its SQLite connections open.
    given: dict[str, Any] = {"llm": llm, "memory": ChatMemoryBuffer.from_defaults(token_limit=9000)}
    retriever = index.as_retriever()
    return {
        "simple": SimpleChatEngine.from_defaults(**given),
        "context": ContextChatEngine.from_defaults(retriever, **given),
        "condense_plus_context": CondensePlusContextChatEngine.from_defaults(retriever, **given),
    }


@pytest.mark.half("way", "kind", "setup")
@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize("kind", ["simple", "context", "condense_plus_context"])
@pytest.mark.parametrize("way", ["chat", "stream_chat", "achat", "astream_chat"])
async def test_chat_engines(
    make: Make, emu: Emulator, index: SummaryIndex, setup: str, kind: str, way: str
) -> None:
    engine = chat_engines(index, make(**SETUPS[setup]))[kind]
    for question in (QUESTION, "And Basel?"):
        if way == "stream_chat":
            response = await asyncio.to_thread(engine.stream_chat, question)
            text = "".join(response.response_gen)
        elif way == "astream_chat":
            response = await engine.astream_chat(question)
            text = "".join([piece async for piece in response.async_response_gen()])
        else:
            made = getattr(engine, way)(question)
            text = str(await made if way == "achat" else made)
        assert text
    history = engine.chat_history
    assert [message.role.value for message in history] == ["user", "assistant"] * 2
    assert history[-1].content == text
    assert all(seen.problems == () for seen in emu.requests)
