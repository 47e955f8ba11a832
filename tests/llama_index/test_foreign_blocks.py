"""Blocks in the JSON of other providers' own APIs are sent, left out with a warning, or named."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock, ToolCallBlock

from aimlapi_core import HistoryWarning, InvalidRequestError
from aimlapi_core._history.tool_results import NO_RESULT
from aimlapi_core._values import warn_once
from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI
from llama_index_aimlapi._request.messages import to_messages
from tests.foreign import (
    ASSISTANT,
    LEFT_OUT,
    REFUSED,
    ROWS,
    TURNS,
    USER,
    described,
    spoiled_contents,
)
from tests.llama_index.ways import CHAT, last

Make = Callable[..., AIMLAPI]
models = pytest.mark.parametrize("model", ["openai/gpt-5-2", "openai/gpt-5-2-pro"])


@pytest.fixture(autouse=True)
def _warnings_not_yet_given() -> None:
    warn_once._warned.clear()


def with_blocks(role: str, *blocks: Any, **extra: Any) -> ChatMessage:
    """A message whose blocks no validation has seen, as where a program put them in later."""
    message = ChatMessage(role=MessageRole(role), content="", additional_kwargs=extra)
    message.blocks = list(blocks)
    return message


@pytest.mark.parametrize("role", ["assistant", "model", "chatbot"])
@pytest.mark.parametrize("name", ASSISTANT)
def test_what_another_providers_model_wrote_is_sent(name: str, role: str) -> None:
    block, expected = ASSISTANT[name]
    expected = [line.replace("refusal:", "text:") for line in expected]
    expected = [line.replace("(an image", "(image") for line in expected]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert described(to_messages([with_blocks(role, block)])) == expected


@pytest.mark.parametrize("name", LEFT_OUT)
def test_reasoning_and_what_is_nothing_is_left_out_with_a_warning(name: str) -> None:
    message = with_blocks("assistant", LEFT_OUT[name], TextBlock(text="words"))
    with pytest.warns(HistoryWarning, match="was left out") as caught:
        assert described(to_messages([message, message])) == ["text: words"] * 2
    assert len(caught) == 1


@pytest.mark.parametrize("name", USER)
def test_what_a_user_gave_in_another_providers_form_is_sent(name: str) -> None:
    block, expected = USER[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert described(to_messages([with_blocks("user", block)])) == expected


@pytest.mark.parametrize("role", ["user", "system", "developer"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_sent_of_a_user_is_named_with_its_remedy(
    name: str, role: str, llm: AIMLAPI, emu: Emulator
) -> None:
    block, words = REFUSED[name]
    with pytest.raises(InvalidRequestError, match=words):
        llm.chat([with_blocks(role, block), ChatMessage("hi")])
    assert emu.requests == []


@pytest.mark.parametrize("name", [*USER, *REFUSED, *LEFT_OUT])
def test_no_block_of_a_tools_result_ends_a_conversation(
    name: str, llm: AIMLAPI, emu: Emulator
) -> None:
    block = (USER | REFUSED)[name][0] if name in USER | REFUSED else LEFT_OUT[name]
    call = ToolCallBlock(tool_call_id="c1", tool_name="add", tool_kwargs={})
    result = with_blocks("tool", TextBlock(text="here"), block, tool_call_id="c1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HistoryWarning)
        llm.chat([ChatMessage("add"), ChatMessage(role="assistant", blocks=[call]), result])
    assert emu.requests[0].problems == ()
    assert "here" in emu.requests[0].body["messages"][2]["content"]


@models
@pytest.mark.parametrize("way", CHAT)
@pytest.mark.parametrize("turn", TURNS)
async def test_a_call_and_its_result_in_raw_blocks_stay_together(
    turn: str, way: str, model: str, make: Make, emu: Emulator
) -> None:
    used, answered = TURNS[turn]
    history = [
        ChatMessage("add"),
        with_blocks("model", used),
        with_blocks("user", answered, {"type": "text", "text": "and now?"}),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error", HistoryWarning)
        await last(make(model=model), way, history)
    (seen,) = emu.requests
    assert seen.problems == ()
    body = str(seen.body)
    assert body.index('{"a": 1}') < body.index("three") < body.index("and now?")
    assert NO_RESULT not in body


@pytest.mark.parametrize(
    ("role", "sent"),
    [
        ("model", "assistant"),
        ("chatbot", "assistant"),
        ("developer", "developer"),
        ("human", "user"),
        ("AI", "assistant"),
    ],
)
def test_roles_of_other_providers_are_taken(
    role: str, sent: str, llm: AIMLAPI, emu: Emulator
) -> None:
    message = ChatMessage(content="words")
    message.role = role  # type: ignore[assignment]  # as stored histories have it
    llm.chat([message, ChatMessage("hi")])
    assert emu.requests[0].body["messages"][0] == {"role": sent, "content": "words"}


@pytest.mark.parametrize("role", ["narrator", None])
def test_an_unknown_role_is_named_with_the_known_ones(role: Any) -> None:
    message = ChatMessage(content="words")
    message.role = role
    with pytest.raises(InvalidRequestError, match=r"Unknown role.*system.*model"):
        to_messages([message])


@pytest.mark.parametrize("id_of", ["message", "block", "name"])
def test_a_call_beside_its_result_in_a_tools_message_ends_no_conversation(
    id_of: str, llm: AIMLAPI, emu: Emulator
) -> None:
    call_id = None if id_of == "name" else "c1"
    call = ToolCallBlock(tool_call_id=call_id, tool_name="add", tool_kwargs={"a": 1})
    result = ChatMessage(role="tool", blocks=[call, TextBlock(text="3")])
    if id_of == "message":
        result.additional_kwargs["tool_call_id"] = "c1"
    with pytest.warns(HistoryWarning, match="The call of 'add' in a tool's message was left out"):
        llm.chat([ChatMessage("add"), ChatMessage(role="assistant", blocks=[call]), result])
    _, asked, answered = emu.requests[0].body["messages"]
    assert answered == {
        "role": "tool",
        "content": "3",
        "tool_call_id": asked["tool_calls"][0]["id"],
    }


@pytest.mark.parametrize("member", ["tool_call_id", "call_id", "toolUseId", "tool_use_id"])
def test_the_id_of_a_result_is_read_where_other_integrations_keep_it(member: str) -> None:
    message = ChatMessage(role="tool", content="3", additional_kwargs={member: "c1"})
    assert described(to_messages([message])) == ["result: c1 3"]


@pytest.mark.parametrize("member", ["function_call", "functionCall"])
@pytest.mark.parametrize("shape", ["OpenAI", "Gemini"])
def test_a_single_call_beside_the_content_is_sent(shape: str, member: str) -> None:
    row = ROWS[shape].get("function", ROWS[shape])
    message = ChatMessage(role="model", content="", additional_kwargs={member: row})
    (line,) = described(to_messages([message]))
    assert line.endswith('add {"a": 1}')


@pytest.mark.parametrize("member", ["reasoning_content", "thinking", "built_in_tool_calls"])
def test_reasoning_beside_the_content_is_left_out_with_a_warning(member: str) -> None:
    message = ChatMessage(role="assistant", content="words", additional_kwargs={member: ["hm"]})
    with pytest.warns(HistoryWarning, match=f"'{member}' of additional_kwargs was left out"):
        assert described(to_messages([message])) == ["text: words"]


@pytest.mark.parametrize("role", ["user", "assistant", "tool", "system"])
@pytest.mark.parametrize("blocks", [None, "words", [{"block_type": "text", "text": "words"}]])
def test_blocks_of_another_form_are_read(blocks: Any, role: str) -> None:
    message = ChatMessage.model_construct(role=role, blocks=blocks, additional_kwargs={})
    sent = str(described(to_messages([message])))
    assert ("words" in sent) == (blocks is not None)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.filterwarnings("ignore::aimlapi_core.HistoryWarning")
def test_spoiled_blocks_end_no_conversation_and_are_no_raw_error(seed: int) -> None:
    """Of assistants and tools nothing is an error; of users and systems it is a typed one."""
    for content in spoiled_contents(seed, 200):
        for role in ("assistant", "tool"):
            to_messages([with_blocks(role, *content)])
        for role in ("user", "system"):
            with suppress(InvalidRequestError):
                to_messages([with_blocks(role, *content)])
