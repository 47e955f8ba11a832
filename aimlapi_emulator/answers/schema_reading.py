"""Readings of a JSON Schema node: references, merges, kinds, bounds; strings that obey one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from aimlapi_emulator.text import patterns
from aimlapi_emulator.text.bounds import MAX_TEXT, BoundError, check_cpu, check_size
from aimlapi_emulator.text.patterns import REPEATS, longest_text, sre

Schema = Mapping[str, Any]

UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)
"""What reading a schema raises that is none, though an object: the service takes any."""

_KEYWORDS = {
    "object": {"properties", "additionalProperties"},
    "array": {"items", "prefixItems"},
    "number": {"minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"},
}
# Quantifiers are bounded, so that a long text without a match takes linear time.
_DATE = r"\d{4}-\d{2}-\d{2}"
_TIME = r"\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
_UUID = "00000000-0000-4000-8000-000000000001"
_MAX_WORD = 300
_MAX_REFERENCES = 20
_ZONE = r"(?:Z|[+-]\d{2}:\d{2})"
FORMATS: dict[str, tuple[str, str]] = {
    "date": (_DATE, "2026-01-15"),
    "time": (rf"{_TIME}{_ZONE}?", "12:00:00Z"),
    "date-time": (rf"{_DATE}T{_TIME}{_ZONE}", "2026-01-15T12:00:00Z"),
    "duration": (r"P(?:\d{1,9}[YMWD]){0,4}(?:T(?:\d{1,9}[HMS]){1,3})?(?<=\d[YMWDHS])", "PT1H"),
    "email": (r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", "user@example.com"),
    "uri": (r"https?://[^\s\"'<>)]+[^\s\"'<>).,;]", "https://example.com/"),
    "uuid": (
        r"[\da-fA-F]{8}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12}",
        _UUID,
    ),
    "ipv4": (r"(?:\d{1,3}\.){3}\d{1,3}", "192.0.2.1"),
    "ipv6": (r"[0-9a-fA-F:]{0,40}::[0-9a-fA-F:]{1,40}", "2001:db8::1"),
    "hostname": (r"(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,63}", "example.com"),
}


def infer_type(schema: Schema) -> str:
    """The JSON type of a schema that names none."""
    kinds = (kind for kind, keywords in _KEYWORDS.items() if not keywords.isdisjoint(schema))
    return next(kinds, "string")


def resolved(root: Schema, schema: Any) -> Schema:
    """The schema behind references into `root`, `allOf` merged in, keywords of null left out."""
    check_cpu()
    found: dict[str, Any] = dict(schema) if isinstance(schema, Mapping) else {}
    for _ in range(_MAX_REFERENCES):
        if "$ref" not in found:
            break
        node: Any = root
        for part in found.pop("$ref").strip("#/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            node = node.get(key, {}) if key and isinstance(node, Mapping) else node
        found = {**(node if isinstance(node, Mapping) else {}), **found}
    merged = {k: v for k, v in found.items() if v is not None or k in ("const", "default")}
    for part in map(partial(resolved, root), merged.pop("allOf", ())):
        properties = {**merged.get("properties", {}), **part.get("properties", {})}
        required = [*merged.get("required", ()), *part.get("required", ())]
        merged |= part
        merged |= {"properties": properties, "required": required} if properties else {}
    return merged


def bounds(schema: Schema) -> tuple[float, float]:
    """(lowest, highest) number that a schema allows, both inclusive."""
    low = float(schema.get("minimum", -math.inf))
    high = float(schema.get("maximum", math.inf))
    step = 1.0 if schema.get("type") == "integer" else 1e-6
    if isinstance(schema.get("exclusiveMinimum"), int | float):
        low = max(low, math.floor(schema["exclusiveMinimum"] / step) * step + step)
    if isinstance(schema.get("exclusiveMaximum"), int | float):
        high = min(high, math.ceil(schema["exclusiveMaximum"] / step) * step - step)
    return low, high


def number_check(schema: Schema) -> Callable[[float], bool]:
    """Whether a number is one that the schema allows, as a function."""
    (low, high), step = bounds(schema), schema.get("multipleOf")
    whole = schema.get("type") == "integer"
    return lambda n: low <= n <= high and not (step and n % step) and (not whole or n == int(n))


def number_in_range(schema: Schema) -> float | int:
    """A number that the schema allows: the middle, else 1 or what is nearest to it."""
    low, high = bounds(schema)
    is_closed = math.isfinite(low) and math.isfinite(high)
    value = (low + high) / 2 if is_closed else min(max(low, 1.0), high)
    step = schema.get("multipleOf") or (1 if schema.get("type") == "integer" else None)
    if step:
        value = math.floor(value / step) * step
        value = value if value >= low else value + step
    return int(value) if step and float(value).is_integer() else value


def fit_length(text: str, schema: Schema) -> str:
    """The text cut or filled up to the schema's length."""
    low, high = schema.get("minLength", 0), schema.get("maxLength")
    check_size(low, MAX_TEXT, "minLength")
    text = text if high is None else text[: int(high)]
    return text.ljust(int(low), ".")


def by_format(name: Any, text: str) -> str | None:
    """The first string of that format in the text, else a fixed one; None for other formats."""
    if name not in FORMATS:
        return None
    pattern, fallback = FORMATS[name]
    match = re.search(rf"(?<![\w]){pattern}(?![\w])", text)
    day = re.search(_DATE, text) if name == "date-time" else None
    return match[0] if match else f"{day[0]}T00:00:00Z" if day else fallback


def by_pattern(schema: Schema, text: str) -> str:
    """A word of the text that the pattern takes, else one made of it. Raises BoundError."""
    pattern, reason = schema["pattern"], patterns.why_never_matched(schema["pattern"])
    if reason is not None:
        raise BoundError(f"pattern {pattern[:200]!r}: {reason}")
    for word in text.split():
        check_cpu()
        plain = word[:_MAX_WORD].strip(".,;:!?\"'()")
        if matches_format(plain, schema):
            return plain
    try:
        return _joined(map(_emit, patterns.sre_parse.parse(pattern)))
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
        return next((char for char in "1-_ ~" if patterns.can_match(node, char)), "a")
    if kind not in (sre.SUBPATTERN, sre.BRANCH, *REPEATS):
        return ""
    times = 1 if kind not in REPEATS else max(argument[0], 1) if argument[1] else 0
    return _joined(map(_emit, patterns.inner_nodes(kind, argument)[0]), times)
