"""Schema validators in the manner of zod, with the service's error messages.

A validator takes a value and its path and returns its problems ("Expected array, received null").
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """One violation of the schema, as zod's issue."""

    path: str
    reason: str
    code: str = "invalid_type"

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


Validator = Callable[[Any, str], list[Problem]]


def json_type(value: Any) -> str:
    """The name of a value's JSON type."""
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
    return [Problem(path, f"Expected {want}, received {json_type(value)}")]


def any_(value: Any, path: str) -> list[Problem]:
    """Accepts any value."""
    return []


def string(
    *, min: int = 0, max: int | None = None, pattern: str | None = None, message: str = "Invalid"
) -> Validator:
    """A string with bounds on its length that matches `pattern` as a whole."""
    compiled = re.compile(pattern) if pattern else None

    def check(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, str):
            return _expected("string", value, path)
        if len(value) < min:
            return [Problem(path, f"String must contain at least {min} character(s)", "too_small")]
        if max is not None and len(value) > max:
            return [Problem(path, f"String must contain at most {max} character(s)", "too_big")]
        if compiled and not compiled.fullmatch(value):
            return [Problem(path, message, "invalid_string")]
        return []

    return check


def number(
    min: float | None = None, max: float | None = None, *, integer: bool = False
) -> Validator:
    """A number or integer within inclusive bounds."""

    def check(value: Any, path: str) -> list[Problem]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return _expected("number", value, path)
        if isinstance(value, float) and not math.isfinite(value):  # 1e999
            return [Problem(path, "Expected number, received infinity")]
        if integer and not (isinstance(value, int) or value.is_integer()):
            return [Problem(path, "Expected integer, received float")]
        if min is not None and value < min:
            text = f"Number must be greater than or equal to {min}"
            return [Problem(path, text, "too_small")]
        if max is not None and value > max:
            return [Problem(path, f"Number must be less than or equal to {max}", "too_big")]
        return []

    return check


def boolean(value: Any, path: str) -> list[Problem]:
    """True or false."""
    return [] if isinstance(value, bool) else _expected("boolean", value, path)


def enum(*members: str) -> Validator:
    """One of these strings."""
    listed = " | ".join(f"'{member}'" for member in members)

    def check(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, str):
            return [Problem(path, f"Expected {listed}, received {json_type(value)}")]
        if value in members:
            return []
        text = f"Invalid enum value. Expected {listed}, received '{value}'"
        return [Problem(path, text, "invalid_enum_value")]

    return check


def nullable(inner: Validator) -> Validator:
    """What `inner` accepts, or null."""
    return lambda value, path: [] if value is None else inner(value, path)


def array(items: Validator, *, min: int = 0, max: int | None = None) -> Validator:
    """A list with bounds on its length."""

    def check(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, list):
            return _expected("array", value, path)
        if len(value) < min:
            return [Problem(path, f"Array must contain at least {min} element(s)", "too_small")]
        if max is not None and len(value) > max:
            return [Problem(path, f"Array must contain at most {max} element(s)", "too_big")]
        return [
            found for index, item in enumerate(value) for found in items(item, f"{path}.{index}")
        ]

    return check


def mapping(values: Validator) -> Validator:
    """An object with any keys."""

    def check(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, dict):
            return _expected("object", value, path)
        return [found for key, item in value.items() for found in values(item, _join(path, key))]

    return check


def object_(
    required: Mapping[str, Validator],
    optional: Mapping[str, Validator] | None = None,
    *,
    closed: bool = False,
) -> Validator:
    """An object with these properties, and others unless it is `closed`."""
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


def discriminated_union(discriminator: str, kinds: Mapping[str, Validator]) -> Validator:
    """An object whose property `discriminator` selects the validator."""
    member = enum(*kinds)

    def check(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, dict):
            return _expected("object", value, path)
        name = value.get(discriminator)
        inner = kinds.get(name) if isinstance(name, str) else None
        if inner is not None:
            return inner(value, path)
        if discriminator not in value:
            return [Problem(_join(path, discriminator), "Required", "invalid_union_discriminator")]
        return member(value[discriminator], _join(path, discriminator))

    return check


def union(by_kind: Mapping[str, Validator]) -> Validator:
    """A value whose JSON type selects the validator."""
    wanted = " | ".join(by_kind)

    def check(value: Any, path: str) -> list[Problem]:
        inner = by_kind.get(json_type(value))
        if inner is None:
            text = f"Invalid input: expected {wanted}, received {json_type(value)}"
            return [Problem(path, text, "invalid_union")]
        return inner(value, path)

    return check


def chain(*steps: Validator) -> Validator:
    """The problems of the first validator that finds any."""

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


def error_details(problems: Iterable[Problem]) -> list[dict[str, str]]:
    """The problems as `error.details` of an error body."""
    return [{"path": p.path, "reason": p.reason, "code": p.code} for p in problems]
