"""What is wrong with a value by its schema: as a full validator says, where both judge."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aimlapi_emulator import Emulator
from aimlapi_emulator.misfits import misfits
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


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SCHEMAS), VALUES)
@example({"enum": [1]}, True)
@example({"const": True}, 1)
@example(object_schema(a=STRING), {})
def test_it_judges_as_a_full_validator(schema: dict[str, Any], value: Any) -> None:
    valid = jsonschema.Draft202012Validator(schema).is_valid(value)
    assert (not misfits(schema, value)) == valid, misfits(schema, value)


@pytest.mark.parametrize(
    ("schema", "value", "says"),
    [
        (object_schema(a=object_schema(b=INTEGER)), {"a": {"b": "x"}}, "a.b: 'x' is no integer"),
        ({"items": INTEGER}, [1, "x"], "1: 'x' is no integer"),
        (STRING, 7, "the whole: 7 is no string"),
        ({"anyOf": [object_schema(a=STRING), object_schema(b=STRING)]}, {}, "a: is required"),
    ],
)
def test_it_says_where(schema: dict[str, Any], value: Any, says: str) -> None:
    assert misfits(schema, value) == [says]


def test_what_it_does_not_know_is_right() -> None:
    assert misfits({"type": "string", "pattern": "(?<x", "format": "date"}, "x") == []


ITSELF = {"$ref": "#/properties/a"}
ODD: list[dict[str, Any]] = [
    {"type": "integer", "minimum": None},
    {"type": "integer", "minimum": 10**400},
    {"type": "string", "minLength": None},
    {"type": "string", "maxLength": None},
    {"type": "string", "pattern": None},
    {"type": "array", "items": STRING, "minItems": None},
    {"type": None},
    {"enum": None},
    {"enum": 5},
    {"allOf": None},
    {"allOf": [ITSELF]},
    {"anyOf": [ITSELF, ITSELF]},
    {"$ref": None},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_odd_schema_is_answered(emu: Emulator, ask: Asker, odd: dict[str, Any]) -> None:
    """The service takes any object as a schema, so whoever sends one is no fault of ours."""
    args = {"a": {"integer": 10**400, "array": []}.get(str(odd.get("type")), "x")}
    emu.when("scripted", call="look", args=args)
    tools = [tool("look", a=odd)]
    assert ask.calls("scripted", tools=tools) == [("look", args)]
    assert [name for name, _ in ask.calls("Hello", tools=tools, tool_choice="required")] == ["look"]
    form = schema_format(object_schema(a=odd), strict=False)
    assert ask.text("Hello", response_format=form)


def test_null_is_no_bound() -> None:
    bounds = {"type": "integer", "minimum": None, "maximum": 3}
    assert misfits(bounds, 5) == ["the whole: 5 is out of bounds"]


def test_a_whole_number_of_any_size_is_one(ask: Asker) -> None:
    assert misfits({"type": "integer", "minimum": 0}, 10**400) == []
    (found,) = misfits({"type": "integer", "maximum": 3}, 10**400)
    assert found.endswith("is out of bounds")
    assert ask.chat("x", max_tokens=10**400).status_code in (200, 400)
