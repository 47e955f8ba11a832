"""Deterministic ids in the service's formats."""

from __future__ import annotations

import hashlib
import uuid

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Ids:
    """A counter whose values are encoded as random-looking ids; one for each emulator."""

    def __init__(self) -> None:
        self._count = 0

    def _digest(self) -> bytes:
        self._count += 1
        return hashlib.sha256(str(self._count).encode()).digest()

    def next(self, prefix: str, size: int) -> str:
        """The next id: `prefix` and `size` letters and digits."""
        number = int.from_bytes(self._digest(), "big")
        letters = []
        for _ in range(size):
            number, rest = divmod(number, 62)
            letters.append(_ALPHABET[rest])
        return prefix + "".join(letters)

    def hex(self, prefix: str) -> str:
        """The next id: `prefix` and 48 hex digits, as on /v1/responses."""
        return prefix + self._digest().hex()[:48]

    def uuid(self) -> str:
        """The next id in the form of a UUID."""
        return str(uuid.UUID(bytes=self._digest()[:16], version=4))
