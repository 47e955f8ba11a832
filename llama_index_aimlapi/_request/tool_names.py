"""Maps tool names to names that the service accepts."""

from __future__ import annotations

import hashlib
import re

_ALLOWED = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HASH_LENGTH = 8


def to_wire_tool_name(name: str) -> str:
    """The wire name of a tool: at most 64 of `[A-Za-z0-9_-]`.

    A valid name is kept. Any other is sanitized, truncated and ends with a hash of the full name,
    so that different names do not collide and each maps to the same one in every request.
    """
    if _ALLOWED.fullmatch(name) or not name:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    clean = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return f"{clean[: 64 - _HASH_LENGTH - 1]}_{digest}"
