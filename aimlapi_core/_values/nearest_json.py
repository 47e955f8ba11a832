"""The JSON that is nearest to any Python value: programs put such values into histories. Pure.

No type of another package is imported: they are known by the methods that all of them have.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections.abc import Collection, Iterator, Mapping, Set
from datetime import date, time
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any

from pydantic_core import to_jsonable_python

from aimlapi_core._values.plain import plain_scalar

CIRCULAR = "[circular]"
TOO_DEEP = "[nested too deeply]"
_MAX_DEPTH = 100
# Python writes no longer integers as text: `sys.get_int_max_str_digits`.
_MAX_INT_BITS = 14_000


def nearest_json(value: Any) -> tuple[Any, tuple[str, ...]]:
    """(the value in JSON's own types, what of it has no form there, in words).

    Bytes become their text, or base64 where they are none; sets, arrays and the like lists; enums
    their values; dates, times and UUIDs their text; dataclasses and pydantic objects objects. NaN
    and infinities are null. What holds itself is `CIRCULAR` there, and any other object its `str`.
    """
    writer = _Writer()
    return writer.value(value, ()), tuple(dict.fromkeys(writer.lost))


class _Writer:
    """Writes one value. `lost` names what was written as a text about it."""

    def __init__(self) -> None:
        self.lost: list[str] = []

    def value(self, given: Any, inside: tuple[int, ...]) -> Any:
        """`inside` has the ids of the objects that hold this one."""
        while isinstance(given, Enum):
            given = given.value
        plain = plain_scalar(given)
        if plain is None or isinstance(plain, (bool, str)):
            return plain
        if isinstance(plain, int):
            return plain if plain.bit_length() <= _MAX_INT_BITS else self._text(plain)
        if isinstance(plain, float):
            return plain if math.isfinite(plain) else self._no_number(plain)
        if isinstance(plain, Decimal):  # a finite one is a number by now
            return self._no_number(plain)
        if isinstance(plain, (bytes, bytearray, memoryview)):
            return _text_of_bytes(bytes(plain))
        if isinstance(plain, (date, time)):
            return plain.isoformat()
        if isinstance(plain, PurePath):
            return str(plain)
        if id(given) in inside:
            self.lost.append("a value that holds itself")
            return CIRCULAR
        if len(inside) >= _MAX_DEPTH:
            self.lost.append(f"values nested deeper than {_MAX_DEPTH} levels")
            return TOO_DEEP
        try:
            members = _members(plain)
        except Exception:  # whatever the object's own code raises
            members = None
        inside = (*inside, id(given))
        if isinstance(members, dict):
            return self._object(members, inside)
        if isinstance(members, list):
            return [self.value(member, inside) for member in members]
        return self._text(plain) if members is None else self.value(members, inside)

    def _no_number(self, given: float | Decimal) -> None:
        self.lost.append(f"the number {given}")

    def _object(self, members: Mapping[Any, Any], inside: tuple[int, ...]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, member in members.items():
            name = self._name(key)
            while name in out:  # such as b"a" beside "a"
                name = f"{name} ({type(key).__name__})"
            out[name] = self.value(member, inside)
        return out

    def _name(self, key: Any) -> str:
        written = self.value(key, ())
        return written if isinstance(written, str) else json.dumps(written, ensure_ascii=False)

    def _text(self, given: Any) -> str:
        """The text of an object that has no members to write."""
        if not isinstance(given, Iterator):  # whose items would be gone
            try:
                written = to_jsonable_python(given)  # durations, paths, addresses, patterns, …
            except Exception:
                written = None
            if isinstance(written, str):
                return written
        self.lost.append(f"an object of type {type(given).__name__}")
        try:
            return str(given)
        except Exception:  # whatever the object's own code raises
            return f"<{type(given).__name__}>"


def _text_of_bytes(given: bytes) -> str:
    try:
        return given.decode()
    except UnicodeDecodeError:
        return base64.b64encode(given).decode("ascii")


def _members(given: Any) -> Any:
    """What an object holds, as a dict, a list or another value; None where it holds nothing."""
    if isinstance(given, type):
        return None
    if isinstance(given, Mapping):
        return dict(given)
    if dataclasses.is_dataclass(given):
        names = [field.name for field in dataclasses.fields(given)]
        return {name: getattr(given, name) for name in names}
    if hasattr(given, "model_dump"):  # of pydantic
        return _pydantic_members(given)
    if callable(getattr(given, "tolist", None)):  # of numpy, pandas, torch
        return given.tolist()
    if hasattr(given, "__attrs_attrs__"):  # of attrs
        return {field.name: getattr(given, field.name) for field in given.__attrs_attrs__}
    for dump in ("to_dict", "dict"):  # of pandas, pydantic v1 and many clients
        if callable(getattr(given, dump, None)):
            return dict(getattr(given, dump)())
    if isinstance(given, Set):  # in the same order each time: prompts are cached by their text
        try:
            return sorted(given)
        except TypeError:
            return sorted(given, key=repr)
    return list(given) if isinstance(given, Collection) else None


def _pydantic_members(given: Any) -> Any:
    try:
        return given.model_dump(mode="json", by_alias=True)
    except Exception:  # a member that has no JSON, or one that holds itself
        return dict(given)
