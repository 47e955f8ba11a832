"""Content blocks of every shape that LangChain passes on, as the core's parts.

Shapes: LangChain v1 (`{"type": "image", "base64": …, "mime_type": …}`) and v0 (`source_type`),
OpenAI chat (`image_url`, `file`), OpenAI Responses (`input_text`, `input_image`, `input_file`)
and Anthropic (`source`). What this service cannot take is an InvalidRequestError that names
the block, never a silent loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from aimlapi_core import File, Image, InvalidRequestError, Part, Text

Block: TypeAlias = Mapping[str, Any]

# What another provider's model thought, or ran on its own servers: of no use to this one.
FOREIGN_BLOCKS = frozenset(
    "reasoning thinking redacted_thinking reasoning_content server_tool_call "
    "server_tool_call_chunk server_tool_result server_tool_use web_search_call "
    "web_search_tool_result code_interpreter_call file_search_call image_generation_call "
    "mcp_call mcp_list_tools executable_code code_execution_result cachePoint".split()
)
# The calls of an assistant message: they stand in its `tool_calls` too.
CALL_BLOCKS = frozenset(
    "tool_call tool_call_chunk invalid_tool_call tool_use function_call input_json_delta".split()
)


def to_part(block: Block | str) -> Part | None:
    """The part that a block of a user's message means; None for one that is left out."""
    if isinstance(block, str):
        return Text(block) if block else None
    kind = block.get("type") or _only_key(block)
    if kind in FOREIGN_BLOCKS:
        return None
    convert = _CONVERTERS.get(str(kind))
    if convert is None:
        raise InvalidRequestError(
            f"Content blocks of type {kind!r} cannot be sent to AI/ML API: "
            "send text, images (PNG, JPEG, GIF, WEBP) or PDF files."
        )
    return convert(block)


def _only_key(block: Block) -> str | None:
    """The type of a block that has none but a single key, as `{"text": "…"}`."""
    return next(iter(block)) if len(block) == 1 else None


def _text(block: Block) -> Part | None:
    text = block.get("text")
    return Text(text) if isinstance(text, str) and text else None


def _image(block: Block) -> Part:
    return Image(_url(block, "image"), block.get("detail"))


def _image_url(block: Block) -> Part:
    value = block.get("image_url")
    inner = value if isinstance(value, Mapping) else {"url": value}
    return Image(_url(inner, "image_url"), inner.get("detail") or block.get("detail"))


def _file(block: Block) -> Part | None:
    inner = block.get("file")
    inner = inner if isinstance(inner, Mapping) else block
    if "text" in (inner.get("source_type"), _source(inner).get("type")):
        text = inner.get("text") or inner.get("url") or _source(inner).get("data")
        return Text(text) if isinstance(text, str) and text else None
    if _mime(inner).startswith("image/"):
        return Image(_url(inner, "file"))
    data = inner.get("file_data")
    url = data if isinstance(data, str) else _url(inner, "file", default_mime="application/pdf")
    if "://" in url:
        raise InvalidRequestError(
            f"A file by URL ({url!r}) cannot be sent: AI/ML API takes a PDF's bytes only. "
            "Read the file and pass it as base64."
        )
    if not url.startswith("data:"):
        url = f"data:application/pdf;base64,{url}"
    return File(url, _filename(inner))


def _filename(block: Block) -> str | None:
    for holder in (block, block.get("extras"), block.get("metadata")):
        if isinstance(holder, Mapping):
            name = holder.get("filename") or holder.get("name") or holder.get("title")
            if isinstance(name, str):
                return name
    return None


def _source(block: Block) -> Block:
    """Anthropic's inner object."""
    source = block.get("source")
    return source if isinstance(source, Mapping) else {}


def _mime(block: Block) -> str:
    return str(block.get("mime_type") or _source(block).get("media_type") or "")


def _url(block: Block, kind: str, default_mime: str = "") -> str:
    """The URL of a block: its own, or a data URL of its base64 data."""
    for holder in (block, _source(block)):
        data = holder.get("base64") or holder.get("data")
        if isinstance(data, str) and data:
            mime = _mime(block) or default_mime
            if not mime:
                raise InvalidRequestError(
                    f"A {kind!r} block with base64 data needs 'mime_type', as 'image/png'."
                )
            return f"data:{mime};base64,{data}"
        url = holder.get("url")
        if isinstance(url, str) and url:
            return url
    raise InvalidRequestError(
        f"A {kind!r} block needs 'url' or 'base64'; it has {sorted(map(str, block))}. "
        "Files by id are not known to AI/ML API."
    )


def _non_standard(block: Block) -> Part | None:
    value = block.get("value")
    return to_part(value) if isinstance(value, Mapping) else None


_CONVERTERS: dict[str, Callable[[Block], Part | None]] = {
    "text": _text,
    "text-plain": _text,
    "input_text": _text,
    "output_text": _text,
    "image": _image,
    "image_url": _image_url,
    "input_image": _image_url,
    "file": _file,
    "input_file": _file,
    "document": _file,
    "non_standard": _non_standard,
}
