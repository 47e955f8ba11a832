"""Every object of the project that makes calls, and every way to make one with it.

A module of its own, since a spawned worker imports it to know what it is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from aimlapi_core import (
    AsyncClient,
    ChatRequest,
    Client,
    EmbeddingRequest,
    Finished,
    Message,
    Settings,
    Text,
)
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding

KEY = "sk-test-0000"
SAID = "Grüße aus Łódź, 世界 🌍"
SAY = f"Say: {SAID}"
REQUEST = ChatRequest("openai/gpt-5-2", (Message("user", (Text(SAY),)),))
TEXTS = EmbeddingRequest("text-embedding-3-small", (SAY,), dimensions=8)

MAKERS: Mapping[str, Callable[..., Any]] = {
    "ChatAIMLAPI": ChatAIMLAPI,
    "AIMLAPIEmbeddings": lambda **how: AIMLAPIEmbeddings(dimensions=8, **how),
    "AIMLAPI": AIMLAPI,
    "AIMLAPIEmbedding": lambda **how: AIMLAPIEmbedding(dimensions=8, **how),
    "Client": lambda **how: Client(Settings(**how)),
    "AsyncClient": lambda **how: AsyncClient(Settings(**how)),
}
NAMES = tuple(MAKERS)


def make(name: str, base_url: str, **more: Any) -> Any:
    """An object by its class's name, which repeats no call unless told to."""
    return MAKERS[name](**{"api_key": KEY, "base_url": base_url, "max_retries": 0, **more})


def _ended(events: Iterable[Any]) -> str:
    *_, last = events
    assert isinstance(last, Finished)
    return last.reply.choices[0].text


async def _ainvoke(model: ChatAIMLAPI) -> Any:
    return (await model.ainvoke(SAY)).text


async def _astream(model: ChatAIMLAPI) -> Any:
    return "".join([chunk.text async for chunk in model.astream(SAY)])


async def _acomplete(llm: AIMLAPI) -> Any:
    return (await llm.acomplete(SAY)).text


async def _astream_complete(llm: AIMLAPI) -> Any:
    return "".join([r.delta or "" async for r in await llm.astream_complete(SAY)])


async def _complete(client: AsyncClient) -> Any:
    return (await client.complete(REQUEST)).choices[0].text


async def _stream(client: AsyncClient) -> Any:
    return _ended([event async for event in client.stream(REQUEST)])


async def _embed(client: AsyncClient) -> Any:
    return list((await client.embed(TEXTS)).vectors)


# Class -> way -> the call. Each call is one request, and gives a text or a list of vectors.
SYNC: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    "ChatAIMLAPI": {
        "whole": lambda m: m.invoke(SAY).text,
        "stream": lambda m: "".join(chunk.text for chunk in m.stream(SAY)),
    },
    "AIMLAPI": {
        "whole": lambda m: m.complete(SAY).text,
        "stream": lambda m: "".join(r.delta or "" for r in m.stream_complete(SAY)),
    },
    "Client": {
        "whole": lambda c: c.complete(REQUEST).choices[0].text,
        "stream": lambda c: _ended(c.stream(REQUEST)),
        "vectors": lambda c: list(c.embed(TEXTS).vectors),
    },
    "AIMLAPIEmbeddings": {"vectors": lambda e: e.embed_documents([SAY])},
    "AIMLAPIEmbedding": {"vectors": lambda e: e.get_text_embedding_batch([SAY])},
}
ASYNC: Mapping[str, Mapping[str, Callable[[Any], Awaitable[Any]]]] = {
    "ChatAIMLAPI": {"whole": _ainvoke, "stream": _astream},
    "AIMLAPI": {"whole": _acomplete, "stream": _astream_complete},
    "AsyncClient": {"whole": _complete, "stream": _stream, "vectors": _embed},
    "AIMLAPIEmbeddings": {"vectors": lambda e: e.aembed_documents([SAY])},
    "AIMLAPIEmbedding": {"vectors": lambda e: e.aget_text_embedding_batch([SAY])},
}
ASYNC_NAMES = tuple(ASYNC)


def requests_of(name: str) -> int:
    """How many requests `use` makes."""
    return len(SYNC.get(name, ())) + len(ASYNC.get(name, ()))


def use(thing: Any) -> None:
    """One call in each way that the object has, the asynchronous ones in an event loop of their
    own. Raises AssertionError for an answer that is not whole."""
    name = type(thing).__name__
    for way in SYNC.get(name, {}).values():
        assert_whole(way(thing))
    if name in ASYNC:
        asyncio.run(ause(thing))


async def ause(thing: Any) -> None:
    """One call in each asynchronous way that the object has."""
    for way in ASYNC[type(thing).__name__].values():
        assert_whole(await way(thing))


def assert_whole(answer: str | Sequence[Sequence[float]]) -> None:
    """Raise for a text that is cut, or a vector that is."""
    if isinstance(answer, str):
        assert SAID in answer
    else:
        assert [len(vector) for vector in answer] == [8]
