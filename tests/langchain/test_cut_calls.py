"""A tool call that was cut is never run, in whatever way an agent or a model is called."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool

from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI
from tests.langchain.calls import call, events

Make = Callable[..., ChatAIMLAPI]
models = pytest.mark.parametrize("model", ["openai/gpt-5-2", "openai/gpt-5-2-pro"])
versions = pytest.mark.parametrize("version", ["v0", "v1"])
REASON = "length"
PLACEHOLDERS = ["", " ", "{}", "null", "{ } {"]
WHOLE = {"to": "bob", "meta": {"x": "y"}, "rows": [{"a": [1, 2]}], "amount": 100}
STATE: Any = {"messages": [("user", "pay bob")]}


async def _all(pieces: Any) -> list[Any]:
    return [piece async for piece in pieces]


def stream(mode: Any) -> Callable[[Any], Any]:
    return lambda agent: list(agent.stream(STATE, stream_mode=mode))


def astream(mode: Any) -> Callable[[Any], Any]:
    return lambda agent: asyncio.run(_all(agent.astream(STATE, stream_mode=mode)))


WAYS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda agent: agent.invoke(STATE),
    "ainvoke": lambda agent: asyncio.run(agent.ainvoke(STATE)),
    "values": stream("values"),
    "updates": stream("updates"),
    "messages": stream("messages"),
    "messages, async": astream("messages"),
    "several": stream(["values", "messages", "debug"]),
    "events": lambda agent: asyncio.run(_all(agent.astream_events(STATE, version="v2"))),
}


@models
@versions
@pytest.mark.parametrize("way", WAYS)
def test_an_agent_runs_no_call_that_was_cut(
    way: str, version: str, model: str, chat: Make, emu: Emulator
) -> None:
    runs: list[Any] = []

    @tool
    def pay(to: str = "", amount: int = 0, meta: Any = None, rows: Any = None) -> str:
        """Pay."""
        runs.append((to, amount))
        return "paid"

    emu.faults.append(Fault(finish_reason=REASON))
    emu.when("pay", tool_call="pay", arguments=json.dumps(WHOLE))
    WAYS[way](create_agent(chat(model=model, output_version=version), [pay]))
    assert runs == []
    assert len(emu.requests) == 1


@models
@versions
@pytest.mark.parametrize("way", ["whole", "stream", "v3"])
def test_a_models_call_that_was_cut_is_invalid_and_says_why(
    way: str, version: str, model: str, how: str, chat: Make, emu: Emulator
) -> None:
    emu.faults.append(Fault(finish_reason=REASON))
    emu.when("pay", tool_call="pay", arguments=json.dumps(WHOLE))
    bound = chat(model=model, output_version=version).bind_tools([{"name": "pay"}])
    if way == "v3":
        _, message = events(how, bound, "pay bob")
    else:
        message = call(how, way == "stream", bound, "pay bob")
    assert message.tool_calls == []
    (invalid,) = message.invalid_tool_calls
    assert invalid["name"] == "pay"
    assert message.response_metadata["finish_reason"] == REASON


@models
@pytest.mark.parametrize("arguments", PLACEHOLDERS)
@pytest.mark.parametrize("way", ["invoke", "messages", "events"])
def test_what_servers_send_before_the_arguments_runs_nothing_in_a_cut_answer(
    way: str, arguments: str, model: str, chat: Make, emu: Emulator
) -> None:
    """`{}` and null come before the object too: a cut answer may have ended in between."""
    runs: list[Any] = []

    @tool
    def pay(amount: int = 1_000) -> str:
        """Pay."""
        runs.append(amount)
        return "paid"

    emu.when("pay", tool_call="pay", arguments=lambda _: arguments * 2)
    emu.faults.append(Fault(finish_reason=REASON))  # it keeps the first half
    WAYS[way](create_agent(chat(model=model), [pay]))
    assert runs == []
    assert len(emu.requests) == 1
