"""Conversations that began elsewhere, or that broke off, go on with `ChatAIMLAPI`."""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from langchain.agents import create_agent
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    ToolMessage,
)
from langchain_core.prompts import (
    ChatPromptTemplate,
    HumanMessagePromptTemplate,
    PromptTemplate,
)
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import interrupt

from aimlapi_core import (
    File,
    HistoryWarning,
    Image,
    Refusal,
    ReplacedCharacterWarning,
    Text,
    ToolCall,
)
from aimlapi_core._history.tool_results import NO_RESULT
from aimlapi_core._values import warn_once
from aimlapi_emulator import Emulator
from langchain_aimlapi import ChatAIMLAPI, InvalidRequestError
from langchain_aimlapi._request.messages import to_messages
from tests.langchain.calls import call, invoke

Make = Callable[..., ChatAIMLAPI]
PNG = "data:image/png;base64,iVBORw0KGgo="
models = pytest.mark.parametrize("model", ["openai/gpt-5-2", "openai/gpt-5-2-pro"])


@pytest.fixture(autouse=True)
def _warnings_not_yet_given() -> Iterator[None]:
    warn_once._warned.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HistoryWarning)
        yield


def parts(message: AIMessage, *more: BaseMessage) -> tuple[Any, ...]:
    return to_messages([message, *more])[0].parts


# What other providers' models leave in a history, besides text and calls of the user's tools.
SERVER_SIDE: dict[str, list[dict[str, Any]]] = {
    "Anthropic": [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "x"},
        *[
            {"type": kind, "tool_use_id": "srvtoolu_1", "content": {"type": "result", "url": "u"}}
            for kind in (
                "web_search_tool_result web_fetch_tool_result code_execution_tool_result "
                "bash_code_execution_tool_result text_editor_code_execution_tool_result "
                "tool_search_tool_result mcp_tool_result advisor_tool_result"
            ).split()
        ],
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_fetch", "input": {}},
        {"type": "mcp_tool_use", "id": "m", "name": "x", "server_name": "s", "input": {}},
        {"type": "container_upload", "file_id": "f"},
    ],
    "OpenAI": [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "compaction", "encrypted_content": "x"},
        {"type": "mcp_approval_request", "id": "m", "name": "x", "arguments": "{}"},
        *[
            {"type": kind, "id": "i", "call_id": "unanswered", "action": {"type": "x"}}
            for kind in (
                "computer_call custom_tool_call apply_patch_call tool_search_call "
                "tool_search_output shell_call local_shell_call web_search_call mcp_call "
                "code_interpreter_call file_search_call image_generation_call"
            ).split()
        ],
    ],
    "Google": [
        {"type": "executable_code", "executable_code": "print(1)"},
        {"type": "code_execution_result", "code_execution_result": "1"},
        {"type": "thought_signature", "signature": "x"},
    ],
    "Bedrock": [
        {"reasoningContent": {"reasoningText": {"text": "hm"}}},
        {"type": "reasoning_content", "reasoning_content": {"text": "hm"}},
        {"cachePoint": {"type": "default"}},
    ],
    "Mistral": [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "reference", "reference_ids": [1]},
    ],
    "a newer one": [{"type": "neural_link", "id": "x"}, {"type": 7}, {}],
}


@pytest.mark.half("how", "provider", "form", "streaming", "model")
@models
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("form", ["plain", "non_standard"])
@pytest.mark.parametrize("provider", SERVER_SIDE)
def test_a_thread_of_another_provider_goes_on(
    provider: str, form: str, streaming: bool, model: str, how: str, chat: Make, emu: Emulator
) -> None:
    """Its text, calls and results are kept; reasoning and what the provider ran are left out."""
    blocks: list[Any] = SERVER_SIDE[provider]
    if form == "non_standard":
        blocks = [{"type": "non_standard", "value": block} for block in blocks]
    use = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}}
    history = [
        HumanMessage("What is 1 + 2?"),
        AIMessage(
            [*blocks, {"type": "text", "text": "I add."}, use],
            tool_calls=[{"name": "add", "args": {"a": 1}, "id": "toolu_1"}],
        ),
        ToolMessage("3", tool_call_id="toolu_1"),
        HumanMessage("and now?"),
    ]
    call(how, streaming, chat(model=model), history)
    seen = emu.requests[-1]
    assert seen.problems == ()
    body = str(seen.body)
    assert "I add." in body
    assert "toolu_1" in body
    assert "'hm'" not in body
    assert "srvtoolu_1" not in body


