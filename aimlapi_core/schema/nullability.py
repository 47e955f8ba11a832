"""Whether a JSON Schema allows null, and the nulls in answers that only strict mode allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aimlapi_core._json_reading import as_mapping
from aimlapi_core.schema.references import resolve_ref, walk

_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "null": type(None),
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "string": str,
    "object": dict,
    "array": list,
}


def allows_null(schema: Any, root: Mapping[str, Any]) -> bool:
    """Whether the schema allows null. A schema without keywords allows everything."""
    if not isinstance(schema, (dict, Mapping)):
        return schema is not False
    return _allows_null(schema, root, frozenset())


def _allows_null(schema: Any, root: Mapping[str, Any], seen: frozenset[str]) -> bool:
    if not isinstance(schema, (dict, Mapping)):
        return schema is not False
    ref = schema.get("$ref")
    if isinstance(ref, str):
        if ref in seen:
            return False
        target = resolve_ref({"$ref": ref}, root)
        if not target or not _allows_null(target, root, seen | {ref}):
            return False
    kinds = schema.get("type")
    if kinds is not None and "null" not in (kinds if isinstance(kinds, list) else [kinds]):
        return False
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        return False
    if "const" in schema and schema["const"] is not None:
        return False
    for keyword in ("anyOf", "oneOf"):
        options = schema.get(keyword)
        if isinstance(options, list) and not any(_allows_null(one, root, seen) for one in options):
            return False
    parts = schema.get("allOf")
    return not isinstance(parts, list) or all(_allows_null(one, root, seen) for one in parts)


def optional_without_null(schema: Mapping[str, Any]) -> str | None:
    """The name of a property that may be left out but may not be null; None when there is none."""
    for one in walk(schema):
        required = _required(one)
        for name, inner in as_mapping(one.get("properties")).items():
            if name not in required and not allows_null(inner, schema):
                return str(name)
    return None


def drop_added_nulls(value: Any, schema: Mapping[str, Any]) -> Any:
    """`value` without the nulls of optional properties that the original `schema` does not allow.

    Strict mode requires every property, and so null is all that an answer can say of one that it
    leaves out. A null that the caller's schema allows is an answer, and stays. Does not modify
    `value`.
    """
    try:
        return _drop_nulls(value, schema, schema)
    except RecursionError:  # a union that is its own option describes nothing
        return value


def _required(schema: Mapping[str, Any]) -> list[Any]:
    names = schema.get("required")
    return names if isinstance(names, list) else []


def _drop_nulls(value: Any, schema: Any, root: Mapping[str, Any]) -> Any:
    schema = _matching_branch(value, schema, root)
    if isinstance(value, list):
        return [_drop_nulls(item, schema.get("items"), root) for item in value]
    if not isinstance(value, dict):
        return value
    properties = as_mapping(schema.get("properties"))
    required = _required(schema)
    return {
        name: _drop_nulls(item, properties.get(name), root)
        for name, item in value.items()
        if not (
            item is None
            and name in properties
            and name not in required
            and not allows_null(properties[name], root)
        )
    }


def _matching_branch(value: Any, given: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema for `value`: references resolved, and of a union the branch that it matches."""
    schema = resolve_ref(as_mapping(given), root)
    options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if not isinstance(options, list) or "properties" in schema:
        return schema
    for option in options:
        found = _matching_branch(value, option, root)
        if _matches(value, found, root):
            return found
    return {}


def _matches(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    """Whether `value`, generated for the strict form of `schema`, can be an instance of it.

    Such a value has every property, so that names and constants identify the branch of a union.
    """
    schema = _matching_branch(value, schema, root)
    if "const" in schema:
        return bool(value == schema["const"])
    if isinstance(schema.get("enum"), list):
        return value in schema["enum"]
    if isinstance(value, dict):
        properties = as_mapping(schema.get("properties"))
        required = _required(schema)
        return set(properties) == set(value) and all(
            (item is None and name not in required)
            or _matches(item, as_mapping(properties[name]), root)
            for name, item in value.items()
        )
    if isinstance(value, list):
        items = as_mapping(schema.get("items"))
        return schema.get("type") == "array" and all(_matches(item, items, root) for item in value)
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return any(isinstance(value, _PYTHON_TYPES.get(str(kind), object)) for kind in kinds)
