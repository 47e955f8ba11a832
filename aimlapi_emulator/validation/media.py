"""Validates images and files in requests, and describes them in the emulator's answers."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from aimlapi_emulator.validation.validators import Problem, json_type

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w.=+-]+)*?)(;base64)?,(.*)", re.S)
_IMAGE_TYPES = {"image/png", "image/jpeg", "image/gif", "image/webp"}

_IMAGE_MARKS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")


_STEP = 1 << 20  # a multiple of four characters
_HEAD = 1024


def _decode(data: str, start: int = 0) -> tuple[bytes, int] | None:
    """(first bytes, number of bytes) of base64 from an index on; None if it is no base64.

    In steps, since a whole file beside its text would be much of the memory for a request.
    """
    head, size = b"", 0
    if data.find("=", start, len(data) - 2) >= 0:
        return None
    try:
        for at in range(start, len(data), _STEP):
            decoded = base64.b64decode(data[at : at + _STEP], validate=True)
            head = head or decoded[:_HEAD]
            size += len(decoded)
    except (binascii.Error, ValueError):
        return None
    return head, size


def check_image_url(value: Any, path: str) -> list[Problem]:
    """An http(s) url, or a data url of base64 JPEG, PNG, GIF or WEBP."""
    if not isinstance(value, str):
        return [Problem(path, f"Expected string, received {json_type(value)}")]
    if re.match(r"https?://[^\s/]+", value):
        return []
    match = _DATA_URL.fullmatch(value)
    if match is None:
        return [Problem(path, "Invalid url", "invalid_string")]
    if match[1] not in _IMAGE_TYPES:
        text = f"Invalid image type {match[1]!r}: use JPEG, PNG, GIF or WEBP"
        return [Problem(path, text, "invalid_string")]
    decoded = _decode(value, match.start(4)) if match[3] else None
    if not (decoded and decoded[1]):
        return [Problem(path, "Invalid base64 image data", "invalid_string")]
    head = decoded[0]
    if not head.startswith(_IMAGE_MARKS) and head[8:12] != b"WEBP":
        # OpenAI's words, as reported (STranslate/STranslate#277, seen 2026-11-29).
        text = (
            "You uploaded an unsupported image. Please make sure your image has of one the "
            "following formats: ['png', 'jpeg', 'gif', 'webp']"
        )
        return [Problem(path, text, "invalid_image_format")]
    return []


def check_file_data(value: Any, path: str) -> list[Problem]:
    """Base64 of a PDF, bare or as a data url."""
    if not isinstance(value, str):
        return [Problem(path, f"Expected string, received {json_type(value)}")]
    match = _DATA_URL.fullmatch(value)
    if match is not None and match[1] != "application/pdf":
        text = f"Unsupported file type {match[1]!r}: only PDF is supported"
        return [Problem(path, text, "invalid_string")]
    decoded = _decode(value, match.start(4) if match else 0)
    if not (decoded and decoded[1]):
        return [Problem(path, "Invalid base64 file data", "invalid_string")]
    if b"%PDF-" not in decoded[0]:
        return [Problem(path, "Unsupported file: only PDF is supported", "invalid_string")]
    return []


def check_filename(value: Any, path: str) -> list[Problem]:
    """A file with data has a name: OpenAI's refusal, as reported (openai-agents-python#1513).

    Its words on chat name `file_id`, which AI/ML API does not list.
    """
    if "file_data" in value and not value.get("filename"):
        return [Problem(f"{path}.filename", "Missing required parameter")]
    return []


def describe_image(url: str) -> str:
    """`[image image/png 70 bytes]`, or `[image https://...]`."""
    match = _DATA_URL.fullmatch(url)
    if match is None:
        return f"[image {url[:200]}]"
    decoded = _decode(url, match.start(4))
    return f"[image {match[1]} {decoded[1] if decoded else 0} bytes]"


def describe_file(file: dict[str, Any]) -> str:
    """`[file report.pdf application/pdf 1200 bytes]`."""
    data = file.get("file_data")
    name = file.get("filename") or file.get("file_id") or "unnamed"
    if not isinstance(data, str):
        return f"[file {name}]"
    match = _DATA_URL.fullmatch(data)
    decoded = _decode(data, match.start(4) if match else 0)
    return f"[file {name} application/pdf {decoded[1] if decoded else 0} bytes]"
