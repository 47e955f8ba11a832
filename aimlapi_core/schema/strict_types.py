"""The types of a schema in strict mode, which wants one for each value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aimlapi_core.schema.keywords import TYPES

_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


class NotStrict(Exception):
    """The reason why a schema cannot be made strict."""


def types_of(schema: Mapping[str, Any], where: str) -> list[str]:
    """The types that the keyword `type` names; none where it is not there."""
    if "type" not in schema:
        return []
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    for kind in kinds or [None]:
        if not isinstance(kind, str) or kind not in TYPES:
            raise NotStrict(f"{where} has the type {kind!r}")
    return kinds


def typed(schema: dict[str, Any], where: str) -> dict[str, Any]:
    """The schema with a type: strict mode wants one ("schema must have a 'type' key").

    The values of an enum must be of one type ("enum values must be of the same type"): one of
    several types becomes an option for each.
    """
    if "enum" in schema and "anyOf" not in schema:
        return _typed_enum(schema, where)
    if "type" in schema or "anyOf" in schema:
        return schema
    if "const" in schema:
        return {"type": _json_type(schema["const"], where), **schema}
    if "properties" not in schema:
        raise NotStrict(f"{where} has no type")
    return {"type": "object", **schema}


def _typed_enum(schema: dict[str, Any], where: str) -> dict[str, Any]:
    values = schema["enum"]
    if not isinstance(values, list) or not values:
        raise NotStrict(f"{where} has an enum without values")
    by_type: dict[str, list[Any]] = {}
    for value in values:
        by_type.setdefault(_json_type(value, where), []).append(value)
    if len(by_type) == 1:
        return schema if "type" in schema else {"type": next(iter(by_type)), **schema}
    rest = {key: value for key, value in schema.items() if key not in ("enum", "type")}
    return {"anyOf": list(_options(by_type, schema.get("type"))), **rest}


def _options(by_type: Mapping[str, list[Any]], given: Any) -> Iterator[dict[str, Any]]:
    """An option for each type of an enum's values. `given` is the enum's own `type`."""
    allowed = {given} if isinstance(given, str) else set(given or TYPES)
    for kind, values in by_type.items():
        if kind in allowed or (kind == "integer" and "number" in allowed):
            yield {"type": kind} if kind == "null" else {"type": kind, "enum": values}


def _json_type(value: Any, where: str) -> str:
    found = _JSON_TYPES.get(type(value))
    if found is None:
        raise NotStrict(f"{where} allows the value {value!r:.60}, which is no single value")
    return found
