"""The v3 protocol: the same message as `invoke`, by well-formed events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import langchain_core.exceptions as lc
import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.messages.content import KNOWN_BLOCK_TYPES
from langchain_core.output_parsers import JsonOutputParser
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

import aimlapi_core
from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI
from tests.langchain.calls import events, invoke
from tests.langchain.test_chat_models import facts

Make = Callable[..., ChatAIMLAPI]


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


def unwrapped(block: Any) -> Any:
    """A refusal as it is: langchain-core's events have no place for its block."""
    inner = block.get("value", {})
    return inner if inner.get("type") == "refusal" else block


PROMPTS = (
    "hi",
    "add 3 and 4",
    '[[fault reasoning="let me see"]] hi',
    '[[fault reasoning="let me see"]] add 3 and 4',
    '[[fault refusal="I will not"]] hi',
    "[[fault finish_reason=length]] add 3 and 4",
    "[[fault tool_delta=interleaved]] add and multiply 3 and 4",
    "[[fault tool_delta=placeholder_id]] add 3 and 4",
    "[[fault empty=true]] hi",
    "[[fault usage=missing cost_metadata=false]] hi",
)


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_events_end_in_the_invoked_message(
    how: str, endpoint: str, prompt: str, chat: Make
) -> None:
    model = chat(endpoint=endpoint, output_version="v1").bind_tools([add, multiply])
    expected = invoke("sync", model, prompt)
    given, message = events(how, model, prompt)
    assert_valid_event_stream(given)
    starts = [event["content"] for event in given if event["event"] == "content-block-start"]
    heads = [block["name"] for block in starts if block["type"] == "tool_call_chunk"]
    assert sorted(heads) == sorted(
        call["name"] for call in (*expected.tool_calls, *expected.invalid_tool_calls)
    )
    assert given[-1]["event"] == "message-finish"
    one, other = facts(expected), facts(message)
    for found, whole in ((one, expected), (other, message)):
        found["response_metadata"].pop("output_version", None)
        for name in ("tool_call_extras", "reasoning_details", "invalid_arguments"):
            found["additional_kwargs"].pop(name, None)
        # The place of a block in its stream, and the ids of calls, differ between two answers.
        found["content"] = [
            {k: v for k, v in block.items() if k not in ("index", "id")}
            for block in map(unwrapped, whole.content_blocks)
        ]
        found["invalid_tool_calls"] = [{**call, "id": None} for call in found["invalid_tool_calls"]]
    assert one == other


def test_what_the_events_of_a_call_say(chat: Make) -> None:
    given, _ = events("sync", chat().bind_tools([add]), "add 3 and 4")
    start, first, *deltas, last, finish = given
    assert start["metadata"] == {"provider": "aimlapi", "model": "openai/gpt-5-2"}
    assert start["id"].startswith("lc_run-")
    assert (first["content"]["name"], first["content"]["args"]) == ("add", "")
    assert "".join(event["delta"]["args"] for event in deltas) == '{"a":3,"b":4}'
    assert last["content"]["args"] == {"a": 3, "b": 4}
    assert finish["metadata"]["cost"] > 0
    assert finish["usage"]["total_tokens"] > 0


def test_a_cut_stream_fails(how: str, emu: Emulator, chat: Make) -> None:
    emu.faults.append(Fault(cut_after_events=3))
    with pytest.raises(aimlapi_core.StreamCutError):
        events(how, chat(), [HumanMessage("say something long enough to be cut")])


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_a_refusal_alone_is_langchains_block(
    how: str, endpoint: str, emu: Emulator, chat: Make
) -> None:
    emu.faults.append(Fault(refusal="I will not"))
    _, message = events(how, chat(endpoint=endpoint), "hi")
    (block,) = message.content_blocks
    assert unwrapped(block) == {"type": "refusal", "refusal": "I will not"}
    assert (block["type"] == "refusal") is ("refusal" in KNOWN_BLOCK_TYPES)
    with pytest.raises(getattr(lc, "ModelRefusalError", lc.OutputParserException)):
        JsonOutputParser().invoke(message)


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_langchains_middleware_acts_on_a_refusal(
    how: str, endpoint: str, emu: Emulator, chat: Make
) -> None:
    middleware = pytest.importorskip("langchain.agents.middleware")
    if not hasattr(middleware, "ModelRefusalMiddleware"):
        pytest.skip("this langchain has no middleware for refusals")
    emu.faults.append(Fault(refusal="I will not"))
    agent: Any = create_agent(
        chat(endpoint=endpoint), [], middleware=[middleware.ModelRefusalMiddleware()]
    )
    with pytest.raises(lc.ModelRefusalError, match="I will not"):
        events(how, agent, {"messages": [("user", "hi")]})