@pytest.mark.parametrize("provider", SERVER_SIDE)
def test_each_type_of_block_is_reported_once(provider: str) -> None:
    blocks: list[Any] = SERVER_SIDE[provider]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        to_messages([AIMessage(blocks), AIMessage(blocks)])
    said = [str(warning.message) for warning in caught]
    assert len(said) == len(set(said))
    kinds = {str(b.get("type") or next(iter(b))) for b in blocks if b and b != {"type": 7}}
    for kind in kinds - {"cachePoint"}:
        assert sum(f"{kind!r} of assistant messages was left out" in text for text in said) == 1


def test_own_messages_are_sent_back_without_a_warning() -> None:
    own = AIMessage(
        [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "yes"}],
        response_metadata={"model_provider": "aimlapi"},
        additional_kwargs={"reasoning_content": "hm"},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parts(own) == (Text("yes"),)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            {
                "type": "citations_content",
                "citations_content": {
                    "content": [{"text": "cited"}],
                    "citations": [{"title": "t"}],
                },
            },
            Text("cited"),
        ),
        (
            {"type": "citations_content", "content": [{"text": "ci"}, {"text": "ted"}]},
            Text("cited"),
        ),
        ({"type": "compaction", "content": "a summary"}, Text("a summary")),
        ({"type": "output_text", "text": "words", "annotations": []}, Text("words")),
        ({"text": "words"}, Text("words")),
        ({"type": "newer_text", "text": "words"}, Text("words")),
        ({"type": "refusal", "refusal": "no"}, Refusal("no")),
        ({"type": "audio", "transcript": "spoken"}, Text("spoken")),
        ({"type": "image", "url": PNG}, Text("(an image made by the assistant)")),
        (
            {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
            Text("(an image made by the assistant: https://x/y.png)"),
        ),
        ({"type": "image", "base64": "AAAA", "id": "ig_1"}, Text("(image made by the assistant)")),
        (
            {"type": "file", "base64": "JVBERi0=", "mime_type": "application/pdf", "name": "a.pdf"},
            Text("(a file made by the assistant: a.pdf)"),
        ),
        ({"type": "audio", "base64": "AAAA"}, Text("(audio made by the assistant)")),
        ({"type": "video", "url": "https://x/y.mp4"}, Text("(video made by the assistant)")),
    ],
)
def test_texts_of_an_assistant_are_kept_and_media_named(block: Any, expected: Any) -> None:
    for given in (block, {"type": "non_standard", "value": block}):
        assert parts(AIMessage([given])) == (expected,)


@pytest.mark.parametrize(
    "refusal", [{"type": "refusal", "refusal": ""}, {"type": "refusal"}], ids=str
)
def test_a_refusal_without_words_is_left_out(refusal: Any) -> None:
    message = AIMessage([refusal, {"type": "text", "text": "yes"}])
    assert parts(message) == (Text("yes"),)


