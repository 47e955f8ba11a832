"""Halves of characters (lone surrogates), in texts and as escapes in JSON text. Pure.

A server that cuts texts by UTF-16 writes them, and they have no bytes: such a text cannot be
printed, stored or sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HALF_IN_JSON = re.compile(rb"\\u[dD][89a-fA-F]")
"""What JSON that may hold half of a character has; also one that is an escape in a text of it."""

_HEX = "[0-9a-fA-F]"
_HIGH = rf"\\u[dD][89abAB]{_HEX}{{2}}"
_LOW = rf"\\u[dD][c-fC-F]{_HEX}{{2}}"
_ESCAPES = re.compile(
    rf"{_HIGH}{_LOW}"
    # At the end, where the rest of the character may follow.
    rf"|(?P<open>{_HIGH}(?:\\(?:u(?:[dD](?:[c-fC-F]{_HEX}?)?)?)?)?\Z|\\(?:u{_HEX}{{0,3}})?\Z)"
    rf"|(?P<half>{_HIGH}|{_LOW})"
    r"|\\.",
    re.DOTALL,
)
_REPLACEMENT = "\\ufffd"
_ESCAPE_LENGTH = len(_REPLACEMENT)


def replace_half_characters(text: str) -> str:
    """The text with two halves joined to their character, and U+FFFD for a half alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def join_half_characters(text: str) -> str:
    """The text with two halves joined to their character; a half alone is left."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def without_halves(value: Any) -> Any:
    """A JSON value with every text in it as by `replace_half_characters`."""
    if isinstance(value, str):
        return replace_half_characters(value)
    if isinstance(value, Mapping):
        return {without_halves(key): without_halves(member) for key, member in value.items()}
    return [without_halves(member) for member in value] if isinstance(value, list) else value


def split_at_half(text: str) -> tuple[str, str]:
    """The text without halves, and its last half, whose other one may follow."""
    end = len(text) - _ends_in_half(text)
    return replace_half_characters(text[:end]), text[end:]


def whole_json_text(text: str) -> str:
    """JSON text without halves of characters, raw ones and escapes."""
    if "\\" in text:
        text = _ESCAPES.sub(_whole_escape, text)
    return replace_half_characters(text)


def split_json_text(text: str) -> tuple[str, str]:
    """As `split_at_half`, for JSON text, in which an escape may be cut anywhere."""
    end = len(text) - _ends_in_half(text)
    if end == len(text):
        found = (match.start() for match in _ESCAPES.finditer(text) if match["open"])
        end = next(found, end)
    return whole_json_text(text[:end]), text[end:]


def _whole_escape(match: re.Match[str]) -> str:
    escape = match[0]
    if match["half"]:
        return _REPLACEMENT
    is_half = match["open"] and len(escape) >= _ESCAPE_LENGTH
    return _REPLACEMENT + escape[_ESCAPE_LENGTH:] if is_half else escape


def _ends_in_half(text: str) -> bool:
    return "\ud800" <= text[-1:] <= "\udbff"
