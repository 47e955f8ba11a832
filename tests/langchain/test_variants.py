"""The same programs on every id and on both endpoints: only the id changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from pydantic import BaseModel

from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI, OutputRefusedError, OutputTruncatedError
from tests.langchain.calls import call, invoke, total
from tests.langchain.test_chat_models import facts

Make = Callable[..., ChatAIMLAPI]
VARIANTS = (
    {"model": "openai/gpt-5-2"},
    {"model": "openai/gpt-5-2", "endpoint": "responses"},
    {"model": "openai/gpt-5-2-chat-latest"},
    {"model": "openai/gpt-5-2-chat-latest", "endpoint": "responses"},
    {"model": "openai/gpt-5-2-pro"},
    {"model": "openai/gpt-5-2-codex"},
)


@tool
def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"sunny in {city}"


@tool
def get_time(city: str) -> str:
    """Get the time of a city."""
    return f"12:00 in {city}"


class Person(BaseModel):
    """A person."""

    name: str
    age: int


@pytest.fixture(params=VARIANTS, ids=lambda v: "-".join(v.values()).replace("openai/", ""))
def variant(request: pytest.FixtureRequest, emu: Emulator, chat: Make) -> Any:
    """Models of one variant; at the end no request of theirs was out of its schema."""

    def make(**arguments: Any) -> ChatAIMLAPI:
        return chat(**{**request.param, **arguments})

    yield make
    assert [seen.problems for seen in emu.requests if seen.problems] == []
    path = "/v1/responses" if make().endpoint == "responses" else None
    assert path is None or {seen.path for seen in emu.requests} == {path}


@pytest.mark.parametrize("streaming", [False, True])
def test_a_chain(how: str, streaming: bool, variant: Make) -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "be kind"), ("user", "say {word}")])
    chain = prompt | variant() | StrOutputParser()
    assert "héllo" in call(how, streaming, chain, {"word": "héllo"})


@pytest.mark.parametrize("response_format", [None, ProviderStrategy(Person), ToolStrategy(Person)])
def test_an_agent(how: str, response_format: Any, variant: Make) -> None:
    agent = create_agent(variant(), [get_weather, get_time], response_format=response_format)
    task = 'get_weather and get_time of city: Paris, then Person name: "Ann" age: 30'
    answer = invoke(how, agent, {"messages": [HumanMessage(task)]})
    results = [m.content for m in answer["messages"] if m.type == "tool"]
    assert {"sunny in Paris", "12:00 in Paris"} <= set(results)
    if response_format:
        assert answer["structured_response"] == Person(name="Ann", age=30)


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_structured_answer(how: str, method: Any, variant: Make) -> None:
    chain = variant().with_structured_output(Person, method=method)
    prompt = 'a person with name: "Ann" and age: 30'
    for streaming in (False, True):
        assert call(how, streaming, chain, prompt) == Person(name="Ann", age=30)


@pytest.mark.half("how", "variant", "prompt")
@pytest.mark.parametrize(
    "prompt",
    [
        "hi",
        "get_weather and get_time of city: Paris",
        '[[fault refusal="I will not"]] hi',
        '[[fault reasoning="let me see"]] get_time of city: Paris',
        "[[fault finish_reason=length]] get_time of city: Paris",
        "[[fault finish_reason=length]] say a few words",
    ],
)
def test_streamed_and_invoked_are_the_same(how: str, prompt: str, variant: Make) -> None:
    model = variant().bind_tools([get_weather, get_time])
    one, other = (facts(call(how, streaming, model, prompt)) for streaming in (False, True))
    for found in (one, other):
        found["invalid_tool_calls"] = [c["name"] for c in found["invalid_tool_calls"]]
        # Ids of items differ between two answers.
        for name in ("tool_call_extras", "reasoning_details"):
            found["additional_kwargs"].pop(name, None)
        texts = found["additional_kwargs"].pop("invalid_arguments", {})
        found["invalid_arguments"] = list(texts.values())
    assert one == other


@pytest.mark.parametrize(
    "delta", ["repeat", "no_index", "one_chunk", "interleaved", "placeholder_id"]
)
def test_deltas_of_every_form_give_both_calls(how: str, delta: str, variant: Make) -> None:
    model = variant().bind_tools([get_weather, get_time])
    task = "get_weather and get_time of city: Paris"
    message = call(how, True, model, f"[[fault tool_delta={delta}]] {task}")
    assert {c["name"]: c["args"] for c in message.tool_calls} == {
        "get_weather": {"city": "Paris"},
        "get_time": {"city": "Paris"},
    }
    assert message.invalid_tool_calls == []
    assert len({c["id"] for c in message.tool_calls}) == 2


@pytest.mark.parametrize("output_version", ["v0", "v1"])
def test_the_answer_can_be_sent_back(how: str, output_version: str, variant: Make) -> None:
    model = variant(output_version=output_version).bind_tools([get_weather])
    asked: list[Any] = [HumanMessage('[[fault reasoning="so" times=1]] get_weather of city: Paris')]
    first = total([call(how, True, model, asked)])
    history = [*asked, first, *(get_weather.invoke(c) for c in first.tool_calls)]
    assert "sunny in Paris" in invoke(how, model, history).text


def test_refused_and_cut_objects(variant: Make, emu: Emulator) -> None:
    chain = variant().with_structured_output(Person)
    emu.faults.append(Fault(refusal="no"))
    with pytest.raises(OutputRefusedError):
        chain.invoke("a person")
    emu.faults.append(Fault(finish_reason="length"))
    with pytest.raises(OutputTruncatedError):
        chain.invoke("a person")


def test_arguments_of_the_responses_endpoint(how: str, emu: Emulator, chat: Make) -> None:
    model = chat(
        model="openai/gpt-5-2",
        endpoint="responses",
        instructions="be kind",
        store=True,
        truncation="auto",
        include=["reasoning.encrypted_content"],
        reasoning={"effort": "low", "summary": "auto"},
        max_tokens=64,
    )
    first = invoke(how, model, "hi")
    body = emu.requests[-1].body
    assert {k: v for k, v in body.items() if k not in ("model", "input")} == {
        "instructions": "be kind",
        "store": True,
        "truncation": "auto",
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "low", "summary": "auto"},
        "max_output_tokens": 64,
    }
    invoke(how, model, "again", previous_response_id=first.response_metadata["id"])
    assert emu.requests[-1].body["previous_response_id"] == first.response_metadata["id"]


def test_reasoning_becomes_a_block(how: str, variant: Make) -> None:
    message = call(how, True, variant(), '[[fault reasoning="let me see"]] hi')
    blocks = message.content_blocks
    assert blocks[0] == {"type": "reasoning", "reasoning": "let me see"}
    assert blocks[1]["type"] == "text"


def test_builtin_tools_keep_their_results(how: str, emu: Emulator, chat: Make) -> None:
    model = chat(model="openai/gpt-5-2-pro").bind_tools([{"type": "web_search_preview"}])
    for streaming in (False, True):
        message = call(how, streaming, model, "search the web for cats")
        assert emu.requests[-1].body["tools"] == [{"type": "web_search_preview"}]
        assert message.text


DETAILS = [{"type": "reasoning.encrypted", "data": "abc", "id": "rs_1", "index": 0}]
FUNCTION = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
ON_CHAT = {
    "id": "x",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "reasoning": "so",
                "reasoning_details": DETAILS,
                "tool_calls": [{"id": "c1", "type": "function", "function": FUNCTION}],
            },
        }
    ],
}
ITEM = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "abc"}
ON_RESPONSES = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "output": [ITEM, {"type": "function_call", "id": "fc_1", "call_id": "c1", **FUNCTION}],
}


@pytest.mark.parametrize(
    ("model_id", "answer", "echoed"),
    [
        ("openai/gpt-5.2-pro", ON_CHAT, None),
        ("openai/gpt-5-2-codex", ON_RESPONSES, '"encrypted_content": "abc"'),
        ("openai/gpt-5-2-pro", ON_RESPONSES, None),
    ],
)
@pytest.mark.parametrize("streaming", [False, True])
def test_reasoning_goes_back_where_it_is_taken(
    how: str, streaming: bool, model_id: str, answer: Any, echoed: str | None,
    emu: Emulator, chat: Make,
) -> None:  # fmt: skip
    model = chat(model=model_id).bind_tools([get_weather])
    emu.enqueue_response(answer)
    asked: list[Any] = [HumanMessage("get_weather of city: Paris")]
    first = total([call(how, streaming, model, asked)])
    invoke(how, model, [*asked, first, *(get_weather.invoke(c) for c in first.tool_calls)])
    sent = json.dumps(emu.requests[-1].body)
    assert "abc" in json.dumps(first.additional_kwargs)
    assert ("abc" in sent) is (echoed is not None)
    assert echoed is None or echoed in sent
    assert emu.requests[-1].problems == ()
