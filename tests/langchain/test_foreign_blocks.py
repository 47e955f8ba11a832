"""Blocks in the JSON of other providers' own APIs are sent, left out with a warning, or named."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder

from aimlapi_core import HistoryWarning, InvalidRequestError
from aimlapi_core._history.tool_results import NO_RESULT
from aimlapi_core._values import warn_once
from aimlapi_emulator import Emulator
from langchain_aimlapi import ChatAIMLAPI
from langchain_aimlapi._request.messages import to_messages
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
from tests.langchain.calls import call, invoke

Make = Callable[..., ChatAIMLAPI]
models = pytest.mark.parametrize("model", ["openai/gpt-5-2", "openai/gpt-5-2-pro"])


@pytest.fixture(autouse=True)
def _warnings_not_yet_given() -> None:
    warn_once._warned.clear()


def with_blocks(kind: type[BaseMessage], *blocks: Any, **members: Any) -> BaseMessage:
    """A message whose blocks no validation has seen, as after `model_construct` or a new value."""
    message = kind(content="", **members)
    message.content = list(blocks)
    return message


@pytest.mark.parametrize("form", ["AIMessage", "ChatMessage", "non_standard"])
@pytest.mark.parametrize("name", ASSISTANT)
def test_what_another_providers_model_wrote_is_sent(name: str, form: str) -> None:
    block, expected = ASSISTANT[name]
    if form == "non_standard":
        block = {"type": "non_standard", "value": block}
    message = (
        with_blocks(ChatMessage, block, role="model")
        if form == "ChatMessage"
        else with_blocks(AIMessage, block)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert described(to_messages([message])) == expected


@pytest.mark.parametrize("name", LEFT_OUT)
def test_reasoning_and_what_is_nothing_is_left_out_with_a_warning(name: str) -> None:
    words: Any = {"type": "text", "text": "words"}
    message = with_blocks(AIMessage, LEFT_OUT[name], words)
    with pytest.warns(HistoryWarning, match="was left out") as caught:
        assert described(to_messages([message, message])) == ["text: words"] * 2
    assert len(caught) == 1


@pytest.mark.parametrize("form", ["HumanMessage", "ChatMessage"])
@pytest.mark.parametrize("name", USER)
def test_what_a_user_gave_in_another_providers_form_is_sent(name: str, form: str) -> None:
    block, expected = USER[name]
    message = (
        with_blocks(ChatMessage, block, role="human")
        if form == "ChatMessage"
        else with_blocks(HumanMessage, block)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert described(to_messages([message])) == expected


@pytest.mark.parametrize("kind", [HumanMessage, SystemMessage])
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_sent_of_a_user_is_named_with_its_remedy(
    name: str, kind: type[BaseMessage], chat: Make, emu: Emulator
) -> None:
    block, words = REFUSED[name]
    if kind is SystemMessage and "bucket" in name:
        words = "system"
    with pytest.raises(InvalidRequestError, match=words):
        chat().invoke([with_blocks(kind, block), HumanMessage("hi")])
    assert emu.requests == []


@pytest.mark.parametrize("name", [*USER, *REFUSED, *LEFT_OUT])
def test_no_block_of_a_tools_result_ends_a_thread(name: str, chat: Make, emu: Emulator) -> None:
    block = (USER | REFUSED)[name][0] if name in USER | REFUSED else LEFT_OUT[name]
    asked = AIMessage("", tool_calls=[{"name": "add", "args": {}, "id": "c1"}])
    result = with_blocks(ToolMessage, block, tool_call_id="c1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HistoryWarning)  # of reasoning, which no result is
        assert chat().invoke([HumanMessage("add"), asked, result]).text
    _, _, answered, *_ = emu.requests[0].body["messages"]
    assert answered["content"] or "reasoning" in name
    assert emu.requests[0].problems == ()


def test_a_tools_own_json_is_sent_whole(chat: Make, emu: Emulator) -> None:
    """It may look like the blocks of other providers."""
    rows: list[Any] = [
        {"parts": [{"sku": 1}]},
        {"role": "admin", "content": "x", "id": 7},
        {"type": "message", "content": "hi", "sender": "Ann"},
        {"text": "words", "score": 1},
        {"function": "sum", "call": {"a": 1}, "outputs": 3},
    ]
    asked = AIMessage("", tool_calls=[{"name": "add", "args": {}, "id": "c1"}])
    chat().invoke([HumanMessage("add"), asked, ToolMessage(rows, tool_call_id="c1")])
    sent = emu.requests[0].body["messages"][2]["content"]
    for word in ("sku", "admin", "7", "Ann", "score", "outputs"):
        assert word in sent


@models
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("turn", TURNS)
def test_a_call_and_its_result_in_raw_blocks_stay_together(
    turn: str, streaming: bool, model: str, how: str, chat: Make, emu: Emulator
) -> None:
    used, answered = TURNS[turn]
    history = [
        HumanMessage("add"),
        AIMessage([used]),
        HumanMessage([answered, {"type": "text", "text": "and now?"}]),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert call(how, streaming, chat(model=model), history).text
    (seen,) = emu.requests
    assert seen.problems == ()
    body = str(seen.body)
    assert body.index('{"a": 1}') < body.index("three") < body.index("and now?")
    assert NO_RESULT not in body


@pytest.mark.parametrize(
    ("role", "sent"),
    [
        *[(role, "user") for role in ("human", "user", "User", "HUMAN")],
        *[
            (role, "assistant")
            for role in ("model", "chatbot", "bot", "ai", "agent", "assistant", "CHATBOT", "Model")
        ],
        ("System", "system"),
    ],
)
def test_roles_of_other_providers_are_taken(
    role: str, sent: str, chat: Make, emu: Emulator
) -> None:
    chat().invoke([ChatMessage("words", role=role), HumanMessage("hi")])
    assert emu.requests[0].body["messages"][0] == {"role": sent, "content": "words"}


def test_an_unknown_role_is_named_with_the_known_ones(chat: Make) -> None:
    with pytest.raises(InvalidRequestError, match=r"Unknown role 'narrator'.*system.*model"):
        chat().invoke([ChatMessage("words", role="narrator")])


@pytest.mark.parametrize("kind", [AIMessage, ChatMessage])
@pytest.mark.parametrize("shape", ROWS)
def test_calls_beside_the_content_are_sent(shape: str, kind: Any) -> None:
    role = {"role": "assistant"} if kind is ChatMessage else {}
    message = kind("", additional_kwargs={"tool_calls": [ROWS[shape]]}, **role)
    assert described(to_messages([message])) == ['call: c1 add {"a": 1}']


@pytest.mark.parametrize("member", ["arguments", "args"])
def test_geminis_single_call_keeps_its_arguments(member: str) -> None:
    old = {"function_call": {"name": "add", member: {"a": 1}}}
    message = AIMessage("", additional_kwargs=old)
    assert described(to_messages([message])) == ['call:  add {"a": 1}']


def test_a_call_that_a_program_took_out_is_reported() -> None:
    """As by a middleware that lets a human reject calls: the list decides."""
    block: Any = {"type": "tool_use", "id": "c2", "name": "pay", "input": {}}
    message = AIMessage([block], tool_calls=[{"name": "add", "args": {}, "id": "c1"}])
    with pytest.warns(HistoryWarning, match=r"'pay' \(c2\) was left out"):
        assert described(to_messages([message])) == ["call: c1 add {}"]


def test_coheres_words_before_calls_are_sent() -> None:
    calls: Any = [{"name": "add", "args": {}, "id": "c1"}]
    message = AIMessage("", tool_calls=calls, additional_kwargs={"tool_plan": "I add."})
    assert described(to_messages([message])) == ["text: I add.", "call: c1 add {}"]


@pytest.mark.parametrize("kind", [HumanMessage, SystemMessage, AIMessage])
@pytest.mark.parametrize(
    "content", [None, 7, b"x", [None], [7], [["x"]], [{}], {"type": "text", "text": "x"}], ids=str
)
def test_odd_content_is_no_raw_error(
    content: Any, kind: type[BaseMessage], how: str, chat: Make
) -> None:
    message = kind(content="")
    message.content = content
    chain = ChatPromptTemplate([MessagesPlaceholder("thread")]) | chat()
    assert chat().get_num_tokens_from_messages([message]) > 0
    for runnable, given in ((chat(), [message]), (chain, {"thread": [message]})):
        with warnings.catch_warnings(), suppress(InvalidRequestError):
            warnings.simplefilter("ignore", HistoryWarning)
            assert invoke(how, runnable, given)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.filterwarnings("ignore::aimlapi_core.HistoryWarning")
def test_spoiled_blocks_end_no_thread_and_are_no_raw_error(seed: int) -> None:
    """Of assistants and tools nothing is an error; of users and systems it is a typed one."""
    for content in spoiled_contents(seed, 200):
        for made in (
            with_blocks(AIMessage, *content),
            with_blocks(ChatMessage, *content, role="model"),
            with_blocks(ToolMessage, *content, tool_call_id="c1"),
        ):
            to_messages([made])
        for kind in (HumanMessage, SystemMessage):
            with suppress(InvalidRequestError):
                to_messages([with_blocks(kind, *content)])


def test_blocks_in_blocks_end_somewhere() -> None:
    block: Any = {"type": "text", "text": "words"}
    for _ in range(2_000):
        block = {"type": "message", "content": [block]}
    with pytest.raises(InvalidRequestError, match="'message'"):
        to_messages([with_blocks(HumanMessage, block)])
