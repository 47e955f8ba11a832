"""Files of a question: images and PDFs as such, anything else as text."""

from __future__ import annotations

from pathlib import Path

from aimlapi_core import File, Image, InvalidRequestError, MediaData, Part, Text
from aimlapi_core._values.media import IMAGE_TYPES, PDF_TYPE, mime_type


def read_attachment(name: str) -> Part:
    """The file as a part of a message. Raises InvalidRequestError where it cannot be one."""
    if name.startswith(("http://", "https://")):
        return Image(name)
    path = Path(name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidRequestError(f"--file {name}: {error.strerror or error}.") from None
    kind = mime_type(data)
    if kind in IMAGE_TYPES:
        return Image(MediaData(data, kind))
    if kind == PDF_TYPE:
        return File(MediaData(data, kind), path.name)
    try:
        return Text(f"File {path.name}:\n\n{data.decode('utf-8-sig')}\n\n")
    except UnicodeDecodeError:
        raise InvalidRequestError(
            f"--file {name} is no image (PNG, JPEG, GIF, WebP), no PDF and no text in UTF-8."
        ) from None
