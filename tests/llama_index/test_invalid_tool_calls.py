"""Tool calls that are no JSON object: nothing is run, and the model of an agent calls again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.agent.workflow import (
    AgentWorkflow,
    FunctionAgent,
    ToolCallResult,
)
from llama_index.core.llms import ChatMessage, MessageRole
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from aimlapi_emulator import Emulator, Fault
from llama_index_aimlapi import AIMLAPI, InvalidToolCallError
from llama_index_aimlapi._request.messages import to_messages
from tests.llama_index.ways import last

Make = Callable[..., AIMLAPI]
# LlamaIndex's own, as in test_agents.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Skipping serialization"),
    pytest.mark.filterwarnings("ignore:is_running called:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211"),
]
BROKEN = '{"city": Paris}'
# Each with what the model hears of it.
BROKEN_ARGUMENTS = {
    BROKEN: "Expecting value",
    '{"city": "Paris"': "Expecting ',' delimiter",
    '{"city": "Paris", "city": "Bern"}': "the name 'city' appears twice",
    '{"city": NaN}': "NaN is not a JSON number",
    '["Paris"]': "is an array",
    "{} {}": "Extra data",
    "\ufeff": "BOM",
    '"{\\"city\\": \\"Paris\\"}"': "is a string",
}


class WeatherArguments(BaseModel):
    city: str = "here"


def tool_of(runs: list[Any]) -> FunctionTool:
    def weather(city: str = "here", **more: Any) -> str:
        """The weather in a city."""
        runs.append((city, more))
        return f"sunny in {city}"

    # The function would take any arguments; older versions require what `**more` is called.
    return FunctionTool.from_defaults(weather, fn_schema=WeatherArguments)


def agent_of(kind: str, llm: AIMLAPI, tool: FunctionTool, streaming: bool) -> Any:
    agent = FunctionAgent(tools=[tool], llm=llm, streaming=streaming)
    return agent if kind == "FunctionAgent" else AgentWorkflow(agents=[agent])


def sent_results(emu: Emulator) -> list[str]:
    """The tool results of the last request."""
    body = emu.requests[-1].body
    if "input" in body:
        outputs = [i for i in body["input"] if i.get("type") == "function_call_output"]
        return [output["output"] for output in outputs]
    return [m["content"] for m in body["messages"] if m["role"] == "tool"]


async def run(agent: Any, text: str, memory: Any = None) -> tuple[str, list[ToolCallResult]]:
    handler = agent.run(text, memory=memory or ChatMemoryBuffer.from_defaults(token_limit=10_000))
    results = [e async for e in handler.stream_events() if isinstance(e, ToolCallResult)]
    return str(await handler), results


@pytest.mark.half("kind", "streaming", "endpoint", "arguments")
@pytest.mark.parametrize("arguments", BROKEN_ARGUMENTS)
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("kind", ["FunctionAgent", "AgentWorkflow"])
async def test_an_agents_model_hears_of_an_invalid_call_and_calls_again(
    make: Make, emu: Emulator, kind: str, streaming: bool, endpoint: str, arguments: str
) -> None:
    emu.when("the weather?", tool_call="weather", arguments=arguments)
    emu.when("was not run", tool_call="weather", arguments={"city": "Paris"})
    emu.when("sunny", text="It is sunny.")
    runs: list[Any] = []
    memory = ChatMemoryBuffer.from_defaults(token_limit=10_000)
    agent = agent_of(kind, make(endpoint=endpoint), tool_of(runs), streaming)
    answer, results = await run(agent, "the weather?", memory)
    assert runs == [("Paris", {})]
    assert answer == "It is sunny."
    why = BROKEN_ARGUMENTS[arguments]
    assert results[0].tool_name.startswith("weather (not run: The arguments are not a JSON object")
    assert why in results[0].tool_name
    assert [result.tool_output.is_error for result in results] == [True, False]
    said, whole = sent_results(emu)
    assert said.startswith("weather was not run: The arguments are not a JSON object: ")
    assert why in said
    assert said.endswith("Call it again with arguments that are one JSON object.")
    assert whole == "sunny in Paris"
    assert [request.problems for request in emu.requests] == [(), (), ()]
    # What the memory keeps is sent the same way in a later turn.
    emu.when("thanks", text="You are welcome.")
    assert (await run(agent, "thanks", memory))[0] == "You are welcome."
    assert sent_results(emu) == [said, whole]


@pytest.mark.parametrize("streaming", [True, False])
async def test_valid_calls_beside_an_invalid_one_are_run(
    make: Make, emu: Emulator, streaming: bool
) -> None:
    calls: list[tuple[str, Any]] = [("weather", BROKEN), ("weather", {"city": "Bern"})]
    emu.when("the weather?", tool_calls=calls)
    emu.when("sunny", text="Done.")
    runs: list[Any] = []
    agent = agent_of("FunctionAgent", make(), tool_of(runs), streaming)
    assert (await run(agent, "the weather?"))[0] == "Done."
    assert runs == [("Bern", {})]


@pytest.mark.half("streaming", "endpoint", "arguments")
@pytest.mark.parametrize("arguments", ["", " ", "\n", "null", "{}"])
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("streaming", [True, False])
async def test_no_arguments_in_any_spelling_run_a_tool_without_parameters(
    make: Make, emu: Emulator, streaming: bool, endpoint: str, arguments: str
) -> None:
    def now() -> str:
        """The time."""
        return "noon"

    emu.when("the time?", tool_call="now", arguments=arguments)
    emu.when("noon", text="It is noon.")
    tool = FunctionTool.from_defaults(now)
    agent = agent_of("FunctionAgent", make(endpoint=endpoint), tool, streaming)
    assert (await run(agent, "the time?"))[0] == "It is noon."


@pytest.mark.parametrize("reason", ["length", "content_filter"])
@pytest.mark.parametrize("streaming", [True, False])
async def test_a_truncated_call_ends_the_agent(
    make: Make, emu: Emulator, streaming: bool, reason: str
) -> None:
    emu.faults.append(Fault(finish_reason=reason))
    emu.when("the weather?", tool_call="weather", arguments={"city": "Paris"})
    runs: list[Any] = []
    agent = agent_of("FunctionAgent", make(), tool_of(runs), streaming)
    with pytest.raises(InvalidToolCallError, match=reason):
        await run(agent, "the weather?")
    assert runs == []


@pytest.mark.parametrize("need_one", [True, False])
@pytest.mark.parametrize("way", ["predict_and_call", "apredict_and_call"])
async def test_without_an_agent_an_invalid_call_is_an_error(
    make: Make, emu: Emulator, way: str, need_one: bool
) -> None:
    emu.when("the weather?", tool_call="weather", arguments=BROKEN)
    runs: list[Any] = []
    options = {"user_msg": "the weather?", "error_on_no_tool_call": need_one}
    with pytest.raises(InvalidToolCallError, match=r"was not run.*use an agent") as caught:
        await last(make(), way, [tool_of(runs)], **options)
    assert caught.value.body == BROKEN
    assert runs == []


async def test_predict_and_call_without_a_call_gives_the_text(make: Make, emu: Emulator) -> None:
    emu.when("hello", text="Hello!")
    tools = [tool_of([])]
    answer = make().predict_and_call(tools, user_msg="hello", error_on_no_tool_call=False)
    assert str(answer) == "Hello!"


@pytest.mark.parametrize(
    "result",
    ["Tool weather not found. Please select a tool that is available.", "It was (not run: rain)"],
)
def test_other_results_are_sent_as_they_are(result: str) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    history = [
        ChatMessage(
            role=MessageRole.ASSISTANT, content="", additional_kwargs={"tool_calls": [call]}
        ),
        ChatMessage(role="tool", content=result, additional_kwargs={"tool_call_id": "c1"}),
    ]
    (part,) = to_messages(history)[-1].parts
    assert part.text == result  # type: ignore[union-attr]
