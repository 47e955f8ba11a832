"""LlamaIndex's agents over the model: tool loops, hand-over, streams, cut calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.agent.workflow import (
    AgentStream,
    AgentWorkflow,
    FunctionAgent,
    ReActAgent,
    ToolCallResult,
)
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context
from pydantic import BaseModel

from aimlapi_emulator import Emulator, Fault
from llama_index_aimlapi import AIMLAPI, InvalidToolCallError
from tests.llama_index.test_request_messages import PNG, PNG_URL
from tests.llama_index.ways import SETUPS

Make = Callable[..., AIMLAPI]
# LlamaIndex's own: its workflow looks at every attribute of an agent, and cannot write a memory
# object to JSON.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Skipping serialization"),
    pytest.mark.filterwarnings("ignore:is_running called:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211"),
]
STREAMING = pytest.mark.parametrize("streaming", [True, False])


def buffer() -> ChatMemoryBuffer:
    """Not LlamaIndex's default memory, which leaves its SQLite connections open."""
    return ChatMemoryBuffer.from_defaults(token_limit=10_000)


def start(agent: Any, text: str) -> Any:
    """The running agent."""
    return agent.run(text, memory=buffer())


def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"It is sunny in {city}."


@STREAMING
@pytest.mark.parametrize("setup", SETUPS)
async def test_function_agent_uses_its_tool(
    make: Make, emu: Emulator, setup: str, streaming: bool
) -> None:
    agent = FunctionAgent(tools=[multiply], llm=make(**SETUPS[setup]), streaming=streaming)
    answer = await start(agent, "Use multiply to multiply 6 by 7.")
    assert "42" in str(answer)
    assert len(emu.requests) == 2
    assert all(seen.problems == () for seen in emu.requests)


@STREAMING
async def test_function_agent_calls_tools_in_parallel(
    make: Make, emu: Emulator, streaming: bool
) -> None:
    agent = FunctionAgent(tools=[multiply, weather], llm=make(), streaming=streaming)
    handler = start(agent, "Use multiply to multiply 6 by 7 and use weather for the city Paris.")
    results = [e async for e in handler.stream_events() if isinstance(e, ToolCallResult)]
    answer = str(await handler)
    assert sorted(r.tool_name for r in results) == ["multiply", "weather"]
    assert "42" in answer
    assert "sunny" in answer
    assert len(emu.requests) == 2
    assert emu.requests[0].body["parallel_tool_calls"] is True


async def test_function_agent_streams_text_and_thinking(make: Make, emu: Emulator) -> None:
    emu.faults.append(Fault(reasoning="Let me think."))
    handler = start(FunctionAgent(tools=[weather], llm=make()), "Say hello to everyone.")
    events = [e async for e in handler.stream_events() if isinstance(e, AgentStream)]
    answer = str(await handler)
    assert "".join(e.delta for e in events) == answer == events[-1].response
    assert "".join(e.thinking_delta or "" for e in events) == "Let me think."
    raw = events[-1].raw
    assert isinstance(raw, dict)
    assert raw["usage"]["total_tokens"] > 0


@STREAMING
async def test_a_call_cut_by_length_stops_the_agent(
    make: Make, emu: Emulator, streaming: bool
) -> None:
    ran: list[Any] = []

    def note(text: str) -> str:
        """Note a text."""
        ran.append(text)
        return "noted"

    emu.faults.append(Fault(finish_reason="length"))
    agent = FunctionAgent(tools=[note], llm=make(), streaming=streaming)
    with pytest.raises(InvalidToolCallError, match="Raise max_tokens"):
        await start(agent, "Use note for the text 'buy milk and bread'.")
    assert ran == []


@STREAMING
async def test_initial_tool_choice_forces_the_tool(
    make: Make, emu: Emulator, streaming: bool
) -> None:
    agent = FunctionAgent(
        tools=[weather, multiply], llm=make(), streaming=streaming, initial_tool_choice="weather"
    )
    await start(agent, "Paris")
    choice = emu.requests[0].body["tool_choice"]
    assert choice == {"type": "function", "function": {"name": "weather"}}
    assert "tool_choice" not in emu.requests[1].body


@STREAMING
async def test_return_direct_and_a_second_turn(make: Make, emu: Emulator, streaming: bool) -> None:
    direct = FunctionTool.from_defaults(multiply, return_direct=True)
    agent = FunctionAgent(tools=[direct], llm=make(), streaming=streaming)
    context = Context(agent)
    memory = buffer()
    first = await agent.run("Use multiply to multiply 6 by 7.", ctx=context, memory=memory)
    assert str(first) == "42"
    await agent.run("Say hello.", ctx=context, memory=memory)
    assert emu.requests[-1].problems == ()
    roles = [message["role"] for message in emu.requests[-1].body["messages"]]
    assert roles[-1] == "user"
    assert not any(
        "tool_call_id" in m for m in emu.requests[-1].body["messages"] if m["role"] != "tool"
    )