def test_the_words_of_spoken_audio_are_kept() -> None:
    spoken = AIMessage("", additional_kwargs={"audio": {"id": "a", "transcript": "hello"}})
    assert parts(spoken) == (Text("hello"),)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            {"type": "computer_call", "id": "cu_1", "call_id": "c1", "action": {"type": "click"}},
            ToolCall("c1", "computer", '{"type": "click"}'),
        ),
        (
            {"type": "custom_tool_call", "call_id": "c1", "name": "sh", "input": "ls"},
            ToolCall("c1", "sh", '{"input": "ls"}'),
        ),
        (
            {"type": "apply_patch_call", "call_id": "c1", "operation": {"path": "a"}},
            ToolCall("c1", "apply_patch", '{"path": "a"}'),
        ),
        (
            {"type": "local_shell_call", "call_id": "c1", "action": {"command": ["ls"]}},
            ToolCall("c1", "local_shell", '{"command": ["ls"]}'),
        ),
        (
            {
                "type": "function_call",
                "id": "fc_1",
                "call_id": "c1",
                "name": "f",
                "arguments": "{}",
            },
            ToolCall("c1", "f", "{}"),
        ),
        ({"type": "tool_use", "id": "c1", "name": "f", "input": {}}, ToolCall("c1", "f", "{}")),
        (
            {"toolUse": {"toolUseId": "c1", "name": "f", "input": {"a": 1}}},
            ToolCall("c1", "f", '{"a": 1}'),
        ),
        ({"type": "tool_call", "id": "c1", "name": "f", "args": {}}, ToolCall("c1", "f", "{}")),
        (
            {"type": "shell_call", "call_id": "c1", "action": {"stdin": b"x"}},
            ToolCall("c1", "shell", '{"stdin": "x"}'),
        ),
    ],
)
def test_calls_in_blocks_are_kept_where_they_are_answered(block: Any, expected: ToolCall) -> None:
    assert parts(AIMessage([block]), ToolMessage("ok", tool_call_id="c1")) == (expected,)


def test_a_result_without_an_id_takes_no_text_away() -> None:
    call: Any = {"name": "add", "args": {}, "id": ""}
    message = AIMessage([{"type": "text", "text": "On it."}], tool_calls=[call])
    given = parts(message, ToolMessage("ok", tool_call_id=""))
    assert given == (Text("On it."), ToolCall("", "add", "{}"))


def test_a_call_without_a_name_is_left_out_unless_it_is_answered() -> None:
    message = AIMessage([{"type": "text", "text": "On it."}, {"type": "tool_use", "id": "c1"}])
    with pytest.warns(HistoryWarning, match="'tool_use without a name'"):
        assert parts(message) == (Text("On it."),)
    given = parts(message, ToolMessage("ok", tool_call_id="c1"))
    assert given == (Text("On it."), ToolCall("c1", "", "{}"))


def test_calls_beside_the_content_are_kept_where_they_are_answered() -> None:
    """As in ChatOpenAI's older format; what is kept is not reported as left out."""
    click = {"type": "computer_call", "call_id": "c1", "action": {"type": "click"}}
    searched = {"type": "web_search_call", "id": "ws_1"}
    message = AIMessage("On it.", additional_kwargs={"tool_outputs": [click, searched]})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        given = parts(message, ToolMessage("ok", tool_call_id="c1"))
    assert given == (Text("On it."), ToolCall("c1", "computer", '{"type": "click"}'))
    assert [str(w.message).split()[0] for w in caught] == ["'web_search_call'"]


def test_a_call_that_is_a_block_too_is_sent_once() -> None:
    block: Any = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f"}
    message = AIMessage([block], tool_calls=[{"name": "f", "args": {}, "id": "c1"}])
    assert parts(message, ToolMessage("ok", tool_call_id="c1")) == (ToolCall("c1", "f", "{}"),)


@models
def test_a_screenshot_of_another_providers_computer_goes_along(
    model: str, chat: Make, emu: Emulator
) -> None:
    screenshot: Any = {"type": "computer_screenshot", "image_url": PNG}
    call_block: Any = {"type": "computer_call", "call_id": "c1", "action": {"type": "screenshot"}}
    chat(model=model).invoke(
        [
            HumanMessage("look"),
            AIMessage([call_block]),
            ToolMessage([screenshot], tool_call_id="c1"),
            HumanMessage("and?"),
        ]
    )
    body = str(emu.requests[-1].body)
    assert "c1" in body
    assert PNG in body or "an image, which this model cannot see" in body or "1 image" in body


@models
def test_function_messages_answer_their_call(model: str, chat: Make, emu: Emulator) -> None:
    old = {"function_call": {"name": "add", "arguments": '{"a": 1}'}}
    for result in (
        FunctionMessage("3", name="add"),
        FunctionMessage(["3", {"rows": 2}], name="add"),
        ChatMessage("3", role="function", name="add"),
    ):
        chat(model=model).invoke(
            [HumanMessage("1 + 2?"), AIMessage("", additional_kwargs=old), result]
        )
        body = str(emu.requests[-1].body)
        assert '{"a": 1}' in body
        assert "'3'" in body or r"'3\n" in body
        assert NO_RESULT not in body


