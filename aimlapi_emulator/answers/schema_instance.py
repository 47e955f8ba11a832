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

from aimlapi_emulator.answers import extraction, field_values, options, schema_reading
from aimlapi_emulator.answers.extraction import PromptValues, wants
from aimlapi_emulator.answers.schema_reading import Schema, resolved
from aimlapi_emulator.text.bounds import MAX_TOTAL_TEXT, MAX_VALUES, check_size, limited_cpu

_MAX_DEPTH = 8
_SINGLE = re.compile(r"\bthe (?:choice|option|one) that\b", re.IGNORECASE)


def instance(schema: Schema, values: PromptValues, name: str = "") -> Any:
    """A value that obeys `schema`; `{}` if it cannot be read. Raises BoundError if too large."""
    try:
        with limited_cpu():
            return _InstanceBuilder(schema, values).fill(schema, name, 0)
    except schema_reading.UNREADABLE:
        return {}


class _InstanceBuilder:
    """Fills one instance; `root` is where references are looked up."""

    def __init__(self, root: Schema, values: PromptValues) -> None:
        self.root, self.values = root, values
        self.count = self.characters = 0

    def counted(self, more: float, what: str) -> int:
        """So many values more. Raises BoundError where these are too many."""
        check_size(self.count + more, MAX_VALUES, what)
        self.count += int(more)
        return int(more)

    def fill(self, raw: Any, name: str, depth: int) -> Any:
        """A value for `raw`, which is under the property `name`."""
        self.counted(1, "values of a schema")
        schema = resolved(self.root, raw)
        kind = schema.get("type") or schema_reading.infer_type(schema)
        members = schema.get("anyOf") or schema.get("oneOf")
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return field_values.member(schema, name, self.values)
        if members or isinstance(kind, list):
            beside = {k: v for k, v in schema.items() if k not in ("anyOf", "oneOf")}
            members = members or [{"type": one} for one in kind]
            return self.union([{**beside, **resolved(self.root, m)} for m in members], name, depth)
        if kind == "object":
            return self.mapping(schema, name, depth) if depth <= _MAX_DEPTH else {}
        if kind == "array":
            return self.array(schema, name, depth) if depth <= _MAX_DEPTH else []
        if kind in ("integer", "number"):
            return field_values.number({**schema, "type": kind}, name, self.values)
        if kind == "boolean":
            return field_values.boolean(schema, name, self.values)
        if kind == "null":
            return None
        text = field_values.string(schema, name, self.values)
        self.characters += len(text)
        check_size(self.characters, MAX_TOTAL_TEXT, "characters of all strings of a schema")
        return text

    def union(self, members: Sequence[Schema], name: str, depth: int) -> Any:
        """A value of the union's member that fits the prompt best; null unless it is named."""
        real = [one for one in members if one.get("type") != "null"]
        is_named = bool(name) and wants(name, self.values.text)
        if len(real) < len(members) and (not real or not is_named or depth > _MAX_DEPTH):
            return None
        numeric = extraction.numbers(extraction.find_named_value(name, self.values.text) or "")
        best = [one for one in real if (one.get("type") in ("integer", "number")) == bool(numeric)]
        titles = options.as_options(f"{one.get('title')} {one.get('description')}" for one in best)
        for option in options.fitting(titles, self.values.question)[:1]:
            return self.fill(best[titles.index(option)], name, depth + 1)
        best = [one for one in best if one.get("type") == "string"] or best or real
        return self.fill(best[0], name, depth + 1)

    def mapping(self, schema: Schema, name: str, depth: int) -> dict[str, Any]:
        """An object: required properties, optional ones that are named, a list that is alone."""
        properties: Mapping[str, Any] = schema.get("properties") or {}
        required, text = schema.get("required") or (), self.values.text
        if depth == 0 and len(properties) == 1 and "items" in next(iter(properties.values())):
            required = list(properties)
        missing: dict[str, Any] = {key: {} for key in required if key not in properties}
        return {
            key: self.fill(inner, key, depth + 1)
            for key, inner in {**properties, **missing}.items()
            if key in required or (depth < 4 and wants(key, text))
        }

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
        if not values.options or not any("chosen" in field_values.kinds(key) for key in properties):
            return []
        found = options.fitting(values.options, values.question) or values.options[:1]
        made = []
        for option in found[:1] if _SINGLE.search(values.text) else found:
            parts = [
                part
                for part in field_values.clauses(values.question)
                if options.fitting([option], part)
            ]
            part = parts[0] if parts and len(found) > 1 else values.question
            self.values = replace(values, options=[option], question=part)
            made.append(self.fill(items, "", depth + 1))
        self.values = values
        return made

    def listed(self, items: Schema, name: str, low: int) -> list[Any]:
        """Items that the prompt lists for this field; of numbers else all that it holds."""
        if items.get("type") in ("integer", "number"):
            fits = schema_reading.number_check(items)
            named = filter(
                fits,
                extraction.numbers(" ".join(extraction.find_named_list(name, self.values.text))),
            )
            found = list(named) or list(filter(fits, self.values.rows["number"]))
            for one in found:
                self.values.drop("number", one)
            return found
        if items.get("type") != "string" or {"enum", "format", "pattern"} & set(items):
            return []
        texts = field_values.listed_texts(name, self.values, low)
        return [one for one in texts if schema_reading.matches_format(one, items)]
