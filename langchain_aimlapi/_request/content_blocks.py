"""Converts content blocks in every shape that LangChain passes on to core parts.

Shapes: LangChain v1 (`{"type": "image", "base64": …, "mime_type": …}`) and v0 (`source_type`),
OpenAI chat (`image_url`, `file`), OpenAI Responses (`input_text`, `input_image`, `input_file`),
Anthropic (`source`) and Google (`media`), and what `aimlapi_core._history.foreign_blocks` makes of
the JSON of other providers' APIs. A block that this service cannot take raises an
InvalidRequestError that names it; none is dropped silently.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from aimlapi_core import (
    File,
    HistoryWarning,
    Image,
    InvalidRequestError,
    MediaData,
    Part,
    Text,
)
from aimlapi_core._history.foreign_blocks import TEXT_HOLDERS, content_blocks, texts_of
from aimlapi_core._history.foreign_calls import CALL_TYPES, first_text
from aimlapi_core._history.foreign_media import MIME_TYPES
from aimlapi_core._values.media import (
    PDF_TYPE,
    canonical_mime_type,
    canonical_url,
    media_type,
    mime_type,
)
from aimlapi_core._values.warn_once import warn_once

Block: TypeAlias = Mapping[str, Any]

# Reasoning and server-side tool blocks of other providers: not sent.
OTHER_PROVIDER_BLOCKS = frozenset(
    "reasoning thinking redacted_thinking reasoning_content server_tool_call "
    "server_tool_call_chunk server_tool_result server_tool_use web_search_call "
    "web_search_tool_result code_interpreter_call file_search_call image_generation_call "
    "mcp_call mcp_list_tools executable_code code_execution_result".split()
)
# Marks for another provider's cache.
IGNORED_BLOCKS = frozenset(("cachePoint", "cache_point"))
# Calls that a message has in its `tool_calls` too, but for messages that were made by hand.
CALL_BLOCKS = CALL_TYPES
# The calls of an assistant message in any state.
TOOL_CALL_BLOCKS = CALL_BLOCKS.union("tool_call_chunk invalid_tool_call input_json_delta".split())

# MIME types of text files that do not start with `text/`.
_TEXT_MIME_TYPES = frozenset(
    "application/json application/xml application/yaml application/x-yaml "
    "application/javascript application/csv".split()
)


def to_parts(content: Any) -> tuple[Part, ...]:
    """The parts of a user's or a system's content, each block in any provider's shape."""
    if isinstance(content, str):
        return (Text(content),)
    return tuple(part for block in content_blocks(content) if (part := to_part(block)) is not None)


def to_part(block: Block | str) -> Part | None:
    """The part for a content block; None for a block that is left out."""
    if isinstance(block, str):
        return Text(block) if block else None
    if not isinstance(block, Mapping):
        raise InvalidRequestError(
            f"A content block is a string or a dict with a type, not {_shown(block)}: take it out."
        )
    kind = block_type(block)
    if kind in IGNORED_BLOCKS:
        return None
    if kind in OTHER_PROVIDER_BLOCKS:
        warn_once(
            ("block", str(kind)),
            f"Content blocks of type {kind!r} were left out: reasoning and what a provider ran "
            "itself are not sent to AI/ML API.",
            HistoryWarning,
        )
        return None
    convert = _BLOCK_CONVERTERS.get(str(kind))
    if convert is not None:
        return convert(block)
    if kind in CALL_BLOCKS:
        raise InvalidRequestError(
            f"A content block of type {kind!r} is the call of a tool, and only assistant messages "
            "can hold one: use AIMessage(tool_calls=[...]), or take the block out."
        )
    if kind == "tool_result":
        raise InvalidRequestError(
            "A content block of type 'tool_result' is the result of a tool: send it as "
            "ToolMessage(content, tool_call_id=...), or in a user's message."
        )
    named = f"Content blocks of type {kind!r}" if kind else f"A content block with {_keys(block)}"
    raise InvalidRequestError(
        f"{named} cannot be sent to AI/ML API: "
        "send text, images (PNG, JPEG, GIF, WEBP) or PDF files, or take the block out."
    )


def block_type(block: Block) -> str | None:
    """The type of a block; of an untyped one its only key, as of `{"text": "…"}`."""
    kind = block.get("type")
    if isinstance(kind, str) and kind:
        return kind
    return str(next(iter(block))) if len(block) == 1 and "type" not in block else None


def _shown(value: Any) -> str:
    return "None" if value is None else repr(value)[:80]


def _text(block: Block) -> Part | None:
    """The text, decoded when it is base64."""
    text = block.get("text")
    if text is None and isinstance(block.get("base64"), str):
        text = _decode_text(block["base64"], block)
    if not isinstance(text, str):
        has = f"its text is {type(text).__name__}" if "text" in block else f"it has {_keys(block)}"
        raise InvalidRequestError(
            f"The content block {block.get('type')!r} needs a string as 'text'; {has}."
        )
    return Text(text) if text else None


def _keys(block: Block) -> str:
    return ", ".join(sorted(map(str, block))) or "no members"


def _decode_text(data: str, block: Block) -> str:
    """The text of base64 data, in UTF-8."""
    try:
        return base64.b64decode(data).decode("utf-8-sig")
    except ValueError as exc:
        raise InvalidRequestError(
            f"The content block {block.get('type')!r} holds text that is no base64 of UTF-8: {exc}"
        ) from exc


