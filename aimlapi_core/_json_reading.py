"""Reads untrusted JSON: a parser, and coercions that return None (or empty) for a wrong type."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

_INT64_LIMIT = 2**63


def loads(data: str | bytes) -> Any:
    """Parse JSON as `json.loads` does, in half the time. Raises ValueError, also for deep nesting.

    What pydantic-core rejects goes to `json`, which also accepts a lone surrogate, UTF-16 and 32,
    a byte order mark, and nesting deeper than 200 levels.
    """
    try:
        # Only keys: ids and texts are seen once, and up to 16,384 of them would stay cached.
        return from_json(data, cache_strings="keys")
    except (ValueError, TypeError):  # TypeError: a str with a lone surrogate
        pass
    try:
        return json.loads(data)
    except RecursionError as exc:
        raise ValueError("JSON nested too deeply") from exc


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
    """A non-negative int that is not a bool; None for anything else."""
    return value if type(value) is int and value >= 0 else None


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
