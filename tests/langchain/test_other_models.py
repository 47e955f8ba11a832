"""Models beside GPT-5.2: what the vendor documents of them, kept against the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.chat_models import base, init_chat_model
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from aimlapi_core import listed_models, model_info
from aimlapi_emulator import Emulator
from langchain_aimlapi import ChatAIMLAPI, register

Make = Callable[..., ChatAIMLAPI]

CLAUDE = "anthropic/claude-sonnet-4.5"
GEMINI = "google/gemini-3-5-flash"
DEEPSEEK = "deepseek/deepseek-v4-flash"
OTHERS = (
    CLAUDE,
    GEMINI,
    DEEPSEEK,
    "deepseek/deepseek-r1",
    "alibaba/qwen3.7-max",
    "alibaba/qwen3-32b",
    "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    "mistralai/mistral-large-2512",
)
GPT = (  # one of each kind of row
    "openai/gpt-5-2025-08-07",
    "openai/gpt-5-1",
    "openai/gpt-5-3-codex",
    "openai/gpt-5-4",
    "openai/gpt-5-4-pro",
    "openai/gpt-5.4-mini",
    "openai/gpt-5-5",
    "openai/gpt-5.6-sol",
    "openai/gpt-latest",
)
RED = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8Bw"
    "HwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)

every = pytest.mark.parametrize("model", [*GPT, *OTHERS])
others = pytest.mark.parametrize("model", OTHERS)


class City(BaseModel):
    """A city."""

    name: str
    people: int


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Rain in {city}."


@every
def test_tools_go_round(model: str, chat: Make, emu: Emulator) -> None:
    """One call, its result, an answer that uses it; at the endpoint that serves the model."""
    llm = chat(model=model).bind_tools([weather])
    question = HumanMessage("What is the weather in Paris?")
    first = llm.invoke([question])
    (call,) = first.tool_calls
    assert call["name"] == "weather"
    result = ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])
    last = llm.invoke([question, first, result])
    assert "Rain in" in last.text
    info = model_info(model)
    assert info is not None
    path = "/v1/responses" if info.endpoints[0] == "responses" else "/v1/chat/completions"
    assert [request.path for request in emu.requests] == [path] * 2


@every
def test_a_stream_is_the_answer(model: str, chat: Make) -> None:
    llm = chat(model=model, max_tokens=200)
    whole = llm.invoke("Say hello to Łódź")
    chunks = list(llm.stream("Say hello to Łódź"))
    assert "".join(chunk.text for chunk in chunks) == whole.text
    assert whole.usage_metadata


@every
def test_structured_output_is_what_the_model_is_documented_to_take(
    model: str, chat: Make, emu: Emulator
) -> None:
    """A schema where it takes one, else the arguments of a forced call."""
    city = chat(model=model).with_structured_output(City).invoke("name: Paris, people: 7")
    assert city == City(name="Paris", people=7)
    info, (request,) = model_info(model), emu.requests
    assert info is not None
    body = request.body
    assert isinstance(body, dict)
    by_schema = "response_format" in body or "text" in body
    assert by_schema is info.structured_output
    assert ("tools" in body) is not by_schema


@every
async def test_sync_and_async_give_the_same(model: str, chat: Make) -> None:
    llm = chat(model=model)
    whole = await llm.ainvoke("Say hello to Łódź")
    pieces = [chunk.text async for chunk in llm.astream("Say hello to Łódź")]
    assert "".join(pieces) == whole.text == llm.invoke("Say hello to Łódź").text
    made = llm.with_structured_output(City)
    assert await made.ainvoke("name: Paris, people: 7") == City(name="Paris", people=7)


@pytest.mark.parametrize(
    ("model", "endpoint"),
    [
        (name, endpoint)
        for name in GPT
        if (row := model_info(name))
        for endpoint in row.endpoints[1:]
    ],
)
def test_the_other_endpoint_of_a_model_serves_it_too(
    model: str, endpoint: Any, chat: Make, emu: Emulator
) -> None:
    llm = chat(model=model, endpoint=endpoint).bind_tools([weather])
    answer = llm.invoke("What is the weather in Paris?")
    assert [call["name"] for call in answer.tool_calls] == ["weather"]
    (request,) = emu.requests
    assert request.path == "/v1/responses"


@every
def test_an_agent_ends_with_an_object(model: str, chat: Make) -> None:
    """By a schema or by a call, which LangChain takes from the profile."""
    agent: Any = create_agent(chat(model=model), [weather], response_format=City)
    done = agent.invoke({"messages": [HumanMessage("name: Paris, people: 7. Weather in Paris?")]})
    assert isinstance(done["structured_response"], City)


def test_a_method_that_is_named_is_used(chat: Make, emu: Emulator) -> None:
    llm = chat(model="deepseek/deepseek-v4-flash")
    llm.with_structured_output(City, method="function_calling").invoke("name: Paris, people: 7")
    (request,) = emu.requests
    assert "tools" in request.body


def test_the_model_that_is_bound_says_the_method(chat: Make, emu: Emulator) -> None:
    llm = chat().bind(model=CLAUDE)
    made: Any = llm
    assert made.with_structured_output(City).invoke("name: Paris, people: 7").name == "Paris"
    (request,) = emu.requests
    assert request.body["model"] == CLAUDE
    assert "tools" in request.body


@pytest.mark.parametrize("include_raw", [False, True])
def test_the_model_that_is_given_with_the_schema_says_the_method(
    include_raw: bool, chat: Make, emu: Emulator
) -> None:
    llm = chat().with_structured_output(City, include_raw=include_raw, model=CLAUDE)
    made: Any = llm.invoke("name: Paris, people: 7")
    assert (made["parsed"] if include_raw else made) == City(name="Paris", people=7)
    (request,) = emu.requests
    assert request.body["model"] == CLAUDE
    assert "tools" in request.body


@pytest.mark.parametrize(
    "model", [name for name in OTHERS if (row := model_info(name)) and row.images]
)
def test_images_are_seen(model: str, chat: Make) -> None:
    part = {"type": "image", "url": RED}
    message = HumanMessage(content_blocks=[{"type": "text", "text": "What is this?"}, part])
    assert "image/png" in chat(model=model).invoke([message]).text


@pytest.mark.parametrize("is_streamed", [False, True])
def test_what_gemini_wants_back_with_a_call_is_sent_back(
    is_streamed: bool, chat: Make, emu: Emulator
) -> None:
    llm = chat(model=GEMINI).bind_tools([weather])
    question = HumanMessage("What is the weather in Paris?")
    answer: Any
    if is_streamed:
        first, *rest = llm.stream([question])
        answer = sum(rest, start=first)
    else:
        answer = llm.invoke([question])
    (call,) = answer.tool_calls
    emu.clear()
    llm.invoke([question, answer, ToolMessage("Rain.", tool_call_id=call["id"])])
    (request,) = emu.requests
    (sent,) = request.body["messages"][1]["tool_calls"]
    assert sent["extra_content"]["google"]["thought_signature"]


def test_reasoning_of_deepseek_is_a_block(chat: Make) -> None:
    answer = chat(model=DEEPSEEK, reasoning_effort="high").invoke("What is six times seven?")
    assert any(block["type"] == "reasoning" for block in answer.content_blocks)


def test_claudes_own_finish_reason_is_passed_on(chat: Make) -> None:
    assert chat(model=CLAUDE).invoke("Hello").response_metadata["finish_reason"] == "end_turn"


def test_the_profile_is_the_rows_for_every_listed_id() -> None:
    for model in listed_models():
        profile, info = ChatAIMLAPI(model=model, api_key="sk-test").profile, model_info(model)
        assert profile is not None, model
        assert info is not None, model
        assert profile.get("max_input_tokens") == info.input_limit, model
        assert profile.get("max_output_tokens") == info.max_output_tokens, model
        assert profile["image_inputs"] is bool(info.images), model
        assert profile["pdf_inputs"] is info.pdfs, model
        assert profile["tool_calling"] is info.tools, model
        assert profile["structured_output"] is info.structured_output, model
        assert profile["reasoning_output"] is bool(info.reasoning_efforts), model
        assert None not in profile.values(), model
        json.dumps(profile)


@pytest.mark.parametrize("model", ["openai/gpt-5-4-pro", *OTHERS])
def test_init_chat_model_makes_it(model: str, emu: Emulator, monkeypatch: Any) -> None:
    monkeypatch.setattr(base, "_BUILTIN_PROVIDERS", dict(base._BUILTIN_PROVIDERS))
    register()
    made: Any = init_chat_model(f"aimlapi:{model}", api_key="sk-test", base_url=emu.base_url)
    assert made.invoke("Hello").text
    assert made.profile["tool_calling"] is True