def test_a_remove_message_is_named_with_its_remedy(chat: Make) -> None:
    with pytest.raises(InvalidRequestError, match=r"messages\[1\].*return it from a node"):
        chat().invoke([HumanMessage("hi"), RemoveMessage("m1")])


def test_a_users_block_that_cannot_be_sent_is_named_with_its_remedy(chat: Make) -> None:
    with pytest.raises(InvalidRequestError, match=r"'container_upload'.*or take the block out"):
        chat().invoke([HumanMessage([{"type": "container_upload", "file_id": "f"}])])


BYTES = base64.b64decode("iVBORw0KGgo=")


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "media", "mime_type": "image/png", "data": "iVBORw0KGgo="}, Image(PNG)),
        ({"image": {"format": "png", "source": {"bytes": BYTES}}}, Image(PNG)),
        (
            {"document": {"format": "pdf", "name": "a", "source": {"bytes": b"%PDF-"}}},
            File("data:application/pdf;base64,JVBERi0=", "a"),
        ),
    ],
    ids=["Google", "Bedrock's image", "Bedrock's document"],
)
def test_media_of_users_in_other_providers_shapes_are_taken(block: Any, expected: Any) -> None:
    assert to_messages([HumanMessage([block])])[0].parts == (expected,)


@pytest.mark.parametrize("model", ["openai/gpt-5-2", "openai/gpt-5-2-pro"])
def test_images_in_anthropics_tool_results_end_no_thread(
    model: str, chat: Make, emu: Emulator
) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    result = {
        "type": "tool_result",
        "tool_use_id": "c1",
        "content": [{"type": "image", "source": source}],
    }
    asked = AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": "c1"}])
    words: Any = {"type": "text", "text": "and?"}
    chat(model=model).invoke([HumanMessage("look"), asked, HumanMessage([result, words])])
    body = str(emu.requests[-1].body)
    assert (PNG in body) == (model == "openai/gpt-5-2")
    assert body.index("'c1'") < body.index("and?")


def test_long_ids_of_another_provider_are_made_fit(chat: Make, emu: Emulator) -> None:
    long = "portkey-" + "x" * 60
    history = [
        HumanMessage("add"),
        AIMessage("", tool_calls=[{"name": "add", "args": {}, "id": long}]),
        ToolMessage("3", tool_call_id=long),
    ]
    chat().invoke(history)
    _, asked, answered = emu.requests[-1].body["messages"]
    assert asked["tool_calls"][0]["id"] == answered["tool_call_id"]
    assert len(answered["tool_call_id"]) <= 40
    assert history[2].tool_call_id == long  # type: ignore[attr-defined]  # a ToolMessage


@tool
def transfer(amount: int) -> str:
    """Transfer an amount of money."""
    return str(interrupt(f"transfer {amount}?"))


