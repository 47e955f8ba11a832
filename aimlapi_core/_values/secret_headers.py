"""Which headers may hold a secret, and how one is removed from the text of others. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_SECRET_NAME = re.compile("auth|key|token|cookie|secret|passw|credential|signature", re.IGNORECASE)
_NO_SECRET = re.compile("idempotency", re.IGNORECASE)
# Between the words of a value: `Bearer …`, `name=…; name=…`.
_BETWEEN = re.compile(r"[\s;,=\"]+")
_MIN_LENGTH = 8  # a shorter one is no key of the service, but part of common words


def may_hold_secret(name: object) -> bool:
    """Whether a header's name is that of a key, a token, a cookie or the like."""
    text = str(name)
    return _SECRET_NAME.search(text) is not None and _NO_SECRET.search(text) is None


class Mask:
    """Replaces secrets in strings, mappings and sequences by asterisks.

    `headers`: those of a request; the values of such as may hold a secret are secrets.
    """

    def __init__(self, key: str, headers: Mapping[str, str]) -> None:
        given = [value for name, value in headers.items() if may_hold_secret(name)]
        words = {key, *given, *(word for value in given for word in _BETWEEN.split(value))}
        # The longest first: one may begin with another.
        secrets = sorted(
            (word for word in words if len(word) >= _MIN_LENGTH), key=len, reverse=True
        )
        self._pattern = _any_of(secrets)

    def __call__(self, value: Any) -> Any:
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._pattern.sub("***", value)
        if isinstance(value, tuple):
            return tuple(self(item) for item in value)
        if isinstance(value, list):
            return [self(item) for item in value]
        if isinstance(value, Mapping):
            return {self(name): self(item) for name, item in value.items()}
        return value


def _any_of(words: Iterable[str]) -> re.Pattern[str] | None:
    pattern = "|".join(map(re.escape, words))
    return re.compile(pattern) if pattern else None
