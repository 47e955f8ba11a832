"""An instance of a JSON Schema, filled from what a prompt says.

Values obey the schema (bounds, formats, patterns, references, unions, constants). A property that
is not required appears only when the prompt names it, and a nullable one is null unless named. What
is offered by an enum, a description or the prompt is chosen among, before anything is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aimlapi_emulator.answers import extraction as said
from aimlapi_emulator.answers.extraction import PromptValues
from aimlapi_emulator.answers.field_values import (
    clauses,
    free_text,
    kinds,
    listed_texts,
    options_for,
)
from aimlapi_emulator.answers.options import as_options, choose, fitting, mentions, supports
from aimlapi_emulator.answers.schema_reading import (
    UNREADABLE,
    Schema,
    bounds,
    fit_length,
    infer_type,
    number_in_range,
    resolved,
    singular,
)
from aimlapi_emulator.answers.string_formats import by_format, by_pattern, matches_format
from aimlapi_emulator.text.bounds import MAX_TOTAL_TEXT, MAX_VALUES, check_size, limited_cpu
from aimlapi_emulator.text.words import content_words

_MAX_DEPTH = 8
_ENDS = ("finish", "end", "done", "__end__")
_SINGLE = re.compile(r"\bthe (?:choice|option|one) that\b", re.IGNORECASE)


def instance(schema: Schema, values: PromptValues, name: str = "") -> Any:
    """A value that obeys `schema`; an empty object where the schema cannot be read.

    Raises BoundError for a value that is too large.
    """
    try:
        with limited_cpu():
            return _InstanceBuilder(schema, values).fill(schema, name, 0)
    except UNREADABLE:
        return {}


class _InstanceBuilder:
    """Fills one instance; `root` is where references are looked up."""

    def __init__(self, root: Schema, values: PromptValues) -> None:
        self.root = root
        self.values = values
        self.count = 0
        self.characters = 0

    def resolve(self, schema: Any) -> Schema:
        """The schema behind references, with `allOf` merged in."""
        return resolved(self.root, schema)

    def fill(self, raw: Any, name: str, depth: int) -> Any:
        """A value for `raw`, which is under the property `name`."""
        self.count += 1
        check_size(self.count, MAX_VALUES, "values of a schema")
        schema = self.resolve(raw)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.member(schema, name)
        options = schema.get("anyOf") or schema.get("oneOf")
        if options:
            beside = {k: v for k, v in schema.items() if k not in ("anyOf", "oneOf")}
            return self.union([{**beside, **self.resolve(o)} for o in options], name, depth)
        kind = schema.get("type")
        if isinstance(kind, list):
            return self.union([{**schema, "type": one} for one in kind], name, depth)
        if kind is None:
            kind = infer_type(schema)
        if depth > _MAX_DEPTH and kind in ("object", "array"):
            return {} if kind == "object" else []
        return self.by_kind(kind, schema, name, depth)

    def by_kind(self, kind: str, schema: Schema, name: str, depth: int) -> Any:
        """A value of one JSON type."""
        if kind == "object":
            return self.mapping(schema, name, depth)
        if kind == "array":
            return self.array(schema, name, depth)
        if kind in ("integer", "number"):
            return self.number(schema, name, whole=kind == "integer")
        if kind == "boolean":
            return self.boolean(schema, name)
        if kind == "null":
            return None
        text = self.string(schema, name)
        self.characters += len(text)
        check_size(self.characters, MAX_TOTAL_TEXT, "characters of all strings of a schema")
        return text

    def member(self, schema: Schema, name: str) -> Any:
        """An enum member: the one named for the field, the one that fits, the default."""
        members: Sequence[Any] = schema["enum"]
        value = said.find_named_value(name, self.values.text)
        for one in members:
            if value is not None and str(one).lower() == value.lower():
                return one
        options = as_options(one for one in members if isinstance(one, str) and one)
        if self.values.is_answered:
            options = [o for o in options if o.name.lower() in _ENDS] or options
        if {option.name.lower() for option in options} == {"yes", "no"}:
            return choose(options, self.values.question, self.values.material).name
        described = {o.name: o for o in self.values.options}
        told = [described.get(option.name, option) for option in options]
        found = fitting(told, self.values.question) or fitting(told, self.values.text)
        if found or (self.values.is_answered and len(told) == 1):
            return (found or told)[0].name
        if schema.get("default") in members:
            return schema["default"]
        return next((one for one in members if one is not None), None)

    def union(self, options: Sequence[Schema], name: str, depth: int) -> Any:
        """A value of the union's member that fits the prompt best."""
        real = [one for one in options if one.get("type") != "null"]
        if len(real) < len(options) and (not real or not self.wanted(name, real[0])):
            return None
        scored = [(-self.union_score(one, name), index) for index, one in enumerate(real)]
        best = real[min(scored)[1]]
        if depth > _MAX_DEPTH and len(real) < len(options):
            return None
        return self.fill(best, name, depth + 1)

    def union_score(self, schema: Schema, name: str) -> int:
        """How well a union member fits the prompt; scalars go before containers on a tie."""
        kind = schema.get("type")
        value = said.find_named_value(name, self.values.text)
        if kind in ("integer", "number"):
            return 2 if value is not None and said.numbers(value) else 0
        if kind == "object":
            told = content_words(f"{schema.get('title', '')} {schema.get('description', '')}")
            consts = [
                str(inner["const"])
                for inner in map(self.resolve, (schema.get("properties") or {}).values())
                if "const" in inner
            ]
            hits = sum(mentions(const, self.values.text) for const in consts)
            return 2 * hits + len(told & content_words(self.values.question))
        return 1 if kind == "string" else 0

    def wanted(self, name: str, schema: Schema) -> bool:
        """Whether the prompt names an optional field."""
        text = self.values.text
        return bool(name) and mentions(name, text) and not said.negates(name, text)

    def mapping(self, schema: Schema, name: str, depth: int) -> dict[str, Any]:
        """An object: required properties, and the optional ones that are named."""
        properties: Mapping[str, Any] = schema.get("properties") or {}
        required = schema.get("required") or ()
        found = {
            key: self.fill(inner, key, depth + 1)
            for key, inner in properties.items()
            if key in required or (depth < 4 and self.wanted(key, self.resolve(inner)))
        }
        for key in required:
            if key not in found:
                found[key] = self.string({}, key)
        extra = schema.get("additionalProperties")
        if not properties and isinstance(extra, Mapping) and schema.get("minProperties"):
            check_size(schema["minProperties"], MAX_VALUES, "minProperties")
            for index in range(int(schema["minProperties"])):
                found[f"key_{index + 1}"] = self.fill(extra, f"key {index + 1}", depth + 1)
        return found

    def array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        """An array: the listed values, one item for each option that fits, else one item."""
        if "prefixItems" in schema:
            return [self.fill(one, name, depth + 1) for one in schema["prefixItems"]]
        items = self.resolve(schema.get("items") or {"type": "string"})
        check_size(schema.get("minItems", 0), MAX_VALUES, "minItems")
        low = int(schema.get("minItems", 0))
        self.count += low
        check_size(self.count, MAX_VALUES, "values of a schema")
        high = int(schema.get("maxItems", max(low, 20)))
        values = (self.by_option(items, depth) or self.listed(items, name, low))[:high]
        tries = 0
        while len(values) < max(low, min(1, high)) and tries < low + 20:
            value = self.fill(items, singular(name), depth + 1)
            tries += 1
            if value in values and isinstance(value, str):
                value = f"{value} {len(values) + 1}"
            values.append(value)
        return values

    def by_option(self, items: Schema, depth: int) -> list[Any]:
        """Objects that choose among the prompt's options: one for each that fits."""
        values = self.values
        properties: Mapping[str, Any] = items.get("properties") or {}
        if not values.options or not any("chosen" in kinds(key) for key in properties):
            return []
        found = fitting(values.options, values.question) or values.options[:1]
        made = []
        for option in found[:1] if _SINGLE.search(values.text) else found:
            parts = [part for part in clauses(values.question) if fitting([option], part)]
            part = parts[0] if parts and len(found) > 1 else values.question
            self.values = replace(values, options=[option], question=part)
            made.append(self.fill(items, "", depth + 1))
        self.values = values
        return made

    def listed(self, items: Schema, name: str, low: int) -> list[Any]:
        """Items that the prompt lists for this field."""
        if items.get("type") in ("integer", "number"):
            return self.listed_numbers(items, name)
        if items.get("type") != "string" or {"enum", "format", "pattern"} & set(items):
            return []
        told = listed_texts(name, self.values, low)
        return [one for one in told if matches_format(one, items)]

    def listed_numbers(self, items: Schema, name: str) -> list[Any]:
        """Numbers that the prompt lists for this field, else all that it holds."""
        whole = items.get("type") == "integer"
        low, high = bounds(items, whole=whole)
        named = said.numbers(" ".join(said.find_named_list(name, self.values.text)))
        told = [self.values.next_number(n, n, whole=whole) for n in named]
        found: list[Any] = [n for n in told if n is not None and low <= n <= high]
        while not named and (one := self.next_number(items, whole=whole)) is not None:
            found.append(one)
        return found

    def next_number(self, schema: Schema, *, whole: bool) -> float | int | None:
        """The next number of the prompt that the schema allows."""
        low, high = bounds(schema, whole=whole)
        found = self.values.next_number(low, high, whole=whole)
        step = schema.get("multipleOf")
        if found is not None and step and found % step:
            return None
        return int(found) if found is not None and whole else found

    def number(self, schema: Schema, name: str, *, whole: bool) -> float | int:
        """A number: the named or chosen one, the result's, the next of the prompt, the default."""
        low, high = bounds(schema, whole=whole)
        wants, values = kinds(name), self.values
        told = said.find_named_value(name, values.text) or ""
        if "drawn" in wants and values.result:
            told = values.result
        if "chosen" in wants and values.options and values.options[0].name.isdigit():
            told = choose(values.options, values.question).name
        for one in said.numbers(told):
            if low <= one <= high and (not whole or float(one).is_integer()):
                values.next_number(one, one, whole=whole)
                return int(one) if whole else one
        if "score" in name and high - low < 1000:
            value = high if supports(values.material, values.question) else low
            return int(value) if whole else value
        found = self.next_number(schema, whole=whole)
        if found is not None:
            return found
        if isinstance(schema.get("default"), int | float):
            default: float | int = schema["default"]
            return default
        values.invented += 1
        return number_in_range(low, high, schema.get("multipleOf"), whole=whole)

    def boolean(self, schema: Schema, name: str) -> bool:
        """True when the field is named, unless it is denied or said to be false."""
        value = said.find_named_value(name, self.values.text)
        if value is not None:
            return value.lower().split()[0] not in ("false", "no", "off", "0", "not")
        if mentions(name, self.values.text):
            return not said.negates(name, self.values.text)
        return bool(schema.get("default", False))

    def string(self, schema: Schema, name: str) -> str:
        """Text: a choice, the named value, one of the right format, words for the field's name."""
        values = self.values
        options = options_for(schema, name, values)
        if options:
            return choose(options, values.question, values.material).name
        value = said.find_named_value(name, values.text)
        if value is not None and matches_format(value, schema):
            values.drop_quoted(value)
            return value
        if "format" in schema:
            found = by_format(schema["format"], values.text)
            if found is not None:
                return found
        if "pattern" in schema:
            return by_pattern(schema["pattern"], values.text, schema)
        return fit_length(free_text(schema, name, values), schema)
