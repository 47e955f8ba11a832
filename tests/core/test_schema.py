from __future__ import annotations

import copy
from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from aimlapi_core import drop_added_nulls, strict_schema


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class Address(BaseModel):
    street: str = Field(description="Street and number")
    zip: str | None = None


class Person(BaseModel):
    """A person."""

    name: str
    age: int = 5
    tags: list[str] = Field(default_factory=list)
    home: Address = Field(description="Where they live")
    work: Address | None = None
    mood: Mood = Mood.GOOD
    kind: Literal["a", "b"] = "a"
    either: int | str = 1


class Node(BaseModel):
    value: int
    children: list[Node] = Field(default_factory=list)


class Free(BaseModel):
    scores: dict[str, int]


class Anything(BaseModel):
    value: Any


def objects_in(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for item in schema for found in objects_in(item)]
    if not isinstance(schema, dict):
        return []
    mine = [schema] if schema.get("type") == "object" else []
    return mine + [found for item in schema.values() for found in objects_in(item)]


def test_a_described_reference_of_pydantic_v1_can_be_strict() -> None:
    home = {"title": "Home", "description": "Theirs", "allOf": [{"$ref": "#/definitions/Home"}]}
    inner = {"type": "object", "properties": {"zip": {"type": "string"}}, "required": ["zip"]}
    given = {"type": "object", "properties": {"home": home}, "required": ["home"]}
    strict, reason = strict_schema({**given, "definitions": {"Home": inner}})
    assert reason is None
    assert strict["properties"]["home"] == {
        "anyOf": [{"$ref": "#/definitions/Home"}],
        "description": "Theirs",
    }


@pytest.mark.parametrize("model", [Address, Person, Node])
def test_strict_schemas_are_closed_and_require_everything(model: type[BaseModel]) -> None:
    given = model.model_json_schema()
    before = copy.deepcopy(given)
    strict, reason = strict_schema(given)
    assert reason is None
    assert given == before
    assert strict is not None
    assert strict["type"] == "object"
    for found in objects_in(strict):
        assert found["additionalProperties"] is False
        assert found["required"] == list(found["properties"])


def test_optional_properties_become_nullable_and_references_lose_their_neighbours() -> None:
    strict, _ = strict_schema(Person.model_json_schema())
    assert strict is not None
    properties = strict["properties"]
    assert properties["name"] == {"type": "string"}
    assert properties["age"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert properties["home"] == {
        "anyOf": [{"$ref": "#/$defs/Address"}],
        "description": "Where they live",
    }
    assert properties["work"] == {"anyOf": [{"$ref": "#/$defs/Address"}, {"type": "null"}]}
    assert properties["mood"] == {"anyOf": [{"$ref": "#/$defs/Mood"}, {"type": "null"}]}
    assert properties["either"] == {
        "anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]
    }


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (Free.model_json_schema(), "any name"),
        (Anything.model_json_schema(), "no type"),
        ({"type": "object", "properties": {"a": {}}}, "any value"),
        ({"type": "array", "items": {"type": "string"}}, "root is not an object"),
        ({"type": "object", "properties": {"a": {"type": "object"}}}, "any shape"),
        ({"type": "object", "properties": {"a": {"type": "array"}}}, "items of a"),
        (
            {"type": "object", "properties": {"a": {"type": "string", "minLength": 2}}},
            "'minLength'",
        ),
        ({"type": "object", "properties": {"a": {"not": {}}}}, "'not'"),
    ],
)
def test_what_cannot_be_strict_says_why(schema: dict[str, Any], why: str) -> None:
    strict, reason = strict_schema(schema)
    assert strict is None
    assert reason is not None
    assert why in reason


def test_added_nulls_go_and_real_ones_stay() -> None:
    answer = {
        "name": "Ann",
        "age": None,
        "tags": None,
        "home": {"street": "Rue 1", "zip": None},
        "work": None,
        "mood": None,
        "kind": None,
        "either": None,
    }
    pruned = drop_added_nulls(answer, Person.model_json_schema())
    assert pruned == {"name": "Ann", "home": {"street": "Rue 1", "zip": None}, "work": None}
    assert Person.model_validate(pruned).age == 5
    assert answer["age"] is None


class Loose(Enum):
    ON = "on"
    UNSET = None


