from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    convert_to_messages,
)

from aimlapi_core import (
    File,
    Image,
    InvalidRequestError,
    Message,
    ProviderItem,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from langchain_aimlapi._request.messages import to_messages

PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0="
CALL = {"name": "add", "args": {"a": 1, "s": "é"}, "id": "c1", "type": "tool_call"}
CORE_CALL = ToolCall("c1", "add", '{"a": 1, "s": "é"}')


def asked(*calls: Any, **members: Any) -> AIMessage:
    return AIMessage("", tool_calls=list(calls), **members)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (HumanMessage("hi"), Message("user", (Text("hi"),))),
        (HumanMessage("hi", name="ann"), Message("user", (Text("hi"),), name="ann")),
        (HumanMessage([]), Message("user", ())),
        (SystemMessage("be short"), Message("system", (Text("be short"),))),
        (AIMessage("hello"), Message("assistant", (Text("hello"),))),
        (AIMessageChunk(content="hello"), Message("assistant", (Text("hello"),))),
        (ChatMessage(content="x", role="developer"), Message("developer", (Text("x"),))),
        (ChatMessage(content="x", role="human"), Message("user", (Text("x"),))),
        (ChatMessage(content="x", role="assistant"), Message("assistant", (Text("x"),))),
        (
            ChatMessage(content="x", role="tool", additional_kwargs={"tool_call_id": "c1"}),
            Message("tool", (Text("x"),), tool_call_id="c1"),
        ),
        (
            AIMessage("", additional_kwargs={"refusal": "no"}),
            Message("assistant", (Refusal("no"),)),
        ),
        (asked(CALL), Message("assistant", (CORE_CALL,))),
    ],
)
def test_each_class_of_message(message: BaseMessage, expected: Message) -> None:
    messages: list[BaseMessage] = [message]
    assert to_messages(messages) == (expected,)


def test_the_developer_role_of_a_tuple_is_kept() -> None:
    converted = to_messages(convert_to_messages([("developer", "x")]))
    assert converted == (Message("developer", (Text("x"),)),)


@pytest.mark.parametrize("role", ["wizard", "asistant"])
def test_unknown_role_is_named(role: str) -> None:
    with pytest.raises(InvalidRequestError, match=repr(role)):
        to_messages([ChatMessage(content="x", role=role)])


def test_misspelt_role_gets_the_nearest() -> None:
    with pytest.raises(InvalidRequestError, match="did you mean 'assistant'"):
        to_messages([ChatMessage(content="x", role="asistant")])


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"},
        {
            "type": "image",
            "source_type": "base64",
            "data": "iVBORw0KGgo=",
            "mime_type": "image/png",
        },
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "image_url", "image_url": PNG},
        {"type": "input_image", "image_url": PNG},
        {"type": "file", "base64": "iVBORw0KGgo=", "mime_type": "image/png"},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
        },
        {"type": "image", "url": PNG},
        {"type": "image", "source_type": "url", "url": PNG},
        {"type": "image", "source": {"type": "url", "url": PNG}},
        {"type": "non_standard", "value": {"type": "image_url", "image_url": {"url": PNG}}},
    ],
)
def test_every_shape_of_an_image(block: dict[str, Any]) -> None:
    assert to_messages([HumanMessage([block])]) == (Message("user", (Image(PNG),)),)


