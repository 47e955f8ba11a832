"""Content blocks: no text is lost, and no tool result ends an agent's run."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from aimlapi_core import Text, ToolCall
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
