"""Reads the body of a POST within bounds of size, of structure and of depth."""

from __future__ import annotations

import json
import re
from typing import Any

from aimlapi_emulator.text.bounds import BoundError

MAX_BODY = 16_000_000
"""Bytes of a body: images and PDFs of 12 MB in base64."""
_MAX_STRUCTURE = 1_000_000
"""Bytes outside of strings: each can cost 30 of memory."""
_MAX_DEPTH = 200
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def too_long() -> BoundError:
    """The error for a body of more than `MAX_BODY` bytes."""
    return BoundError(
        f"The emulator reads bodies of at most {MAX_BODY // 1_000_000} MB: send smaller files, or "
        "their URLs",
        status=413,
    )


def parse_body(content: bytes) -> Any:
    """The parsed JSON, or the bytes where they are none. Raises BoundError for too much of it."""
    if len(content) > _MAX_STRUCTURE and _structure(content) > _MAX_STRUCTURE:
        raise BoundError(
            f"The emulator reads bodies of at most {_MAX_STRUCTURE:,} bytes beside their strings: "
            "send fewer messages, tools or numbers",
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


def _structure(content: bytes) -> int:
    """How many bytes are not inside strings."""
    strings = (match.end() - match.start() - 2 for match in _STRING.finditer(content))
    return len(content) - sum(strings)


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
