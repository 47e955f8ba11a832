"""Random schemas: what goes out is taken by the emulator, and allows what the given one allows."""

from __future__ import annotations

import json
import random
import warnings
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from aimlapi_core import InvalidRequestError, drop_added_nulls, object_schema, strict_schema
from aimlapi_emulator.validation.json_schema import check_parameters
from aimlapi_emulator.validation.strict_json_schema import check_strict

NAMES = ("a", "b", "properties", "items", "$ref")
ODD: dict[str, list[Any]] = {
    "type": ["object", "array", "string", ["object", "null"], ["array", "string"], "any", None, []],
    "required": [["a"], ["a", "b"], None, True, [], [{}], "a"],
    "enum": [["a"], [1, "a"], [None], None, [], 5, [{"a": 1}]],
    "const": [None, 1, "a", {"b": 1}],
    "$ref": ["#", "#/$defs/a", "#/$defs/Gone", "#/properties/a", None, 5, "http://x"],
    "pattern": ["^a$", "(?=x)", "(", None, 5],
    "format": ["date", "uri", None, 5, ["x"]],
    "description": ["Words", None, 1],
    "minLength": [1, None, "x"],
    "additionalProperties": [True, False, {}, None],
}
LEAVES: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "integer"},
    {"type": "string", "enum": ["x", "y"]},
    {"const": 1},
    {"type": ["string", "null"]},
    {"type": "string", "pattern": "^(?!z)"},
    {"enum": ["x", None, 1]},
    {},
]
seeds = pytest.mark.parametrize("seed", range(10))


class Source(random.Random):
    """Random schemas and values."""

    def odd(self, depth: int = 3) -> Any:
        """Something where a schema should be."""
        if depth < 0 or self.random() < 0.08:
            return self.choice([True, False, None, 5, "x", [], {}, {"type": "string"}])
        found: dict[str, Any] = {}
        for keyword in self.sample([*ODD, "properties", "$defs", "anyOf", "allOf", "items"], 4):
            if keyword in ODD:
                found[keyword] = self.choice(ODD[keyword])
            elif keyword in ("properties", "$defs"):
                found[keyword] = {name: self.odd(depth - 1) for name in self.sample(NAMES, 2)}
            elif keyword == "items":
                found[keyword] = self.odd(depth - 1)
            else:
                found[keyword] = [self.odd(depth - 1) for _ in range(self.randrange(3))]
        return found

    def good(self, depth: int = 2) -> dict[str, Any]:
        kind = self.random()
        if depth <= 0 or kind < 0.4:
            return self.choice(LEAVES)
        if kind < 0.55:
            return {"type": "array", **({"items": self.good(depth - 1)} if kind < 0.5 else {})}
        if kind < 0.65:
            return {"anyOf": [self.good(depth - 1), self.good(depth - 1)]}
        return self.object(depth)

    def object(self, depth: int = 2) -> dict[str, Any]:
        names = self.sample(NAMES[:4], self.randrange(4))
        found: dict[str, Any] = {name: self.good(depth - 1) for name in names}
        required = [name for name in names if self.random() < 0.5]
        return {"type": "object", "properties": found, "required": required}

    def root(self) -> dict[str, Any]:
        part = self.object
        return self.choice(
            [
                part(),
                {"allOf": [part(), part()]},
                {**part(), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
                {"$ref": "#/$defs/X", "$defs": {"X": part()}},
                {"type": "object"},
            ]
        )

    def value(self, depth: int = 2) -> Any:
        if depth <= 0 or self.random() < 0.6:
            return self.choice(["x", "y", "w", 1, 2, None, True])
        if self.random() < 0.4:
            return [self.value(depth - 1) for _ in range(self.randrange(3))]
        return {name: self.value(depth - 1) for name in self.sample(NAMES[:4], self.randrange(4))}

    def filled(self, schema: dict[str, Any]) -> Any:
        """An instance of a strict schema without references."""
        if "anyOf" in schema:
            return self.filled(self.choice(schema["anyOf"]))
        if "enum" in schema or "const" in schema:
            return self.choice(schema.get("enum") or [schema["const"]])
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        kind = self.choice(kinds)
        if kind == "object":
            return {name: self.filled(inner) for name, inner in schema["properties"].items()}
        if kind == "array":
            return [self.filled(schema["items"]) for _ in range(self.randrange(3))]
        return {"string": "x", "integer": 1, "null": None}[kind]


@seeds
def test_whatever_is_given_is_taken_or_refused_by_name(seed: int) -> None:
    source = Source(seed)
    for _ in range(300):
        given = source.odd()
        before = json.dumps(given)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                assert check_parameters(dict(object_schema(given, "it")), "it") == []
            except InvalidRequestError as error:
                assert "it " in str(error)  # noqa: PT017  # most are taken
        for is_validated in (False, True):
            if isinstance(given, dict):
                strict, reason = strict_schema(given, is_validated=is_validated)
                assert bool(reason) or check_strict(strict, "it") == []
        drop_added_nulls({"a": None, "b": [{"a": None}]}, given if isinstance(given, dict) else {})
        assert json.dumps(given) == before


@seeds
def test_what_the_given_schema_allows_the_sent_one_allows(seed: int) -> None:
    source = Source(seed)
    for _ in range(100):
        given = source.root()
        sent = Draft202012Validator(dict(object_schema(given, "it")))
        for _ in range(10):
            value = {name: source.value() for name in source.sample(NAMES[:4], source.randrange(4))}
            assert sent.is_valid(value) or not Draft202012Validator(given).is_valid(value)


@seeds
def test_an_answer_to_a_strict_schema_is_one_to_the_given_schema(seed: int) -> None:
    source = Source(seed)
    for _ in range(200):
        given = source.object()
        strict, _ = strict_schema(given)
        if strict is not None:
            answer = drop_added_nulls(source.filled(strict), given)
            Draft202012Validator(given).validate(answer)