def test_the_detail_of_an_image_is_kept() -> None:
    blocks: list[Any] = [
        {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
        {"type": "input_image", "image_url": PNG, "detail": "high"},
    ]
    (message,) = to_messages([HumanMessage(blocks)])
    assert message.parts == (Image(PNG, "low"), Image(PNG, "high"))


@pytest.mark.parametrize(
    ("block", "name"),
    [
        ({"type": "file", "base64": "JVBERi0=", "mime_type": "application/pdf"}, None),
        (
            {
                "type": "file",
                "base64": "JVBERi0=",
                "mime_type": "application/pdf",
                "extras": {"filename": "a.pdf"},
            },
            "a.pdf",
        ),
        (
            {
                "type": "file",
                "source_type": "base64",
                "data": "JVBERi0=",
                "mime_type": "application/pdf",
                "filename": "a.pdf",
            },
            "a.pdf",
        ),
        ({"type": "file", "file": {"file_data": PDF, "filename": "a.pdf"}}, "a.pdf"),
        ({"type": "file", "file": {"file_data": "JVBERi0="}}, None),
        ({"type": "input_file", "file_data": PDF, "filename": "a.pdf"}, "a.pdf"),
        (
            {
                "type": "document",
                "title": "a.pdf",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
            },
            "a.pdf",
        ),
    ],
)
def test_every_shape_of_a_pdf(block: dict[str, Any], name: str | None) -> None:
    assert to_messages([HumanMessage([block])]) == (Message("user", (File(PDF, name),)),)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text", "text": "words"},
        {"type": "text", "text": "words", "cache_control": {"type": "ephemeral"}},
        {"type": "text-plain", "text": "words", "mime_type": "text/plain"},
        {"type": "input_text", "text": "words"},
        {"type": "document", "source": {"type": "text", "data": "words"}},
        {"type": "file", "source_type": "text", "text": "words"},
        {"text": "words"},
    ],
)
def test_every_shape_of_text(block: dict[str, Any]) -> None:
    assert to_messages([HumanMessage([block])]) == (Message("user", (Text("words"),)),)


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ({"type": "audio", "base64": "AA==", "mime_type": "audio/wav"}, "'audio'"),
        ({"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}, "input_audio"),
        ({"type": "video", "url": "https://host.example/v.mp4"}, "'video'"),
        ({"type": "image", "base64": "AAAAAAAA"}, "mime_type"),
        ({"type": "image", "file_id": "file-1"}, "Files by id"),
        ({"type": "file", "url": "https://host.example/a.pdf"}, "bytes only"),
        ({"type": "banana"}, "'banana'"),
    ],
)
def test_what_cannot_be_sent_is_named(block: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        to_messages([HumanMessage([block])])


@pytest.mark.filterwarnings("ignore::aimlapi_core.HistoryWarning")
def test_foreign_blocks_of_an_assistant_are_dropped() -> None:
    message = AIMessage(
        [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "reasoning", "reasoning": "hm"},
            {"type": "reasoning", "text": "hm"},
            {"type": "server_tool_call", "id": "1", "name": "web_search", "args": {}},
            {"type": "non_standard", "value": {"type": "anything"}},
            {"type": "text", "text": "answer"},
            {"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}},
        ],
        tool_calls=[CALL],
        response_metadata={"model_provider": "anthropic"},
        additional_kwargs={"reasoning_details": [{"id": "foreign"}]},
    )
    (converted,) = to_messages([message])
    assert converted.parts == (Text("answer"), CORE_CALL)


def test_tool_use_blocks_without_tool_calls_are_calls() -> None:
    message = AIMessage([{"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}}])
    assert to_messages([message])[0].parts == (ToolCall("c1", "add", '{"a": 1}'),)


def test_own_opaque_data_is_echoed() -> None:
    message = asked(
        CALL,
        response_metadata={"model_provider": "aimlapi"},
        additional_kwargs={
            "reasoning_content": "hm",
            "reasoning_details": [{"type": "reasoning", "id": "r1"}],
            "provider_items": [{"type": "web_search_call", "id": "w1"}],
            "tool_call_extras": {"c1": {"item_id": "fc_1", "extra": {"extra_content": 1}}},
        },
    )
    assert to_messages([message])[0].parts == (
        Reasoning("", {"type": "reasoning", "id": "r1"}),
        ProviderItem({"type": "web_search_call", "id": "w1"}),
        ToolCall("c1", "add", CORE_CALL.arguments, "fc_1", {"extra_content": 1}),
    )


def test_a_refusal_goes_back_once() -> None:
    block: Any = {"type": "refusal", "refusal": "no"}
    message = AIMessage([block], additional_kwargs={"refusal": "no"})
    assert to_messages([message])[0].parts == (Refusal("no"),)


@pytest.mark.parametrize(
    ("content", "status", "text"),
    [
        ("three", "success", "three"),
        ("", "success", ""),
        ([{"type": "text", "text": "a"}, "b"], "success", "a\nb"),
        ([{"rows": 2}], "success", '{"rows": 2}'),
        ("no such file", "error", "Error: no such file"),
        ("Error: twice?", "error", "Error: twice?"),
    ],
)
def test_tool_results_are_strings(content: Any, status: Any, text: str) -> None:
    message = ToolMessage(content, tool_call_id="c1", name="add", status=status)
    (converted,) = to_messages([message])
    assert converted == Message("tool", (Text(text),), tool_call_id="c1")


def test_images_of_tool_results_follow_after_the_last_result() -> None:
    image = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}
    converted = to_messages(
        [
            asked(CALL, {**CALL, "id": "c2"}),
            ToolMessage([image], tool_call_id="c1"),
            ToolMessage([{"type": "text", "text": "two"}, image], tool_call_id="c2"),
            HumanMessage("go on"),
        ]
    )
    assert [m.role for m in converted] == ["assistant", "tool", "tool", "user", "user"]
    assert converted[1].parts == (Text("The result is attached in the next user message."),)
    assert converted[2].parts == (Text("two"),)
    assert converted[3].parts == (
        Text("Attached by the tool call c1:"),
        Image(PNG),
        Text("Attached by the tool call c2:"),
        Image(PNG),
    )


IMAGE: Any = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}
FILE: Any = {"type": "file", "base64": "JVBERi0=", "mime_type": "application/pdf"}
WORDS: Any = {"type": "text", "text": "two"}


@pytest.mark.parametrize(
    ("content", "text", "followed"),
    [
        ([IMAGE], "(1 image, which this model cannot see)", False),
        ([WORDS, IMAGE, IMAGE], "two\n(2 images, which this model cannot see)", False),
        ([WORDS, IMAGE, FILE], "two\n(1 image, which this model cannot see)", True),
        ([FILE], "The result is attached in the next user message.", True),
    ],
)
def test_images_of_tool_results_are_named_where_nothing_sees_them(
    content: Any, text: str, followed: bool
) -> None:
    given = [asked(CALL), ToolMessage(content, tool_call_id="c1")]
    _, result, *rest = to_messages(given, sees_images=False)
    assert result.parts == (Text(text),)
    assert [[type(part) for part in m.parts] for m in rest] == [[Text, File]] * followed


def test_anthropic_tool_results_in_a_user_message() -> None:
    content: list[Any] = [
        {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "3"}]},
        {"type": "tool_result", "tool_use_id": "c2", "content": "bad", "is_error": True},
        {"type": "text", "text": "and now?"},
    ]
    assert to_messages([HumanMessage(content)]) == (
        Message("tool", (Text("3"),), tool_call_id="c1"),
        Message("tool", (Text("Error: bad"),), tool_call_id="c2"),
        Message("user", (Text("and now?"),)),
    )


