"""Asynchronous calls where no asyncio loop runs, as under trio: one sentence, nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage

from aimlapi_core import (
    AsyncClient,
    ConfigurationError,
    EmbeddingRequest,
    Settings,
)
from aimlapi_emulator import Emulator
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding
from tests.core.test_client import HELLO


async def each(stream: Any) -> None:
    async for _ in stream:
        pass


async def core_stream(how: dict[str, Any]) -> None:
    async with AsyncClient(Settings(**how)) as client:
        await each(client.stream(HELLO))


async def llama_stream(how: dict[str, Any]) -> None:
    await each(await AIMLAPI(**how).astream_chat([ChatMessage(content="hi")]))


def core(how: dict[str, Any]) -> AsyncClient:
    return AsyncClient(Settings(**how))


TEXTS = [f"text {number}" for number in range(5)]
CALLS: dict[str, Callable[[dict[str, Any]], Coroutine[Any, Any, Any]]] = {
    "complete": lambda how: core(how).complete(HELLO),
    "stream": core_stream,
    "embed": lambda how: core(how).embed(EmbeddingRequest("text-embedding-3-small", tuple(TEXTS))),
    "account": lambda how: core(how).account(),
    "ainvoke": lambda how: ChatAIMLAPI(**how).ainvoke("hi"),
    "abatch": lambda how: ChatAIMLAPI(**how).agenerate([[]]),
    "astream": lambda how: each(ChatAIMLAPI(**how).astream("hi")),
    "aembed_documents": lambda how: AIMLAPIEmbeddings(**how).aembed_documents(TEXTS),
    "achat": lambda how: AIMLAPI(**how).achat([ChatMessage(content="hi")]),
    "astream_chat": llama_stream,
    "acomplete": lambda how: AIMLAPI(**how).acomplete("hi"),
    "aget_query_embedding": lambda how: AIMLAPIEmbedding(**how).aget_query_embedding("hi"),
    "aget_text_embedding_batch": lambda how: AIMLAPIEmbedding(
        **how, embed_batch_size=2
    ).aget_text_embedding_batch(TEXTS),
}


def by_hand(call: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """As any library does that is not asyncio."""
    coroutine = call()
    try:
        coroutine.send(None)
    finally:
        coroutine.close()


@pytest.mark.parametrize("way", CALLS)
def test_without_an_asyncio_loop_one_sentence_says_what_to_do(emu: Emulator, way: str) -> None:
    how = {"api_key": "sk-test-0000", "base_url": emu.base_url}
    with pytest.raises(ConfigurationError, match="asyncio event loop") as caught:
        by_hand(lambda: CALLS[way](how))
    assert "trio" in str(caught.value)
    assert emu.requests == []


@pytest.mark.parametrize("way", CALLS)
def test_trio_gets_the_same_sentence(emu: Emulator, way: str) -> None:
    trio = pytest.importorskip("trio")
    how = {"api_key": "sk-test-0000", "base_url": emu.base_url}
    with pytest.raises(ConfigurationError, match=r"trio\.to_thread\.run_sync"):
        trio.run(CALLS[way], how)
    assert emu.requests == []


@pytest.mark.parametrize("way", CALLS)
def test_anyios_default_is_an_asyncio_loop(emu: Emulator, way: str) -> None:
    anyio = pytest.importorskip("anyio")
    if way in ("abatch", "account"):
        pytest.skip("no call that succeeds")
    how = {"api_key": "sk-test-0000", "base_url": emu.base_url}
    anyio.run(CALLS[way], how)
    assert emu.requests
