"""JSON Schemas that OpenAI refuses: of tools, and with `strict: true`."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.emulator.asking import (
    CODEX,
    INTEGER,
    STRING,
    Asker,
    object_schema,
    refusal,
    schema_format,
    tool,
)


@pytest.fixture
def ask(ask_either: Asker) -> Asker:
    """Both schemas of requests: the refusals are of the model behind the service."""
    return ask_either


TOP = "schema must have type 'object' and not have"
PARAMETERS: list[tuple[dict[str, Any], str]] = [
    ({"type": "object"}, "object schema missing properties"),
    ({"properties": {}}, TOP),
    ({"type": ["object", "null"], "properties": {}}, TOP),
    ({"type": "object", "properties": {}, "anyOf": [{"required": ["a"]}]}, TOP),
    ({"type": "object", "properties": {}, "not": {}}, TOP),
    ({"$ref": "#/$defs/A", "$defs": {"A": object_schema(a=STRING)}}, TOP),
    ({"type": "object", "properties": None}, "None is not of type 'object'"),
    ({"type": "object", "properties": {}, "required": None}, "None is not of type 'array'"),
    (
        {"type": "object", "properties": {"a": STRING}, "required": ["a", "a"]},
        "['a', 'a'] has non-unique elements",
    ),
    ({"a": {"type": ["string", "string"]}}, "has non-unique elements"),
    ({"a": {"enum": [1, 1]}}, "[1, 1] has non-unique elements"),
    ({"a": {"description": 5}}, "5 is not of type 'string'"),
    ({"a": {"title": True}}, "True is not of type 'string'"),
    ({"a": {"minimum": "5"}}, "'5' is not of type 'number'"),
    ({"a": {"exclusiveMinimum": True}}, "True is not of type 'number'"),
    ({"a": {"minLength": 1.5}}, "1.5 is not of type 'integer'"),
    ({"a": {"uniqueItems": "yes"}}, "'yes' is not of type 'boolean'"),
    ({"a": {"type": "array"}}, "array schema missing items"),
    ({"a": {"anyOf": [{"type": ["array", "null"]}]}}, "array schema missing items"),
    ({"a": {"type": "array", "items": True}}, "array schema items is not an object"),
    ({"a": {"type": "array", "items": [STRING]}}, "array schema items is not an object"),
    ({"a": {"$ref": "#/$defs/Gone"}}, "'#/$defs/Gone' which was not found in the schema"),
    ({"a": {"type": "any"}}, "'any' is not valid under any of the given schemas"),
    ({"a": {"type": "string", "pattern": "^(?=x)"}}, "regex lookaround is not supported"),
    ({"a": {"type": "string", "pattern": r"^\p{L}"}}, "is not a 'regex'"),
    ({"a": {"type": "string", "required": True}}, "True is not of type 'array'"),
]
NESTED: dict[str, Any] = INTEGER
for _ in range(11):
    NESTED = object_schema(a=NESTED)
STRICT: list[tuple[dict[str, Any], str]] = [
    (object_schema(a={"type": "string", "format": "uri"}), "'uri' is not a valid format"),
    (object_schema(a={"type": "string", "pattern": "(?!x)"}), "regex lookaround is not supported"),
    (object_schema(a={"type": "string", "minLength": 1}), "'minLength' is not permitted"),
    (object_schema(a={"enum": ["a", 1]}), "enum values must be of the same type"),
    (object_schema(a={"$ref": "#/$defs/Gone"}), "which was not found in the schema"),
    (object_schema(a={"$ref": "#/properties/b"}, b=STRING), "definitions defined at the top level"),
    (NESTED, "11 levels of nesting exceeds limit of 10"),
    (object_schema(**{f"p{n}": INTEGER for n in range(5_001)}), "5001 parameters exceeds limit of"),
    (object_schema(a={"type": "integer", "enum": [*range(1_001)]}), "but received 1001"),
    (
        object_schema(a={"type": "string", "enum": [f"{n:060}" for n in range(251)]}),
        "Expected at most 15000 total characters across enum values",
    ),
    (object_schema(a={"type": "string", "const": "x" * 120_000}), "120001 characters of names"),
]


def reasons(answer: httpx.Response) -> str:
    return "\n".join(refusal(answer).values())


@pytest.mark.parametrize(("given", "said"), PARAMETERS)
def test_schemas_of_tools(ask: Asker, given: dict[str, Any], said: str) -> None:
    schema = {"type": "object", "properties": given} if "a" in given else given
    function = {"name": "look", "parameters": schema}
    assert said in reasons(ask.chat("x", tools=[{"type": "function", "function": function}]))
    flat = {"type": "function", **function, "strict": False}
    assert said in reasons(ask.responses("x", model=CODEX, tools=[flat]))


def test_schemas_of_tools_that_are_taken(ask: Asker) -> None:
    taken = tool(
        "look",
        properties={"type": "array", "items": {}},
        items={"$ref": "#/$defs/A"},
        type={"type": ["string", "null"], "format": "uri", "pattern": "[(?=]", "minLength": 1},
        required={"anyOf": [{"type": "object"}, {"allOf": [{"not": {}}]}]},
    )
    taken["function"]["parameters"]["$defs"] = {"A": {"type": "object"}}
    assert ask.chat("x", tools=[taken]).status_code == 200


@pytest.mark.parametrize(("schema", "said"), STRICT)
def test_strict_schemas(ask: Asker, schema: dict[str, Any], said: str) -> None:
    assert said in reasons(ask.chat("x", response_format=schema_format(schema)))
    function = {"name": "look", "parameters": schema, "strict": True}
    assert said in reasons(ask.chat("x", tools=[{"type": "function", "function": function}]))


def test_strict_schemas_that_are_taken(ask: Asker) -> None:
    schema = object_schema(
        at={"type": "string", "format": "date-time"},
        name={"type": "string", "pattern": "^@[a-z]+$"},
        level={"type": ["string", "null"], "enum": ["a", None]},
        properties={"type": "array", "items": {"$ref": "#"}},
    )
    assert ask.chat("x", response_format=schema_format(schema)).status_code == 200
