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


def mime_type(data: bytes) -> str | None:
    """The MIME type that the magic bytes show; None for other data than images and PDFs."""
    found = (kind for magic, offset, kind in _MAGIC_BYTES if data.startswith(magic, offset))
    return next(found, None)
