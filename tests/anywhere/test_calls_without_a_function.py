"""Tool calls that name no function, or whose input is a text: kept, and never valid."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from llama_index.core.base.llms.types import ChatMessage, ChatResponse

from langchain_aimlapi import ChatAIMLAPI, invalid_tool_call_results
from llama_index_aimlapi import AIMLAPI, InvalidToolCallError
from tests.core.cases import body, choice, chunk
from tests.fuzz.answers import Answer, served
from tests.langchain.calls import call

MODEL = "other/model"
NO_NAME = {"id": "c1", "type": "function", "function": {"arguments": '{"a": 1}'}}
EMPTY_NAME = {"id": "c1", "type": "function", "function": {"name": "", "arguments": ""}}
CUSTOM = {"id": "c1", "type": "custom", "custom": {"name": "sh", "input": "rm -rf build"}}
OBJECT = {**CUSTOM, "custom": {"name": "sh", "input": '{"a": 1}'}}
EMPTY = {**CUSTOM, "custom": {"name": "sh", "input": ""}}
CASES = {
    "no name": (NO_NAME, "", '{"a": 1}'),
    "empty name": (EMPTY_NAME, "", ""),
    "custom": (CUSTOM, "sh", json.dumps("rm -rf build")),
    "custom, an object": (OBJECT, "sh", json.dumps('{"a": 1}')),
    "custom, no text": (EMPTY, "sh", '""'),
}

ways = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])
hows = pytest.mark.parametrize("how", ["sync", "async"])
calls = pytest.mark.parametrize(("wire", "name", "text"), CASES.values(), ids=CASES)


def answer(wire: dict[str, Any]) -> Answer:
    whole = body(choice({"content": None, "tool_calls": [wire]}, "tool_calls"))
    deltas = [{"tool_calls": [{"index": 0, **wire}]}]
    rows = [chunk(deltas[0]), chunk({}, "tool_calls")]
    return Answer(whole, tuple(f"data: {json.dumps(r)}\n\n".encode() for r in rows))


@calls
@ways
@hows
def test_langchain_has_an_invalid_call(
    wire: dict[str, Any], name: str, text: str, streaming: bool, how: str
) -> None:
    message = call(how, streaming, ChatAIMLAPI(model=MODEL, **served(answer(wire))), "hi")
    assert isinstance(message, AIMessage)
    assert message.tool_calls == []
    (invalid,) = message.invalid_tool_calls
    assert (invalid["name"] or "", invalid["id"]) == (name, "c1")
    assert message.additional_kwargs["invalid_arguments"]["c1"] == text
    (result,) = invalid_tool_call_results(message)
    assert "was not run" in result.text


@calls
@ways
@hows
def test_llama_index_raises_or_reports_it(
    wire: dict[str, Any], name: str, text: str, streaming: bool, how: str
) -> None:
    llm = AIMLAPI(model=MODEL, **served(answer(wire)))
    response = asyncio.run(achat(llm, streaming)) if how == "async" else chat(llm, streaming)
    with pytest.raises(InvalidToolCallError):
        llm.get_tool_calls_from_response(response)
    (selection,) = llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
    assert selection.tool_name.startswith(f"{name} (not run: ")
    assert list(selection.tool_kwargs.values()) == [text]


def chat(llm: AIMLAPI, streaming: bool) -> ChatResponse:
    if not streaming:
        return llm.chat([ChatMessage("hi")])
    return list(llm.stream_chat([ChatMessage("hi")]))[-1]


async def achat(llm: AIMLAPI, streaming: bool) -> ChatResponse:
    if not streaming:
        return await llm.achat([ChatMessage("hi")])
    return [item async for item in await llm.astream_chat([ChatMessage("hi")])][-1]