def _image(block: Block) -> Part:
    return Image(_url(block, "image"), block.get("detail"))


def _image_url(block: Block) -> Part:
    value = block.get("image_url")
    if value is None:
        return Image(_url(block, str(block.get("type"))), block.get("detail"))
    inner = value if isinstance(value, Mapping) else {"url": value}
    return Image(_url(inner, "image_url"), inner.get("detail") or block.get("detail"))


def _file(block: Block) -> Part | None:
    inner = block.get("file")
    inner = inner if isinstance(inner, Mapping) else block
    if "text" in (inner.get("source_type"), _source(inner).get("type")):
        text = inner.get("text") or inner.get("url") or _source(inner).get("data")
        return Text(text) if isinstance(text, str) and text else None
    if _is_text(_mime_type(inner)) and (encoded := _base64(inner)):
        text = _decode_text(encoded, block)
        return Text(text) if text else None
    data = inner.get("file_data")
    if isinstance(data, str):
        url = canonical_url(data)
    else:
        url = _url(inner, "file", default_mime=PDF_TYPE)
    if isinstance(url, str) and not (url.startswith(("http:", "https:", "data:")) or "://" in url):
        url = canonical_url(MediaData(url, PDF_TYPE, is_base64=True))
    if (media_type(url) or _mime_type(inner)).startswith("image/"):
        return Image(url)
    if isinstance(url, str) and "://" in url:
        raise InvalidRequestError(
            f"A file by URL ({url!r}) cannot be sent: AI/ML API takes a PDF's bytes only. "
            "Read the file and pass it as base64."
        )
    return File(url, _filename(inner))


def _filename(block: Block) -> str | None:
    for holder in (block, block.get("extras"), block.get("metadata")):
        if isinstance(holder, Mapping):
            name = holder.get("filename") or holder.get("name") or holder.get("title")
            if isinstance(name, str):
                return name
    return None


def _source(block: Block) -> Block:
    """Anthropic's `source` object."""
    source = block.get("source")
    return source if isinstance(source, Mapping) else {}


def _mime_type(block: Block) -> str:
    named = first_text(block, MIME_TYPES) or _source(block).get("media_type")
    data = block.get("file_data")
    if not named and isinstance(data, str) and data[:5].lower() == "data:":
        named = data[len("data:") :].partition(",")[0]
    return canonical_mime_type(str(named or ""))


def _is_text(mime: str) -> bool:
    return mime.startswith("text/") or mime in _TEXT_MIME_TYPES


def _base64(block: Block) -> str | None:
    """The base64 data of a file block in any of its shapes; None for a URL."""
    held = [block.get("base64"), block.get("data"), _source(block).get("data")]
    given = block.get("file_data")
    if isinstance(given, str):
        held.append(given.partition(",")[2] if given[:5].lower() == "data:" else given)
    return next((data for data in held if isinstance(data, str) and data), None)


def _url(block: Block, kind: str, default_mime: str = "") -> str | MediaData:
    """The URL of a block, or its data, as base64 or bytes."""
    for holder in (block, _source(block)):
        data = holder.get("base64") or holder.get("data")
        if isinstance(data, (str, bytes, bytearray)) and data:
            media = _media_data(data if isinstance(data, str) else bytes(data))
            mime = _mime_type(block) or default_mime or media_type(media)
            if not mime:
                raise InvalidRequestError(
                    f"The content block {kind!r} with base64 data needs 'mime_type', "
                    "as 'image/png'."
                )
            return canonical_url(replace(media, mime_type=mime))
        url = holder.get("url")
        if isinstance(url, str) and url:
            return canonical_url(url)
    raise InvalidRequestError(
        f"The content block {kind!r} needs 'url' or 'base64'; it has {_keys(block)}. "
        "Files by id are not known to AI/ML API."
    )


def _media_data(data: str | bytes) -> MediaData:
    """Base64, or bytes: those of a file, or base64 that was not decoded to a string."""
    if isinstance(data, str):
        return MediaData(data, is_base64=True)
    try:
        if not mime_type(data):
            base64.b64decode(b"".join(data.split()), validate=True)
            return MediaData(data, is_base64=True)
    except ValueError:
        pass
    return MediaData(data)


def _non_standard(block: Block) -> Part | None:
    value = block.get("value")
    if isinstance(value, (str, Mapping)):
        return to_part(value)
    raise InvalidRequestError(
        "The content block 'non_standard' needs a block as 'value': "
        "send text, images (PNG, JPEG, GIF, WEBP) or PDF files."
    )


def _refusal(block: Block) -> Part | None:
    """An assistant's refusal, as supervisors of agents hand it on in a user's message."""
    text = block.get("refusal")
    return Text(text) if isinstance(text, str) and text else None


def _held_text(block: Block) -> Part | None:
    text = texts_of(block)
    return Text(text) if text else None


_BLOCK_CONVERTERS: dict[str, Callable[[Block], Part | None]] = {
    "text": _text,
    "text-plain": _text,
    "input_text": _text,
    "output_text": _text,
    "image": _image,
    "image_url": _image_url,
    "input_image": _image_url,
    "computer_screenshot": _image_url,
    "file": _file,
    "input_file": _file,
    "document": _file,
    "media": _file,
    "non_standard": _non_standard,
    "refusal": _refusal,
    **dict.fromkeys(TEXT_HOLDERS, _held_text),
}
