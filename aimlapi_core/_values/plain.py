"""Numbers and mappings of other types (numpy's, Decimal, frozen) as Python's own. Pure.

No type of another package is imported: they are known by the methods that all of them have.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from typing import Any

_PLAIN = frozenset({type(None), bool, int, str})


def plain_scalar(value: Any) -> Any:
    """A number or boolean of another type as an int, a float or a bool; any other value unchanged.

    A scalar of numpy, torch or jax, an array of no dimension, a Decimal, a Fraction.
    """
    kind = type(value)
    if kind is float or kind in _PLAIN:
        return value
    if isinstance(value, (str, bytes, Mapping)):
        return value
    with suppress(Exception):  # whatever the object's own code raises: it is no number then
        if getattr(value, "ndim", 0) != 0:
            return value
        item = getattr(value, "item", None)
        if callable(item):  # numpy's and its like
            value = item()
        if isinstance(value, (bool, str)):
            return value
        if isinstance(value, (Decimal, Fraction)):
            return int(value) if value == int(value) else float(value)
        if hasattr(type(value), "__index__"):
            return operator.index(value)
        if hasattr(type(value), "__float__"):
            return float(value)
    return value


def plain_number(value: Any, kind: str) -> Any:
    """`plain_scalar`, of a float without a fraction an int where `kind` is "int"."""
    if value is None or type(value) is int:
        return value
    value = plain_scalar(value)
    if kind == "int" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def plain_json(value: Any) -> Any:
    """What JSON writes for a value that is not of its types. Raises TypeError where it has none."""
    if isinstance(value, Mapping):
        return dict(value)
    plain = plain_scalar(value)
    if plain is value or not isinstance(plain, (bool, int, float, str)):
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
    return plain


def plain_tree(value: Any, _inside: tuple[int, ...] = ()) -> Any:
    """Nested mappings as dicts, which can be copied and pickled, and scalars as Python's own.

    Raises ValueError for a mapping or list that holds itself.
    """
    if not isinstance(value, (Mapping, list, tuple)):
        return plain_scalar(value)
    if id(value) in _inside:
        raise ValueError("it holds itself")
    inside = (*_inside, id(value))
    if isinstance(value, Mapping):
        return {key: plain_tree(member, inside) for key, member in value.items()}
    members = [plain_tree(member, inside) for member in value]
    return members if isinstance(value, list) else tuple(members)
