"""Reads untrusted JSON: parsers, and coercions that return None (or empty) for a wrong type."""

from __future__ import annotations

import json
import math
import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

_INT64_LIMIT = 2**63

# What some servers send before a tool call's arguments, or for none: vLLM and proxies of Anthropic
# begin with `{}`, others write null.
_PLACEHOLDERS = re.compile(r"(?:[\s\ufeff]|null|\{\s*\})*")
_PLACEHOLDER_VALUE = re.compile(r"null|\{")
_ONLY_PLACEHOLDERS_YET = re.compile(_PLACEHOLDERS.pattern + r"(?:nu?l?|\{\s*)?")


def loads(data: str | bytes) -> Any:
    """Parse JSON as `json.loads` does, in half the time. Raises ValueError, also for deep nesting.

    What pydantic-core rejects goes to `json`, which also accepts a lone surrogate, UTF-16 and 32,
    a byte order mark, and nesting deeper than 200 levels. Invalid UTF-8 becomes U+FFFD.
    """
    return loads_with_halves(data)[0]


def loads_with_halves(data: str | bytes) -> tuple[Any, bool]:
    """As `loads`, and whether there may be halves of characters (lone surrogates) in it."""
    try:
        # Only keys: ids and texts are seen once, and up to 16,384 of them would stay cached.
        return from_json(data, cache_strings="keys"), False
    except (ValueError, TypeError):  # TypeError: a str with a lone surrogate
        pass
    if isinstance(data, bytes) and json.detect_encoding(data) in ("utf-8", "utf-8-sig"):
        data = data.removeprefix(BOM_UTF8).decode("utf-8", "replace")
    try:
        return json.loads(data), True
    except RecursionError as exc:
        raise ValueError("JSON nested too deeply") from exc


def loads_arguments(text: str) -> dict[str, Any]:
    """Parse the arguments of a tool call. Raises ValueError for anything but a JSON object.

    An empty text, blanks and null are {}; a byte order mark and `{}` before the object are ignored;
    raw control characters in strings are accepted, as they are unambiguous. Nothing is repaired: a
    function must not run with arguments that the model did not write. NaN, infinities, an object
    with the same name twice, `{}{}` and a byte order mark alone are invalid, since JSON has none of
    them or leaves open what they mean.
    """
    text = without_placeholders(text)
    if not text:
        return {}
    value = loads_written(text)
    if not isinstance(value, dict):
        raise ValueError(f"{text[:100]!r} is {_JSON_TYPES[type(value)]}")
    return value


def loads_written(text: str) -> Any:
    """Parse JSON that a model wrote: raw control characters in strings are accepted.

    Raises ValueError for anything that is not JSON, NaN, infinities and an object with the same
    name twice included.
    """
    if text.startswith("\ufeff"):
        raise ValueError("the text begins with a byte order mark (BOM)")
    try:
        return _WRITTEN.decode(text)
    except RecursionError as exc:
        raise ValueError("JSON nested too deeply") from exc


_JSON_TYPES = {
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} appears twice in one object")
    return found


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:40]} is too large")
    return value


# `json.loads` makes a decoder in each call.
_WRITTEN = json.JSONDecoder(
    strict=False,
    object_pairs_hook=_unique_names,
    parse_constant=_reject_constant,
    parse_float=_finite_float,
)


def arguments_text(arguments: Any) -> str:
    """The text of a call's arguments, which some servers send as JSON; "" for none."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else json.dumps(arguments, ensure_ascii=False)


def without_placeholders(text: str) -> str:
    """Arguments of a tool call without what some servers send before or instead of them.

    Two values without members (`{}{}`), and a byte order mark alone, are no arguments: unchanged.
    """
    if text.startswith('{"'):  # nearly all
        return text
    end = _end_of_placeholders(text)
    if end < len(text):
        return text[end:] if end and text[end] == "{" else text
    values = _PLACEHOLDER_VALUE.findall(text)
    if len(values) > 1 or (not values and "\ufeff" in text):
        return text
    return "{}" if values == ["{"] else ""


def _end_of_placeholders(text: str) -> int:
    found = _PLACEHOLDERS.match(text)
    return found.end() if found else 0


class ArgumentsStart:
    """The beginning of streamed arguments, held until it can be distinguished from placeholders.

    `feed` gives what is released, "" while all is held; once it gave text, or after `text`, drop
    the object: the deltas that follow are unchanged. What is released adds up to
    `without_placeholders` of the whole text.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = ""

    def feed(self, delta: str) -> str:
        self._held += delta
        if self._held.startswith('{"'):  # nearly all
            return self._held
        # Blanks alone decide nothing, and a model may write thousands of them, one by one.
        if delta.isspace() or _ONLY_PLACEHOLDERS_YET.fullmatch(self._held):
            return ""
        return self.text()

    def text(self) -> str:
        """What is held, without placeholders."""
        return without_placeholders(self._held)


def as_float(value: Any) -> float | None:
    """A finite number, also a numeric string; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def as_int(value: Any) -> int | None:
    """An int, or a float truncated to one; None for anything else."""
    if type(value) is int and abs(value) < _INT64_LIMIT:
        return value
    found = as_float(value) if not isinstance(value, str) else None
    return None if found is None else int(found)


def as_index(value: Any) -> int | None:
    """A non-negative int, which some servers send as a float or in a string; else None."""
    if type(value) is int:
        return value if value >= 0 else None
    if type(value) is str and value.isascii() and value.isdigit():
        value = as_float(value)
    if type(value) is float and value.is_integer() and 0 <= value < _INT64_LIMIT:
        return int(value)
    return None


def nonempty_str(value: Any) -> str | None:
    """A non-empty string; None for anything else."""
    return value if isinstance(value, str) and value else None


def non_placeholder_str(value: Any) -> str | None:
    """A non-empty string, or None for `"null"` and `"None"`, which some servers send."""
    return value if isinstance(value, str) and value not in ("", "null", "None") else None


def as_mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, (dict, Mapping)) else {}  # dict first: the ABC is slow


def as_mappings(value: Any) -> list[Mapping[str, Any]]:
    """The JSON objects in a list, other elements dropped; [] for anything else."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, (dict, Mapping))]
