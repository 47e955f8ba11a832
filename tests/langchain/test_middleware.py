"""Invalid tool calls in `create_agent`: the model is told, calls again, and nothing runs twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, create_react_agent
from langgraph.types import Command
from pydantic import BaseModel

from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI, invalid_tool_call_results
from langchain_aimlapi.errors import OutputTruncatedError
from langchain_aimlapi.middleware import InvalidToolCallMiddleware
from tests.langchain.calls import invoke, stream

Make = Callable[..., ChatAIMLAPI]

BROKEN = '{"city": Paris}'
# Each with what the model hears of it.
BROKEN_ARGUMENTS = {
    BROKEN: "Expecting value",
    '{"city": "Paris"': "Expecting ',' delimiter",
    '{"city": "Paris", "city": "Bern"}': "the name 'city' appears twice",
    '{"city": NaN}': "NaN is not a JSON number",
    '["Paris"]': "is an array",
    '"Paris"': "is a string",
    "{} {}": "Extra data",
    "\ufeff": "BOM",
}
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


def run(how: str, streaming: bool, agent: Any) -> list[Any]:
    """The messages of a run; `streaming` as LangGraph streams a model's tokens."""
    if streaming:
        values = stream(how, agent, QUESTION, stream_mode=["values", "messages"])
        return list([value for mode, value in values if mode == "values"][-1]["messages"])
    return list(invoke(how, agent, QUESTION)["messages"])


def scripted(emu: Emulator, arguments: Any) -> None:
    """A model that calls with these arguments first, and with good ones once it hears of them."""
    emu.when("the weather?", tool_call="weather", arguments=arguments)
    emu.when("was not run", tool_call="weather", arguments={"city": "Paris"})
    emu.when("sunny", text="It is sunny.")


def check_corrected(messages: list[Any], runs: list[str], why: str) -> None:
    assert runs == ["Paris"]
    (broken, said), whole = results(messages)
    assert broken == "error"
    assert said.startswith("weather was not run: The arguments are not a JSON object: ")
    assert why in said
    assert whole == ("success", "sunny in Paris")
    assert messages[-1].text == "It is sunny."


def sent_arguments(emu: Emulator) -> list[str]:
    """The arguments of the calls in the second request, as the service sees them."""
    body = emu.requests[1].body
    if "input" in body:
        items = [item for item in body["input"] if item.get("type") == "function_call"]
        return [item["arguments"] for item in items]
    calls = [call for message in body["messages"] for call in message.get("tool_calls") or ()]
    return [call["function"]["arguments"] for call in calls]


@pytest.mark.half("how", "streaming", "endpoint", "arguments")
@pytest.mark.parametrize("arguments", BROKEN_ARGUMENTS)
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("streaming", [False, True])
def test_the_model_hears_of_an_invalid_call_and_calls_again(
    how: str, endpoint: str, streaming: bool, arguments: str, emu: Emulator, chat: Make
) -> None:
    scripted(emu, arguments)
    agent, runs = agent_of(chat(endpoint=endpoint))
    check_corrected(run(how, streaming, agent), runs, BROKEN_ARGUMENTS[arguments])
    assert [request.problems for request in emu.requests] == [(), (), ()]
    assert sent_arguments(emu) == [arguments]  # the model's own text, also after a stream


@pytest.mark.parametrize("streaming", [False, True])
def test_a_structured_answer_by_tool_is_corrected_too(
    how: str, streaming: bool, emu: Emulator, chat: Make
) -> None:
    class Report(BaseModel):
        """A report."""

        city: str

    emu.when("the weather?", tool_call="Report", arguments=BROKEN)
    emu.when("was not run", tool_call="Report", arguments={"city": "Paris"})
    agent: Any = create_agent(
        chat(), [], middleware=[InvalidToolCallMiddleware()], response_format=ToolStrategy(Report)
    )
    if streaming:
        values = stream(how, agent, QUESTION, stream_mode=["values", "messages"])
        state = [value for mode, value in values if mode == "values"][-1]
    else:
        state = invoke(how, agent, QUESTION)
    assert state["structured_response"] == Report(city="Paris")


@pytest.mark.parametrize("streaming", [False, True])
def test_a_graph_without_create_agent_reports_invalid_calls(
    how: str, streaming: bool, emu: Emulator, chat: Make
) -> None:
    runs: list[str] = []

    @tool
    def weather(city: str) -> str:
        """The weather in a city."""
        runs.append(city)
        return f"sunny in {city}"

    model = chat().bind_tools([weather])

    def call_model(state: MessagesState) -> Any:
        return {"messages": [model.invoke(state["messages"])]}

    def report(state: MessagesState) -> Any:
        message = state["messages"][-1]
        return Command(
            update={"messages": invalid_tool_call_results(message)},
            goto=next_node(message),
        )

    def next_node(message: Any) -> str:
        if message.tool_calls:
            return "tools"
        return "model" if message.invalid_tool_calls else END

    graph = StateGraph(MessagesState)
    graph.add_node("model", call_model)
    graph.add_node("report", report, destinations=("model", "tools", END))
    graph.add_node("tools", ToolNode([weather]))
    graph.add_edge(START, "model")
    graph.add_edge("model", "report")
    graph.add_edge("tools", "model")
    scripted(emu, BROKEN)
    check_corrected(run(how, streaming, graph.compile()), runs, "Expecting value")


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
def test_langgraphs_own_agent_takes_it_as_its_hook(
    how: str, streaming: bool, emu: Emulator, chat: Make
) -> None:
    runs: list[str] = []

    @tool
    def weather(city: str) -> str:
        """The weather in a city."""
        runs.append(city)
        return f"sunny in {city}"

    def report(state: Any) -> Any:
        return {"messages": invalid_tool_call_results(state["messages"][-1])}

    agent: Any = create_react_agent(chat(), [weather], post_model_hook=report)
    scripted(emu, BROKEN)
    check_corrected(run(how, streaming, agent), runs, "Expecting value")


@pytest.mark.half("how", "streaming", "endpoint", "arguments")
@pytest.mark.parametrize("arguments", ["", " ", "\n", "null", "{}"])
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("streaming", [False, True])
def test_no_arguments_in_any_spelling_run_a_tool_without_parameters(
    how: str, endpoint: str, streaming: bool, arguments: str, emu: Emulator, chat: Make
) -> None:
    runs: list[str] = []

    @tool
    def now() -> str:
        """The time."""
        runs.append("now")
        return "noon"

    emu.when("the weather?", tool_call="now", arguments=arguments)
    emu.when("noon", text="It is noon.")
    agent: Any = create_agent(chat(endpoint=endpoint), [now])
    assert run(how, streaming, agent)[-1].text == "It is noon."
    assert runs == ["now"]


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
