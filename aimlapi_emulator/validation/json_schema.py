"""Validates what OpenAI demands of every JSON Schema of a tool, strict or not.

The service passes OpenAI's refusals on. They are known from reports only (seen 2026-11-29), each
beside its rule; the words are OpenAI's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from aimlapi_emulator.text.patterns import why_never_matched
from aimlapi_emulator.validation.validators import Problem

MAPS = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
SINGLE = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
TYPES = frozenset("string number boolean integer object array null".split())
_AT_NO_ROOT = ("oneOf", "anyOf", "allOf", "enum", "not")
KEYWORD_TYPES = {
    **dict.fromkeys(("title", "description", "format", "pattern", "$comment"), "string"),
    **dict.fromkeys(
        "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split(), "number"
    ),
    **dict.fromkeys("minItems maxItems minLength maxLength".split(), "integer"),
    **dict.fromkeys(("uniqueItems", "deprecated"), "boolean"),
}
_PYTHON_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
}
_MAX_NAME = 100  # in a path: a name of a megabyte would be in the path of all that it holds
_LOOKAROUND = re.compile(r"(?:\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<found>\(\?<?[=!])", re.DOTALL)

Place = tuple[str, Mapping[str, Any]]


def schema_problem(path: str, reason: str) -> Problem:
    """A problem in a JSON Schema."""
    return Problem(path, f"Invalid schema: {reason}", "invalid_json_schema")


def subschemas(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """The direct subschemas of a schema, each with its path."""
    for key in MAPS:
        for name, one in as_object(schema.get(key)).items():
            yield f"{path}.{key}.{name[:_MAX_NAME]}", one
    for key in LISTS:
        if isinstance(inner := schema.get(key), list):
            yield from ((f"{path}.{key}.{index}", one) for index, one in enumerate(inner))
    for key in SINGLE:
        if isinstance(schema.get(key), dict):
            yield f"{path}.{key}", schema[key]


def walk(schema: Any, path: str) -> Iterator[Place]:
    """The schema and all that it holds, each with its path."""
    pending = [(path, schema)]
    while pending:
        at, one = pending.pop()
        if isinstance(one, dict):
            yield at, one
            pending.extend(subschemas(one, at))


def check_parameters(schema: dict[str, Any], path: str) -> list[Problem]:
    """Why the schema of a function's parameters would be refused; empty if it would not."""
    if schema.get("type") != "object" or any(key in schema for key in _AT_NO_ROOT):
        # langchain-ai/langchainjs#9804, nspady/google-calendar-mcp#39
        text = (
            "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at "
            "the top level"
        )
        return [schema_problem(path, text)]
    if "properties" not in schema:  # langchain-ai/langchain-mcp-adapters#137
        return [schema_problem(path, "object schema missing properties")]
    return list(check_everywhere(schema, path))


def check_everywhere(root: dict[str, Any], path: str) -> Iterator[Problem]:
    """What is refused at any depth."""
    for at, schema in walk(root, path):
        yield from _check_keywords(schema, at)
        ref = schema.get("$ref")
        if isinstance(ref, str) and not is_found(root, ref):  # reported by PlanExe and others
            text = f"reference to component {ref!r} which was not found in the schema"
            yield schema_problem(at, text)
        if is_type(schema, "array") and "items" not in schema:
            # steipete/mcphost#35, sigoden/aichat#1049
            yield schema_problem(at, "array schema missing items")
        elif is_type(schema, "array") and not isinstance(schema["items"], dict):
            yield schema_problem(at, "array schema items is not an object")


def _check_keywords(schema: Mapping[str, Any], at: str) -> Iterator[Problem]:
    """What JSON Schema's own metaschema forbids, with the words of Python's jsonschema."""
    for key in (*MAPS, "additionalProperties"):
        value = schema.get(key, {})
        if not isinstance(value, dict) and not (
            key == "additionalProperties" and isinstance(value, bool)
        ):
            yield schema_problem(at, f"{value!r} is not of type 'object'")
    for key in (*LISTS, "required", "enum"):
        if not isinstance(schema.get(key, []), list):
            yield schema_problem(at, f"{schema[key]!r} is not of type 'array'")
    for key in ("required", "type", "enum"):  # of an enum the metaschemas before draft 2019-09
        if _has_doubles(schema.get(key)):
            yield schema_problem(at, f"{schema[key]!r:.200} has non-unique elements")
    for key, value in schema.items():
        wanted = KEYWORD_TYPES.get(key)
        if wanted and (not isinstance(value, _PYTHON_TYPES[wanted]) or _is_odd_bool(value, wanted)):
            yield schema_problem(at, f"{value!r} is not of type {wanted!r}")
    kinds = schema.get("type", "object")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if not isinstance(kind, str) or kind not in TYPES:
            yield schema_problem(at, f"{kind!r} is not valid under any of the given schemas")
    yield from check_pattern(schema, at)


def _has_doubles(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    return len({json.dumps(one, sort_keys=True) for one in value}) < len(value)


def _is_odd_bool(value: Any, wanted: str) -> bool:
    return isinstance(value, bool) and wanted != "boolean"


def check_pattern(schema: Mapping[str, Any], at: str) -> Iterator[Problem]:
    """Whether the `pattern` is a regular expression of Python's `re` without look-arounds."""
    pattern = schema.get("pattern")
    if not isinstance(pattern, str):
        return
    if (reason := why_never_matched(pattern)) is not None:
        yield Problem(f"{at}.pattern", f"{pattern[:_MAX_NAME]!r}: {reason}", "emulator_limit")
        return
    if any(match["found"] for match in _LOOKAROUND.finditer(pattern)):
        # vercel/ai#21037, anomalyco/opencode#32073, decolua/9router#1556
        yield schema_problem(f"{at}.pattern", "regex lookaround is not supported")
    try:
        re.compile(pattern)
    except re.error:  # "'…\\p{Cc}…' is not a 'regex'", reports of Claude Code's tools on GPT-5
        yield schema_problem(f"{at}.pattern", f"{pattern!r} is not a 'regex'")


def check_patterns(schema: Any, path: str) -> list[Problem]:
    """The patterns of a schema that the emulator never matches, whatever the service does."""
    found = (
        problem
        for at, one in walk(schema, path)
        for problem in check_pattern(one, at)
        if problem.code == "emulator_limit"
    )
    return list(found)


def is_found(root: Mapping[str, Any], ref: str) -> bool:
    """Whether a `$ref` has its target in the schema."""
    node: Any = root
    for step in ref.removeprefix("#").strip("/").split("/") if ref.strip("#/") else ():
        name = step.replace("~1", "/").replace("~0", "~")
        node = node.get(name) if isinstance(node, dict) else None
    return ref.startswith("#") and isinstance(node, dict)


def as_object(value: Any) -> dict[str, Any]:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def is_type(schema: Mapping[str, Any], name: str) -> bool:
    """Whether the schema is of this type, perhaps among others."""
    kind = schema.get("type")
    return kind == name or (isinstance(kind, list) and name in kind)