@STREAMING
async def test_a_tool_with_an_odd_name_is_found(make: Make, streaming: bool) -> None:
    tool = FunctionTool.from_defaults(multiply, name="multiply[int]")
    agent = FunctionAgent(
        tools=[tool], llm=make(), streaming=streaming, initial_tool_choice="multiply[int]"
    )
    assert "42" in str(await start(agent, "6 times 7"))


async def test_an_image_of_a_tool_result_reaches_the_model(make: Make, emu: Emulator) -> None:
    def chart(topic: str) -> list[Any]:
        """Draw a chart of a topic."""
        return [TextBlock(text="The chart."), ImageBlock(image=PNG)]

    await start(FunctionAgent(tools=[chart], llm=make()), "Use chart for the topic sales.")
    tool, user = emu.requests[-1].body["messages"][-2:]
    assert (tool["role"], tool["content"]) == ("tool", "The chart.")
    assert user["content"][-1]["image_url"]["url"] == PNG_URL


@pytest.mark.parametrize("setup", SETUPS)
async def test_an_image_of_a_tool_ends_no_run(make: Make, emu: Emulator, setup: str) -> None:
    """`openai/gpt-5-2` takes no image on the endpoint of responses."""

    def chart(topic: str) -> list[Any]:
        """Draw a chart of a topic."""
        return [TextBlock(text="The chart."), ImageBlock(image=PNG)]

    llm = make(**SETUPS[setup])
    assert str(await start(FunctionAgent(tools=[chart], llm=llm), "Use chart for the topic sales."))
    body = str(emu.requests[-1].body)
    assert (PNG_URL in body) is ("which this model cannot see" not in body)
    assert emu.requests[-1].problems == ()


@STREAMING
@pytest.mark.parametrize("setup", SETUPS)
async def test_react_agent_uses_its_tool(
    make: Make, emu: Emulator, setup: str, streaming: bool
) -> None:
    agent = ReActAgent(tools=[multiply], llm=make(**SETUPS[setup]), streaming=streaming)
    answer = await start(agent, "Use multiply to multiply 6 by 7.")
    assert "42" in str(answer)
    assert all("tools" not in seen.body for seen in emu.requests)


@STREAMING
@pytest.mark.parametrize("setup", SETUPS)
async def test_agent_workflow_hands_over(
    make: Make, emu: Emulator, setup: str, streaming: bool
) -> None:
    llm = make(**SETUPS[setup])
    first = FunctionAgent(
        name="greeter",
        description="Greets.",
        tools=[],
        llm=llm,
        can_handoff_to=["mathematician"],
        initial_tool_choice="handoff",
        streaming=streaming,
    )
    second = FunctionAgent(
        name="mathematician",
        description="Multiplies numbers.",
        tools=[multiply],
        llm=llm,
        streaming=streaming,
    )
    workflow = AgentWorkflow(agents=[first, second], root_agent="greeter")
    handler = start(workflow, "Use multiply to multiply 6 by 7. to_agent: mathematician")
    results = [e async for e in handler.stream_events() if isinstance(e, ToolCallResult)]
    assert [r.tool_name for r in results] == ["handoff", "multiply"]
    assert "42" in str(await handler)
    assert all(seen.problems == () for seen in emu.requests)


async def test_agent_with_structured_output(make: Make) -> None:
    class Product(BaseModel):
        value: int

    agent = FunctionAgent(tools=[multiply], llm=make(), output_cls=Product)
    answer = await start(agent, "Use multiply to multiply 6 by 7.")
    assert isinstance(answer.get_pydantic_model(Product), Product)


async def test_history_with_calls_survives_a_round_trip_through_json(
    make: Make, emu: Emulator
) -> None:
    llm = make()
    tool = FunctionTool.from_defaults(multiply)
    question = ChatMessage(content="Use multiply to multiply 6 by 7.")
    asked = llm.chat_with_tools([tool], chat_history=[question])
    restored = ChatMessage.model_validate_json(asked.message.model_dump_json())
    assert restored == asked.message
    call_id = llm.get_tool_calls_from_response(asked)[0].tool_id
    result = ChatMessage(role="tool", content="42", additional_kwargs={"tool_call_id": call_id})
    llm.chat_with_tools([tool], chat_history=[question, restored, result])
    assert emu.requests[-1].problems == ()
