"""An instance of a JSON Schema, filled from what a prompt says.

Values obey the schema (bounds, formats, patterns, references, unions, constants). A property that
is not required appears only when the prompt names it, and a nullable one is null unless named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from aimlapi_emulator.answers import extraction as said
from aimlapi_emulator.answers.extraction import Facts
from aimlapi_emulator.answers.schema_reading import (
    UNREADABLE,
    Schema,
    bounds,
    guess,
    resolved,
    singular,
    sized,
    within,
)
from aimlapi_emulator.answers.string_formats import by_format, by_pattern, fits
from aimlapi_emulator.text.words import all_words, best_sentence, clip, content_words

_MAX_DEPTH = 8
_PLACE_WORDS = frozenset("location city place country town destination region address".split())
_WHOLE_TEXT = frozenset(
    "input query question text prompt message request content task body search".split()
)
_DRAWN = frozenset("answer summary quote fact facts evidence response".split())
_NAME_WORDS = frozenset(
    "name title customer person author user company product artist album brand owner subject "
    "first last recipient".split()
)


def instance(schema: Schema, facts: Facts) -> Any:
    """A value that obeys `schema`; an empty object where the schema cannot be read."""
    try:
        return _Filler(schema, facts).fill(schema, "", 0)
    except UNREADABLE:
        return {}


class _Filler:
    """Fills one instance; `root` is where references are looked up."""

    def __init__(self, root: Schema, facts: Facts) -> None:
        self.root = root
        self.facts = facts

    def resolve(self, schema: Any) -> Schema:
        """The schema behind references, with `allOf` merged in."""
        return resolved(self.root, schema)

    def fill(self, raw: Any, name: str, depth: int) -> Any:
        """A value for `raw`, which stands under the property `name`."""
        schema = self.resolve(raw)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.member(schema, name)
        options = schema.get("anyOf") or schema.get("oneOf")
        if options:
            beside = {k: v for k, v in schema.items() if k not in ("anyOf", "oneOf")}
            return self.option([{**beside, **self.resolve(o)} for o in options], name, depth)
        kind = schema.get("type")
        if isinstance(kind, list):
            return self.option([{**schema, "type": one} for one in kind], name, depth)
        if kind is None:
            kind = guess(schema)
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
        return None if kind == "null" else self.string(schema, name)

    def member(self, schema: Schema, name: str) -> Any:
        """An enum member: the one named for the field, the first mentioned, the default."""
        members: Sequence[Any] = schema["enum"]
        value = said.named(name, self.facts.text) if name else None
        if value is not None:
            for one in members:
                if str(one).lower() == value.lower():
                    return one
        places = [
            (self.facts.text.lower().find(str(one).lower()), index)
            for index, one in enumerate(members)
            if isinstance(one, str) and one and said.mentioned(one, self.facts.text)
        ]
        if places:
            return members[min(places)[1]]
        if schema.get("default") in members:
            return schema["default"]
        return next((one for one in members if one is not None), None)

    def option(self, options: Sequence[Schema], name: str, depth: int) -> Any:
        """A value of the union's member that fits the prompt best."""
        real = [one for one in options if one.get("type") != "null"]
        if len(real) < len(options) and (not real or not self.wanted(name, real[0])):
            return None
        scored = [(-self.option_score(one, name), index) for index, one in enumerate(real)]
        best = real[min(scored)[1]]
        if depth > _MAX_DEPTH and len(real) < len(options):
            return None
        return self.fill(best, name, depth + 1)

    def option_score(self, schema: Schema, name: str) -> int:
        """How well a union member fits the prompt; scalars go before containers on a tie."""
        kind = schema.get("type")
        value = said.named(name, self.facts.text) if name else None
        if kind in ("integer", "number"):
            return 2 if value is not None and said.numbers(value) else 0
        if kind == "object":
            told = content_words(f"{schema.get('title', '')} {schema.get('description', '')}")
            consts = [
                str(inner["const"])
                for inner in map(self.resolve, (schema.get("properties") or {}).values())
                if "const" in inner
            ]
            hits = sum(said.mentioned(const, self.facts.text) for const in consts)
            return 2 * hits + len(told & content_words(self.facts.question))
        return 1 if kind == "string" else 0

    def wanted(self, name: str, schema: Schema) -> bool:
        """Whether the prompt names an optional field."""
        text = self.facts.text
        return bool(name) and said.mentioned(name, text) and not said.denied(name, text)

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
            for index in range(int(schema["minProperties"])):
                found[f"key_{index + 1}"] = self.fill(extra, f"key {index + 1}", depth + 1)
        return found

    def array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        """An array: the listed values, else one item."""
        if "prefixItems" in schema:
            return [self.fill(one, name, depth + 1) for one in schema["prefixItems"]]
        items = self.resolve(schema.get("items") or {"type": "string"})
        low = int(schema.get("minItems", 0))
        high = int(schema.get("maxItems", max(low, 20)))
        values = self.listed(items, name)[:high]
        tries = 0
        while len(values) < max(low, min(1, high)) and tries < low + 20:
            value = self.fill(items, singular(name), depth + 1)
            tries += 1
            if schema.get("uniqueItems") and value in values and isinstance(value, str):
                value = f"{value} {len(values) + 1}"
            values.append(value)
        return values

    def listed(self, items: Schema, name: str) -> list[Any]:
        """Items that the prompt lists for this field."""
        kind = items.get("type")
        if kind in ("integer", "number"):
            whole = kind == "integer"
            low, high = bounds(items, whole=whole)
            named = said.numbers(" ".join(said.named_list(name, self.facts.text))) if name else []
            told_numbers = [self.facts.next_number(n, n, whole=whole) for n in named]
            found: list[Any] = [n for n in told_numbers if n is not None and low <= n <= high]
            if found:
                return found
            while (one := self.next_number(items, whole=whole)) is not None:
                found.append(one)
            return found
        if kind != "string" or {"enum", "format", "pattern"} & set(items):
            return []
        told = said.named_list(name, self.facts.text) or self.facts.all_quoted()
        return [one for one in told if fits(one, items)]

    def next_number(self, schema: Schema, *, whole: bool) -> float | int | None:
        """The next number of the prompt that the schema allows."""
        low, high = bounds(schema, whole=whole)
        found = self.facts.next_number(low, high, whole=whole)
        step = schema.get("multipleOf")
        if found is not None and step and found % step:
            return None
        return int(found) if found is not None and whole else found

    def number(self, schema: Schema, name: str, *, whole: bool) -> float | int:
        """A number: the named one, the next of the prompt, the default, one within bounds."""
        low, high = bounds(schema, whole=whole)
        value = said.named(name, self.facts.text) if name else None
        for one in said.numbers(value or ""):
            if low <= one <= high and (not whole or float(one).is_integer()):
                self.facts.next_number(one, one, whole=whole)
                return int(one) if whole else one
        found = self.next_number(schema, whole=whole)
        if found is not None:
            return found
        if isinstance(schema.get("default"), int | float):
            default: float | int = schema["default"]
            return default
        return within(low, high, schema.get("multipleOf"), whole=whole)

    def boolean(self, schema: Schema, name: str) -> bool:
        """True when the field is named, unless it is denied or said to be false."""
        value = said.named(name, self.facts.text)
        if value is not None:
            return value.lower().split()[0] not in ("false", "no", "off", "0", "not")
        if said.mentioned(name, self.facts.text):
            return not said.denied(name, self.facts.text)
        return bool(schema.get("default", False))

    def string(self, schema: Schema, name: str) -> str:
        """Text: the named value, one of the right format, or words that suit the field's name."""
        value = said.named(name, self.facts.text) if name else None
        if value is not None and fits(value, schema):
            self.facts.drop_quoted(value)
            return value
        if "format" in schema:
            found = by_format(schema["format"], self.facts.text)
            if found is not None:
                return found
        if "pattern" in schema:
            return by_pattern(schema["pattern"], self.facts.text, schema)
        return sized(self.free_text(schema, name), schema)

    def free_text(self, schema: Schema, name: str) -> str:
        """Words for a field, chosen by its name and description."""
        words = {word.lower() for word in all_words(name)}
        question = self.facts.question or self.facts.text
        if words & _DRAWN and self.facts.passage:
            return self.facts.passage
        if not words & _WHOLE_TEXT:
            quote = self.facts.next_quoted()
            if quote is not None:
                return quote
        if words & _PLACE_WORDS:
            place = self.facts.next_place()
            if place is not None:
                return place
        if words & _NAME_WORDS:
            called = self.facts.next_name()
            if called is not None:
                return called
        if isinstance(schema.get("default"), str):
            return str(schema["default"])
        about = re.search(r"\babout\s+([^.,;!?\n]+)", question)
        if about and not words & _WHOLE_TEXT and not words & _DRAWN:
            return f"{' '.join(all_words(name)).capitalize()} about {about[1].strip()}"
        if words & _WHOLE_TEXT or not name:
            return clip(question.strip(), 300) or "text"
        told = f"{name} {schema.get('description', '')}"
        sentence, shared = best_sentence(self.facts.text, told)
        if not shared:
            # An `answer` or `summary` field draws on what the question is about.
            sentence, _ = best_sentence(self.facts.text, question)
        return clip(sentence or question.strip(), 300) or f"{name} of the emulator"


def to_json(value: Any) -> str:
    """JSON text as a model writes it."""
    return json.dumps(value, ensure_ascii=False)
