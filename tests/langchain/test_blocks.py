"""Content blocks: no text is lost, and no tool result ends an agent's run."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from aimlapi_core import Image, Text, ToolCall
from langchain_aimlapi import InvalidRequestError
from langchain_aimlapi._request.messages import to_messages
from langchain_aimlapi.errors import translate_errors

ENCODED = base64.b64encode("naïve".encode()).decode()


def user_parts(block: Any) -> tuple[Any, ...]:
    with translate_errors():
        return to_messages([HumanMessage([block])])[0].parts


def result_text(*blocks: Any) -> str:
    message = to_messages([ToolMessage(list(blocks), tool_call_id="c")])[0]
    (part,) = message.parts
    assert isinstance(part, Text)
    return part.text


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text-plain", "base64": ENCODED, "mime_type": "text/plain"},
        {"type": "text-plain", "text": "naïve"},
        {"type": "file", "base64": ENCODED, "mime_type": "text/csv"},
        {"type": "file", "source_type": "base64", "data": ENCODED, "mime_type": "text/plain"},
        {"type": "file", "file": {"file_data": f"data:text/plain;base64,{ENCODED}"}},
        {"type": "input_file", "file_data": f"data:text/plain;base64,{ENCODED}"},
        {"type": "file", "base64": ENCODED, "mime_type": "application/json"},
        {"type": "non_standard", "value": {"type": "text", "text": "naïve"}},
    ],
)
def test_text_in_any_shape_is_sent(block: Any) -> None:
    assert user_parts(block) == (Text("naïve"),)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text-plain", "url": "https://host.example/a.txt"},
        {"type": "text-plain", "base64": "/w==", "mime_type": "text/plain"},
        {"type": "text", "text": 5},
        {"type": "text"},
        {"type": "non_standard", "value": 5},
        {"type": "non_standard", "value": {"kind": "x", "y": 1}},
    ],
)
def test_text_that_cannot_be_read_is_refused(block: Any) -> None:
    with pytest.raises(InvalidRequestError):
        user_parts(block)


@pytest.mark.parametrize(
    "block",
    [
        {"text": 5},
        {"type": "text", "text": 5},
        {"type": "search_result", "title": "T", "content": [{"type": "text", "text": "found"}]},
        {"type": "file", "url": "https://host.example/a.pdf"},
        {"type": "json", "json": {"a": 1}},
        {"type": "resource_link", "uri": "file:///a", "name": "a"},
    ],
)
def test_a_result_that_is_no_content_goes_as_json(block: Any) -> None:
    assert json.loads(result_text(block)) == block


def test_media_in_a_result_is_named_only() -> None:
    text = result_text({"type": "audio", "base64": "A" * 5000, "mime_type": "audio/wav"})
    assert "audio/wav" in text
    assert "5000 characters" in text
    assert "AAAA" not in text


def test_a_number_that_json_lacks_goes_back_as_null() -> None:
    call: Any = {"id": "1", "name": "f", "args": {"x": float("nan"), "y": [float("inf"), "ä"]}}
    (part,) = to_messages([AIMessage("", tool_calls=[call])])[0].parts
    assert isinstance(part, ToolCall)
    assert part.arguments == '{"x": null, "y": [null, "ä"]}'


def test_a_block_is_named_in_plain_grammar() -> None:
    with pytest.raises(InvalidRequestError, match="The content block 'image' needs"):
        user_parts({"type": "image", "id": "x"})


PNG = (Path(__file__).parents[1] / "media" / "gradient.png").read_bytes()
PDF = (Path(__file__).parents[1] / "media" / "dummy.pdf").read_bytes()


@pytest.mark.parametrize("mime", [{"mime_type": "image/png"}, {}])
@pytest.mark.parametrize("name", ["base64", "data"])
@pytest.mark.parametrize("encode", [bytes, base64.b64encode, base64.encodebytes, bytearray])
def test_images_and_pdfs_may_be_bytes(encode: Any, name: str, mime: dict[str, str]) -> None:
    """Of the file itself, or base64 that nobody decoded, in lines too."""
    (image,) = user_parts({"type": "image", name: encode(PNG), **mime})
    assert image == Image(f"data:image/png;base64,{base64.b64encode(PNG).decode()}")
    (file,) = user_parts({"type": "file", name: encode(PDF)})
    assert file.data == f"data:application/pdf;base64,{base64.b64encode(PDF).decode()}"


def test_lines_of_base64_are_joined() -> None:
    lines = base64.encodebytes(PNG).decode()
    plain = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert user_parts({"type": "image", "base64": lines, "mime_type": "image/png"})[0].url == plain
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{lines}"}}
    assert user_parts(url)[0].url == plain


@pytest.mark.parametrize("detail", ["ultra", 5])
def test_an_unknown_detail_is_refused_with_its_message(detail: Any, chat: Any, emu: Any) -> None:
    encoded = base64.b64encode(PNG).decode()
    block = {"type": "image", "base64": encoded, "mime_type": "image/png", "detail": detail}
    with pytest.raises(InvalidRequestError, match=r"Message 0 .* detail .*low, high, auto"):
        chat().invoke([HumanMessage([block])])
    assert emu.requests == []
    chat().invoke([HumanMessage([{**block, "detail": "low"}])])
