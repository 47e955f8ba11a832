"""Strings that obey a JSON Schema `format` or `pattern`, taken from a text where it has one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from aimlapi_emulator.text.bounds import MAX_TEXT, BoundError, check_cpu, check_size
from aimlapi_emulator.text.patterns import longest_text, sre, sre_parse, why_never_matched

# Quantifiers are bounded, so that a long text without a match takes linear time.
_DATE = r"\d{4}-\d{2}-\d{2}"
_TIME = r"\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
_ZONE = r"(?:Z|[+-]\d{2}:\d{2})"
FORMATS: dict[str, tuple[str, str]] = {
    "date": (_DATE, "2026-01-15"),
    "time": (rf"{_TIME}{_ZONE}?", "12:00:00Z"),
    "date-time": (rf"{_DATE}T{_TIME}{_ZONE}", "2026-01-15T12:00:00Z"),
    "duration": (r"P(?:\d{1,9}[YMWD]){0,4}(?:T(?:\d{1,9}[HMS]){1,3})?(?<=\d[YMWDHS])", "PT1H"),
    "email": (r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", "user@example.com"),
    "uri": (r"https?://[^\s\"'<>)]+[^\s\"'<>).,;]", "https://example.com/"),
    "uuid": (
        r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
        "00000000-0000-4000-8000-000000000001",
    ),
    "ipv4": (r"(?:\d{1,3}\.){3}\d{1,3}", "192.0.2.1"),
    "ipv6": (r"[0-9a-fA-F:]{0,40}::[0-9a-fA-F:]{1,40}", "2001:db8::1"),
    "hostname": (r"(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,63}", "example.com"),
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
    """A word of the text that the pattern takes, else a string made from the pattern.

    Raises BoundError for a pattern that is never matched, or one that makes too long a string.
    """
    reason = why_never_matched(pattern)
    if reason is not None:
        raise BoundError(f"pattern {pattern[:200]!r}: {reason}")
    try:
        compiled, longest = re.compile(pattern), longest_text(pattern)
        for word in text.split():
            plain = word[: longest + 20].strip(".,;:!?\"'()")
            check_cpu()
            if len(plain) <= longest and compiled.search(plain) and matches_format(plain, schema):
                return plain
        return _joined(map(_emit, sre_parse.parse(pattern)))
    except (re.error, OverflowError, RecursionError):
        return "text"


def matches_format(value: str, schema: Mapping[str, Any]) -> bool:
    """Whether a string obeys the schema's length, format and pattern."""
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        return False
    form = schema.get("format")
    if form in FORMATS and not re.fullmatch(FORMATS[form][0], value):
        return False
    if "pattern" not in schema:
        return True
    try:
        is_tried = len(value) <= longest_text(schema["pattern"])
        return is_tried and re.search(schema["pattern"], value) is not None
    except re.error:
        return True


def _joined(parts: Iterable[str], times: int = 1) -> str:
    """The parts as one text, so many times. Raises BoundError before it is too long."""
    found: list[str] = []
    length = 0
    for part in parts:
        length += len(part)
        check_size(length * times, MAX_TEXT, "characters of a string made from a pattern")
        found.append(part)
    return "".join(found) * times


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
        return _joined(map(_emit, inner), times)
    if kind is sre.SUBPATTERN:
        return _joined(map(_emit, argument[3]))
    if kind is sre.BRANCH:
        return _joined(map(_emit, argument[1][0]))
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
