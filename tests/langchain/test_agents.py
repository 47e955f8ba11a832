"""`create_agent` over the emulator: tools in parallel, both strategies of structured output."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import StructuredTool, tool
from pydantic import BaseModel

from aimlapi_core._history.names import wire_tool_name
from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI
from tests.langchain.calls import invoke, stream

Make = Callable[..., ChatAIMLAPI]


@tool
def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"sunny in {city}"


@tool
def get_time(city: str) -> str:
    """Get the time of a city."""
    return f"12:00 in {city}"


class Report(BaseModel):
    """A report of a city."""

    city: str
    weather: str
    note: str = "none"


TASK = "get_weather and get_time of city: Paris"


def ask(text: str) -> dict[str, Any]:
    return {"messages": [HumanMessage(text)]}


def test_two_tools_in_parallel(how: str, emu: Emulator, chat: Make) -> None:
    agent = create_agent(chat(), [get_weather, get_time])
    messages = invoke(how, agent, ask(TASK))["messages"]
    first = messages[1]
    assert isinstance(first, AIMessage)
    assert sorted(call["name"] for call in first.tool_calls) == ["get_time", "get_weather"]
    assert len([m for m in messages if isinstance(m, ToolMessage)]) == 2
    assert "sunny in Paris" in messages[-1].text
    assert "12:00 in Paris" in messages[-1].text
    assert [seen.problems for seen in emu.requests] == [(), ()]


@pytest.mark.parametrize("name", ["files.read", "files/read a file", "x" * 80])
@pytest.mark.parametrize("model", ["openai/gpt-5-2", "openai/gpt-5-2-pro"])
@pytest.mark.parametrize("mode", ["updates", "messages"])
def test_a_tool_with_an_odd_name_is_run(
    mode: str, model: str, name: str, how: str, emu: Emulator, chat: Make
) -> None:
    """As MCP servers name them; the API takes neither dots nor more than 64 characters."""
    runs: list[str] = []

    def read(path: str) -> str:
        runs.append(path)
        return "the file's text"

    odd = StructuredTool.from_function(read, name=name, description="Reads a file.")
    emu.when("read it", tool_call=wire_tool_name(name), arguments={"path": "/a"})
    stream(how, create_agent(chat(model=model), [odd]), ask("read it"), stream_mode=mode)
    assert runs == ["/a"]
    assert [seen.problems for seen in emu.requests] == [(), ()]


@pytest.mark.parametrize("strategy", [ProviderStrategy, ToolStrategy, None])
@pytest.mark.parametrize("tools", [[], [get_weather]])
def test_structured_responses(
    how: str, strategy: Any, tools: list[Any], emu: Emulator, chat: Make
) -> None:
    response_format: Any = strategy(Report) if strategy else Report
    agent = create_agent(chat(), tools, response_format=response_format)
    answer = invoke(how, agent, ask("get_weather of city: Paris, then Report with weather: sunny"))
    assert isinstance(answer["structured_response"], Report)
    assert [seen.problems for seen in emu.requests if seen.problems] == []


def test_the_profile_chooses_the_provider_strategy(emu: Emulator, chat: Make) -> None:
    invoke("sync", create_agent(chat(), [], response_format=Report), ask("Report of city: Paris"))
    assert "response_format" in emu.requests[0].body


def test_a_cut_call_is_reported_to_the_model(emu: Emulator, chat: Make) -> None:
    emu.faults.append(Fault(finish_reason="length"))
    agent = create_agent(chat(), [get_weather])
    messages = invoke("sync", agent, ask("get_weather of city: Paris"))["messages"]
    assert messages[1].invalid_tool_calls
    assert not any(isinstance(m, ToolMessage) and m.status != "error" for m in messages)


NESTED = json.dumps({"orders": [{"name": "a", "ids": list(range(40))}]})


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("reason", ["length", "tool_calls"])
@pytest.mark.parametrize("mode", ["messages", "updates", "values"])
def test_a_truncated_call_is_not_run(
    how: str, endpoint: str, reason: str, mode: str, emu: Emulator, chat: Make
) -> None:
    runs: list[Any] = []

    @tool
    def place(orders: list[Any]) -> str:
        """Place orders."""
        runs.append(orders)
        return "placed"

    if reason == "length":
        emu.faults.append(Fault(finish_reason="length"))  # cuts the arguments in the middle
    emu.when("buy", tool_call="place", arguments=NESTED if reason == "length" else NESTED[:40])
    agent = create_agent(chat(endpoint=endpoint), [place])
    pieces = stream(how, agent, ask("buy two"), stream_mode=mode)
    assert runs == []
    assert any("place" in str(piece) for piece in pieces)


@pytest.mark.half("arguments", "version", "output_version", "endpoint")
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
@pytest.mark.parametrize("arguments", [NESTED[:40], '{"orders": [NaN]}', "[]"])
@pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning")
@pytest.mark.filterwarnings("ignore:astream_events version")
async def test_no_stream_of_events_runs_an_invalid_call(
    arguments: str, version: Any, output_version: str, endpoint: str, emu: Emulator, chat: Make
) -> None:
    runs: list[Any] = []

    @tool
    def place(orders: list[Any]) -> str:
        """Place orders."""
        runs.append(orders)
        return "placed"

    emu.when("buy", tool_call="place", arguments=arguments)
    agent: Any = create_agent(chat(endpoint=endpoint, output_version=output_version), [place])
    events = agent.astream_events(ask("buy two"), version=version)
    stream = await events if version == "v3" else events
    assert [event async for event in stream]
    assert runs == []


def test_token_streams_of_an_agent_carry_usage(how: str, chat: Make) -> None:
    agent: Any = create_agent(chat(), [get_weather])

    def usages(pairs: list[Any]) -> list[Any]:
        chunks = [chunk for chunk, _ in pairs if isinstance(chunk, AIMessageChunk)]
        assert len(chunks) > 2
        return [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]

    async def collect() -> list[Any]:
        stream = agent.astream(ask("get_weather of city: Paris"), stream_mode="messages")
        return [pair async for pair in stream]

    if how == "sync":
        pairs = list(agent.stream(ask("get_weather of city: Paris"), stream_mode="messages"))
    else:
        pairs = asyncio.run(collect())
    assert len(usages(pairs)) == 2
