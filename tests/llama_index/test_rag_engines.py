"""Engines over several indexes, and conversations about documents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import CondensePlusContextChatEngine, ContextChatEngine
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.query_engine import RouterQueryEngine, SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.selectors import LLMSingleSelector, PydanticSingleSelector
from llama_index.core.tools import QueryEngineTool

from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI
from tests.llama_index.towns import ANSWER, QUESTION, SOURCE, documents, files

Make = Callable[..., Any]
BOTH = pytest.mark.parametrize("asynchronous", [False, True])


def tools(embedder: Make, llm: AIMLAPI) -> list[QueryEngineTool]:
    return [
        QueryEngineTool.from_defaults(
            VectorStoreIndex.from_documents(
                documents(kind), embed_model=embedder()
            ).as_query_engine(llm=llm),
            name=name,
            description=told,
        )
        for kind, name, told in (
            ("mill", "windmills", "Knows the windmills of towns and what they grind."),
            ("bell", "bells", "Knows the bells of towns and the year each was cast."),
        )
    ]


@pytest.mark.parametrize("selector", [LLMSingleSelector, PydanticSingleSelector])
@BOTH
async def test_a_router_asks_the_engine_that_knows(
    make: Make, embedder: Make, selector: Any, asynchronous: bool
) -> None:
    llm = make()
    engine = RouterQueryEngine.from_defaults(
        tools(embedder, llm), llm=llm, selector=selector.from_defaults(llm=llm)
    )
    response = await engine.aquery(QUESTION) if asynchronous else engine.query(QUESTION)
    assert response.metadata["selector_result"].ind == 1
    assert ANSWER in str(response)
    assert files(response)[0] == SOURCE


@pytest.mark.parametrize("use_async", [False, True])
def test_sub_questions_are_answered_from_their_own_documents(
    make: Make, embedder: Make, use_async: bool
) -> None:
    llm = make()
    engine = SubQuestionQueryEngine.from_defaults(
        tools(embedder, llm),
        question_gen=LLMQuestionGenerator.from_defaults(llm=llm),
        llm=llm,
        use_async=use_async,
        verbose=False,
    )
    response = engine.query(f"{QUESTION[:-1]}, and what does the windmill of Mirefield grind?")
    assert {SOURCE, "mirefield-mill.txt"} <= set(files(response))
    assert ANSWER in str(response)
    assert "33 sacks of rye" in str(response)


@pytest.mark.parametrize("kind", [CondensePlusContextChatEngine, ContextChatEngine])
@pytest.mark.parametrize("way", ["chat", "stream_chat", "achat", "astream_chat"])
async def test_a_chat_goes_on_from_what_was_said(
    make: Make, index: VectorStoreIndex, emu: Emulator, kind: Any, way: str
) -> None:
    engine = kind.from_defaults(
        index.as_retriever(similarity_top_k=2),
        llm=make(),
        # Not LlamaIndex's default memory, which leaves its SQLite connections open.
        memory=ChatMemoryBuffer.from_defaults(token_limit=9000),
    )
    text, found = await said(engine, way, QUESTION)
    assert (ANSWER in text, SOURCE in text, found[0]) == (True, True, SOURCE)
    text, found = await said(engine, way, "And the bell of Rosvik?")
    assert ("1618" in text, found[0]) == (True, "rosvik-bell.txt")
    history: list[ChatMessage] = engine.chat_history
    assert [message.role.value for message in history] == ["user", "assistant"] * 2
    assert history[-1].content == text
    assert all(seen.problems == () for seen in emu.requests)


def test_a_follow_up_is_condensed_before_the_search(make: Make, index: VectorStoreIndex) -> None:
    engine = CondensePlusContextChatEngine.from_defaults(
        index.as_retriever(similarity_top_k=1),
        llm=make(),
        memory=ChatMemoryBuffer.from_defaults(token_limit=9000),
    )
    engine.chat("What does the windmill of Mirefield grind?")
    response = engine.chat("How many sacks does it grind?")
    assert files(response) == ["mirefield-mill.txt"]
    assert "33" in str(response)


async def said(engine: Any, way: str, question: str) -> tuple[str, list[str]]:
    """(the answer's text, the files behind it)"""
    if way == "stream_chat":
        response = await asyncio.to_thread(engine.stream_chat, question)
        return "".join(response.response_gen), files(response)
    if way == "astream_chat":
        response = await engine.astream_chat(question)
        pieces: AsyncIterator[str] = response.async_response_gen()
        return "".join([piece async for piece in pieces]), files(response)
    made = getattr(engine, way)(question)
    response = await made if way == "achat" else made
    return str(response), files(response)
