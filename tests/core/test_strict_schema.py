"""What goes out with `strict: true`: OpenAI's subset of JSON Schema and its limits."""

from __future__ import annotations

import datetime
import ipaddress
import json
import pathlib
import re
import uuid
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import AnyUrl, BaseModel, Field, IPvAnyAddress, Json, SecretStr, create_model

from aimlapi_core import strict_schema
from aimlapi_core.schema.keywords import FORMATS, UNSUPPORTED_KEYWORDS
from aimlapi_emulator.validation.strict_json_schema import check_strict

# Of pydantic 2.12, for each Decimal.
DECIMAL = {
    "anyOf": [
        {"type": "number"},
        {"type": "string", "pattern": "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$"},
    ]
}
HINTED: dict[str, tuple[Any, str]] = {
    "path": (pathlib.Path, "format: path"),
    "bytes": (bytes, "format: binary"),
    "secret": (SecretStr, "format: password"),
    "any address": (IPvAnyAddress, "format: ipvanyaddress"),
    "network": (ipaddress.IPv4Network, "format: ipv4network"),
    "url": (AnyUrl, "format: uri; minLength: 1"),
    "length": (Annotated[str, Field(min_length=2, max_length=50)], "maxLength: 50; minLength: 2"),
    "set": (set[int], "uniqueItems: true"),
    "look-ahead": (
        Annotated[str, Field(json_schema_extra={"pattern": "^(?=.*[A-Z]).+$"})],
        "pattern: ^(?=.*[A-Z]).+$",
    ),
}


def of_property(schema: Any, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": schema}, "required": ["a"], **more}


def made(schema: dict[str, Any], *, is_validated: bool = False) -> dict[str, Any]:
    strict, reason = strict_schema(schema, is_validated=is_validated)
    assert reason is None
    assert strict is not None
    assert check_strict(strict, "schema") == []
    return strict


def refused(schema: dict[str, Any], *, is_validated: bool = False) -> str:
    strict, reason = strict_schema(schema, is_validated=is_validated)
    assert strict is None
    assert reason
    return reason


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(levels):
        schema = of_property(schema)
    return schema


@pytest.mark.parametrize("case", HINTED)
def test_what_a_class_checks_by_itself_is_said_in_words(case: str) -> None:
    kind, hint = HINTED[case]
    schema = create_model("Made", a=(kind, ...)).model_json_schema()
    found = made(schema, is_validated=True)["properties"]["a"]
    assert found["description"] == f"({hint})"
    assert not {"format", "pattern", "minLength", "maxLength", "uniqueItems"} & set(found)


@pytest.mark.parametrize("case", ["any address", "network", "url", "length", "set", "look-ahead"])
def test_what_nobody_would_check_keeps_the_schema_open(case: str) -> None:
    schema = create_model("Made", a=(HINTED[case][0], ...)).model_json_schema()
    assert re.match(r"a (has|uses)", refused(schema))


@pytest.mark.parametrize("case", ["path", "bytes", "secret"])
def test_a_format_that_refuses_nothing_is_left_out_of_any_schema(case: str) -> None:
    schema = create_model("Made", a=(HINTED[case][0], ...)).model_json_schema()
    assert made(schema)["properties"]["a"] == {
        "type": "string",
        "description": f"({HINTED[case][1]})",
    }


def test_the_look_ahead_of_decimals_is_left_out() -> None:
    found = made(of_property(DECIMAL), is_validated=True)["properties"]["a"]["anyOf"]
    assert found[0] == {"type": "number"}
    assert set(found[1]) == {"type", "description"}
    refused(of_property(DECIMAL))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_listed_formats_stay(name: str) -> None:
    given = {"type": "string", "format": name}
    assert made(of_property(given))["properties"]["a"] == given


def test_types_with_listed_formats_stay_strict() -> None:
    class Times(BaseModel):
        at: datetime.datetime
        day: datetime.date
        span: datetime.timedelta
        id: uuid.UUID
        host: ipaddress.IPv4Address
        price: Decimal

    made(Times.model_json_schema(), is_validated=True)


@pytest.mark.parametrize("pattern", [r"^@[a-z0-9_]+$", r"a(?:b|c){2,3}", r"\(\?=x", "[(?=]+", "a?"])
def test_regular_patterns_stay(pattern: str) -> None:
    given = {"type": "string", "pattern": pattern}
    assert made(of_property(given))["properties"]["a"] == given


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", r"(a)\1", r"^\p{L}+$", "(", "(?P<x>a)(?P=x)"],
)
def test_other_patterns_do_not(pattern: str) -> None:
    given = of_property({"type": "string", "pattern": pattern})
    assert "pattern" in refused(given)
    assert "pattern" not in made(given, is_validated=True)["properties"]["a"]


@pytest.mark.parametrize(
    "keyword", sorted(UNSUPPORTED_KEYWORDS - {"minLength", "maxLength", "uniqueItems"})
)
def test_rules_that_strict_mode_has_no_form_for_keep_a_schema_open(keyword: str) -> None:
    given = of_property({"type": "string", keyword: ["x", "y"]})
    assert keyword in refused(given)
    assert keyword in refused(given, is_validated=True)


@pytest.mark.parametrize(
    "keyword",
    "title default examples writeOnly readOnly deprecated contentMediaType contentEncoding "
    "contentSchema $comment discriminator x-order".split(),
)
def test_annotations_are_left_out(keyword: str) -> None:
    given = of_property({"type": "string", keyword: "x"}, **{keyword: "y"})
    assert made(given) == {**of_property({"type": "string"}), "additionalProperties": False}


def test_json_in_a_string_is_a_string() -> None:
    schema = create_model("Made", a=(Json, ...)).model_json_schema()
    assert made(schema, is_validated=True)["properties"]["a"]["type"] == "string"


def test_an_enum_has_a_type_and_one_for_each_kind_of_value() -> None:
    class Many(BaseModel):
        a: Literal["low", None] = "low"
        b: Literal[1, "x", "y"] = 1
        c: Literal[1, 2] = 1

    properties = made(Many.model_json_schema())["properties"]
    assert properties["a"]["anyOf"] == [{"type": "string", "enum": ["low"]}, {"type": "null"}]
    assert properties["b"]["anyOf"] == [
        {"type": "integer", "enum": [1]},
        {"type": "string", "enum": ["x", "y"]},
        {"type": "null"},
    ]
    assert {"type": "integer", "enum": [1, 2]} in properties["c"]["anyOf"]
    assert made(of_property({"const": 5}))["properties"]["a"] == {"type": "integer", "const": 5}


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (of_property({"enum": []}), "without values"),
        (of_property({"enum": [{"b": 1}]}), "no single value"),
        (of_property({"type": "any"}), "type 'any'"),
        (of_property({"$ref": "#/properties/b"}), "no definition at the root"),
        (of_property({"$ref": "#/$defs/X"}), "not there"),
        (of_property({"$ref": "https://example.org/x.json"}), "no definition at the root"),
        (of_property({"type": "string", "$defs": {}}), "uses '$defs'"),
        ({"type": "object", "properties": {}, "required": ["a"]}, "not all described"),
        ({"anyOf": [{"type": "object", "properties": {}}]}, "root is not an object"),
        (of_property({"type": "array", "items": True}), "items of a allows any value"),
    ],
)
def test_a_schema_that_says_less_than_strict_mode_wants_says_what(
    schema: dict[str, Any], why: str
) -> None:
    assert why in refused(schema)


