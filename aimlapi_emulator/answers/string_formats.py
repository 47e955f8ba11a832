"""Strings that obey a JSON Schema `format` or `pattern`, taken from a text where it has one."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any

# The parser of `re` has no public name since 3.11 (`sre_parse` warns), nor does typeshed know it.
sre: Any = importlib.import_module("re._constants")
sre_parse: Any = importlib.import_module("re._parser")

_DATE = r"\d{4}-\d{2}-\d{2}"
_TIME = r"\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
_ZONE = r"(?:Z|[+-]\d{2}:\d{2})"
FORMATS: dict[str, tuple[str, str]] = {
    "date": (_DATE, "2026-01-15"),
    "time": (rf"{_TIME}{_ZONE}?", "12:00:00Z"),
    "date-time": (rf"{_DATE}T{_TIME}{_ZONE}", "2026-01-15T12:00:00Z"),
    "duration": (r"P(?:\d+[YMWD])*(?:T(?:\d+[HMS])+)?(?<=\d[YMWDHS])", "PT1H"),
    "email": (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "user@example.com"),
    "uri": (r"https?://[^\s\"'<>)]+[^\s\"'<>).,;]", "https://example.com/"),
    "uuid": (
        r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
        "00000000-0000-4000-8000-000000000001",
    ),
    "ipv4": (r"(?:\d{1,3}\.){3}\d{1,3}", "192.0.2.1"),
    "ipv6": (r"[0-9a-fA-F:]*::[0-9a-fA-F:]+", "2001:db8::1"),
    "hostname": (r"(?:[a-z0-9-]+\.)+[a-z]{2,}", "example.com"),
}
FORMATS["url"] = FORMATS["uri"]
_MONTHS = {
    name: number
    for number, name in enumerate(
        "january february march april may june july august september october november "
        "december".split(),
        start=1,
    )
}
_LONG_DATE = re.compile(
    rf"\b(?:(\d{{1,2}})(?:st|nd|rd|th)?\s+({'|'.join(_MONTHS)})"
    rf"|({'|'.join(_MONTHS)})\s+(\d{{1,2}})(?:st|nd|rd|th)?),?\s+(\d{{4}})\b",
    re.IGNORECASE,
)


def by_format(name: str, text: str) -> str | None:
    """The first string of that format in the text, else a fixed one; None for other formats."""
    if name not in FORMATS:
        return None
    pattern, fallback = FORMATS[name]
    match = re.search(rf"(?<![\w]){pattern}(?![\w])", text)
    if match:
        return match[0]
    if name in ("date", "date-time"):
        found = _long_date(text) or (re.search(_DATE, text) or [None])[0]
        if found:
            return found if name == "date" else f"{found}T00:00:00Z"
    return fallback


def _long_date(text: str) -> str | None:
    match = _LONG_DATE.search(text)
    if match is None:
        return None
    day, month = match[1] or match[4], match[2] or match[3]
    return f"{match[5]}-{_MONTHS[month.lower()]:02d}-{int(day):02d}"


def by_pattern(pattern: str, text: str, schema: Mapping[str, Any]) -> str:
    """A word of the text that the pattern takes, else a string made from the pattern."""
    try:
        compiled = re.compile(pattern)
        for word in text.split():
            plain = word.strip(".,;:!?\"'()")
            if compiled.search(plain) and matches_format(plain, schema):
                return plain
        return "".join(map(_emit, sre_parse.parse(pattern)))
    except (re.error, RecursionError):
        return "text"


def matches_format(value: str, schema: Mapping[str, Any]) -> bool:
    """Whether a string obeys the schema's length, format and pattern."""
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        return False
    form = schema.get("format")
    if form in FORMATS and not re.fullmatch(FORMATS[form][0], value):
        return False
    try:
        return "pattern" not in schema or re.search(schema["pattern"], value) is not None
    except re.error:
        return True


def _emit(node: Any) -> str:
    kind, argument = node
    if kind is sre.LITERAL:
        return chr(argument)
    if kind is sre.NOT_LITERAL:
        return "a" if argument != ord("a") else "b"
    if kind is sre.ANY:
        return "a"
    if kind is sre.IN:
        return _emit_set(argument)
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        low, high, inner = argument
        times = max(low, 1) if high else 0
        return "".join(map(_emit, inner)) * times
    if kind is sre.SUBPATTERN:
        return "".join(map(_emit, argument[3]))
    if kind is sre.BRANCH:
        return "".join(map(_emit, argument[1][0]))
    return ""  # anchors, look-arounds, back references: nothing to write


_CATEGORIES = {
    sre.CATEGORY_DIGIT: "1",
    sre.CATEGORY_WORD: "a",
    sre.CATEGORY_SPACE: " ",
    sre.CATEGORY_NOT_DIGIT: "a",
    sre.CATEGORY_NOT_WORD: "-",
    sre.CATEGORY_NOT_SPACE: "a",
}


def _emit_set(items: list[Any]) -> str:
    if items[0][0] is sre.NEGATE:
        taken = re.compile(f"[{re.escape(''.join(map(_emit_set, [[i] for i in items[1:]])))}]")
        return next((char for char in "ab1-_ " if not taken.match(char)), "~")
    kind, argument = items[0]
    if kind is sre.LITERAL:
        return chr(argument)
    if kind is sre.RANGE:
        return chr(argument[0])
    return _CATEGORIES.get(argument, "a")
