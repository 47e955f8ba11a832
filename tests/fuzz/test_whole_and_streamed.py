"""Random answers say the same whole and streamed, in both frameworks, sync and async."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, message_chunk_to_message
from llama_index.core.base.llms.types import ChatMessage, ChatResponse

from aimlapi_core import ChatRequest, Endpoint, Message, Settings, Text
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_core.types import Choice, Reply
from langchain_aimlapi import ChatAIMLAPI
from langchain_aimlapi._request.messages import to_messages as from_langchain
from llama_index_aimlapi import AIMLAPI
from llama_index_aimlapi._request.messages import to_messages as from_llama_index
from tests.core.test_client import call
from tests.fuzz.answers import MAKERS, Answer, served
from tests.langchain.calls import events, invoke, stream, total

FEW, MANY = range(15), range(15, 400)
seeds = pytest.mark.parametrize(
    "seeds", [FEW, pytest.param(MANY, marks=pytest.mark.heavy)], ids=["few", "many"]
)
endpoints = pytest.mark.parametrize("endpoint", MAKERS)
hows = pytest.mark.parametrize("how", ["sync", "async"])
MODELS = {"chat": "openai/gpt-5-2", "responses": "openai/gpt-5-2-codex"}
HI = (Message("user", (Text("hi"),)),)


def answer_of(endpoint: str, seed: int) -> Answer:
    return MAKERS[endpoint](random.Random(f"{endpoint} {seed}"))


def replies(how: str, request: ChatRequest, answer: Answer) -> list[Reply]:
    """The whole and the streamed reply, without the facts of their requests."""
    setup = Settings(**served(answer))
    found = [call(setup, how, form, request) for form in ("whole", "stream")]
    return [replace(reply, transport=None) for reply in found]


@seeds
@endpoints
@hows
def test_the_core_gives_one_reply(how: str, endpoint: Endpoint, seeds: range) -> None:
    request = ChatRequest(MODELS[endpoint], HI, endpoint=endpoint)
    for seed in seeds:
        whole, streamed = replies(how, request, answer_of(endpoint, seed))
        assert streamed == whole, seed


@seeds
@endpoints
@pytest.mark.parametrize("stop", ["a", "Bern", "\n\n", "."])
def test_a_stop_sequence_cuts_both_alike(endpoint: Endpoint, seeds: range, stop: str) -> None:
    request = ChatRequest(MODELS[endpoint], HI, endpoint=endpoint, stop=(stop,))
    for seed in seeds:
        found = replies("sync", request, answer_of(endpoint, seed))
        whole, streamed = (reply.choices[0] for reply in found)
        assert stop not in whole.text
        assert streamed.text == whole.text, seed
        if endpoint == "responses":
            assert said(streamed) == said(whole), seed
        else:  # the order of text and calls is known in a stream alone
            assert set(said(streamed)) <= set(said(whole)), seed


def said(choice: Choice) -> list[tuple[str, ...]]:
    return [(call.id, call.name, call.arguments) for call in choice.tool_calls]


@seeds
@endpoints
@hows
def test_langchain_gives_one_message(how: str, endpoint: Endpoint, seeds: range) -> None:
    for seed in seeds:
        model = ChatAIMLAPI(model=MODELS[endpoint], **served(answer_of(endpoint, seed)))
        whole = invoke(how, model, "hi")
        streamed = message_chunk_to_message(total(stream(how, model, "hi")))
        _, last = events(how, model, "hi")
        for other in (streamed, last):
            assert of_langchain(other) == of_langchain(whole), seed
            assert sorted_blocks(other) == sorted_blocks(whole), seed
            bodies = [
                sent(from_langchain([HumanMessage("hi"), m]), endpoint) for m in (other, whole)
            ]
            assert bodies[0] == bodies[1], seed
        v1 = ChatAIMLAPI(
            model=MODELS[endpoint], output_version="v1", **served(answer_of(endpoint, seed))
        )
        of_v1 = total(stream(how, v1, "hi"))
        assert of_langchain(message_chunk_to_message(of_v1)) == of_langchain(whole), seed
        if not whole.invalid_tool_calls:  # chunks of calls, in the sum of v1 chunks
            assert sorted_blocks(of_v1) == sorted_blocks(invoke(how, v1, "hi")), seed


@seeds
@endpoints
@hows
def test_llama_index_gives_one_response(how: str, endpoint: Endpoint, seeds: range) -> None:
    for seed in seeds:
        llm = AIMLAPI(model=MODELS[endpoint], **served(answer_of(endpoint, seed)))
        whole, items = asyncio.run(asked(llm)) if how == "async" else ask(llm)
        assert of_llama_index(items[-1]) == of_llama_index(whole), seed
        assert "".join(item.delta or "" for item in items) == (whole.message.content or ""), seed
        texts = [item.message.content or "" for item in items]
        assert all(after.startswith(before) for before, after in pairwise(texts)), seed
        bodies = [sent(from_llama_index([m.message]), endpoint) for m in (whole, items[-1])]
        assert bodies[0] == bodies[1], seed


def ask(llm: AIMLAPI) -> tuple[ChatResponse, list[ChatResponse]]:
    return llm.chat([ChatMessage("hi")]), list(llm.stream_chat([ChatMessage("hi")]))


async def asked(llm: AIMLAPI) -> tuple[ChatResponse, list[ChatResponse]]:
    whole = await llm.achat([ChatMessage("hi")])
    return whole, [item async for item in await llm.astream_chat([ChatMessage("hi")])]


def of_langchain(message: AIMessage) -> dict[str, Any]:
    """What a message says, but for the ids of its request and the form of its content."""
    apart = ("client_request_id", "output_version")
    return {
        "text": message.text,
        "calls": message.tool_calls,
        # In a stream's sum they end in what langchain-core cannot repair.
        "invalid": [(call["name"] or None, call["id"]) for call in message.invalid_tool_calls],
        "kwargs": message.additional_kwargs,
        "usage": message.usage_metadata,
        "metadata": {k: v for k, v in message.response_metadata.items() if k not in apart},
    }


def sorted_blocks(message: AIMessage) -> list[str]:
    """The blocks in an order of their own: a stream has them as they came."""
    rows = []
    for block in message.content_blocks:
        row: dict[str, Any] = {k: v for k, v in block.items() if k not in ("index", "error")}
        if row["type"] == "invalid_tool_call":
            row.update(args=None, name=row["name"] or None)
        if row["type"] == "non_standard" and row["value"].get("type") == "refusal":
            row = row["value"]
        rows.append(json.dumps(row, sort_keys=True))
    return sorted(rows)


def of_llama_index(response: ChatResponse) -> dict[str, Any]:
    found = response.model_dump(exclude={"delta"})
    found["additional_kwargs"].pop("client_request_id")
    return found


def sent(messages: tuple[Message, ...], endpoint: Endpoint) -> list[Any]:
    """The next turn's conversation; that an answer said nothing may be left out."""
    request = ChatRequest(MODELS[endpoint], messages, endpoint=endpoint)
    body = prepare_request(request, stream=False).body
    rows = body.get("messages") or body["input"]
    return [row for row in rows if row != {"role": "assistant", "content": ""}]
