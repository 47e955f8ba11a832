"""URLs of supported images and PDFs, whose MIME type is that of their bytes, not of a label."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

_HTTP_URL = re.compile(r"https?://.", re.I)
_BASE64 = re.compile("[A-Za-z0-9+/]*={0,2}")
_BASE64_BYTES = re.compile(b"[A-Za-z0-9+/]*={0,2}")
_DATA_URL = re.compile(r"data:[^,]*;base64,", re.I)

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

_PIECE = 12_288  # a multiple of three, so that the base64 of pieces is that of the whole

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


@dataclass(frozen=True, slots=True)
class MediaData:
    """An image or a PDF as the caller has it: bytes, or with `is_base64` their base64.

    It stands for its data URL, which is written into a request without a text of it in memory;
    `str()` gives that text, and it is equal to it. `mime_type` counts where the bytes show none.
    """

    data: bytes | str = field(repr=False)
    mime_type: str = ""
    is_base64: bool = False

    def __str__(self) -> str:
        pieces = (piece.decode(errors="backslashreplace") for piece in base64_pieces(self))
        return "".join((data_url_head(self), *pieces))

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, (MediaData, str)) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))


def canonical_mime_type(given: str) -> str:
    """A MIME type in lower case, without parameters, as the service spells it."""
    plain = given.partition(";")[0].strip().lower()
    return _SYNONYMS.get(plain, plain)


def canonical_url(url: str | MediaData) -> str | MediaData:
    """A base64 data URL, or its data, with the MIME type of the bytes; any other URL as it is.

    Where the bytes show none, the type is the given one as the service spells it. White space
    inside the data, as `base64.encodebytes` and PEM have it, is left out.
    """
    if isinstance(url, MediaData):
        return _canonical_data(url)
    head = _DATA_URL.match(url)
    if head is None:
        return url
    if any(mark in url for mark in "\n\r "):
        url = head[0] + "".join(url[head.end() :].split())
    given = url[len("data:") : head.end() - len(";base64,")]
    canonical = f"data:{media_type(url) or canonical_mime_type(given)};base64,"
    return url if head[0] == canonical else f"{canonical}{url[head.end() :]}"


def _canonical_data(media: MediaData) -> MediaData:
    data = _without_whitespace(media.data) if is_encoded(media) else media.data
    kind = media_type(media) or canonical_mime_type(media.mime_type)
    if data is media.data and kind == media.mime_type:
        return media
    return replace(media, data=data, mime_type=kind)


def is_encoded(media: MediaData) -> bool:
    """Whether the data is base64."""
    return media.is_base64 or isinstance(media.data, str)


def _without_whitespace(data: bytes | str) -> bytes | str:
    if isinstance(data, bytes):
        return b"".join(data.split()) if any(mark in data for mark in b"\n\r ") else data
    return "".join(data.split()) if any(mark in data for mark in "\n\r ") else data


def media_type(url: str | MediaData) -> str | None:
    """The MIME type that the bytes of a base64 data URL show; None where they show none."""
    if isinstance(url, MediaData):
        data, start = url.data, 0
        if isinstance(data, bytes) and not url.is_base64:
            return mime_type(data)
    else:
        head = _DATA_URL.match(url)
        if head is None:
            return None
        data, start = url, head.end()
    found = mime_type(_decoded_head(data[start : start + 64]))
    return found or mime_type(_decoded_head(data[start : start + 2 * _PDF_HEAD_BYTES]))


def data_url_head(media: MediaData) -> str:
    """What stands before the base64 in its data URL."""
    return f"data:{media.mime_type};base64,"


def base64_pieces(media: MediaData) -> Iterator[bytes]:
    """The base64 in pieces that are small beside the whole."""
    data, encode = media.data, not is_encoded(media)
    for at in range(0, len(data), _PIECE):
        piece = data[at : at + _PIECE]
        piece = piece.encode() if isinstance(piece, str) else piece
        yield binascii.b2a_base64(piece, newline=False) if encode else piece


def base64_length(media: MediaData) -> int:
    """The length of the base64, in characters."""
    size = len(media.data)
    return size if is_encoded(media) else -(-size // 3) * 4


def is_whole_base64(media: MediaData) -> bool:
    """Whether the base64 has no other characters in it."""
    if isinstance(media.data, str):
        return _BASE64.fullmatch(media.data) is not None
    return not media.is_base64 or _BASE64_BYTES.fullmatch(media.data) is not None


def is_sendable_image(url: str | MediaData) -> bool:
    """Whether it is an http(s) URL, or the data of a PNG, JPEG, GIF or WebP by its bytes."""
    if media_type(url) in IMAGE_TYPES:
        return True
    return isinstance(url, str) and _HTTP_URL.match(url) is not None


def is_pdf(url: str | MediaData) -> bool:
    """Whether it is the data of a PDF by its bytes."""
    return media_type(url) == PDF_TYPE


def shown(url: str | MediaData) -> str:
    """The beginning of a URL, for a message."""
    if isinstance(url, MediaData):
        url = str(replace(url, data=url.data[:30]))
    return repr(url[:40])


def _decoded_head(data: str | bytes) -> bytes:
    """The bytes at the beginning of base64 data; b"" for what is none."""
    whole = _without_whitespace(data)
    try:
        return base64.b64decode(whole[: len(whole) // 4 * 4], validate=True)
    except (binascii.Error, ValueError):
        return b""


def mime_type(data: bytes) -> str | None:
    """The MIME type that the magic bytes show; None for other data than images and PDFs."""
    found = (kind for magic, offset, kind in _MAGIC_BYTES if data.startswith(magic, offset))
    return next(found, None) or (PDF_TYPE if b"%PDF-" in data[:_PDF_HEAD_BYTES] else None)