@models
def test_a_thread_goes_on_after_an_interrupt_that_nobody_answered(
    model: str, how: str, chat: Make, emu: Emulator
) -> None:
    emu.when("transfer 5", tool_call="transfer", arguments={"amount": 5}, times=1)
    agent = create_agent(chat(model=model), [transfer], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    invoke(how, agent, {"messages": [("user", "transfer 5")]}, config)
    with pytest.warns(HistoryWarning, match=r"transfer \(.*no result") as caught:
        answer = invoke(how, agent, {"messages": [("user", "no, what is 2 + 3?")]}, config)
    assert len([w for w in caught if w.category is HistoryWarning]) == 1
    assert answer["messages"][-1].text
    assert NO_RESULT in str(emu.requests[-1].body)
    again = invoke(how, agent, {"messages": [("user", "and 3 + 4?")]}, config)
    assert again["messages"][-1].text


@models
@pytest.mark.parametrize("streaming", [False, True])
def test_a_call_can_be_told_to_refuse_such_a_thread(
    streaming: bool, model: str, how: str, chat: Make, emu: Emulator
) -> None:
    history = [
        HumanMessage("add"),
        AIMessage("", tool_calls=[{"name": "add", "args": {}, "id": "c1"}]),
        HumanMessage("and?"),
    ]
    strict = chat(model=model, unanswered_tool_calls="raise")
    for runnable, arguments in (
        (strict, {}),
        (chat(model=model), {"unanswered_tool_calls": "raise"}),
    ):
        with pytest.raises(InvalidRequestError, match=r"\['c1'\] of message 1 have no result"):
            call(how, streaming, runnable, history, **arguments)
    assert emu.requests == []
    assert call(how, streaming, chat(model=model), history).text


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def test_an_agent_may_have_a_name_with_a_space(how: str, chat: Make, emu: Emulator) -> None:
    agent = create_agent(chat(), [weather], name="Research Agent")
    invoke(how, agent, {"messages": [("user", "weather of city: Paris")]})
    assert [seen.problems for seen in emu.requests] == [(), ()]
    assert emu.requests[-1].body["messages"][1]["name"] == "Research_Agent"


JPEG = "/9j/4AAQSkZJRgABAQAAAQABAAD/"


@pytest.mark.parametrize("mime", ["image/jpg", "IMAGE/JPEG", "image/pjpeg", "image/jpeg; q=1"])
@pytest.mark.parametrize("by", ["user", "tool"])
@pytest.mark.parametrize("shape", ["v1", "v0", "url", "anthropic", "file"])
def test_an_image_is_taken_by_any_spelling_of_its_mime_type(
    shape: str, by: str, mime: str, chat: Make, emu: Emulator
) -> None:
    block: Any = {
        "v1": {"type": "image", "base64": JPEG, "mime_type": mime},
        "v0": {"type": "image", "source_type": "base64", "data": JPEG, "mime_type": mime},
        "url": {"type": "image_url", "image_url": {"url": f"data:{mime};base64,{JPEG}"}},
        "anthropic": {
            "type": "image",
            "source": {"type": "base64", "media_type": mime, "data": JPEG},
        },
        "file": {"type": "file", "base64": JPEG, "mime_type": mime},
    }[shape]
    if by == "user":
        history: list[BaseMessage] = [HumanMessage([block])]
    else:
        asked = AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": "c1"}])
        history = [HumanMessage("look"), asked, ToolMessage([block], tool_call_id="c1")]
    chat().invoke(history)
    assert f"data:image/jpeg;base64,{JPEG}" in str(emu.requests[-1].body)


@models
@pytest.mark.parametrize("mime", ["application/pdf", "Application/PDF", "application/x-pdf"])
def test_a_pdf_without_a_name_gets_one(mime: str, model: str, chat: Make, emu: Emulator) -> None:
    pdf: Any = {"type": "file", "base64": "JVBERi0xLjQK", "mime_type": mime}
    chat(model=model).invoke([HumanMessage(["What is it?", pdf])])
    assert "'filename': 'document.pdf'" in str(emu.requests[-1].body)


HALF, WHOLE = "Let \ud835 be a set", "Let \ufffd be a set"


@tool
def read_pdf() -> str:
    """Read the pdf."""
    return HALF


@models
@pytest.mark.filterwarnings("ignore::aimlapi_core.ReplacedCharacterWarning")
def test_half_a_character_of_a_tools_result_ends_no_run(
    model: str, how: str, chat: Make, emu: Emulator
) -> None:
    agent = create_agent(chat(model=model), [read_pdf])
    answer = invoke(how, agent, {"messages": [("user", "read_pdf: read the pdf")]})
    assert answer["messages"][-1].text
    assert WHOLE in str(emu.requests[-1].body)


@models
@pytest.mark.filterwarnings("ignore::aimlapi_core.ReplacedCharacterWarning")
def test_half_a_character_of_a_tools_file_ends_no_run(
    model: str, chat: Make, emu: Emulator
) -> None:
    pdf: Any = {
        "type": "file",
        "base64": "JVBERi0xLjQK",
        "mime_type": "application/pdf",
        "filename": "a\ud835.pdf",
    }
    image: Any = {"type": "image", "url": "https://x/\ud835.png"}
    asked = AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": "c\ud835"}])
    result = ToolMessage([pdf, image], tool_call_id="c\ud835")
    chat(model=model).invoke([HumanMessage("look"), asked, result])
    assert "a\ufffd.pdf" in str(emu.requests[-1].body)


@models
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    "template",
    [
        ChatPromptTemplate([("user", "{context}: what is it?")]),
        ChatPromptTemplate([("system", "Use {context}"), ("user", "what is it?")]),
        ChatPromptTemplate([HumanMessagePromptTemplate.from_template([{"text": "{context}"}])]),
        PromptTemplate.from_template("{context}: what is it?"),
    ],
    ids=["user", "system", "blocks", "string"],
)
def test_half_a_character_of_a_retrieved_text_is_replaced(
    template: Any, streaming: bool, model: str, how: str, chat: Make, emu: Emulator
) -> None:
    chain = template | chat(model=model)
    with pytest.warns(ReplacedCharacterWarning):
        call(how, streaming, chain, {"context": HALF})
    assert WHOLE in str(emu.requests[-1].body)