def test_a_schema_may_be_ten_levels_deep() -> None:
    made(nested(10))
    assert refused(nested(11)) == "it is nested 11 levels deep, and the limit is 10"


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (
            {"type": "object", "properties": {f"p{n}": {"type": "null"} for n in range(5_001)}},
            "5,001 properties",
        ),
        (of_property({"type": "integer", "enum": list(range(1_001))}), "1,001 enum values"),
        (
            of_property({"type": "string", "enum": [f"{n:060}" for n in range(251)]}),
            "15,060 characters",
        ),
        (of_property({"const": "x" * 120_000}), "120,001 characters"),
    ],
)
def test_sizes_have_limits(schema: dict[str, Any], why: str) -> None:
    assert why in refused(schema)


def test_sizes_at_the_limit_are_strict() -> None:
    made({"type": "object", "properties": {f"p{n}": {"type": "null"} for n in range(5_000)}})
    made(of_property({"type": "integer", "enum": list(range(1_000))}))
    made(of_property({"type": "string", "enum": [f"{n:060}" for n in range(250)]}))


def test_a_field_with_the_name_of_a_keyword_is_a_field() -> None:
    names = (
        "properties items type required $ref $defs anyOf enum const format pattern schema".split()
    )
    schema = {
        "type": "object",
        "properties": {name: {"type": "array", "items": {"type": "string"}} for name in names},
        "required": names,
    }
    strict = made(schema)
    assert list(strict["properties"]) == names
    Draft202012Validator(strict).validate({name: ["x"] for name in names})


def test_a_field_named_schema_of_any_shape_is_not_closed() -> None:
    named = {"type": "object", "properties": {"schema": {"type": "object"}}}
    assert refused(named) == "schema is an object of any shape"


def test_a_strict_schema_is_the_same_when_made_again() -> None:
    strict = made(of_property({"type": "string", "description": "A"}))
    assert strict_schema(json.loads(json.dumps(strict)))[0] == strict
