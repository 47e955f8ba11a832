"""Validates a JSON Schema for `strict: true`.

The upstream refuses schemas that leave its subset of JSON Schema with a 400:
https://platform.openai.com/docs/guides/structured-outputs#supported-schemas (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aimlapi_emulator.validation.validators import Problem

_REFUSED = frozenset(
    "oneOf allOf not if then else dependentRequired dependentSchemas patternProperties "
    "propertyNames unevaluatedProperties minProperties maxProperties prefixItems "
    "unevaluatedItems contains minContains maxContains uniqueItems minLength maxLength".split()
)
_MAX_DEPTH = 10


def check_strict(schema: Any, path: str) -> list[Problem]:
    """Why the upstream would refuse `schema` as strict; empty if it would not."""
    if not isinstance(schema, dict):
        return []
    if schema.get("type") != "object" or "anyOf" in schema:
        kind = schema.get("type")
        return [_problem(path, f"schema must be a JSON Schema of 'type: \"object\"', got {kind!r}")]
    found = list(_walk(schema, path, 0))
    for group in ("$defs", "definitions"):
        for name, inner in (schema.get(group) or {}).items():
            found += _walk(inner, f"{path}.{group}.{name}", 1)
    return found


def _problem(path: str, reason: str) -> Problem:
    return Problem(path, f"Invalid schema: {reason}", "invalid_json_schema")


def _walk(schema: Any, path: str, depth: int) -> Iterator[Problem]:
    if not isinstance(schema, dict):
        yield _problem(path, "a schema must be an object")
        return
    if depth > _MAX_DEPTH:
        yield _problem(path, f"nested deeper than {_MAX_DEPTH} levels")
        return
    if "$ref" in schema:
        extra = sorted(set(schema) - {"$ref"})
        if extra:
            yield _problem(path, f"$ref cannot have keywords {extra}")
        return
    for word in sorted(_REFUSED & set(schema)):
        yield _problem(path, f"'{word}' is not permitted")
    if not {"type", "anyOf", "enum", "const"} & set(schema):
        yield _problem(path, "schema must have a 'type' key")
    yield from _walk_object(schema, path, depth)
    if _is(schema, "array"):
        if "items" not in schema:
            yield _problem(path, "array schema missing items")
        else:
            yield from _walk(schema["items"], f"{path}.items", depth + 1)
    for index, option in enumerate(schema.get("anyOf") or ()):
        yield from _walk(option, f"{path}.anyOf.{index}", depth)


def _walk_object(schema: dict[str, Any], path: str, depth: int) -> Iterator[Problem]:
    if not (_is(schema, "object") or "properties" in schema):
        return
    if schema.get("additionalProperties") is not False:
        yield _problem(path, "'additionalProperties' is required to be supplied and to be false")
    properties = schema.get("properties") or {}
    missing = [name for name in properties if name not in (schema.get("required") or ())]
    if missing:
        yield _problem(path, f"'required' must list every key of properties; missing {missing}")
    for name, inner in properties.items():
        yield from _walk(inner, f"{path}.properties.{name}", depth + 1)


def _is(schema: dict[str, Any], name: str) -> bool:
    kind = schema.get("type")
    return kind == name or (isinstance(kind, list) and name in kind)