def test_a_cut_call_goes_back_only_when_it_was_answered() -> None:
    cut = AIMessage(
        "",
        invalid_tool_calls=[
            {
                "name": "add",
                "args": '{"a": 1',
                "id": "c1",
                "error": None,
                "type": "invalid_tool_call",
            }
        ],
    )
    assert to_messages([cut, HumanMessage("go on")]) == (Message("user", (Text("go on"),)),)
    answered = to_messages([cut, ToolMessage("was cut", tool_call_id="c1")])
    assert answered[0] == Message("assistant", (ToolCall("c1", "add", '{"a": 1'),))


def test_the_callers_messages_are_not_changed() -> None:
    messages = [
        HumanMessage([{"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}]),
        asked(CALL),
        ToolMessage([{"type": "image", "url": PNG}], tool_call_id="c1"),
    ]
    before = copy.deepcopy(messages)
    to_messages(messages)
    assert messages == before


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("words", Text("words")),
        ({"type": "text", "text": "words"}, Text("words")),
        ({"type": "refusal", "refusal": "no"}, Refusal("no")),
    ],
)
def test_words_in_a_non_standard_block_of_an_assistant_are_kept(value: Any, part: Any) -> None:
    given = AIMessage([{"type": "non_standard", "value": value}])
    assert to_messages([given]) == (Message("assistant", (part,)),)


SVG = "PHN2Zz48L3N2Zz4="


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "base64": SVG, "mime_type": "image/svg+xml"},
        {"type": "image", "url": "file:///tmp/a.png"},
        {"type": "file", "base64": "UEsDBA==", "mime_type": "application/zip"},
        {"type": "file", "base64": "UEsDBA=="},
    ],
)
def test_media_of_tool_results_that_cannot_be_sent_are_named(block: Any) -> None:
    given = [asked(CALL), ToolMessage([WORDS, block], tool_call_id="c1")]
    _, result = to_messages(given)
    assert result.parts == (Text(f"two\n{json.dumps(block)}"),)


def test_no_result_of_a_tool_writes_out_its_data() -> None:
    url = f"data:image/svg+xml;base64,{SVG * 99}"
    block = {"type": "image_url", "image_url": {"url": url}}
    _, result = to_messages([asked(CALL), ToolMessage([block], tool_call_id="c1")])
    assert SVG not in str(result.parts)
    assert f"({len(url)} characters of data)" in str(result.parts)
