"""Reading JSON that anybody may have written: each gives the value in its type, or says no."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

_MOST = 2**63


def loads(data: str | bytes) -> Any:
    """The JSON value. Raises ValueError for anything else, too deep a nesting included.

    As `json.loads` reads it, in half of its time: what both take, both read alike. json alone
    takes half of a surrogate pair, UTF-16 and 32, a byte order mark, and nesting below level 200.
    """
    try:
        # Not all strings: ids and texts come once, and 16,384 of them would be kept.
        return from_json(data, cache_strings="keys")
    except (ValueError, TypeError):  # TypeError: a str with half of a surrogate pair
        pass
    try:
        return json.loads(data)
    except RecursionError as exc:
        raise ValueError("JSON nested too deeply") from exc


def number(value: Any) -> float | None:
    """A finite number, also one written as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def integer(value: Any) -> int | None:
    """A whole number; None for anything else."""
    if type(value) is int and abs(value) < _MOST:
        return value
    found = number(value) if not isinstance(value, str) else None
    return None if found is None else int(found)


def index(value: Any) -> int | None:
    """An index: an int that is no bool and not below 0."""
    return value if type(value) is int and value >= 0 else None


def text(value: Any) -> str | None:
    """A string that says something; None for anything else."""
    return value if isinstance(value, str) and value else None


def real(value: Any) -> str | None:
    """None for the placeholders that some servers send where a name or an id is not known yet."""
    return value if isinstance(value, str) and value not in ("", "null", "None") else None


def mapping(value: Any) -> Mapping[str, Any]:
    """An object; an empty one for anything else."""
    return value if isinstance(value, (dict, Mapping)) else {}  # dict first: a Mapping takes long


def rows(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; none for anything else."""
    if not isinstance(value, list):
        return []
    return [row for row in value if isinstance(row, (dict, Mapping))]
