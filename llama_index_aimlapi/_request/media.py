"""Converts image and document blocks to core parts. The one module here that reads files.

Bytes and local paths become data URLs; remote images stay URLs, for the service to fetch.
"""

from __future__ import annotations

import base64
from typing import cast, get_args

from llama_index.core.base.llms.types import DocumentBlock, ImageBlock

from aimlapi_core import File, Image, InvalidRequestError
from aimlapi_core._values.media import (
    PDF_TYPE,
    canonical_data_url,
    canonical_mime_type,
    is_sendable_image,
    mime_type,
)
from aimlapi_core.types import ImageDetail


def to_image(block: ImageBlock) -> Image:
    """The image of a block that holds a URL, bytes, a stream or a path.

    Raises InvalidRequestError for one that cannot be read or has an unsupported format.
    """
    if block.detail not in (None, *get_args(ImageDetail)):
        raise InvalidRequestError(
            f"Image detail {block.detail!r} is not one of {list(get_args(ImageDetail))}."
        )
    detail = cast("ImageDetail | None", block.detail)
    given = block.url
    if given is None:
        url = _data_url(_read(block), block.image_mimetype)
    else:
        url = canonical_data_url(str(given))
    if not is_sendable_image(url):
        raise InvalidRequestError(
            f"An image is of an unsupported kind by its bytes ({url[:40]!r}): give an http(s) URL, "
            "or a PNG, JPEG, GIF or WebP."
        )
    return Image(url, detail)


def to_file(block: DocumentBlock) -> File:
    """The PDF of a block that holds bytes, a stream, a path or a data URL."""
    name = block.title or "document"
    if block.url and block.url[:5].lower() != "data:":
        raise InvalidRequestError(
            f"Document {name!r} is a URL, and the service takes documents as bytes only: "
            "download it and pass DocumentBlock(data=...)."
        )
    data = _read(block)
    if mime_type(data) != PDF_TYPE:
        raise InvalidRequestError(
            f"Document {name!r} is not a PDF by its bytes, the one kind of document that the "
            "service takes: pass its text as a TextBlock."
        )
    url = _data_url(data, PDF_TYPE)
    return File(url, name if name.lower().endswith(".pdf") else f"{name}.pdf")


def _read(block: ImageBlock | DocumentBlock) -> bytes:
    try:
        source = (
            block.resolve_image() if isinstance(block, ImageBlock) else block.resolve_document()
        )
    except (OSError, ValueError) as exc:
        raise InvalidRequestError(f"The {block.block_type} block cannot be read: {exc}") from exc
    return cast("bytes", source.read())


def _data_url(data: bytes, stated: str | None) -> str:
    """Detect the MIME type from magic bytes, else use the stated one: suffixes may be wrong."""
    kind = mime_type(data) or canonical_mime_type(stated or "application/octet-stream")
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
