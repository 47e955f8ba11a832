"""Reads the body of a POST within bounds of size, of structure and of depth."""

from __future__ import annotations

import json
import re
from typing import Any

from aimlapi_emulator.text.bounds import MAX_PROMPT, BoundError, check_size

MAX_BODY = 16_000_000
"""Bytes of a body: images and PDFs of 12 MB in base64."""
_MAX_STRUCTURE = 1_000_000
"""Bytes outside of strings: each can cost 30 of memory."""
_MAX_DECODED = 24_000_000
"""Bytes of the decoded text, whose widest character gives the bytes of each: one, two or four."""
_MAX_DEPTH = 200
_LONG_STRING = 100_000
_CONTINUATION = bytes(range(0x80, 0xC0))  # of characters of several bytes in UTF-8
_WIDTHS = ((re.compile(rb"[\xf0-\xff]"), 4), (re.compile(rb"[\xc4-\xef]"), 2))
# Possessive, since `re` otherwise keeps 100 bytes for each escape in a string.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def too_long() -> BoundError:
    """The error for a body of more than `MAX_BODY` bytes."""
    return BoundError(
        f"The emulator reads bodies of at most {MAX_BODY // 1_000_000} MB: send smaller files, or "
        "their URLs",
        status=413,
    )


def parse_body(content: bytes) -> Any:
    """The parsed JSON, or the bytes where they are none. Raises BoundError for too much of it."""
    if len(content) > _MAX_STRUCTURE:
        _check_strings(content)
    if len(content) > _MAX_DECODED // 4 and _decoded_size(content) > _MAX_DECODED:
        raise BoundError(
            f"The emulator reads bodies of at most {_MAX_DECODED // 1_000_000} MB once they are "
            "decoded, four bytes for each character where one is an emoji: send smaller files, or "
            "their URLs, or leave the emoji out",
            status=413,
        )
    try:
        body = json.loads(content, parse_constant=_refuse)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        return content
    if content.count(b"[") + content.count(b"{") > _MAX_DEPTH and _is_too_deep(body):
        raise _too_deep()
    return body


def _check_strings(content: bytes) -> None:
    """Raise BoundError for too many bytes outside of strings, or too long texts in them."""
    structure, characters = len(content), 0
    for match in _STRING.finditer(content):
        size = match.end() - match.start() - 2
        structure -= size
        if size > _LONG_STRING:
            string = match[0]
            escapes = string.count(b"\\u")
            if escapes or not string.isascii():  # files are neither
                characters += _characters(string) - 4 * escapes - string.count(b"\\")
    check_size(characters, MAX_PROMPT, "characters of a conversation")
    if structure > _MAX_STRUCTURE:
        raise BoundError(
            f"The emulator reads bodies of at most {_MAX_STRUCTURE:,} bytes beside their strings: "
            "send fewer messages, tools or numbers",
            status=413,
        )


def _characters(content: bytes) -> int:
    return len(content.translate(None, _CONTINUATION))


def _decoded_size(content: bytes) -> int:
    """How many bytes Python takes for the text of a body."""
    if content.isascii():
        return len(content)
    width = next((size for lead, size in _WIDTHS if lead.search(content)), 1)
    return width * _characters(content)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _too_deep() -> BoundError:
    return BoundError(f"The emulator reads JSON of at most {_MAX_DEPTH} levels")


def _is_too_deep(body: Any) -> bool:
    if not isinstance(body, dict | list):
        return False
    level = [body]
    for _ in range(_MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
