"""Tools against the emulator: offers, choices, calls there and back, broken ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool

from aimlapi_core import (
    UnexpectedReplyError,
)
from aimlapi_emulator import Emulator, Fault
from llama_index_aimlapi import AIMLAPI
from tests.llama_index.ways import SETUPS, WITH_TOOLS, last

Make = Callable[..., AIMLAPI]
HELLO = [ChatMessage(content="Hello 你好")]


def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


TOOL = FunctionTool.from_defaults(multiply)


PRODUCT = [ChatMessage(content="Use multiply to multiply 6 by 7.")]


def without_ids(response: Any) -> Any:
    """The tool calls of a response without their ids."""
    calls = response.message.additional_kwargs["tool_calls"]
    return [call["function"] for call in calls], response.additional_kwargs["finish_reason"]


@pytest.mark.parametrize("way", WITH_TOOLS)
@pytest.mark.parametrize("setup", SETUPS)
async def test_a_tool_is_called_and_its_result_used(
    make: Make, emu: Emulator, setup: str, way: str
) -> None:
    llm = make(**SETUPS[setup])
    asked = await last(llm, way, [TOOL], chat_history=PRODUCT)
    (selection,) = llm.get_tool_calls_from_response(asked)
    assert selection.tool_name == "multiply"
    assert selection.tool_kwargs == {"a": 6, "b": 7}
    result = ChatMessage(
        role="tool", content="42", additional_kwargs={"tool_call_id": selection.tool_id}
    )
    history = [*PRODUCT, asked.message, result]
    answer = await last(llm, way, [TOOL], chat_history=history)
    assert "42" in answer.message.content
    assert all(seen.problems == () for seen in emu.requests)


@pytest.mark.parametrize("way", WITH_TOOLS)
async def test_a_tool_that_is_required_is_called(make: Make, emu: Emulator, way: str) -> None:
    llm = make()
    answer = await last(llm, way, [TOOL], user_msg="Hello", tool_required=True)
    assert emu.requests[-1].body["tool_choice"] == "required"
    assert llm.get_tool_calls_from_response(answer, error_on_no_tool_call=False)


@pytest.mark.parametrize(
    ("arguments", "choice"),
    [
        ({}, None),
        ({"tool_required": True}, "required"),
        ({"tool_choice": "required"}, "required"),
        ({"tool_choice": "none", "tool_required": True}, "none"),
        ({"tool_choice": "auto"}, "auto"),
        ({"tool_choice": "multiply"}, {"type": "function", "function": {"name": "multiply"}}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "multiply"}}},
            {"type": "function", "function": {"name": "multiply"}},
        ),
    ],
)
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
async def test_tool_choice_reaches_the_body(
    make: Make, emu: Emulator, endpoint: str, arguments: dict[str, Any], choice: Any
) -> None:
    llm = make(endpoint=endpoint)
    answer = llm.chat_with_tools([TOOL], user_msg="Hello", **arguments)
    body = emu.requests[-1].body
    on_chat = "messages" in body
    if isinstance(choice, dict) and not on_chat:
        choice = {"type": "function", "name": "multiply"}
    assert body.get("tool_choice") == choice
    assert body["parallel_tool_calls"] is False
    (row,) = body["messages" if on_chat else "input"]
    assert (row["role"], row["content"]) == ("user", "Hello")
    assert emu.requests[-1].problems == ()
    called = llm.get_tool_calls_from_response(answer, error_on_no_tool_call=False)
    assert bool(called) == (choice not in (None, "none", "auto"))


@pytest.mark.parametrize("way", WITH_TOOLS)
async def test_strict_tools_are_strict_valid_and_optional_ones_stay_optional(
    llm: AIMLAPI, emu: Emulator, way: str
) -> None:
    def search(query: str, limit: int = 3) -> str:
        """Search."""
        return query

    tool = FunctionTool.from_defaults(search)
    asked = await last(llm, way, [tool], user_msg="Search cats", tool_required=True, strict=True)
    function = emu.requests[-1].body["tools"][0]["function"]
    assert function["strict"] is True
    assert function["parameters"]["required"] == ["query", "limit"]
    assert emu.requests[-1].problems == ()
    (selection,) = llm.get_tool_calls_from_response(asked)
    assert None not in selection.tool_kwargs.values()


def test_the_callers_history_is_not_changed(llm: AIMLAPI) -> None:
    history = list(HELLO)
    prepared = llm._prepare_chat_with_tools([TOOL], user_msg="More", chat_history=history)
    assert history == HELLO
    assert [message.content for message in prepared["messages"]] == ["Hello 你好", "More"]


def test_without_tools_nothing_is_said_of_them(llm: AIMLAPI) -> None:
    prepared = llm._prepare_chat_with_tools([], user_msg="Hello")
    assert prepared["tools"] is None
    assert prepared["tool_choice"] is None
    assert "parallel_tool_calls" not in prepared


@pytest.mark.parametrize("way", WITH_TOOLS)
async def test_odd_tool_names_go_there_and_back(llm: AIMLAPI, emu: Emulator, way: str) -> None:
    name = "Multiply[int] " + "x" * 70
    tool = FunctionTool.from_defaults(multiply, name=name)
    asked = await last(llm, way, [tool], user_msg="6 times 7", tool_choice=name)
    (selection,) = llm.get_tool_calls_from_response(asked)
    assert selection.tool_name == name
    result = ChatMessage(
        role="tool", content="42", additional_kwargs={"tool_call_id": selection.tool_id}
    )
    await last(llm, way, [tool], chat_history=[*PRODUCT, asked.message, result])
    sent = emu.requests[-1].body
    wire = sent["tools"][0]["function"]["name"]
    assert sent["messages"][1]["tool_calls"][0]["function"]["name"] == wire != name
    assert emu.requests[-1].problems == ()


@pytest.mark.parametrize(
    "form", ["repeat", "no_index", "one_chunk", "interleaved", "placeholder_id"]
)
@pytest.mark.parametrize("way", ["stream_chat_with_tools", "astream_chat_with_tools"])
async def test_every_form_of_streamed_calls_gives_the_unstreamed_ones(
    llm: AIMLAPI, emu: Emulator, form: str, way: str
) -> None:
    def divide(a: int, b: int) -> float:
        """Divide two numbers."""
        return a / b

    tools = [TOOL, FunctionTool.from_defaults(divide)]
    message = "Use multiply to multiply 6 by 7 and use divide to divide 8 by 2."
    options = {"user_msg": message, "allow_parallel_tool_calls": True}
    whole = llm.chat_with_tools(tools, **options)
    emu.faults.append(Fault(tool_delta=form))
    streamed = await last(llm, way, tools, **options)
    assert without_ids(streamed) == without_ids(whole)
    assert len(llm.get_tool_calls_from_response(streamed)) == 2


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize("way", ["predict_and_call", "apredict_and_call"])
async def test_predict_and_call_runs_the_tool(
    make: Make, emu: Emulator, setup: str, way: str
) -> None:
    answer = await last(make(**SETUPS[setup]), way, [TOOL], chat_history=PRODUCT)
    assert answer.response == "42"
    assert [source.raw_output for source in answer.sources] == [42]
    assert [seen.problems for seen in emu.requests] == [()]


@pytest.mark.parametrize("way", WITH_TOOLS)
async def test_a_call_cut_by_length_is_reported(llm: AIMLAPI, emu: Emulator, way: str) -> None:
    emu.faults.append(Fault(finish_reason="length"))
    answer = await last(llm, way, [TOOL], chat_history=PRODUCT)
    with pytest.raises(UnexpectedReplyError, match="not run"):
        llm.get_tool_calls_from_response(answer, error_on_no_tool_call=False)


@pytest.mark.parametrize("way", WITH_TOOLS)
@pytest.mark.parametrize("setup", SETUPS)
async def test_reasoning_and_calls_go_back_as_the_model_takes_them(
    make: Make, emu: Emulator, setup: str, way: str
) -> None:
    def now() -> str:
        """Tell the time now."""
        return "noon"

    llm = make(**SETUPS[setup])
    tool = FunctionTool.from_defaults(now)
    emu.faults.append(Fault(reasoning="Let me think."))
    question = ChatMessage(content="Tell the time now.")
    asked = await last(llm, way, [tool], chat_history=[question], tool_choice="now")
    (selection,) = llm.get_tool_calls_from_response(asked)
    assert selection.tool_kwargs == {}
    result = ChatMessage(
        role="tool", content="noon", additional_kwargs={"tool_call_id": selection.tool_id}
    )
    answer = await last(llm, way, [tool], chat_history=[question, asked.message, result])
    assert "noon" in answer.message.content
    assert emu.requests[-1].problems == ()
