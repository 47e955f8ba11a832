"""Messages whose blocks are JSON of other providers, as LlamaIndex's own messages and blocks. Pure.

`ChatMessage` validates its blocks when it is made; what a program puts in later is not validated,
nor what `model_construct` makes of a stored history.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from llama_index.core.base.llms.types import (
    BaseContentBlock,
    ChatMessage,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from pydantic import TypeAdapter, ValidationError

from aimlapi_core import Role
from aimlapi_core._history.foreign_blocks import content_blocks, texts_of
from aimlapi_core._history.foreign_calls import (
    CALL_TYPES,
    Block,
    as_tool_result,
    first_text,
    read_call,
)
from aimlapi_core._history.foreign_media import MIME_TYPES
from aimlapi_core._values.media import mime_type
from aimlapi_core._values.nearest_json import nearest_json

_OWN_TYPES = frozenset((TextBlock, ToolCallBlock, ThinkingBlock, ImageBlock, DocumentBlock))
_IMAGE = re.compile("image|screenshot")
_MEDIA = re.compile("image|screenshot|file|document|media")
_REASONING = ("thinking", "thought", "reason")


@cache
def _own_types() -> TypeAdapter[Any]:
    return TypeAdapter(ContentBlock)


def has_raw_blocks(message: ChatMessage) -> bool:
    """Whether a block of the message is no object of LlamaIndex's."""
    blocks: Any = message.blocks
    if not isinstance(blocks, list):
        return True
    for block in blocks:  # a loop, and the type first: each message is asked
        if type(block) not in _OWN_TYPES and not isinstance(block, BaseContentBlock):
            return True
    return False


def with_own_blocks(message: ChatMessage, role: Role) -> Iterator[ChatMessage]:
    """The message with LlamaIndex's own blocks, and a message of its own for each tool's result.

    The results of a user's turn come before it, as they answer what came before.
    """
    blocks = [_own_block(block) for block in content_blocks(message.blocks)]
    results = [block for block in blocks if _is_result(block)] if role != "system" else []
    rest = [block for block in blocks if block not in results]
    if role == "tool":
        rest = [one for block in blocks for one in _members(block)]
        results = []
    whole = message.model_copy(update={"blocks": rest})
    if role == "user":
        yield from map(_result_message, results)
    if rest or not results:
        yield whole
    if role == "assistant":
        yield from map(_result_message, results)


def _is_result(block: Any) -> bool:
    return isinstance(block, Mapping) and block.get("type") == "tool_result"


def _members(block: Any) -> list[Any]:
    """A block of a tool's message, or what is inside a result of another provider's."""
    if not _is_result(block):
        return [block]
    result = as_tool_result(block)
    content = result["content"]
    given = content if isinstance(content, list) else [content]
    found = [_own_block(one) for member in given for one in content_blocks(member)]
    members: list[Any] = [
        one if isinstance(one, BaseContentBlock) else TextBlock(text=_as_text(one)) for one in found
    ]
    if result["is_error"]:
        first = members.pop(0).text if members and isinstance(members[0], TextBlock) else ""
        members.insert(0, TextBlock(text=f"Error: {first}"))
    return members


def _as_text(value: Any) -> str:
    return (
        value if isinstance(value, str) else json.dumps(nearest_json(value)[0], ensure_ascii=False)
    )


def _result_message(block: Block) -> ChatMessage:
    result = as_tool_result(block)
    ids = {"tool_call_id": result["tool_use_id"]} if result["tool_use_id"] else {}
    return ChatMessage(
        role=MessageRole.TOOL,
        blocks=_members(block),
        additional_kwargs={**ids, "name": result["name"]},
    )


def _own_block(block: Any) -> Any:
    """LlamaIndex's object for a block; the block itself where there is none."""
    if isinstance(block, str):
        return TextBlock(text=block)
    if not isinstance(block, Mapping):
        return block
    if isinstance(block.get("block_type"), str):
        with suppress(ValidationError):
            return _own_types().validate_python(block)
        return block
    kind = str(block.get("type") or "")
    if kind in CALL_TYPES:
        call_id, name, arguments = read_call(block)
        given = arguments if isinstance(arguments, (str, dict)) else _as_text(arguments)
        return ToolCallBlock(tool_call_id=call_id or None, tool_name=name, tool_kwargs=given)
    if any(word in kind for word in _REASONING):
        return ThinkingBlock(additional_information={"type": kind})
    if isinstance(block.get("text"), str):
        return TextBlock(text=block["text"])
    if kind == "refusal" and isinstance(block.get("refusal"), str):
        return TextBlock(text=block["refusal"])
    if text := texts_of(block):
        return TextBlock(text=text)
    with suppress(ValidationError):  # as of a URL that is none
        return _medium(block, kind) or block
    return block


def _medium(block: Block, kind: str) -> ImageBlock | DocumentBlock | TextBlock | None:
    """An image, a document or a text file by its URL, or by its base64 data."""
    if not _MEDIA.search(kind):
        return None
    places = [block, *(block[k] for k in (kind, "source") if isinstance(block.get(k), Mapping))]
    if isinstance(block.get("image_url"), str):
        places.append({"url": block["image_url"]})
    url, data, mime = (
        next((found for place in places if (found := first_text(place, names))), "")
        for names in (("url",), ("base64", "data", "file_data"), MIME_TYPES)
    )
    if data[:5].lower() == "data:":
        url, data = data, ""
    read = _decoded(data)
    if not url and read is None:
        return None
    if read and mime.startswith("text/"):
        return TextBlock(text=read.decode("utf-8", "replace"))
    found = mime_type(read or b"") or mime
    if found.startswith("image/") or (_IMAGE.search(kind) and not found):
        return ImageBlock(url=url or None, image=read, image_mimetype=mime or None)
    title = first_text(block, ("filename", "name", "title")) or None
    return DocumentBlock(url=url or None, data=read, title=title, document_mimetype=mime or None)


def _decoded(data: str) -> bytes | None:
    try:
        return base64.b64decode(data, validate=True) if data else None
    except ValueError:
        return None