@models
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("prompt", [HALF, [HumanMessage(HALF)], [("user", HALF)]])
def test_half_a_character_in_the_callers_message_is_named(
    prompt: Any, streaming: bool, model: str, how: str, chat: Make, emu: Emulator
) -> None:
    with pytest.raises(InvalidRequestError, match=r"\[0\]\.content holds '.ud835', half of a char"):
        call(how, streaming, chat(model=model), prompt)
    assert emu.requests == []


@models
@pytest.mark.parametrize("content", ["", " \n", []])
def test_a_blank_user_message_is_sent_as_it_is(
    content: Any, model: str, how: str, chat: Make, emu: Emulator
) -> None:
    invoke(how, chat(model=model), [HumanMessage(content)])
    (seen,) = emu.requests
    assert seen.problems == ()
    assert (seen.body.get("messages") or seen.body["input"])[0]["content"] == (content or "")


def test_an_agents_answer_that_is_handed_on_as_a_users_message_is_sent() -> None:
    """As in LangGraph's supervisors: with reasoning and server-side calls among its blocks."""
    blocks: list[Any] = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "server_tool_call", "id": "s", "name": "web_search", "args": {}},
        {"type": "text", "text": "It rains."},
    ]
    with pytest.warns(HistoryWarning, match="'thinking' were left out"):
        assert to_messages([HumanMessage(blocks, name="researcher")])[0].parts == (
            Text("It rains."),
        )


@models
@pytest.mark.parametrize("streaming", [False, True])
def test_calls_with_python_values_go_on(
    streaming: bool, model: str, how: str, chat: Make, emu: Emulator
) -> None:
    """A program, a checkpoint or another provider's parser has put them into the history."""
    given: dict[str, Any] = {"raw": b"x", "tags": {"b", "a"}, "at": {(1, 2): UUID(int=1)}}
    loop: dict[str, Any] = {}
    loop["self"] = loop
    given["loop"] = loop
    history = [
        HumanMessage("go"),
        AIMessage("", tool_calls=[{"name": "buy", "args": given, "id": "c1"}]),
        ToolMessage("ok", tool_call_id="c1"),
    ]
    call(how, streaming, chat(model=model), history)
    chat(model=model).get_num_tokens_from_messages(history)
    (seen,) = emu.requests
    assert seen.problems == ()
    sent = seen.body.get("messages") or seen.body["input"]
    (written,) = (
        item["arguments"] if "arguments" in item else item["tool_calls"][0]["function"]["arguments"]
        for item in sent
        if "arguments" in item or "tool_calls" in item
    )
    assert json.loads(written) == {
        "raw": "x",
        "tags": ["a", "b"],
        "at": {"[1, 2]": str(UUID(int=1))},
        "loop": {"self": "[circular]"},
    }


def test_a_tools_result_with_python_values_is_sent() -> None:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    block: dict[Any, Any] = {"rows": {1}, (1, 2): b"x", "loop": loop}
    message = ToolMessage([block], tool_call_id="c1")
    (result,) = to_messages([AIMessage("", tool_calls=[]), message])[-1].parts
    assert result == Text('{"rows": [1], "[1, 2]": "x", "loop": {"self": "[circular]"}}')
