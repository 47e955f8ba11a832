"""Scripted values are validated against the request's schema, leniently where it is no schema."""

from __future__ import annotations

import sys
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aimlapi_emulator import Emulator
from aimlapi_emulator.answers.extraction import PromptValues
from aimlapi_emulator.answers.schema_instance import instance
from aimlapi_emulator.scripting.schema_errors import schema_errors
from tests.emulator.asking import INTEGER, STRING, Asker, object_schema, schema_format, tool

SCHEMAS: list[dict[str, Any]] = [
    {},
    STRING,
    INTEGER,
    {"type": ["number", "null"], "minimum": 0, "exclusiveMaximum": 2},
    {"enum": ["a", 1, None]},
    {"const": True},
    {"type": "string", "minLength": 1, "maxLength": 2, "pattern": "^a"},
    {"type": "array", "items": INTEGER, "minItems": 1, "maxItems": 2},
    {"anyOf": [INTEGER, {"type": "null"}]},
    {"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": object_schema(a=STRING)}},
    {"type": "object", "properties": {"a": INTEGER}, "additionalProperties": {"type": "boolean"}},
    {"type": "object", "required": ["b"], "properties": {"b": {"type": "array"}}},
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from([-1, 0, 1, 1.5, 2, 2.0])
    | st.text("ab", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SCHEMAS), VALUES)
@example({"enum": [1]}, True)
@example({"const": True}, 1)
@example(object_schema(a=STRING), {})
def test_a_schema_that_can_be_read_is_judged_in_full(schema: dict[str, Any], value: Any) -> None:
    valid = jsonschema.Draft202012Validator(schema).is_valid(value)
    assert (not schema_errors(schema, value)) == valid, schema_errors(schema, value)


@pytest.mark.parametrize(
    ("schema", "value", "says"),
    [
        (object_schema(a=object_schema(b=INTEGER)), {"a": {"b": "x"}}, "$.a.b: 'x' is not of type"),
        ({"items": INTEGER}, [1, "x"], "$[1]: 'x' is not of type 'integer'"),
        (STRING, 7, "$: 7 is not of type 'string'"),
        ({"anyOf": [{"$ref": "#/$defs/a"}, STRING], "$defs": {"a": INTEGER}}, 1.5, "$: 1.5 is not"),
        (
            {"anyOf": [object_schema(a=object_schema(b=STRING)), {"type": "null"}]},
            {"a": {"b": 7}},
            "$.a.b: 7 is not of type 'string'",
        ),
    ],
)
def test_it_says_where(schema: dict[str, Any], value: Any, says: str) -> None:
    (found,) = schema_errors(schema, value)
    assert found.startswith(says)


UNREADABLE: list[dict[str, Any]] = [
    {"pattern": "(?<x", "format": "date"},
    {"multipleOf": 0.01},
    {"$ref": "#/$defs/none"},
    {"additionalProperties": None},
    {"minimum": "2"},
]


@pytest.mark.parametrize("keywords", UNREADABLE, ids=str)
@pytest.mark.parametrize("value", ["x", 19.99, {"a": 1}], ids=str)
def test_a_keyword_that_cannot_be_read_allows_everything(
    keywords: dict[str, Any], value: Any
) -> None:
    """What stands beside it is judged."""
    assert schema_errors(keywords, value) == []
    assert len(schema_errors({"items": {**keywords, "enum": [1]}}, [value])) == 1


def test_a_reference_opens_no_url(emu: Emulator) -> None:
    assert schema_errors({"$ref": f"{emu.base_url}/models"}, "x") == []
    assert emu.requests == []


def test_where_a_schema_is_to_be_judged_without_jsonschema_it_says_what_to_install(
    emu: Emulator, ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema.exceptions", None)
    emu.when("Hello", json={"a": 1})
    assert ask.text("Hello") == '{"a": 1}'
    told = ask.chat("Hello", response_format=schema_format(object_schema(a=INTEGER)))
    assert told.status_code == 400
    assert "pip install 'aimlapi-integrations[emulator]'" in told.json()["message"]


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({"type": "integer", "minimum": None, "maximum": 5}, 1),
        ({"type": "string", "pattern": None, "minLength": None, "enum": None}, "say hi"),
        ({"type": "array", "items": None, "minItems": None, "prefixItems": None}, ["say hi"]),
    ],
    ids=str,
)
def test_a_null_keyword_says_nothing_of_a_value(schema: dict[str, Any], made: Any) -> None:
    assert instance(schema, PromptValues("say hi", question="say hi")) == made


ITSELF = {"$ref": "#/properties/a"}
ODD: list[dict[str, Any]] = [
    {"type": "integer", "minimum": 10**400},
    {"allOf": [ITSELF]},
    {"anyOf": [ITSELF, ITSELF]},
    {"$ref": None},
]
# Those are refused in tools.
NO_SCHEMAS: list[dict[str, Any]] = [
    {"type": None},
    {"enum": None},
    {"enum": 5},
    {"allOf": None},
    {"type": "integer", "minimum": None},
    {"type": "string", "minLength": None},
    {"type": "string", "maxLength": None},
    {"type": "string", "pattern": None},
    {"type": "array", "items": STRING, "minItems": None},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_odd_schema_is_answered(emu: Emulator, ask: Asker, odd: dict[str, Any]) -> None:
    """The service takes many objects as a schema, so whoever sends one is no fault of ours."""
    args = {"a": 10**400 if odd.get("type") == "integer" else "x"}
    emu.when("scripted", tool_call="look", arguments=args)
    tools = [tool("look", a=odd)]
    assert ask.calls("scripted", tools=tools) == [("look", args)]
    assert [name for name, _ in ask.calls("Hello", tools=tools, tool_choice="required")] == ["look"]


@pytest.mark.parametrize("odd", [*ODD, *NO_SCHEMAS], ids=str)
def test_an_odd_schema_is_answered_by_an_object(ask: Asker, odd: dict[str, Any]) -> None:
    form = schema_format(object_schema(a=odd), strict=False)
    assert ask.text("Hello", response_format=form)


@pytest.mark.parametrize("odd", NO_SCHEMAS, ids=str)
def test_what_is_no_schema_is_refused_in_tools(ask: Asker, odd: dict[str, Any]) -> None:
    refused = ask.chat("Hello", tools=[tool("look", a=odd)])
    assert refused.status_code == 400
    assert "tools.0.function.parameters.properties.a" in refused.text


def test_null_is_no_bound() -> None:
    bounds = {"type": "integer", "minimum": None, "maximum": 3}
    assert schema_errors(bounds, 5) == ["$: 5 is greater than the maximum of 3"]
    assert schema_errors({"const": None}, 5) == ["$: None was expected"]


def test_a_whole_number_of_any_size_is_one(ask: Asker) -> None:
    assert schema_errors({"type": "integer", "minimum": 0}, 10**400) == []
    (found,) = schema_errors({"type": "integer", "maximum": 3}, 10**400)
    assert found.endswith("is greater than the maximum of 3")
    assert ask.chat("x", max_tokens=10**400).status_code in (200, 400)
