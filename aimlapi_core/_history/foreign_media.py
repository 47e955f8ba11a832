"""Images and documents of other providers' APIs, in the shapes that the adapters read. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aimlapi_core._history.foreign_calls import Block, first_text
from aimlapi_core._values.nearest_json import nearest_json

GEMINI_MEDIA = ("inlineData", "inline_data", "fileData", "file_data")
_TEXT_FORMATS = frozenset("csv html txt md json xml".split())
# The members that hold a MIME type, of LangChain, Gemini, MCP, the AI SDK and Anthropic.
MIME_TYPES = ("mime_type", "mimeType", "mediaType", "media_type")
_URLS = ("url", "fileUri", "file_uri", "uri")


def members(value: Any) -> Iterable[Any]:
    if value is None or value == "":
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)


def located(kind: str, value: Any, block: Block) -> Block:
    """A medium by its URL, its base64 text or its bytes."""
    rest = {"mime_type": first_text(block, MIME_TYPES), "filename": _filename(block)}
    rest = {name: found for name, found in rest.items() if found}
    if "detail" in block:
        rest["detail"] = block["detail"]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"type": kind, "base64": base64.b64encode(value).decode(), **rest}
    text = str(value)  # an object of a URL, as of the AI SDK's `new URL()`
    is_url = text[:5].lower() == "data:" or "://" in text[:40]
    return {"type": kind, "url" if is_url else "base64": text, **rest}


def _filename(block: Block) -> str:
    return first_text(block, ("filename", "displayName", "display_name", "document_name", "name"))


def medium(block: Block) -> Iterator[Any]:
    """An image or a file whose bytes or URL are below a member of its own name, or under `data`."""
    kind = str(block.get("type") or next(k for k in ("image", "document") if k in block))
    value = block.get(kind)
    if isinstance(value, Mapping):
        yield from _of_object(kind, value, block)
    elif value is not None:
        yield located(kind, value, block)
    elif isinstance(block.get("data"), str) and "://" in block["data"][:40]:
        yield located(kind, block["data"], block)
    elif url := first_text(block, ("fileUri", "file_uri")):
        yield located(kind, url, block)
    elif kind == "document" and isinstance(source := block.get("source"), Mapping):
        yield from _of_anthropic(source, block)
    else:
        yield block


def _of_anthropic(source: Block, block: Block) -> Iterator[Any]:
    """A document, with its title and context, which the model is shown."""
    if source.get("type") not in ("text", "content"):
        yield block
        return
    yield from _titles(block)
    if source["type"] == "content":
        yield from members(source.get("content"))
    else:
        yield {"type": "text", "text": source.get("data") or source.get("text") or ""}


def _titles(block: Block) -> Iterator[Any]:
    for name in ("title", "context"):
        if isinstance(block.get(name), str) and block[name]:
            yield {"type": "text", "text": block[name]}


def titled(block: Block) -> Iterator[Any]:
    """A text with a title and a context, as LangChain has it."""
    if block.get("title") or block.get("context"):
        yield from _titles(block)
        yield {key: value for key, value in block.items() if key not in ("title", "context")}
    else:
        yield block


def _of_object(kind: str, value: Block, block: Block) -> Iterator[Any]:
    """Bedrock's `{"format", "name", "source"}`, and Cohere's document of JSON."""
    source = value.get("source")
    if kind == "image" and (url := first_text(value, _URLS)):
        yield located(kind, url, value)
        return
    if not isinstance(source, Mapping):
        data = value.get("data", value) if kind == "document" else None
        if data is None or any(key in block for key in ("base64", "url", "file_data")):
            yield block
        else:
            yield {"type": "text", "text": data if isinstance(data, str) else _json(data)}
        return
    form = str(value.get("format") or "")
    found = next((source[key] for key in ("bytes", "text", "content") if source.get(key)), None)
    place = source.get("s3Location")
    family = "image" if kind == "image" else "text" if form in _TEXT_FORMATS else "application"
    if isinstance(place, Mapping):
        yield {"type": kind, "url": place.get("uri"), "mime_type": f"{family}/{form}"}
    elif "text" in source:
        yield {"type": "text", "text": found}
    elif isinstance(found, (list, tuple)):
        yield from found
    elif found is not None:
        named = {"mime_type": f"{family}/{form}", "name": value.get("name")}
        yield located("file" if family == "text" else kind, found, named)
    else:
        yield block


def _json(value: Any) -> str:
    return json.dumps(nearest_json(value)[0], ensure_ascii=False)


def of_gemini(block: Block) -> Iterator[Any]:
    """Gemini's bytes or URL of any medium."""
    inner = next(
        (block[name] for name in GEMINI_MEDIA if isinstance(block.get(name), Mapping)), None
    )
    if inner is None:
        yield block
        return
    value = inner.get("data") or first_text(inner, _URLS)
    mime = first_text(inner, MIME_TYPES)
    kind = mime.partition("/")[0].lower()
    yield located(kind if kind in ("image", "audio", "video") else "file", value, inner)


def of_mistral(block: Block) -> Iterator[Any]:
    """A document by its URL."""
    value = block.get("document_url")
    inner = value if isinstance(value, Mapping) else block
    yield located("file", inner.get("url") if inner is value else value, inner)


def of_mcp(block: Block) -> Iterator[Any]:
    """A resource of an MCP server."""
    inner = block.get("resource")
    if not isinstance(inner, Mapping):
        yield block
    elif inner.get("blob"):
        kind = "image" if first_text(inner, MIME_TYPES).startswith("image/") else "file"
        yield located(kind, inner["blob"], inner)
    else:
        for name in ("uri", "text"):
            yield {"type": "text", "text": str(inner.get(name) or "")}