class Wanted(BaseModel):
    rent: int | None = 1000
    level: Literal["low", "high", None] = "low"
    mood: Mood | None = Mood.GOOD
    loose: Loose = Loose.ON
    rooms: int = 2
    kind: Mood = Mood.GOOD
    inner: Wanted | None = None


def test_a_null_that_the_callers_schema_takes_is_an_answer_and_another_is_left_out() -> None:
    nulls = dict.fromkeys(Wanted.model_fields)
    pruned = drop_added_nulls({**nulls, "inner": nulls}, Wanted.model_json_schema())
    kept = dict.fromkeys(("rent", "level", "mood", "loose"))
    assert pruned == {**kept, "inner": {**kept, "inner": None}}
    found = Wanted.model_validate(pruned)
    assert (found.rent, found.level, found.mood, found.loose) == (None, None, None, Loose.UNSET)
    assert (found.rooms, found.kind) == (2, Mood.GOOD)


def test_a_default_beside_null_is_said_since_null_no_longer_means_it() -> None:
    strict, _ = strict_schema(Wanted.model_json_schema())
    assert strict is not None
    assert strict["properties"]["rent"] == {
        "anyOf": [{"type": "integer"}, {"type": "null"}],
        "description": "(default: 1000)",
    }
    assert strict["properties"]["mood"]["description"] == '(default: "good")'
    assert "description" not in strict["properties"]["rooms"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"], "enum": ["a"]},
        {"enum": ["a"]},
        {"const": "a"},
        {"allOf": [{"type": "string"}]},
        {"$ref": "#/$defs/E", "default": "a"},
        {"anyOf": [{"$ref": "#/$defs/E"}, {"const": 5}]},
        {"oneOf": [{"type": "string"}]},
        False,
    ],
)
def test_a_null_that_no_keyword_takes_is_left_out(schema: Any) -> None:
    given = {"properties": {"a": schema}, "$defs": {"E": {"enum": ["a", "b"]}}}
    assert drop_added_nulls({"a": None}, given) == {}


@pytest.mark.parametrize("schema", [{}, True, {"default": 5}, {"type": ["string", "null"]}])
def test_a_null_that_every_keyword_takes_stays(schema: Any) -> None:
    given = {"properties": {"a": schema}}
    assert drop_added_nulls({"a": None}, given) == {"a": None}


def test_added_nulls_go_from_recursive_models_too() -> None:
    answer = {"value": 1, "children": [{"value": 2, "children": None}]}
    pruned = drop_added_nulls(answer, Node.model_json_schema())
    assert pruned == {"value": 1, "children": [{"value": 2}]}


class Item(BaseModel):
    name: str
    qty: int = 1


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    lives: int | None = None


class Basket(BaseModel):
    items: list[Item] | None = None
    pet: Cat | Dog | None = None
    tagged: str | Item = "x"


def test_added_nulls_go_from_lists_and_unions() -> None:
    answer = {
        "items": [{"name": "a", "qty": None}, {"name": "b", "qty": 2}],
        "pet": {"kind": "cat", "lives": None},
        "tagged": {"name": "c", "qty": None},
    }
    pruned = drop_added_nulls(answer, Basket.model_json_schema())
    assert pruned == {
        "items": [{"name": "a"}, {"name": "b", "qty": 2}],
        "pet": {"kind": "cat"},
        "tagged": {"name": "c"},
    }
    dog = {"items": None, "pet": {"kind": "dog", "lives": None}, "tagged": None}
    assert drop_added_nulls(dog, Basket.model_json_schema()) == {
        "items": None,
        "pet": {"kind": "dog", "lives": None},
    }
    assert Basket.model_validate(pruned).pet == Cat(kind="cat")


@pytest.mark.parametrize(
    "schema",
    [
        {"$defs": [], "$ref": "#/$defs/x/y"},
        {"allOf": [True]},
        {"type": "object", "properties": [], "required": 7},
        {"anyOf": 5, "properties": {"a": True}},
    ],
)
def test_schemas_that_are_none_do_no_harm(schema: dict[str, Any]) -> None:
    strict, reason = strict_schema(schema)
    assert strict is not None or reason
    assert drop_added_nulls({"a": None}, schema) == {"a": None}
