"""Any answer of the service through each way of calling: what a program gets of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import pytest
from langchain_core.messages import AIMessage
from llama_index.core.base.llms.types import ChatMessage, ChatResponse

from aimlapi_core import ChatRequest, Finished, Message, Reply, StreamEvent, Text
from aimlapi_core._adapters.tool_arguments import parse_arguments
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_emulator import Emulator
from langchain_aimlapi import ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI, InvalidToolCallError

MODELS = {"chat": "openai/gpt-5-2", "responses": "openai/gpt-5-2-pro"}
ENDPOINTS = tuple(MODELS)
QUESTION = "Name the largest lake of the country"


Answer: TypeAlias = tuple[str, Any, list[Any]]
"""Its endpoint, the body of the whole answer, and the events of its stream."""


@dataclass(frozen=True)
class Got:
    """What a program gets, in one form for both frameworks."""

    text: str
    calls: list[tuple[str, Any]]
    invalid: list[str]
    refusal: str | None
    finish_reason: str | None


@dataclass(frozen=True)
class Way:
    """One way of calling a model."""

    framework: str
    form: str
    is_async: bool

    def __str__(self) -> str:
        return f"{self.framework}-{self.form}-{'async' if self.is_async else 'sync'}"

    @property
    def streams(self) -> bool:
        return self.form == "stream"

    def ask(self, emu: Emulator, endpoint: str, **more: Any) -> Any:
        """The message of LangChain, or the last response of LlamaIndex."""
        how: dict[str, Any] = {"model": MODELS[endpoint], "base_url": emu.base_url}
        how |= {"api_key": "sk-test", "max_retries": 0, **more}
        if self.framework == "langchain":
            model = ChatAIMLAPI(**how)
            return asyncio.run(self._langchain(model)) if self.is_async else self._invoke(model)
        llm = AIMLAPI(**how)
        return asyncio.run(self._llama_index(llm)) if self.is_async else self._chat(llm)

    def _invoke(self, model: ChatAIMLAPI) -> Any:
        if not self.streams:
            return model.invoke(QUESTION)
        return added(list(model.stream(QUESTION)))

    async def _langchain(self, model: ChatAIMLAPI) -> Any:
        if not self.streams:
            return await model.ainvoke(QUESTION)
        return added([chunk async for chunk in model.astream(QUESTION)])

    def _chat(self, llm: AIMLAPI) -> Any:
        messages = [ChatMessage(QUESTION)]
        return list(llm.stream_chat(messages))[-1] if self.streams else llm.chat(messages)

    async def _llama_index(self, llm: AIMLAPI) -> Any:
        messages = [ChatMessage(QUESTION)]
        if not self.streams:
            return await llm.achat(messages)
        async with aclosing(await llm.astream_chat(messages)) as items:
            return [item async for item in items][-1]


def added(chunks: list[Any]) -> Any:
    first, *rest = chunks
    return first + rest if rest else first


WAYS = [
    Way(*way) for way in product(("langchain", "llama_index"), ("whole", "stream"), (False, True))
]
ways = pytest.mark.parametrize("way", WAYS, ids=str)


def got(answer: Any) -> Got:
    """What is in the answer of either framework."""
    if isinstance(answer, AIMessage):
        return Got(
            answer.text,
            [(call["name"], call["args"]) for call in answer.tool_calls],
            [call["args"] or "" for call in answer.invalid_tool_calls],
            answer.additional_kwargs.get("refusal"),
            answer.response_metadata.get("finish_reason"),
        )
    assert isinstance(answer, ChatResponse)
    calls, invalid = [], []
    llm = AIMLAPI(model=MODELS["chat"], api_key="any")
    for block in answer.message.blocks:
        if block.block_type != "tool_call":
            continue
        one = answer.model_copy(update={"message": ChatMessage(role="assistant", blocks=[block])})
        try:
            (selection,) = llm.get_tool_calls_from_response(one)
            calls.append((selection.tool_name, selection.tool_kwargs))
        except InvalidToolCallError:
            invalid.append(str(block.tool_kwargs))
    return Got(
        answer.message.content or "",
        calls,
        invalid,
        answer.message.additional_kwargs.get("refusal"),
        answer.additional_kwargs.get("finish_reason"),
    )


forms = pytest.mark.parametrize("form", ["whole", "stream"])


def from_core(answer: Answer, form: str) -> Reply:
    """The core's reply to an answer, without a server."""
    *_, last = events_from_core(answer, form)
    assert isinstance(last, Finished)
    return last.reply


def events_from_core(answer: Answer, form: str) -> list[StreamEvent]:
    """The core's events of an answer, of a whole one Finished alone."""
    endpoint, whole, events = answer
    request = ChatRequest(MODELS[endpoint], (Message("user", (Text(QUESTION),)),))
    prepared = prepare_request(request, stream=form == "stream")
    if form == "whole":
        return [Finished(prepared.decode_body(dumped(whole).encode(), {}))]
    reader = prepared.stream_reader()
    sse = "".join(f"data: {dumped(event)}\n\n" for event in events)
    return [*reader.feed(sse.encode()), *reader.feed(b"data: [DONE]\n\n"), *reader.close()]


def got_from_core(answer: Answer, form: str) -> Got:
    (choice,) = from_core(answer, form).choices
    calls, invalid = [], []
    for call in choice.tool_calls:
        try:
            arguments = parse_arguments(call.arguments, choice.finish_reason, call.name)
            calls.append((call.name, arguments))
        except ValueError:
            invalid.append(call.arguments)
    return Got(choice.text, calls, invalid, choice.refusal, choice.finish_reason)


def enqueue(emu: Emulator, way: Way, answer: Answer) -> None:
    """Queue the form of the answer that a way asks for."""
    endpoint, whole, events = answer
    if not way.streams:
        emu.enqueue_response(dumped(whole).encode())
        return
    emu.enqueue_response([*map(dumped, events), *(["[DONE]"] if endpoint == "chat" else [])])


def dumped(value: Mapping[str, Any]) -> str:
    return json.dumps(value)
