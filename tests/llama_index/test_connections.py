"""Keys, settings, early closes, event loops and threads against the emulator."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel, SecretStr

from aimlapi_core import (
    ConfigurationError,
    MissingKeyError,
)
from aimlapi_emulator import Emulator, Fault
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding
from tests.llama_index.ways import CHAT, COMPLETE, items, last

Make = Callable[..., AIMLAPI]
HELLO = [ChatMessage(content="Hello 你好")]


@pytest.mark.parametrize("way", [*CHAT, *COMPLETE])
async def test_a_missing_key_is_named_before_anything_is_sent(
    make: Make, emu: Emulator, way: str
) -> None:
    llm = make(api_key=None)
    with pytest.raises(MissingKeyError, match="AIMLAPI_API_KEY"):
        await items(llm, way, HELLO if "chat" in way else "Hello")
    assert emu.requests == []


@pytest.mark.parametrize("key", ["sk-test", SecretStr("sk-test"), lambda: "sk-test", None])
def test_every_kind_of_key_is_sent(
    make: Make, emu: Emulator, key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    llm = make(api_key=key)
    monkeypatch.setenv("AIML_API_KEY", "sk-test")  # after the object was made
    llm.chat(HELLO)
    assert emu.requests[-1].headers["authorization"].endswith("test")


async def _key() -> str:
    return "sk-async-7777"


@pytest.mark.parametrize("way", [*CHAT, *COMPLETE])
async def test_an_async_key_function_works_in_async_calls(
    make: Make, emu: Emulator, way: str
) -> None:
    llm = make(api_key=_key)
    prompt = HELLO if "chat" in way else "Hello"
    if way.startswith("a"):
        await items(llm, way, prompt)
        assert emu.requests[-1].headers["authorization"].endswith("7777")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConfigurationError, match="asynchronous call"):
            await items(llm, way, prompt)


async def test_an_async_key_function_works_in_async_embeddings(emu: Emulator) -> None:
    embed_model = AIMLAPIEmbedding(api_key=_key, base_url=emu.base_url)
    await embed_model.aget_query_embedding("a")
    await embed_model.aget_text_embedding_batch(["a", "b"])
    assert emu.requests[-1].headers["authorization"].endswith("7777")


def test_headers_timeouts_and_retries_reach_the_core(make: Make, emu: Emulator) -> None:
    llm = make(default_headers={"x-team": "a"}, max_retries=1, timeout=httpx.Timeout(30))
    emu.faults.append(Fault(status=429, headers={"Retry-After": "0"}))
    llm.chat(HELLO, extra_headers={"x-call": "b"})
    assert len(emu.requests) == 2
    assert {"x-team": "a", "x-call": "b"}.items() <= emu.requests[-1].headers.items()
    assert emu.requests[-1].headers["user-agent"].startswith("llama-index-aimlapi/")


@pytest.mark.parametrize("kind", [AIMLAPI, AIMLAPIEmbedding])
async def test_the_catalogue_is_listed(emu: Emulator, kind: Any) -> None:
    with kind(base_url=emu.base_url, api_key="sk-test") as model:
        rows = model.list_models()
        assert len({row.id for row in rows}) > 1
        assert {row.id for row in model.list_models("openai/gpt-5-2")} == {"openai/gpt-5-2"}
        assert await model.alist_models() == rows
        await model.aclose()


def test_a_setting_that_is_changed_counts_from_the_next_call(make: Make, emu: Emulator) -> None:
    llm = make()
    llm.chat(HELLO)
    llm.api_key, llm.temperature = "sk-other", 0.5
    llm.chat(HELLO)
    assert emu.requests[-1].headers["authorization"].endswith("ther")
    assert emu.requests[-1].body["temperature"] == 0.5


class Song(BaseModel):
    title: str
    lines: list[str]


def asked(way: str) -> tuple[Any, ...]:
    if "structured" in way:
        return Song, PromptTemplate("A song.")
    if "tools" in way:
        return [], "Hello 你好"
    return ([*HELLO],) if "chat" in way else ("Hello 你好",)


EARLY = ["chat", "complete", "chat_with_tools", "structured_predict"]


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("way", EARLY)
def test_an_early_close_ends_the_call(make: Make, endpoint: str, way: str) -> None:
    http = httpx.Client()
    closed: list[bool] = []
    llm = make(endpoint=endpoint, http_client=_watched(http, closed))
    stream = getattr(llm, f"stream_{way}")(*asked(way))
    next(stream)
    assert closed == []
    stream.close()
    gc.collect()
    assert closed == [True]
    http.close()


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("way", EARLY)
async def test_an_early_async_close_ends_the_call_within_a_few_ticks(
    make: Make, endpoint: str, way: str
) -> None:
    closed: list[bool] = []
    async with httpx.AsyncClient() as http:
        llm = make(endpoint=endpoint, http_async_client=_watched(http, closed))
        stream = await getattr(llm, f"astream_{way}")(*asked(way))
        await anext(stream)
        await stream.aclose()
        # LlamaIndex's wrapper lets go of our generator instead of closing it: the loop does.
        for _ in range(20):
            await asyncio.sleep(0.005)
        assert closed == [True]


async def test_a_failure_while_an_item_is_made_ends_the_call(make: Make) -> None:
    def fail(response: Any) -> Any:
        raise ValueError("no item")

    closed: list[bool] = []
    async with httpx.AsyncClient() as http:
        llm = make(http_async_client=_watched(http, closed))
        with pytest.raises(ValueError, match="no item"):
            await anext(llm._astream(llm._prepare(HELLO, {}), fail))
        assert closed == [True]


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("way", EARLY)
def test_a_stream_left_at_the_end_of_its_event_loop_closes_in_silence(
    make: Make, endpoint: str, way: str
) -> None:
    told: list[Any] = []
    llm = make(endpoint=endpoint)

    async def leave() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what))
        async for _ in await getattr(llm, f"astream_{way}")(*asked(way)):
            break

    asyncio.run(leave())
    gc.collect()
    assert told == []


def _watched(http: Any, closed: list[bool]) -> Any:
    """The client, noting when the response of a request is closed."""
    send = http.send

    def note(response: httpx.Response) -> httpx.Response:
        close, aclose = response.close, response.aclose

        def closing() -> None:
            closed.append(True)
            close()

        async def aclosing() -> None:
            closed.append(True)
            await aclose()

        response.close, response.aclose = closing, aclosing  # type: ignore[method-assign]  # the seam
        return response

    async def asend(*args: Any, **kwargs: Any) -> httpx.Response:
        return note(await send(*args, **kwargs))

    http.send = (
        asend
        if isinstance(http, httpx.AsyncClient)
        else lambda *args, **kwargs: note(send(*args, **kwargs))
    )
    return http


def test_one_object_serves_two_event_loops(llm: AIMLAPI, emu: Emulator) -> None:
    async def ask() -> str:
        answer = await llm.achat(HELLO)
        streamed = await last(llm, "astream_chat", HELLO)
        assert streamed.message.content == answer.message.content
        return str(answer.message.content)

    assert asyncio.run(ask()) == asyncio.run(ask())
    assert len(emu.requests) == 4


async def test_many_calls_at_once(llm: AIMLAPI, emu: Emulator) -> None:
    answers = await asyncio.gather(*(llm.achat([ChatMessage(content=f"n{i}")]) for i in range(20)))
    assert [f"n{i}" in answer.message.content for i, answer in enumerate(answers)] == [True] * 20
    assert len(emu.requests) == 20


def test_many_threads_share_one_object(llm: AIMLAPI, emu: Emulator) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: llm.complete(f"n{i}").text, range(24)))
    assert all(f"n{i}" in answer for i, answer in enumerate(answers))
    assert len(emu.requests) == 24
