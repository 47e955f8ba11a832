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

from aimlapi_emulator.answers.extraction import (
    PromptValues,
    find_named_list,
    find_named_value,
    numbers,
    wants,
)
from aimlapi_emulator.answers.field_values import (
    clauses,
    free_text,
    kinds,
    listed_texts,
    options_for,
)
from aimlapi_emulator.answers.options import (
    as_options,
    choose,
    fitting,
    mentions,
    supports,
)
from aimlapi_emulator.answers.schema_reading import (
    UNREADABLE,
    Schema,
    bounds,
    fit_length,
    infer_type,
    number_in_range,
    resolved,
)
from aimlapi_emulator.answers.string_formats import by_format, by_pattern, matches_format
from aimlapi_emulator.text.bounds import MAX_TOTAL_TEXT, MAX_VALUES, check_size, limited_cpu

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

    def counted(self, more: float, what: str) -> int:
        """So many values more. Raises BoundError where these are too many."""
        check_size(self.count + more, MAX_VALUES, what)
        self.count += int(more)
        return int(more)

    def fill(self, raw: Any, name: str, depth: int) -> Any:
        """A value for `raw`, which is under the property `name`."""
        self.counted(1, "values of a schema")
        schema = resolved(self.root, raw)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.member(schema, name)
        members = schema.get("anyOf") or schema.get("oneOf")
        if members:
            beside = {k: v for k, v in schema.items() if k not in ("anyOf", "oneOf")}
            return self.union([{**beside, **resolved(self.root, m)} for m in members], name, depth)
        kind = schema.get("type") or infer_type(schema)
        if isinstance(kind, list):
            return self.union([{**schema, "type": one} for one in kind], name, depth)
        if kind == "object":
            return self.mapping(schema, name, depth) if depth <= _MAX_DEPTH else {}
        if kind == "array":
            return self.array(schema, name, depth) if depth <= _MAX_DEPTH else []
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
        members, values = schema["enum"], self.values
        named = find_named_value(name, values.text)
        for one in members:
            if named is not None and str(one).lower() == named.lower():
                return one
        described = {option.name: option for option in values.options}
        options = as_options(one for one in members if isinstance(one, str) and one)
        options = [described.get(option.name, option) for option in options]
        if values.is_answered:
            options = [o for o in options if o.name.lower() in _ENDS] or options
        found = fitting(options, values.question) or fitting(options, values.text)
        if found or len(options) == 1 or {o.name.lower() for o in options} == {"yes", "no"}:
            return choose(found or options, values.question, values.material).name
        if schema.get("default") in members:
            return schema["default"]
        return next((one for one in members if one is not None), None)

    def union(self, members: Sequence[Schema], name: str, depth: int) -> Any:
        """A value of the union's member that fits the prompt best; null unless it is named."""
        real = [one for one in members if one.get("type") != "null"]
        is_named = bool(name) and wants(name, self.values.text)
        if len(real) < len(members) and (not real or not is_named or depth > _MAX_DEPTH):
            return None
        numeric = numbers(find_named_value(name, self.values.text) or "")
        best = [one for one in real if (one.get("type") in ("integer", "number")) == bool(numeric)]
        titles = as_options(f"{one.get('title')} {one.get('description')}" for one in best)
        for option in fitting(titles, self.values.question)[:1]:
            return self.fill(best[titles.index(option)], name, depth + 1)
        best = [one for one in best if one.get("type") == "string"] or best or real
        return self.fill(best[0], name, depth + 1)

    def mapping(self, schema: Schema, name: str, depth: int) -> dict[str, Any]:
        """An object: required properties, and the optional ones that are named."""
        properties: Mapping[str, Any] = schema.get("properties") or {}
        required, text = schema.get("required") or (), self.values.text
        found = {
            key: self.fill(inner, key, depth + 1)
            for key, inner in properties.items()
            if key in required or (depth < 4 and wants(key, text))
        }
        for key in required:
            if key not in found:
                found[key] = self.string({}, key)
        extra = schema.get("additionalProperties")
        if not properties and isinstance(extra, Mapping):
            for number in range(
                1, self.counted(schema.get("minProperties", 0), "minProperties") + 1
            ):
                found[f"key_{number}"] = self.fill(extra, f"key {number}", depth + 1)
        return found

    def array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        """An array: the listed values, one item for each option that fits, else one item."""
        if "prefixItems" in schema:
            return [self.fill(one, name, depth + 1) for one in schema["prefixItems"]]
        items = resolved(self.root, schema.get("items") or {"type": "string"})
        low = self.counted(schema.get("minItems", 0), "minItems")
        high = int(schema.get("maxItems", max(low, 20)))
        values = (self.by_option(items, depth) or self.listed(items, name, low))[:high]
        for _ in range(low + 20):
            if len(values) >= max(low, min(1, high)):
                break
            value = self.fill(items, name.removesuffix("s"), depth + 1)
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
        """Items that the prompt lists for this field; of numbers else all that it holds."""
        if items.get("type") in ("integer", "number"):
            fits = _number_check(items, whole=items["type"] == "integer")
            named = filter(fits, numbers(" ".join(find_named_list(name, self.values.text))))
            found = list(named) or list(filter(fits, self.values.rows["number"]))
            for one in found:
                self.values.drop("number", one)
            return found
        if items.get("type") != "string" or {"enum", "format", "pattern"} & set(items):
            return []
        told = listed_texts(name, self.values, low)
        return [one for one in told if matches_format(one, items)]

    def number(self, schema: Schema, name: str, *, whole: bool) -> float | int:
        """A number: the named or chosen one, the result's, the next of the prompt, the default."""
        wanted, values = kinds(name), self.values
        if "fraction" in wanted:
            schema = {"minimum": 0, "maximum": 1, **schema}
        fits = _number_check(schema, whole=whole)
        low, high = bounds(schema, whole=whole)
        told = find_named_value(name, values.text) or ""
        if "drawn" in wanted and values.result:
            told = values.result
        if "chosen" in wanted and values.options and values.options[0].name.isdigit():
            told = choose(values.options, values.question).name
        found: float | int | None = next(filter(fits, numbers(told)), None)
        if found is not None:
            values.drop("number", found)
        elif "score" in name and high - low < 1000:
            found = high if supports(values.material, values.question) else low
        else:
            found = values.take("number", fits)
        if found is None and isinstance(schema.get("default"), int | float):
            found = schema["default"]
        if found is None:
            values.invented += 1
            found = number_in_range(low, high, schema.get("multipleOf"), whole=whole)
        return int(found) if whole else found

    def boolean(self, schema: Schema, name: str) -> bool:
        """True when the field is named, unless it is denied or said to be false."""
        value = find_named_value(name, self.values.text)
        if value is not None:
            return value.lower().split()[0] not in ("false", "no", "off", "0", "not")
        default = bool(schema.get("default", False))
        text = self.values.text
        return wants(name, text) if mentions(name, text) else default

    def string(self, schema: Schema, name: str) -> str:
        """Text: a choice, the named value, one of the right format, words for the field's name."""
        values = self.values
        options = options_for(schema, name, values)
        if options:
            return choose(options, values.question, values.material).name
        value = find_named_value(name, values.text)
        if value is not None and matches_format(value, schema):
            values.drop("quoted", value)
            return value
        found = by_format(schema["format"], values.text) if "format" in schema else None
        if found is not None:
            return found
        if "pattern" in schema:
            return by_pattern(schema["pattern"], values.text, schema)
        return fit_length(free_text(schema, name, values), schema)


def _number_check(schema: Schema, *, whole: bool) -> Any:
    """Whether a number is one that the schema allows, as a function."""
    low, high = bounds(schema, whole=whole)
    step = schema.get("multipleOf")
    return lambda n: (
        low <= n <= high and (not whole or float(n).is_integer()) and not (step and n % step)
    )
