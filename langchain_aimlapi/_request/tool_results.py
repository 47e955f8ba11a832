"""Converts tool results to tool messages, with their media for the next user message. Pure.

An agent cannot choose what its tools return, so no result raises: what cannot be sent becomes text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from langchain_core.messages import ToolMessage

from aimlapi_core import File, Image, InvalidRequestError, MediaData, Message, Part, Text
from aimlapi_core._history.foreign_blocks import (
    MEDIA_TYPES,
    RESULT_MEMBERS,
    RESULT_TYPES,
    TEXT_HOLDERS,
    unified,
)
from aimlapi_core._history.foreign_calls import as_tool_result
from aimlapi_core._history.foreign_media import GEMINI_MEDIA
from aimlapi_core._values.half_characters import replace_half_characters
from aimlapi_core._values.media import is_pdf, is_sendable_image
from aimlapi_core._values.nearest_json import nearest_json
from langchain_aimlapi._request.content_blocks import Block, to_part

_ATTACHMENT_NOTE = "The result is attached in the next user message."

# Blocks that only assistants write.
_ASSISTANTS = TEXT_HOLDERS | {"refusal"}
_WRAPPERS = RESULT_TYPES | {"tool_result"}

# Members of blocks that hold a file's bytes; longer ones than this are not shown as text.
_DATA_MEMBERS = frozenset(("base64", "data", "file_data", "blob"))
_MAX_DATA_LENGTH = 200


def to_result(message: ToolMessage) -> tuple[Message, tuple[Part, ...]]:
    """(the tool message, whose content is a string; the parts that a string cannot hold)."""
    texts: list[str] = []
    attachments: list[Part] = []
    content: Any = message.content
    is_error = message.status == "error"
    if isinstance(content, str):
        texts, content = [content] if content else [], ()
    for block in content if isinstance(content, (list, tuple)) else (content,):
        members, failed = _unwrapped(block)
        is_error = is_error or failed
        for part in (part for member in members for part in _result_parts(member)):
            if isinstance(part, Text):
                texts.append(part.text)
            else:
                attachments.append(part)
    text = "\n".join(texts)
    if attachments and not text:
        text = _ATTACHMENT_NOTE
    if is_error and not text.lower().startswith("error"):
        text = f"Error: {text}"
    if attachments:  # they go into a user message, in which the core replaces nothing
        call_id = replace_half_characters(message.tool_call_id)
        attachments.insert(0, Text(f"Attached by the tool call {call_id}:"))
    # Without the name, which LangChain sets to the tool's and the Responses API does not have.
    converted = Message("tool", (Text(text),), tool_call_id=message.tool_call_id)
    return converted, tuple(attachments)


def describe_hidden_images(
    result: Message, attachments: Sequence[Part]
) -> tuple[Message, tuple[Part, ...]]:
    """A tool result for a model without image input: images are counted instead of attached."""
    images = [part for part in attachments if isinstance(part, Image)]
    rest = tuple(part for part in attachments if not isinstance(part, Image))
    text = "".join(part.text for part in result.parts if isinstance(part, Text))
    kept = "" if text == _ATTACHMENT_NOTE and not _has_files(rest) else f"{text}\n"
    described = f"{kept}({len(images)} image{'s' * (len(images) > 1)}, which this model cannot see)"
    return replace(result, parts=(Text(described),)), rest if _has_files(rest) else ()


def _has_files(parts: Sequence[Part]) -> bool:
    return any(not isinstance(part, Text) for part in parts)


def _result_parts(block: Any) -> list[Part]:
    """The parts of one block of a result, as JSON text if it cannot be sent otherwise.

    A tool's own JSON may look like the blocks of other providers: only media are read as such.
    """
    if isinstance(block, str) or (isinstance(block, Mapping) and _is_content_block(block)):
        with suppress(InvalidRequestError):
            found = unified(block) if _is_medium(block) else (block,)
            parts = [part for one in found if (part := to_part(one)) is not None]
            if all(map(_is_sendable, parts)):
                return [_with_whole_name(part) for part in parts]
    return [Text(json.dumps(_without_data(nearest_json(block)[0]), ensure_ascii=False))]


def _unwrapped(block: Any) -> tuple[list[Any], bool]:
    """(the content of a block, whether it is an error), of a result in another provider's form."""
    if isinstance(block, Mapping):
        member = next(iter(block)) if len(block) == 1 else None
        is_member = member in RESULT_MEMBERS and isinstance(block[member], Mapping)
        if is_member or _type(block) in _WRAPPERS:
            result = as_tool_result(block)
            content = result["content"]
            return content if isinstance(content, list) else [content], result["is_error"]
    return [block], False


def _type(block: Block) -> str:
    kind = block.get("type")
    return kind if isinstance(kind, str) else ""


def _is_medium(block: Any) -> bool:
    return isinstance(block, Mapping) and (
        _type(block) in MEDIA_TYPES or next(iter(block), None) in GEMINI_MEDIA
    )


def _with_whole_name(part: Part) -> Part:
    if isinstance(part, File) and part.filename:
        return replace(part, filename=replace_half_characters(part.filename))
    return part


def _is_whole(url: str | MediaData) -> bool:
    text = url.data if isinstance(url, MediaData) else url
    return isinstance(text, bytes) or replace_half_characters(text) is text


def _is_sendable(part: Part) -> bool:
    """Whether the service supports it: MCP servers return SVG, `file:` URLs and any bytes."""
    if isinstance(part, Image):
        return is_sendable_image(part.url) and _is_whole(part.url)
    return not isinstance(part, File) or is_pdf(part.data)


def _without_data(value: Any) -> Any:
    """`value` with the length of base64 data in place of the data."""
    if isinstance(value, Mapping):
        kept = {k: v for k, v in value.items() if not _is_data(k, v)}
        rest = {k: f"({len(v)} characters of data)" for k, v in value.items() if k not in kept}
        return {k: _without_data(v) for k, v in {**kept, **rest}.items()}
    return [_without_data(one) for one in value] if isinstance(value, (list, tuple)) else value


def _is_data(key: Any, value: Any) -> bool:
    if not isinstance(value, str) or len(value) <= _MAX_DATA_LENGTH:
        return False
    return value.startswith("data:") or (key in _DATA_MEMBERS and " " not in value)


def _is_content_block(block: Block) -> bool:
    """Whether a block of a tool's result is a content block, not the tool's own JSON."""
    if len(block) == 1:
        return "text" in block or next(iter(block)) in GEMINI_MEDIA
    kind = block.get("type")
    return isinstance(kind, str) and kind not in _ASSISTANTS
