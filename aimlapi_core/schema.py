"""Converts JSON Schemas to strict mode (`strict: true`), and restores the JSON it produces.

Strict mode requires `additionalProperties: false` and all properties, and supports a subset of JSON
Schema (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas, seen
2026-11-23; the service has no documentation of its own). An optional property becomes a required
nullable one; `drop_added_nulls` removes such nulls from the answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aimlapi_core._json_reading import as_mapping
from aimlapi_core.errors import InvalidRequestError

_DROPPED_KEYWORDS = frozenset({"title", "default", "examples", "$schema", "$id", "discriminator"})
_UNSUPPORTED_KEYWORDS = frozenset(
    "allOf not if then else dependentRequired dependentSchemas patternProperties prefixItems "
    "contains minContains maxContains uniqueItems propertyNames minProperties maxProperties "
    "unevaluatedProperties unevaluatedItems minLength maxLength".split()
)


class _NotStrict(Exception):
    """The reason why a schema cannot be made strict."""


def strict_schema(schema: Mapping[str, Any]) -> tuple[dict[str, Any], None] | tuple[None, str]:
    """(the strict schema, None), or (None, why there is none). Does not modify `schema`."""
    try:
        strict = _make_strict(_resolve_root(schema), "schema")
        if strict.get("type") != "object":
            raise _NotStrict("the root is not an object")
    except _NotStrict as why:
        return None, str(why)
    return strict, None


def drop_added_nulls(value: Any, schema: Mapping[str, Any]) -> Any:
    """`value` without the nulls of optional properties that the original `schema` does not allow.

    In strict mode null means that an optional property is absent; the caller's schema does not
    allow it, or has a default for the absent property. Returns a new value.
    """
    return _drop_nulls(value, schema, schema)


def dumps_arguments(arguments: Any) -> str:
    """A tool call's arguments as JSON text. NaN and infinities become null.

    Raises InvalidRequestError for values that are not JSON serializable.
    """
    try:
        text = json.dumps(arguments, ensure_ascii=False)
        if "NaN" in text or "Infinity" in text:  # possibly only inside a string
            finite = json.loads(text, parse_constant=lambda _: None)
            text = json.dumps(finite, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise InvalidRequestError(
            f"A tool call's arguments cannot be written as JSON: {exc}"
        ) from exc
    return text


def _resolve_root(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Resolve a `$ref` at the root (of a recursive model): strict mode requires an object."""
    if "$ref" not in schema:
        return schema
    target = _resolve_ref(schema, schema)
    return {**target, **{key: schema[key] for key in ("$defs", "definitions") if key in schema}}


