"""Invalid tool calls in `create_agent`: the model is told, calls again, and nothing runs twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool

from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI
from langchain_aimlapi.errors import OutputTruncatedError
from langchain_aimlapi.middleware import InvalidToolCallMiddleware
from tests.langchain.calls import invoke, stream

Make = Callable[..., ChatAIMLAPI]

BROKEN = '{"city": Paris}'
QUESTION = {"messages": [("user", "the weather?")]}


def agent_of(model: ChatAIMLAPI) -> tuple[Any, list[str]]:
    """An agent with the middleware, and the cities that its tool was run for."""
    runs: list[str] = []

    @tool
    def weather(city: str) -> str:
        """The weather in a city."""
        runs.append(city)
        return f"sunny in {city}"

    return create_agent(model, [weather], middleware=[InvalidToolCallMiddleware()]), runs


def results(messages: list[Any]) -> list[tuple[str, str]]:
    return [(m.status, str(m.content)) for m in messages if isinstance(m, ToolMessage)]


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("streaming", [False, True])
def test_the_model_hears_of_an_invalid_call_and_calls_again(
    how: str, endpoint: str, streaming: bool, emu: Emulator, chat: Make
) -> None:
    emu.when("the weather?", tool_call="weather", arguments=BROKEN)
    emu.when("was not run", tool_call="weather", arguments={"city": "Paris"})
    emu.when("sunny", text="It is sunny.")
    agent, runs = agent_of(chat(endpoint=endpoint))
    if streaming:
        values = stream(how, agent, QUESTION, stream_mode=["values", "messages"])
        messages = [value for mode, value in values if mode == "values"][-1]["messages"]
    else:
        messages = invoke(how, agent, QUESTION)["messages"]
    assert runs == ["Paris"]
    (broken, said), whole = results(messages)
    assert broken == "error"
    assert said.startswith("weather was not run: The arguments are not a JSON object")
    assert whole == ("success", "sunny in Paris")
    assert messages[-1].text == "It is sunny."
    assert [request.problems for request in emu.requests] == [(), (), ()]


def test_valid_calls_beside_an_invalid_one_run_once(how: str, emu: Emulator, chat: Make) -> None:
    calls: list[tuple[str, Any]] = [("weather", {"city": "Bern"}), ("weather", BROKEN)]
    emu.when("the weather?", tool_calls=calls)
    emu.when("sunny", text="Done.")
    agent, runs = agent_of(chat())
    messages = invoke(how, agent, QUESTION)["messages"]
    assert runs == ["Bern"]
    assert sorted(status for status, _ in results(messages)) == ["error", "success"]
    assert messages[-1].text == "Done."


@pytest.mark.parametrize("most", [0, 1, 2])
def test_it_gives_up(how: str, most: int, emu: Emulator, chat: Make) -> None:
    emu.when("weather", tool_call="first", arguments=BROKEN)
    emu.when("first was not run", tool_call="second", arguments=BROKEN)
    emu.when("second was not run", tool_call="third", arguments=BROKEN)
    tools = [{"name": name, "description": name} for name in ("first", "second", "third")]
    middleware = [InvalidToolCallMiddleware(max_attempts=most)]
    agent: Any = create_agent(chat(), tools, middleware=middleware)
    messages = invoke(how, agent, QUESTION)["messages"]
    assert len(emu.requests) == most + 1
    assert isinstance(messages[-1], AIMessage)
    assert messages[-1].invalid_tool_calls


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_truncated_call_is_an_error(how: str, reason: str, emu: Emulator, chat: Make) -> None:
    emu.faults.append(Fault(finish_reason=reason))
    emu.when("weather", tool_call="weather", arguments={"city": "Paris"})
    agent, runs = agent_of(chat())
    with pytest.raises(OutputTruncatedError, match=reason):
        invoke(how, agent, QUESTION)
    assert runs == []
    assert len(emu.requests) == 1
