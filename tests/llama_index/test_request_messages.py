"""LlamaIndex messages in, core messages out, by literals."""

from __future__ import annotations

import base64
import copy
import io
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
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
from llama_index_aimlapi._request.messages import to_messages

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
PNG_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()
PDF = b"%PDF-1.4 tiny"
PDF_URL = "data:application/pdf;base64," + base64.b64encode(PDF).decode()
USER = ChatMessage(content="Hello")
SVG = ImageBlock(image=b"<svg/>", image_mimetype="image/svg+xml")


def one(message: ChatMessage) -> Message:
    (converted,) = to_messages([message])
    return converted


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("system", "system"),
        ("developer", "developer"),
        ("user", "user"),
        ("assistant", "assistant"),
        ("chatbot", "assistant"),
        ("model", "assistant"),
        ("tool", "tool"),
        ("function", "tool"),
    ],
)
def test_roles_are_the_services(role: str, expected: str) -> None:
    assert one(ChatMessage(role=MessageRole(role), content="x")).role == expected


def test_texts_are_joined_as_content_joins_them() -> None:
    message = ChatMessage(blocks=[TextBlock(text="a"), TextBlock(text="b")])
    assert one(message).parts == (Text("a\nb"),)
    assert message.content == "a\nb"


@pytest.mark.parametrize("kind", ["bytes", "base64", "stream", "path", "data_url"])
def test_image_becomes_a_data_url(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "no-suffix"
    path.write_bytes(PNG)
    block = {
        "bytes": lambda: ImageBlock(image=PNG),
        "base64": lambda: ImageBlock(image=base64.b64encode(PNG)),
        "stream": lambda: ImageBlock(image=io.BytesIO(PNG)),
        "path": lambda: ImageBlock(path=path),
        "data_url": lambda: ImageBlock(url=PNG_URL),
    }[kind]()
    assert one(ChatMessage(blocks=[block])).parts == (Image(PNG_URL),)


def test_remote_image_stays_a_url_and_keeps_its_detail() -> None:
    block = ImageBlock(url="https://example.org/cat.png", detail="low")
    assert one(ChatMessage(blocks=[TextBlock(text="See"), block])).parts == (
        Text("See"),
        Image("https://example.org/cat.png", "low"),
    )


def test_the_kind_of_an_image_is_read_from_its_bytes() -> None:
    block = ImageBlock(image=PNG, image_mimetype="image/jpeg")
    assert one(ChatMessage(blocks=[block])).parts == (Image(PNG_URL),)


@pytest.mark.parametrize("kind", ["bytes", "stream", "path"])
def test_document_becomes_a_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(PDF)
    block = {
        "bytes": lambda: DocumentBlock(data=PDF, title="report"),
        "stream": lambda: DocumentBlock(data=io.BytesIO(PDF), title="report.pdf"),
        "path": lambda: DocumentBlock(path=path, title="report"),
    }[kind]()
    assert one(ChatMessage(blocks=[block])).parts == (File(PDF_URL, "report.pdf"),)


@pytest.mark.filterwarnings("ignore::aimlapi_core.HistoryWarning")
def test_thinking_of_this_service_goes_back_and_others_does_not() -> None:
    ours = ThinkingBlock(content="hm", additional_information={"aimlapi": {"id": "rs_1"}})
    theirs = ThinkingBlock(content="hm", additional_information={"signature": "x"})
    message = ChatMessage(role="assistant", blocks=[ours, theirs, TextBlock(text="Yes")])
    assert one(message).parts == (Reasoning("hm", {"id": "rs_1"}), Text("Yes"))


def test_tool_call_blocks_are_read_with_what_their_legacy_twins_know() -> None:
    message = ChatMessage(
        role="assistant",
        blocks=[
            ToolCallBlock(tool_call_id="c1", tool_name="add", tool_kwargs='{"a": 1}'),
            ToolCallBlock(tool_call_id="c2", tool_name="add", tool_kwargs={"ä": 2}),
        ],
        additional_kwargs={
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "add", "arguments": "ignored"},
                    "item_id": "fc_1",
                    "extra": {"extra_content": 1},
                }
            ]
        },
    )
    assert one(message).parts == (
        ToolCall("c1", "add", '{"a": 1}', "fc_1", {"extra_content": 1}),
        ToolCall("c2", "add", '{"ä": 2}'),
    )


def test_legacy_tool_calls_are_read_where_there_is_no_block() -> None:
    class Row:  # what other integrations keep there
        def model_dump(self) -> dict[str, Any]:
            return {"id": "c2", "function": {"name": "sub", "arguments": {"b": 2}}}

    legacy = [{"id": "c1", "function": {"name": "add", "arguments": '{"a": 1}'}}, Row()]
    message = ChatMessage(role="assistant", additional_kwargs={"tool_calls": legacy})
    assert one(message).parts == (
        ToolCall("c1", "add", '{"a": 1}'),
        ToolCall("c2", "sub", '{"b": 2}'),
    )


def test_a_call_without_id_is_known_by_its_name() -> None:
    block = ToolCallBlock(tool_name="add", tool_kwargs={})
    assert one(ChatMessage(role="assistant", blocks=[block])).parts == (
        ToolCall("add", "add", "{}"),
    )


def test_stray_tool_call_id_of_an_assistant_message_is_not_sent() -> None:
    message = ChatMessage(role="assistant", content="5", additional_kwargs={"tool_call_id": "c1"})
    assert one(message) == Message("assistant", (Text("5"),))