def _resolve_ref(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The target of a local `$ref`; an empty schema if it does not exist."""
    seen = set()
    while isinstance(ref := schema.get("$ref"), str) and ref not in seen:
        seen.add(ref)
        node: Any = root
        for step in ref.removeprefix("#").strip("/").split("/") if ref != "#" else ():
            node = as_mapping(node).get(step.replace("~1", "/").replace("~0", "~"))
        schema = as_mapping(node)
    return schema


def _make_strict(schema: Any, where: str) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or not schema:
        raise _NotStrict(f"{where} allows any value")
    alone = schema.get("allOf")
    if isinstance(alone, list) and len(alone) == 1:  # pydantic.v1: a $ref with a description
        schema = {**{k: v for k, v in schema.items() if k != "allOf"}, **as_mapping(alone[0])}
    for keyword in sorted(_UNSUPPORTED_KEYWORDS.intersection(schema)):
        raise _NotStrict(f"{where} uses {keyword!r}")
    out = {key: value for key, value in schema.items() if key not in _DROPPED_KEYWORDS}
    for name in ("$defs", "definitions"):
        if name in out:
            out[name] = {key: _make_strict(v, key) for key, v in as_mapping(out[name]).items()}
    if "oneOf" in out:
        out["anyOf"] = out.pop("oneOf")
    if "anyOf" in out:
        if not isinstance(out["anyOf"], list):
            raise _NotStrict(f"{where} has an anyOf that is no list")
        out["anyOf"] = [_make_strict(option, f"{where} option") for option in out["anyOf"]]
    if "$ref" in out:
        return _wrap_ref(out)
    kind = out.get("type")
    if kind is None and not {"anyOf", "enum", "const"}.intersection(out):
        if "properties" not in out:
            raise _NotStrict(f"{where} has no type")
        kind = out["type"] = "object"
    if kind == "object" or (isinstance(kind, list) and "object" in kind):
        return _closed_object(out, where)
    if kind == "array" or (isinstance(kind, list) and "array" in kind):
        out["items"] = _make_strict(out.get("items"), f"items of {where}")
    return out


def _wrap_ref(schema: dict[str, Any]) -> dict[str, Any]:
    """Wrap a `$ref` with sibling keywords, which strict mode does not allow, in `anyOf`."""
    siblings = {key: value for key, value in schema.items() if key != "$ref"}
    return {"anyOf": [{"$ref": schema["$ref"]}], **siblings} if siblings else schema


def _closed_object(schema: dict[str, Any], where: str) -> dict[str, Any]:
    """An object schema with all properties required and no additional ones."""
    if schema.get("additionalProperties") not in (None, False):
        raise _NotStrict(f"{where} allows properties of any name")
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        if where != "schema":
            raise _NotStrict(f"{where} is an object of any shape")
        properties = {}
    required = schema.get("required") or ()
    strict = {name: _make_strict(value, name) for name, value in properties.items()}
    return {
        **schema,
        "properties": {
            name: value if name in required else _make_nullable(value)
            for name, value in strict.items()
        },
        "required": list(strict),
        "additionalProperties": False,
    }


def _make_nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if _allows_null(schema, {}):
        return schema
    described = {"description": schema["description"]} if "description" in schema else {}
    bare = {key: value for key, value in schema.items() if key != "description"}
    options = bare["anyOf"] if set(bare) == {"anyOf"} else [bare]
    return {"anyOf": [*options, {"type": "null"}], **described}


def _allows_null(schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    """Whether the schema allows null. A schema without keywords allows everything."""
    schema = _resolve_ref(schema, root) if root else schema
    kind = schema.get("type")
    if kind is not None:
        return kind == "null" or (isinstance(kind, list) and "null" in kind)
    options = [*(schema.get("anyOf") or ()), *(schema.get("oneOf") or ())]
    if options:
        return any(isinstance(o, Mapping) and _allows_null(o, root) for o in options)
    if "enum" in schema:
        return None in schema["enum"]
    if "const" in schema:
        return schema["const"] is None
    return "$ref" not in schema and "allOf" not in schema


def _drop_nulls(value: Any, schema: Any, root: Mapping[str, Any]) -> Any:
    schema = _matching_branch(value, schema, root)
    if isinstance(value, list):
        return [_drop_nulls(item, schema.get("items"), root) for item in value]
    if not isinstance(value, dict):
        return value
    properties = as_mapping(schema.get("properties"))
    required = schema.get("required") or ()
    return {
        name: _drop_nulls(item, properties.get(name), root)
        for name, item in value.items()
        if not (
            item is None
            and name in properties
            and name not in required
            and _null_means_absent(as_mapping(properties[name]), root)
        )
    }


def _null_means_absent(schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    """Whether null for this optional property means that it is absent.

    It does if null is not allowed, or if there is a default other than null, which strict mode
    cannot request in another way.
    """
    return schema.get("default") is not None or not _allows_null(schema, root)


def _matching_branch(value: Any, given: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema for `value`: references resolved, and of a union the branch that it matches."""
    schema = _resolve_ref(as_mapping(given), root)
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
        required = schema.get("required") or ()
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


_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "null": type(None),
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "string": str,
    "object": dict,
    "array": list,
}
