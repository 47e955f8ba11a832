"""Strings that obey a JSON Schema `format` or `pattern`, taken from a text where it has one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from aimlapi_emulator.text.bounds import MAX_TEXT, BoundError, check_cpu, check_size
from aimlapi_emulator.text.patterns import (
    can_match,
    inner_nodes,
    longest_text,
    sre,
    sre_parse,
    why_never_matched,
)

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


def by_format(name: str, text: str) -> str | None:
    """The first string of that format in the text, else a fixed one; None for other formats."""
    if name not in FORMATS:
        return None
    pattern, fallback = FORMATS[name]
    match = re.search(rf"(?<![\w]){pattern}(?![\w])", text)
    day = re.search(_DATE, text) if name == "date-time" else None
    return match[0] if match else f"{day[0]}T00:00:00Z" if day else fallback


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
    """A text that a node of a pattern matches; empty for anchors and look-arounds."""
    kind, argument = node
    first = argument[0] if kind is sre.IN else node
    if first[0] in (sre.LITERAL, sre.RANGE):
        return chr(first[1] if first[0] is sre.LITERAL else first[1][0])
    if kind in (sre.NOT_LITERAL, sre.ANY, sre.IN):
        return next((char for char in "1-_ ~" if can_match(node, char)), "a")
    if kind not in (sre.SUBPATTERN, sre.BRANCH, sre.MAX_REPEAT, sre.MIN_REPEAT):
        return ""
    is_repeat = kind in (sre.MAX_REPEAT, sre.MIN_REPEAT)
    times = 1 if not is_repeat else max(argument[0], 1) if argument[1] else 0
    return _joined(map(_emit, inner_nodes(kind, argument)[0]), times)
