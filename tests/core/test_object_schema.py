"""Schemas of tools and of open answers in the form that the service takes."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from aimlapi_core import (
    BuiltinTool,
    ChatRequest,
    InvalidRequestError,
    JsonSchema,
    Message,
    Text,
    Tool,
)
from aimlapi_core._wire import chat, responses
from aimlapi_core.schema import object_schema
from aimlapi_emulator.validation.chat import parameters

NAMED = "the tool 'look'"
A, B = {"type": "string"}, {"type": "integer"}
EMPTY = {"type": "object", "properties": {}}
NODE = {
    "type": "object",
    "properties": {"name": A, "next": {"$ref": "#/$defs/Node"}},
    "required": ["name"],
}
CIRCLE = {"anyOf": [{"$ref": "#/$defs/Odd"}, {"type": "string"}]}


def test_a_tool_without_parameters_has_an_empty_object() -> None:
    for given in (
        None,
        {},
        {"type": "object"},
        {"properties": None},
        {"properties": []},
        {"type": ["object", "null"]},
    ):
        assert object_schema(given, NAMED) == EMPTY


WHOLE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no type": ({"properties": {"a": A}}, {"properties": {"a": A}}),
    "no items": (
        {"properties": {"a": {"type": "array"}}},
        {"properties": {"a": {"type": "array", "items": {}}}},
    ),
    "no items of one type of two": (
        {"properties": {"a": {"type": ["array", "string"]}}},
        {"properties": {"a": {"type": ["array", "string"], "items": {}}}},
    ),
    "items of any kind": (
        {"properties": {"a": {"type": "array", "items": True}}},
        {"properties": {"a": {"type": "array", "items": {}}}},
    ),
    "a tuple without items": (
        {"properties": {"a": {"type": "array", "prefixItems": [A, B]}}},
        {"properties": {"a": {"type": "array", "prefixItems": [A, B], "items": {}}}},
    ),
    "a tuple of draft 7": (
        {"properties": {"a": {"type": "array", "items": [A, B]}}},
        {"properties": {"a": {"type": "array", "prefixItems": [A, B], "items": {}}}},
    ),
    "null keywords": (
        {"type": "object", "properties": {"a": {**A, "enum": None}}, "required": None},
        {"properties": {"a": A}},
    ),
    "required as draft 3 wrote it": (
        {"type": "object", "properties": {"a": {**A, "required": True}, "b": B}},
        {"properties": {"a": A, "b": B}, "required": ["a"]},
    ),
    "a type that is none": (
        {"type": "object", "properties": {"a": {"type": "any"}}},
        {"properties": {"a": {"description": "(type: any)"}}},
    ),
    "types in capitals, as Gemini writes them": (
        {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
        {"properties": {"a": A}},
    ),
    "types in a tuple": (
        {"properties": {"a": {"type": ("string", "null")}}},
        {"properties": {"a": {"type": ["string", "null"]}}},
    ),
    "names and values twice": (
        {
            "type": ["object", "object"],
            "properties": {"a": {"enum": [1, True, 1, "x", "x"]}, "b": {**A, "enum": ["y", "y"]}},
            "required": ["a", "a"],
        },
        {
            "type": "object",
            "properties": {"a": {"enum": [1, True, "x"]}, "b": {**A, "enum": ["y"]}},
            "required": ["a"],
        },
    ),
    "a percent-encoded reference": (
        {
            "$ref": "#/definitions/Box%3Cstring%3E",
            "definitions": {
                "Box<string>": {"properties": {"a": {"$ref": "#/definitions/A%20b"}}},
                "A b": A,
            },
        },
        {
            "properties": {"a": {"$ref": "#/definitions/A b"}},
            "definitions": {
                "Box<string>": {"properties": {"a": {"$ref": "#/definitions/A b"}}},
                "A b": A,
            },
        },
    ),
    "a reference by the schema's own address": (
        {
            "$id": "https://x.org/a",
            "properties": {"a": {"$ref": "https://x.org/a#/$defs/A"}},
            "$defs": {"A": A},
        },
        {
            "$id": "https://x.org/a",
            "properties": {"a": {"$ref": "#/$defs/A"}},
            "$defs": {"A": A},
        },
    ),
    "references to an anchor and to an address of a definition": (
        {
            "properties": {"a": {"$ref": "#here"}, "b": {"$ref": "https://x.org/b"}},
            "$defs": {"A/1": {"$anchor": "here", **A}, "B": {"$id": "https://x.org/b", **B}},
        },
        {
            "properties": {"a": {"$ref": "#/$defs/A~11"}, "b": {"$ref": "#/$defs/B"}},
            "$defs": {"A/1": {"$anchor": "here", **A}, "B": {"$id": "https://x.org/b", **B}},
        },
    ),
    "a root that is itself": ({"$ref": "#"}, {}),
    "a pattern with a look-ahead": (
        {"type": "object", "properties": {"a": {**A, "pattern": "^(?=x)", "description": "An a."}}},
        {"properties": {"a": {**A, "description": "An a. (pattern: ^(?=x))"}}},
    ),
    "a root reference": (
        {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}},
        {**NODE, "$defs": {"Node": NODE}},
    ),
    "definitions only": ({"$defs": {"Node": NODE}}, {**NODE, "$defs": {"Node": NODE}}),
    "allOf": (
        {
            "allOf": [
                {"type": "object", "properties": {"a": A}, "required": ["a"]},
                {"$ref": "#/$defs/B"},
            ],
            "$defs": {"B": {"properties": {"b": B}, "required": ["b"]}},
        },
        {
            "properties": {"a": A, "b": B},
            "required": ["a", "b"],
            "$defs": {"B": {"properties": {"b": B}, "required": ["b"]}},
        },
    ),
    "anyOf": (
        {
            "type": "object",
            "properties": {"a": A, "b": B},
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
        {
            "properties": {"a": A, "b": B},
            "description": "(give one of these sets of properties: a | b)",
        },
    ),
    "a discriminated union": (
        {
            "oneOf": [
                {"properties": {"kind": {"const": "x"}, "a": A}, "required": ["kind", "a"]},
                {"properties": {"kind": {"const": "y"}, "b": B}, "required": ["kind", "b"]},
                {"type": "null"},
            ]
        },
        {
            "properties": {"kind": {"anyOf": [{"const": "x"}, {"const": "y"}]}, "a": A, "b": B},
            "required": ["kind"],
            "description": "(give one of these sets of properties: kind, a | kind, b)",
        },
    ),
    "a union that leads back to itself": (
        {"anyOf": [{"$ref": "#/$defs/Odd"}, {"properties": {"a": A}}], "$defs": {"Odd": CIRCLE}},
        {"properties": {"a": A}, "$defs": {"Odd": CIRCLE}},
    ),
}


@pytest.mark.parametrize("case", WHOLE)
def test_what_was_lost_is_put_back(case: str) -> None:
    given, want = WHOLE[case]
    before = copy.deepcopy(given)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = object_schema(given, NAMED)
    assert found == {"type": "object", "properties": {}, **want}
    assert given == before
    assert parameters(found, "parameters") == []
    Draft202012Validator.check_schema(found)
    assert object_schema(found, NAMED) is found


LOST: dict[str, tuple[dict[str, Any], str]] = {
    "a reference to nothing": (
        {"properties": {"a": {"$ref": "#/$defs/Gone", "description": "An a."}}},
        "'#/$defs/Gone', which it does not define",
    ),
    "a root reference to nothing": ({"$ref": "#/$defs/Gone"}, "'#/$defs/Gone'"),
    "a reference elsewhere": ({"properties": {"a": {"$ref": "https://x.org/a.json"}}}, "x.org"),
    "not": ({"type": "object", "not": {"required": ["a", "b"]}}, "'not' at its root"),
    "enum": ({"type": "object", "enum": [{"a": 1}]}, "'enum' at its root"),
    "a condition of an option": (
        {"anyOf": [{"if": {"required": ["a"]}, "then": {"required": ["b"]}}]},
        "'if' of an option of its root",
    ),
    "two conditions": (
        {"allOf": [{"if": {"required": ["a"]}}, {"if": {"required": ["b"]}}]},
        "'if' of a part of its root",
    ),
}


@pytest.mark.parametrize("case", LOST)
def test_what_cannot_be_sent_is_left_out_and_said_once(case: str) -> None:
    given, what = LOST[case]
    subject = f"the tool {case!r}"
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        found = object_schema(given, subject)
        object_schema(given, subject)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    assert subject in str(seen[0].message)
    assert what in str(seen[0].message)
    assert parameters(found, "parameters") == []


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"type": "array", "items": A}, "allows no object.*'array'"),
        ({"anyOf": [A, {"type": "null"}]}, "allows no object"),
        ({"allOf": [A, {"type": "object"}]}, "allows no object"),
        ([], "must be a JSON Schema as a dict"),
        ({"type": "object", "properties": ["a"]}, "'properties' of .* must be a dict"),
        ({"$defs": {"A": EMPTY, "B": EMPTY}}, "does not say which of them"),
        (
            {
                "$ref": "#/$defs/A",
                "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}},
            },
            "does not say which of them",
        ),
    ],
)
def test_a_tool_that_has_no_object_is_refused_by_its_name(given: Any, why: str) -> None:
    with pytest.raises(InvalidRequestError, match=why) as caught:
        object_schema(given, NAMED)
    assert NAMED in str(caught.value)


@pytest.mark.parametrize("wire", [chat, responses])
def test_both_endpoints_send_tools_and_answers_so(wire: Any) -> None:
    request = ChatRequest(
        model="openai/gpt-5-2",
        messages=(Message("user", (Text("Hi"),)),),
        tools=(Tool("look", {"type": "object"}), BuiltinTool({"type": "mcp"})),
        response_format=JsonSchema("answer", {"properties": {"a": {"type": "array"}}}),
    )
    body = wire.encode(request, None, stream=False)
    tool = body["tools"][0]
    assert tool.get("function", tool)["parameters"] == EMPTY
    wanted = body["text"]["format"] if "text" in body else body["response_format"]["json_schema"]
    assert wanted["schema"] == {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {}}},
    }
