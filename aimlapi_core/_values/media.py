"""URLs of supported images and PDFs, whose MIME type is that of their bytes, not of a label."""

from __future__ import annotations

import base64
import binascii
import re

_HTTP_URL = re.compile(r"https?://.", re.I)
_DATA_URL = re.compile(r"data:[^,]*;base64,", re.I)
_WHITESPACE = re.compile(r"\s+")

IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
PDF_TYPE = "application/pdf"

_MAGIC_BYTES = (
    (b"\x89PNG", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"%PDF", 0, PDF_TYPE),
)
# Readers of PDF take its mark anywhere in so many bytes (ISO 32000-1, annex H.3).
_PDF_HEAD_BYTES = 1024

# The name of a PDF that has none: OpenAI answers 400 "Missing required parameter:
# 'messages[0].content[1].file.file_id'" without one (openai-agents-python#1513, laravel/ai#324).
FILENAME = "document.pdf"
# Other spellings of the MIME types that the service takes.
_SYNONYMS = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/jfif": "image/jpeg",
    "image/x-png": "image/png",
    "application/x-pdf": "application/pdf",
}


def canonical_mime_type(given: str) -> str:
    """A MIME type in lower case, without parameters, as the service spells it."""
    plain = given.partition(";")[0].strip().lower()
    return _SYNONYMS.get(plain, plain)


def canonical_data_url(url: str) -> str:
    """A base64 data URL with the MIME type of its bytes; any other URL as it is.

    Where the bytes show none, the type is the given one as the service spells it. White space
    inside the data, as `base64.encodebytes` and PEM have it, is left out.
    """
    head = _DATA_URL.match(url)
    if head is None:
        return url
    if "\n" in url or "\r" in url or " " in url:
        url = head[0] + _WHITESPACE.sub("", url[head.end() :])
    given = url[len("data:") : head.end() - len(";base64,")]
    canonical = f"data:{data_url_type(url) or canonical_mime_type(given)};base64,"
    return url if head[0] == canonical else f"{canonical}{url[head.end() :]}"


def data_url_type(url: str) -> str | None:
    """The MIME type that the bytes of a base64 data URL show; None where they show none."""
    head = _DATA_URL.match(url)
    if head is None:
        return None
    start = head.end()
    found = mime_type(_decoded_head(url[start : start + 64]))
    return found or mime_type(_decoded_head(url[start : start + 2 * _PDF_HEAD_BYTES]))


def is_sendable_image(url: str) -> bool:
    """Whether it is an http(s) URL, or a data URL of a PNG, JPEG, GIF or WebP by its bytes."""
    return data_url_type(url) in IMAGE_TYPES or _HTTP_URL.match(url) is not None


def is_pdf(url: str) -> bool:
    """Whether it is a data URL of a PDF by its bytes."""
    return data_url_type(url) == PDF_TYPE


def _decoded_head(data: str) -> bytes:
    """The bytes at the beginning of base64 data; b"" for what is none."""
    whole = _WHITESPACE.sub("", data)
    try:
        return base64.b64decode(whole[: len(whole) // 4 * 4], validate=True)
    except (binascii.Error, ValueError):
        return b""


def mime_type(data: bytes) -> str | None:
    """The MIME type that the magic bytes show; None for other data than images and PDFs."""
    found = (kind for magic, offset, kind in _MAGIC_BYTES if data.startswith(magic, offset))
    return next(found, None) or (PDF_TYPE if b"%PDF-" in data[:_PDF_HEAD_BYTES] else None)
