"""Validates a JSON Schema for `strict: true`.

The upstream refuses schemas that leave its subset of JSON Schema with a 400. The rules are from
https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas (as public
validators quote its state of 2026-08, seen 2026-11-29), the words from reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aimlapi_emulator.validation.json_schema import (
    as_object,
    check_pattern,
    is_found,
    is_type,
    schema_problem,
    subschemas,
    walk,
)
from aimlapi_emulator.validation.validators import Problem, json_type

_REFUSED = frozenset(
    "oneOf allOf not if then else dependentRequired dependentSchemas dependencies "
    "patternProperties propertyNames unevaluatedProperties minProperties maxProperties prefixItems "
    "unevaluatedItems contains minContains maxContains uniqueItems minLength maxLength".split()
)
_FORMATS = frozenset("date-time time date duration email hostname ipv4 ipv6 uuid".split())
_DEFINITIONS = ("$defs", "definitions")
_MAX_DEPTH = 10
_MAX_PROPERTIES = 5_000
_MAX_ENUM_VALUES = 1_000
_MANY_ENUM_VALUES, _MAX_ENUM_LENGTH = 250, 15_000
_MAX_TOTAL_LENGTH = 120_000


def check_strict(schema: Any, path: str) -> list[Problem]:
    """Why the upstream would refuse `schema` as strict; empty if it would not."""
    if not isinstance(schema, dict):
        return []
    if schema.get("type") != "object" or "anyOf" in schema:
        kind = schema.get("type")
        text = f"schema must be a JSON Schema of 'type: \"object\"', got {kind!r}"
        return [schema_problem(path, text)]
    found = list(_check(schema, path, schema))
    for group in _DEFINITIONS:
        for name, inner in as_object(schema.get(group)).items():
            found += _check(inner, f"{path}.{group}.{name}", schema)
    return [*found, *(schema_problem(path, text) for text in _exceeded(schema))]


def _check(schema: Any, path: str, root: Mapping[str, Any]) -> Iterator[Problem]:
    if not isinstance(schema, dict):
        yield schema_problem(path, "a schema must be an object")
        return
    if "$ref" in schema:
        yield from _check_ref(schema, path, root)
        return
    for word in sorted(_REFUSED & set(schema)):
        yield schema_problem(path, f"'{word}' is not permitted")
    if not {"type", "anyOf", "enum", "const"} & set(schema):
        yield schema_problem(path, "schema must have a 'type' key")
    if "format" in schema and str(schema["format"]) not in _FORMATS:
        # cyanheads/git-mcp-server#47, can1357/oh-my-pi#206
        yield schema_problem(path, f"{schema['format']!r} is not a valid format")
    enum = schema.get("enum")
    kinds = {json_type(value) for value in (enum if isinstance(enum, list) else ())} - {"null"}
    if len(kinds) > 1:  # jsonschema-llm's report on 100 schemas, 2026-02
        yield schema_problem(path, "enum values must be of the same type")
    yield from check_pattern(schema, path)
    yield from _check_object(schema, path, root)
    if is_type(schema, "array"):
        if "items" not in schema:
            yield schema_problem(path, "array schema missing items")
        else:
            yield from _check(schema["items"], f"{path}.items", root)
    options = schema.get("anyOf")
    for index, option in enumerate(options if isinstance(options, list) else ()):
        yield from _check(option, f"{path}.anyOf.{index}", root)


def _check_ref(schema: Mapping[str, Any], path: str, root: Mapping[str, Any]) -> Iterator[Problem]:
    ref = str(schema["$ref"])
    extra = sorted(set(schema) - {"$ref"})
    if extra:  # camel-ai/camel#3001
        yield schema_problem(path, f"$ref cannot have keywords {extra}")
    if not is_found(root, ref):
        text = f"reference to component {ref!r} which was not found in the schema"
        yield schema_problem(path, text)
    elif ref != "#" and not ref.startswith(("#/$defs/", "#/definitions/")):
        text = "reference can only point to definitions defined at the top level of the schema"
        yield schema_problem(path, text)


def _check_object(
    schema: Mapping[str, Any], path: str, root: Mapping[str, Any]
) -> Iterator[Problem]:
    if not (is_type(schema, "object") or "properties" in schema):
        return
    if schema.get("additionalProperties") is not False:
        text = "'additionalProperties' is required to be supplied and to be false"
        yield schema_problem(path, text)
    properties = as_object(schema.get("properties"))
    listed = schema.get("required")
    required = {n for n in listed if isinstance(n, str)} if isinstance(listed, list) else ()
    missing = [name for name in properties if name not in required]
    if missing:
        text = f"'required' must list every key of properties; missing {missing}"
        yield schema_problem(path, text)
    for name, inner in properties.items():
        yield from _check(inner, f"{path}.properties.{name}", root)


def _exceeded(schema: dict[str, Any]) -> Iterator[str]:
    """The sizes that are too large. The words of the first four are reported of gpt-5.6-luna."""
    depth = _depth(schema)
    if depth > _MAX_DEPTH:
        yield f"{depth} levels of nesting exceeds limit of {_MAX_DEPTH}"
    everything = [one for _, one in walk(schema, "")]
    properties = sum(len(as_object(one.get("properties"))) for one in everything)
    if properties > _MAX_PROPERTIES:
        yield f"{properties} parameters exceeds limit of {_MAX_PROPERTIES}"
    enums = [one["enum"] for one in everything if isinstance(one.get("enum"), list)]
    values = sum(map(len, enums))
    if values > _MAX_ENUM_VALUES:
        yield (
            f"Expected at most {_MAX_ENUM_VALUES} enum values in total within a single schema when "
            f"using structured outputs, but received {values}"
        )
    lengths = [sum(len(value) for value in one if isinstance(value, str)) for one in enums]
    for enum, length in zip(enums, lengths, strict=True):
        if len(enum) > _MANY_ENUM_VALUES and length > _MAX_ENUM_LENGTH:
            yield (
                f"Expected at most {_MAX_ENUM_LENGTH} total characters across enum values when "
                f"there are more than {_MANY_ENUM_VALUES} enum values, but received {length}"
            )
    names = [
        name
        for one in everything
        for key in ("properties", *_DEFINITIONS)
        if isinstance(one.get(key), dict)
        for name in one[key]
    ]
    consts = [one["const"] for one in everything if isinstance(one.get("const"), str)]
    total = sum(map(len, (*names, *consts))) + sum(lengths)
    if total > _MAX_TOTAL_LENGTH:
        yield f"{total} characters of names and values exceeds limit of {_MAX_TOTAL_LENGTH}"


def _depth(root: dict[str, Any]) -> int:
    """How deep the schema is nested: the root is 0, and an option of `anyOf` adds nothing.

    How OpenAI counts is not documented; 15 nested objects are "14 levels" by a report.
    """
    pending, deepest = [(root, "", 0)], 0
    while pending:
        schema, _, depth = pending.pop()
        deepest = max(deepest, depth)
        for at, inner in subschemas(schema, ""):
            if isinstance(inner, dict):
                pending.append((inner, at, depth + (not at.startswith(".anyOf."))))
    return deepest
