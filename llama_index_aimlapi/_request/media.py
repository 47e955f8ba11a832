"""Converts image and document blocks to core parts. The one module here that reads files.

Bytes and local paths are sent as data URLs, which the core makes; remote images stay URLs, for the
service to fetch.
"""

from __future__ import annotations

import re
from typing import cast, get_args

from llama_index.core.base.llms.types import DocumentBlock, ImageBlock

from aimlapi_core import File, Image, InvalidRequestError
from aimlapi_core._values.media import (
    PDF_TYPE,
    MediaData,
    canonical_url,
    is_pdf,
    is_sendable_image,
    shown,
)
from aimlapi_core.types import ImageDetail

_BASE64 = re.compile(b"[A-Za-z0-9+/]+={0,2}")


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
    held = str(given) if given is not None else _data(block, block.image, block.image_mimetype)
    url = canonical_url(held)
    if not is_sendable_image(url):
        raise InvalidRequestError(
            f"An image is of an unsupported kind by its bytes ({shown(url)}): give an http(s) URL, "
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
    data = canonical_url(_data(block, block.data, PDF_TYPE))
    if not is_pdf(data):
        raise InvalidRequestError(
            f"Document {name!r} is not a PDF by its bytes, the one kind of document that the "
            "service takes: pass its text as a TextBlock."
        )
    return File(data, name if name.lower().endswith(".pdf") else f"{name}.pdf")


def _data(block: ImageBlock | DocumentBlock, held: object, mime_type: str | None) -> MediaData:
    """The block's bytes: in base64 where it holds that, as LlamaIndex makes of bytes."""
    mime_type = mime_type or "application/octet-stream"
    if isinstance(held, bytes) and len(held) % 4 == 0 and _BASE64.fullmatch(held):
        return MediaData(held, mime_type, is_base64=True)
    try:
        source = (
            block.resolve_image() if isinstance(block, ImageBlock) else block.resolve_document()
        )
    except (OSError, ValueError) as exc:
        raise InvalidRequestError(f"The {block.block_type} block cannot be read: {exc}") from exc
    return MediaData(cast("bytes", source.read()), mime_type)
