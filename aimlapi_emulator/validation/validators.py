"""Small checkers that say where a JSON value leaves its schema, and why.

A checker takes a value and its path and gives the problems it sees. Reasons are worded as the
service words them ("Expected array, received null").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """One way in which a body leaves the schema."""

    path: str
    reason: str
    code: str = "invalid_type"

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


Check = Callable[[Any, str], list[Problem]]


def kind(value: Any) -> str:
    """The JSON type name of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _expected(want: str, value: Any, path: str) -> list[Problem]:
    return [Problem(path, f"Expected {want}, received {kind(value)}")]


def anything(value: Any, path: str) -> list[Problem]:
    """Accepts whatever comes."""
    return []


def string(
    *, low: int = 0, high: int | None = None, pattern: str | None = None, says: str = "Invalid"
) -> Check:
    """A string of bounded length, all of it matching `pattern`."""
    compiled = re.compile(pattern) if pattern else None

    def check(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, str):
            return _expected("string", value, path)
        if len(value) < low:
            return [Problem(path, f"String must contain at least {low} character(s)", "too_small")]
        if high is not None and len(value) > high:
            return [Problem(path, f"String must contain at most {high} character(s)", "too_big")]
        if compiled and not compiled.fullmatch(value):
            return [Problem(path, says, "invalid_string")]
        return []

    return check


def number(low: float | None = None, high: float | None = None, *, whole: bool = False) -> Check:
    """A number, or a whole number, within bounds that belong to it."""

    def check(value: Any, path: str) -> list[Problem]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return _expected("number", value, path)
        if whole and not (isinstance(value, int) or value.is_integer()):
            return [Problem(path, "Expected integer, received float")]
        if low is not None and value < low:
            text = f"Number must be greater than or equal to {low}"
            return [Problem(path, text, "too_small")]
        if high is not None and value > high:
            return [Problem(path, f"Number must be less than or equal to {high}", "too_big")]
        return []

    return check


def boolean(value: Any, path: str) -> list[Problem]:
    """True or false."""
    return [] if isinstance(value, bool) else _expected("boolean", value, path)


def one_of(*members: str) -> Check:
    """One of these strings."""
    listed = " | ".join(f"'{member}'" for member in members)

    def check(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, str):
            return [Problem(path, f"Expected {listed}, received {kind(value)}")]
        if value in members:
            return []
        text = f"Invalid enum value. Expected {listed}, received '{value}'"
        return [Problem(path, text, "invalid_enum_value")]

    return check


def nullable(inner: Check) -> Check:
    """What `inner` accepts, or null."""
    return lambda value, path: [] if value is None else inner(value, path)


def array(items: Check, *, low: int = 0, high: int | None = None) -> Check:
    """A list of bounded length."""

    def check(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, list):
            return _expected("array", value, path)
        if len(value) < low:
            return [Problem(path, f"Array must contain at least {low} element(s)", "too_small")]
        if high is not None and len(value) > high:
            return [Problem(path, f"Array must contain at most {high} element(s)", "too_big")]
        return [
            found for index, item in enumerate(value) for found in items(item, f"{path}.{index}")
        ]

    return check


def mapping(values: Check) -> Check:
    """An object with any keys."""

    def check(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, dict):
            return _expected("object", value, path)
        return [found for key, item in value.items() for found in values(item, _join(path, key))]

    return check


def record(
    required: Mapping[str, Check],
    optional: Mapping[str, Check] | None = None,
    *,
    closed: bool = True,
) -> Check:
    """An object with these keys; others are refused when `closed`."""
    known = {**required, **(optional or {})}

    def check(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, dict):
            return _expected("object", value, path)
        found = [Problem(_join(path, key), "Required") for key in required if key not in value]
        for key, item in value.items():
            inner = known.get(key)
            if inner is not None:
                found += inner(item, _join(path, key))
            elif closed:
                found.append(_unknown(path, key))
        return found

    return check


def tagged(tag: str, kinds: Mapping[str, Check]) -> Check:
    """An object whose member `tag` says which checker is meant."""
    member = one_of(*kinds)

    def check(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, dict):
            return _expected("object", value, path)
        name = value.get(tag)
        inner = kinds.get(name) if isinstance(name, str) else None
        if inner is not None:
            return inner(value, path)
        if tag not in value:
            return [Problem(_join(path, tag), "Required", "invalid_union_discriminator")]
        return member(value[tag], _join(path, tag))

    return check


def union(by_kind: Mapping[str, Check]) -> Check:
    """A value whose JSON type picks the checker."""
    wanted = " | ".join(by_kind)

    def check(value: Any, path: str) -> list[Problem]:
        inner = by_kind.get(kind(value))
        if inner is None:
            text = f"Invalid input: expected {wanted}, received {kind(value)}"
            return [Problem(path, text, "invalid_union")]
        return inner(value, path)

    return check


def chain(*steps: Check) -> Check:
    """Every checker in turn, until one finds something."""

    def check(value: Any, path: str) -> list[Problem]:
        for step in steps:
            found = step(value, path)
            if found:
                return found
        return []

    return check


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _unknown(path: str, key: str) -> Problem:
    return Problem(_join(path, key), f"Unrecognized key(s) in object: '{key}'", "unrecognized_keys")


def named(problems: Iterable[Problem]) -> list[dict[str, str]]:
    """Problems as the `error.details` of a refusal."""
    return [{"path": p.path, "reason": p.reason, "code": p.code} for p in problems]
