"""What is measured, by name: our models, the peers, the limit, and its two halves.

Each gives four calls under the same names, so that one loop measures all of them. The peers are
looked up at run time: they live in the benchmarks' own environment only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from typing import Any, NamedTuple

from benchmarks.payloads import MODEL
from benchmarks.server import AnswerKind

PROMPT = "Say a hundred words."
KEY = "sk-bench-0123456789"


class Calls(NamedTuple):
    """One model's calls; each stream gives its chunks."""

    call: Callable[[], Any]
    acall: Callable[[], Any]
    stream: Callable[[], Iterator[Any]]
    astream: Callable[[], AsyncIterator[Any]]


def langchain(model: Any) -> Calls:
    """The calls of a LangChain chat model, and of raw httpx, which has the same names."""
    return Calls(
        lambda: model.invoke(PROMPT),
        lambda: model.ainvoke(PROMPT),
        lambda: model.stream(PROMPT),
        lambda: model.astream(PROMPT),
    )


def llama_index(llm: Any) -> Calls:
    """The calls of a LlamaIndex LLM."""
    message = import_module("llama_index.core.base.llms.types").ChatMessage
    messages = [message(role="user", content=PROMPT)]

    async def astream() -> AsyncIterator[Any]:
        async for item in await llm.astream_chat(messages):
            yield item

    return Calls(
        lambda: llm.chat(messages),
        lambda: llm.achat(messages),
        lambda: llm.stream_chat(messages),
        astream,
    )


class Subject(NamedTuple):
    """Where a class is found, and how an object of it is made."""

    module: str
    name: str
    arguments: Callable[[str, AnswerKind, int], dict[str, Any]]
    is_llama_index: bool = False


def _ours(base: str, kind: AnswerKind, count: int) -> dict[str, Any]:
    return {"base_url": base, "api_key": KEY}


def _memory(base: str, kind: AnswerKind, count: int) -> dict[str, Any]:
    return {"kind": kind, "count": count}


def _memory_agent(base: str, kind: AnswerKind, count: int) -> dict[str, Any]:
    return {"steps": count}


def _limit(base: str, kind: AnswerKind, count: int) -> dict[str, Any]:
    return {"base_url": base, "kind": kind, "count": count}


def _limit_in_flight(base: str, kind: AnswerKind, count: int) -> dict[str, Any]:
    return {**_limit(base, kind, count), "transports": True}


def _raw(base: str, kind: AnswerKind, count: int) -> dict[str, Any]:
    return {"base_url": base}


def _chat_openai(base: str, kind: AnswerKind, count: int) -> dict[str, Any]:
    return {"model": MODEL, "base_url": base, "api_key": KEY}


def _ours_with_aiohttp(base: str, kind: AnswerKind, count: int) -> dict[str, Any]:
    made = import_module("httpx_aiohttp").HttpxAiohttpClient
    limits = import_module("httpx").Limits(max_connections=1000)  # as OpenAI's has
    return {**_ours(base, kind, count), "http_async_client": made(timeout=600, limits=limits)}


def _chat_openai_with_aiohttp(base: str, kind: AnswerKind, count: int) -> dict[str, Any]:
    client = import_module("openai").DefaultAioHttpClient()
    return {**_chat_openai(base, kind, count), "http_async_client": client}


def _chat_mistral(base: str, kind: AnswerKind, count: int) -> dict[str, Any]:
    # Its default is 64 requests at once; the others have no such limit.
    return {
        "model_name": MODEL,
        "endpoint": base,
        "api_key": KEY,
        "max_concurrent_requests": 10_000,
    }


def _openai_like(base: str, kind: AnswerKind, count: int) -> dict[str, Any]:
    return {"model": MODEL, "api_base": base, "api_key": KEY, "is_chat_model": True}


def _openai(base: str, kind: AnswerKind, count: int) -> dict[str, Any]:
    # It refuses model ids that it does not know; the local server asks for none.
    return {"model": "gpt-4o-mini", "api_base": base, "api_key": KEY}


SUBJECTS: dict[str, Subject] = {
    "ChatAIMLAPI": Subject("langchain_aimlapi", "ChatAIMLAPI", _ours),
    "AIMLAPI": Subject("llama_index_aimlapi", "AIMLAPI", _ours, True),
    "memory": Subject("benchmarks.memory_langchain", "MemoryChat", _memory),
    "memory LlamaIndex": Subject("benchmarks.memory_llama_index", "MemoryLLM", _memory, True),
    "limit": Subject("benchmarks.memory_langchain", "MemoryChat", _limit),
    "limit in flight": Subject("benchmarks.memory_langchain", "MemoryChat", _limit_in_flight),
    "memory agent": Subject("benchmarks.memory_agent", "MemoryAgent", _memory_agent),
    "limit LlamaIndex": Subject("benchmarks.memory_llama_index", "MemoryLLM", _limit, True),
    "httpx": Subject("benchmarks.raw", "RawChat", _raw),
    "ChatOpenAI": Subject("langchain_openai", "ChatOpenAI", _chat_openai),
    "ChatAIMLAPI with httpx-aiohttp": Subject(
        "langchain_aimlapi", "ChatAIMLAPI", _ours_with_aiohttp
    ),
    "ChatOpenAI with httpx-aiohttp": Subject(
        "langchain_openai", "ChatOpenAI", _chat_openai_with_aiohttp
    ),
    "ChatMistralAI": Subject("langchain_mistralai", "ChatMistralAI", _chat_mistral),
    "OpenAILike": Subject("llama_index.llms.openai_like", "OpenAILike", _openai_like, True),
    "OpenAI": Subject("llama_index.llms.openai", "OpenAI", _openai, True),
}


def imported(subject: str) -> Any:
    """The subject's class."""
    return getattr(import_module(SUBJECTS[subject].module), SUBJECTS[subject].name)


def made(subject: str, base: str, kind: AnswerKind = "text", count: int = 100) -> Any:
    """A model object. `base`: the server's base URL, which names the answer too."""
    return imported(subject)(**SUBJECTS[subject].arguments(base, kind, count))


def calls_of(subject: str, model: Any) -> Calls:
    """The calls of a model object."""
    return llama_index(model) if SUBJECTS[subject].is_llama_index else langchain(model)


def calls(subject: str, base: str, kind: AnswerKind = "text", count: int = 100) -> Calls:
    """The calls of a new model object."""
    return calls_of(subject, made(subject, base, kind, count))