def test_media_of_tool_results_follow_all_results_in_a_user_message() -> None:
    def result(call_id: str, *blocks: Any) -> ChatMessage:
        extra = {"tool_call_id": call_id}
        return ChatMessage(role="tool", blocks=list(blocks), additional_kwargs=extra)

    history = [
        result("c1", TextBlock(text="a chart"), ImageBlock(image=PNG)),
        result("c2", DocumentBlock(data=PDF, title="r")),
        result("c3", TextBlock(text="x"), TextBlock(text="y")),
        USER,
    ]
    assert to_messages(history) == (
        Message("tool", (Text("a chart"),), tool_call_id="c1"),
        Message("tool", (Text("The result is in the next user message."),), tool_call_id="c2"),
        Message("tool", (Text("x\ny"),), tool_call_id="c3"),
        Message(
            "user",
            (
                Text("From the result of tool call c1:"),
                Image(PNG_URL),
                Text("From the result of tool call c2:"),
                File(PDF_URL, "r.pdf"),
            ),
        ),
        Message("user", (Text("Hello"),)),
    )
    assert to_messages(history[:3])[-1].role == "user"


def test_citable_citation_and_cache_blocks() -> None:
    citable = CitableBlock(title="Atlas", source="p. 3", content="Paris is in France.")
    citation = CitationBlock(
        cited_content="Paris", source="p. 3", title="Atlas", additional_location_info={}
    )
    cache = CachePoint(cache_control={"type": "ephemeral"})
    assert one(ChatMessage(blocks=[citable, cache, citation])).parts == (
        Text("Atlas (p. 3)\nParis is in France.\nAtlas (p. 3)\nParis"),
    )
    answer = ChatMessage(role="assistant", blocks=[TextBlock(text="Paris"), citation])
    assert one(answer).parts == (Text("Paris"),)


def test_refusal_and_provider_items_of_an_answer_go_back() -> None:
    item = {"type": "web_search_call", "id": "ws_1"}
    message = ChatMessage(
        role="assistant",
        content="Well. I cannot.",
        additional_kwargs={"refusal": "I cannot.", "provider_items": [item]},
    )
    assert one(message).parts == (ProviderItem(item), Text("Well. "), Refusal("I cannot."))


def test_name_of_a_user_goes_along() -> None:
    assert one(ChatMessage(content="x", additional_kwargs={"name": "ada"})).name == "ada"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (ChatMessage(blocks=[AudioBlock(audio=b"x", format="wav")]), "audio"),
        (ChatMessage(blocks=[VideoBlock(video=b"x", video_mimetype="video/mp4")]), "video"),
        (ChatMessage(role="system", blocks=[ImageBlock(image=PNG)]), "system"),
        (ChatMessage(blocks=[ImageBlock(image=PNG, detail="huge")]), "huge"),
        (ChatMessage(blocks=[ImageBlock()]), "image"),
        (ChatMessage(blocks=[SVG]), r"messages\[0\]: .*unsupported kind.*svg"),
        (ChatMessage(blocks=[DocumentBlock(data=b"plain", title="notes")]), "notes"),
        (ChatMessage(blocks=[DocumentBlock(url="https://example.org/a.pdf")]), "download"),
        (ChatMessage(blocks=[ToolCallBlock(tool_name="add")]), "add"),
        ({"role": "user", "content": "x"}, "ChatMessage"),
    ],
)
def test_what_cannot_be_sent_is_named(message: Any, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        to_messages([message])


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (SVG, "unsupported kind"),
        (ImageBlock(url="file:///chart.png"), "unsupported kind"),
        (ImageBlock(image=PNG, detail="huge"), "huge"),
        (AudioBlock(audio=b"x", format="wav"), "audio"),
        (VideoBlock(video=b"x", video_mimetype="video/mp4"), "video"),
        (DocumentBlock(data=b"plain", title="notes"), "notes"),
    ],
)
def test_what_cannot_be_sent_of_a_tool_result_is_named_in_it(block: Any, words: str) -> None:
    """An agent cannot choose what its tools give."""
    blocks = [TextBlock(text="Here."), block]
    message = ChatMessage(role="tool", blocks=blocks, additional_kwargs={"tool_call_id": "c"})
    (part,) = one(message).parts
    assert isinstance(part, Text)
    assert part.text.startswith("Here.\n(")
    assert words in part.text


def test_an_image_of_a_tool_result_is_named_where_the_model_sees_none() -> None:
    image = ImageBlock(image=PNG)
    message = ChatMessage(role="tool", blocks=[image], additional_kwargs={"tool_call_id": "c"})
    (converted,) = to_messages([message], sees_images=False)
    assert converted.parts == (Text("(an image, which this model cannot see)"),)
    (user,) = to_messages([ChatMessage(blocks=[image])], sees_images=False)
    assert user.parts == (Image(PNG_URL),)  # the core refuses it


def test_the_history_is_not_changed() -> None:
    history = [
        ChatMessage(role="system", content="s"),
        ChatMessage(blocks=[TextBlock(text="a"), ImageBlock(image=PNG)]),
        ChatMessage(
            role="assistant",
            blocks=[ToolCallBlock(tool_call_id="c", tool_name="Gen[int]", tool_kwargs={})],
            additional_kwargs={"tool_calls": [{"id": "c", "function": {"name": "Gen[int]"}}]},
        ),
        ChatMessage(
            role="tool", blocks=[ImageBlock(image=PNG)], additional_kwargs={"tool_call_id": "c"}
        ),
    ]
    before = copy.deepcopy(history)
    to_messages(history)
    assert history == before
