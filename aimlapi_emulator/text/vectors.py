"""Vectors to retrieve by: hashed bags of stems, the same for the same text on every machine.

A text's words are folded (case, accents, width) and stemmed; each stem, its character 4-grams at
a lower weight, and each pair of neighbouring CJK characters falls with a sign on one component.
Function words hardly count. Texts that share words are therefore near, others are not; meaning
is unknown. Components that no word falls on hold a small constant, so that vectors are dense and
cost on the wire what real ones do. All are float32 and have unit length.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import math
import re
import sys
import unicodedata
from array import array
from collections import Counter
from functools import lru_cache

from aimlapi_emulator.text.words import FUNCTION_WORDS, bare_stem

# Indic and Thai vowel signs belong to their words though they are no letters.
_WORD = re.compile(r"(?:[^\W_\u2e80-\U0010ffff]|[\u0900-\u0fff])+|[\u2e80-\U0010ffff]+")
_MARKS = re.compile(r"[\u0300-\u036f]")
_CJK = "\u2e80"
_GRAM = 4
_GRAMS_WEIGHT = 0.35
_FUNCTION_WEIGHT = 0.1
_SINGLE_WEIGHT = 0.5
_BACKDROP = 0.15


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", bare).casefold()


def _hash(term: str) -> int:
    digest = hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


@lru_cache(maxsize=1 << 16)
def _hashes(word: str) -> tuple[tuple[int, float], ...]:
    """(hash, weight) of the features of a folded word or of a run of CJK characters."""
    if word >= _CJK:
        signs = [sign for sign in word if sign.isalnum()] or list(word)
        pairs = itertools.pairwise(signs)
        found = [(_hash(f"2{left}{right}"), 1.0) for left, right in pairs]
        return (*((_hash(f"1{sign}"), _SINGLE_WEIGHT) for sign in signs), *found)
    if word in FUNCTION_WORDS:
        return ((_hash(f"w{word}"), _FUNCTION_WEIGHT),)
    stem = bare_stem(word)
    padded = f"<{stem}>"
    grams = [padded[at : at + _GRAM] for at in range(len(padded) - _GRAM + 1)]
    each = _GRAMS_WEIGHT / math.sqrt(max(1, len(grams)))
    return ((_hash(f"w{stem}"), 1.0), *((_hash(f"g{gram}"), each) for gram in grams))


def _sums(text: str, size: int) -> dict[int, float]:
    """What the words of a text add up to, by component; never all zeros."""
    sums: dict[int, float] = {}
    for word, times in Counter(_WORD.findall(_fold(text))).items():
        often = 1 + math.log(times)
        for hashed, weight in _hashes(word):
            place = (hashed >> 1) % size
            sums[place] = sums.get(place, 0.0) + (often if hashed & 1 else -often) * weight
    if not any(abs(value) > 1e-6 for value in sums.values()):
        return {_hash(text) % size: 1.0}
    return sums


@lru_cache(maxsize=64)
def _backdrop(size: int) -> tuple[array[float], tuple[str, ...], float]:
    """The constants of components without words, as numbers and as JSON, and their squares' sum."""
    raw = [_hash(f"backdrop {at}") / 2**63 - 1 for at in range(size)]
    scale = _BACKDROP / math.sqrt(sum(value * value for value in raw))
    found = array("f", (value * scale for value in raw))
    return found, tuple(map(repr, found)), math.fsum(value * value for value in found)


def _components(text: str, size: int) -> tuple[list[int], array[float]]:
    """(places of the components that words fall on, their values)."""
    sums = _sums(text, size)
    constants, _, squares = _backdrop(size)
    left = squares - math.fsum(constants[at] ** 2 for at in sums)
    scale = math.sqrt((1 - left) / math.fsum(value * value for value in sums.values()))
    return list(sums), array("f", (value * scale for value in sums.values()))


def _array(text: str, size: int) -> array[float]:
    found = _backdrop(size)[0][:]
    for place, value in zip(*_components(text, size), strict=True):
        found[place] = value
    return found


def as_json(text: str, size: int) -> str:
    """The text's vector as a JSON list."""
    found = list(_backdrop(size)[1])
    for place, value in zip(*_components(text, size), strict=True):
        found[place] = repr(value)
    return f"[{','.join(found)}]"


def as_base64(text: str, size: int) -> str:
    """The text's vector as base64 of its little-endian float32 components."""
    found = _array(text, size)
    if sys.byteorder == "big":  # pragma: no cover - no such machine at hand
        found.byteswap()
    return base64.b64encode(found.tobytes()).decode()
