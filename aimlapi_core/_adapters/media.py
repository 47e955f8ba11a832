"""URL patterns of supported images and PDFs, and MIME types from magic bytes."""

from __future__ import annotations

import re

IMAGE_URL = re.compile(r"(https?://.|data:image/(png|jpe?g|gif|webp);base64,.)", re.I)
PDF_URL = re.compile(r"data:application/pdf;base64,.", re.I)
# A PDF begins with "%PDF-", whatever its MIME type says.
PDF_URL_WITH_MAGIC_BYTES = re.compile(r"data:application/pdf;base64,JVBER", re.I)

_MAGIC_BYTES = (
    (b"\x89PNG", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"%PDF", 0, "application/pdf"),
)

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
    """A base64 data URL with the MIME type as the service spells it; any other URL as it is."""
    if url[:5].lower() != "data:":
        return url
    head, comma, data = url.partition(",")
    if not comma or not head.lower().endswith(";base64"):
        return url
    canonical = f"data:{canonical_mime_type(head[5:])};base64"
    return url if head == canonical else f"{canonical},{data}"


def mime_type(data: bytes) -> str | None:
    """The MIME type that the magic bytes show; None for other data than images and PDFs."""
    found = (kind for magic, offset, kind in _MAGIC_BYTES if data.startswith(magic, offset))
    return next(found, None)
