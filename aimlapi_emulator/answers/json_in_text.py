"""JSON that a prompt spells out or asks for in its text."""

from __future__ import annotations

import json
import re
from typing import Any

from aimlapi_emulator.prompt import Prompt

_MOST_BRACES = 200


def schema_in_text(prompt: Prompt) -> dict[str, Any] | None:
    """The last JSON Schema of an object that the prompt spells out while it asks for JSON."""
    text = f"{prompt.system_text}\n{prompt.user_text}"
    if '"properties"' not in text or "json" not in text.lower():
        return None
    found = None
    decoder = json.JSONDecoder()
    place = text.find("{")
    tries = 0
    while place >= 0 and tries < _MOST_BRACES:
        tries += 1
        try:
            value, end = decoder.raw_decode(text, place)
        except ValueError:
            place = text.find("{", place + 1)
            continue
        if isinstance(value, dict) and isinstance(value.get("properties"), dict):
            found = value
        place = text.find("{", end)
    return found


_KEYWORD = re.compile(r"\b(?:keys?|fields?|properties)\b", re.IGNORECASE)
_QUOTED_BEFORE = re.compile(r"(?:[\"'`]\w+[\"'`][\s,]*(?:and\s+)?)+$")
_LISTED_AFTER = re.compile(
    r"(?:\s+named)?[:\s]+((?:[\"'`]?\w+[\"'`]?(?:\s*,\s*(?:and\s+)?|\s+and\s+))*[\"'`]?\w+[\"'`]?)"
)
_NEAR = 300


def wanted_keys(text: str) -> list[str]:
    """The keys that a text asks JSON to have: `with 'a' and 'b' keys`, `keys: a, b`."""
    places = [(match.start(), match.end()) for match in _KEYWORD.finditer(text)][:20]
    for start, _ in places:
        before = _QUOTED_BEFORE.search(text[max(0, start - _NEAR) : start])
        if before:
            return re.findall(r"[\"'`](\w+)[\"'`]", before[0])
    for _, end in places:
        after = _LISTED_AFTER.match(text[end : end + _NEAR])
        if after:
            words: list[str] = re.findall(r"\w+", after[1])
            return [word for word in words if word not in ("and", "or", "the", "a")]
    return []


def first_object(text: str) -> dict[str, Any] | None:
    """The JSON object that begins at the first brace of a text."""
    place = text.find("{")
    if place < 0:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text, place)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
