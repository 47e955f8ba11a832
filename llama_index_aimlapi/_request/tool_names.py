"""Names of tools on the wire."""

from __future__ import annotations

import hashlib
import re

_ALLOWED = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HASH_LENGTH = 8


def wire_name(name: str) -> str:
    """The name under which the service knows a tool: at most 64 of `[A-Za-z0-9_-]`.

    A name that fits stays. Any other is cleaned, shortened and ended with a hash of the whole,
    so that two names never meet, and the same name is the same in every request.
    """
    if _ALLOWED.fullmatch(name) or not name:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    clean = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return f"{clean[: 64 - _HASH_LENGTH - 1]}_{digest}"
