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
from aimlapi_emulator.answers.options import (
    Option,
    as_options,
    choose,
    fitting,
    mentions,
    offered,
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
    singular,
)
from aimlapi_emulator.answers.string_formats import by_format, by_pattern, matches_format
from aimlapi_emulator.text.words import all_words, content_words, truncate_words

_MAX_DEPTH = 8
_MAX_TEXT = 300


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PLACE_WORDS = _words("location city place country town destination region address where")
_WHOLE_TEXT = _words(
    "input query question text prompt message request content task body search pergunta claim "
    "goal objective instruction"
)
_DRAWN = _words(
    "answer summary quote fact facts evidence response result results report notes findings "
    "conclusion feedback reason reasoning explanation review content value output observation text"
)
_CHOSEN = _words(
    "choice index agent route destination category label datasource database db worker next tool "
    "option intent action score selection class namespace collection"
)
_NAME_WORDS = _words(
    "name title customer person author user company product artist album brand owner subject "
    "first last recipient doctor patient ticker symbol topic employee entity keyword term"
)
_STEPS = _words("steps plan tasks todos actions")
_QUESTIONS = _words("queries questions query question versions version")
_KEYWORDS = _words("keywords keyword terms tags topics")
_TABLES = _words("table tables")
# Formats by a field's name, where the prompt holds such a value.
_FORMATS = {
    "email": _words("email mail to recipient recipients cc address from sender"),
    "uri": _words("url urls uri link website page"),
    "date": _words("date day deadline when due"),
}
_SENTINEL = {"date": "2026-01-15", "email": "user@example.com", "uri": "https://example.com/"}
_CLAUSE = re.compile(
    r"(?:[,;?.]\s*|\s+)(?:(?:and|then|finally|after that)\s+)+(?=\w+\s+\w)|[?.;]\s+(?=\w)|"
    r"(?:[,;]\s*|\s+and\s+)(?=(?:who|what|when|where|why|which|how)\s)",
    re.IGNORECASE,
)
_SINGLE = re.compile(r"\bthe (?:choice|option|one) that\b", re.IGNORECASE)
_VARIANTS = (
    "What is known about {}?",
    "Explain {}",
    "{} in detail",
    "Background of {}",
    "Examples of {}",
    "Why {} matters",
    "Sources on {}",
)


def instance(schema: Schema, values: PromptValues, name: str = "") -> Any:
    """A value that obeys `schema`; an empty object where the schema cannot be read."""
    try:
        return _InstanceBuilder(schema, values).fill(schema, name, 0)
    except UNREADABLE:
        return {}


def clauses(text: str) -> list[str]:
    """What a text asks for, one thing after the other."""
    return [part.strip(" ,.?") for part in _CLAUSE.split(text) if part and part.strip(" ,.?")]


class _InstanceBuilder:
    """Fills one instance; `root` is where references are looked up."""

    def __init__(self, root: Schema, values: PromptValues) -> None:
        self.root = root
        self.values = values

    def resolve(self, schema: Any) -> Schema:
        """The schema behind references, with `allOf` merged in."""
        return resolved(self.root, schema)

    def fill(self, raw: Any, name: str, depth: int) -> Any:
        """A value for `raw`, which is under the property `name`."""
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
        return None if kind == "null" else self.string(schema, name)

    def member(self, schema: Schema, name: str) -> Any:
        """An enum member: the one named for the field, the one that fits, the default."""
        members: Sequence[Any] = schema["enum"]
        value = said.find_named_value(name, self.values.text)
        for one in members:
            if value is not None and str(one).lower() == value.lower():
                return one
        options = as_options(one for one in members if isinstance(one, str) and one)
        if {option.name.lower() for option in options} == {"yes", "no"}:
            return choose(options, self.values.question, self.values.material).name
        described = {o.name: o for o in self.values.options}
        told = [described.get(option.name, option) for option in options]
        for text in (self.values.question, self.values.text):
            found = fitting(told, text)
            if found:
                return found[0].name
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
            for index in range(int(schema["minProperties"])):
                found[f"key_{index + 1}"] = self.fill(extra, f"key {index + 1}", depth + 1)
        return found

    def array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        """An array: the listed values, one item for each option that fits, else one item."""
        if "prefixItems" in schema:
            return [self.fill(one, name, depth + 1) for one in schema["prefixItems"]]
        items = self.resolve(schema.get("items") or {"type": "string"})
        low = int(schema.get("minItems", 0))
        high = int(schema.get("maxItems", max(low, 20)))
        values = (self.by_option(items, depth) or self.listed(items, name, low))[:high]
        tries = 0
        while len(values) < max(low, min(1, high)) and tries < low + 20:
            value = self.fill(items, singular(name), depth + 1)
            tries += 1
            if schema.get("uniqueItems") and value in values and isinstance(value, str):
                value = f"{value} {len(values) + 1}"
            values.append(value)
        return values

    def by_option(self, items: Schema, depth: int) -> list[Any]:
        """Objects that choose among the prompt's options: one for each that fits."""
        values = self.values
        properties: Mapping[str, Any] = items.get("properties") or {}
        if not values.options or not any(_is_chosen(key) for key in properties):
            return []
        found = fitting(values.options, values.question) or values.options[:1]
        if _SINGLE.search(values.text):
            found = found[:1]
        made = []
        for option in found:
            part = next(
                (c for c in clauses(values.question) if fitting([option], c)), values.question
            )
            part = part if len(found) > 1 else values.question
            self.values = replace(values, options=[option], question=_as_asked(part, values))
            made.append(self.fill(items, "", depth + 1))
        self.values = values
        return made

    def listed(self, items: Schema, name: str, low: int) -> list[Any]:
        """Items that the prompt lists for this field."""
        kind = items.get("type")
        if kind in ("integer", "number"):
            return self.listed_numbers(items, name)
        if kind != "string" or {"enum", "format", "pattern"} & set(items):
            return []
        words, question = _field_words(name), self.values.question
        if words & _QUESTIONS:
            topic = said.topic(question) or question
            first = question if question.rstrip().endswith("?") else topic
            told = [first, *(form.format(topic) for form in _VARIANTS)]
            told += [f"{topic} ({n})" for n in range(len(told), low)]
            return told[: low or 1]
        named = said.find_named_list(name, self.values.text)
        if words & _STEPS:
            return named or clauses(question)
        if words & _KEYWORDS and not named:
            kept = [w for w in all_words(self.values.material or question) if content_words(w)]
            return list(dict.fromkeys(word.lower() for word in kept))[:10]
        told = named or self.values.all_quoted()
        told = [one for one in told if matches_format(one, items)]
        if len(told) < low and not {"minLength", "maxLength"} & set(items):
            topic = said.topic(question)
            told += [f"{singular(name)} {n + 1} {topic}".strip() for n in range(len(told), low)]
        return told

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
        words, values = _field_words(name), self.values
        told = said.find_named_value(name, values.text) or ""
        if words & _DRAWN and values.result:
            told = values.result
        if _is_chosen(name) and all(option.name.isdigit() for option in values.options):
            told = choose(values.options, values.question).name if values.options else told
        for one in said.numbers(told):
            if low <= one <= high and (not whole or float(one).is_integer()):
                values.next_number(one, one, whole=whole)
                return int(one) if whole else one
        if "score" in words and high - low < 1000:
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
        """Text: the named value, one of the right format, or words that suit the field's name."""
        options = self.offered(schema, name)
        if options:
            return choose(options, self.values.question, self.values.material).name
        value = said.find_named_value(name, self.values.text)
        if value is not None and matches_format(value, schema):
            self.values.drop_quoted(value)
            return value
        if "format" in schema:
            found = by_format(schema["format"], self.values.text)
            if found is not None:
                return found
        if "pattern" in schema:
            return by_pattern(schema["pattern"], self.values.text, schema)
        return fit_length(self.free_text(schema, name), schema)

    def offered(self, schema: Schema, name: str) -> Sequence[Option]:
        """What a text field chooses among, by its description, the tool's, or the prompt."""
        values = self.values
        own = offered(str(schema.get("description") or ""))[0]
        if not own and name and values.about:
            match = re.search(rf"(?<!\w){re.escape(name)}(?!\w)([^\n.]*)", values.about)
            own = offered(match[1])[0] if match else []
        return own or (values.options if _is_chosen(name) else ())

    def free_text(self, schema: Schema, name: str) -> str:
        """Words for a field, chosen by its name and description."""
        words, values = _field_words(name), self.values
        question = values.question or values.text
        told = f"{schema.get('description', '')} {values.about}"
        if "sql" in {word.lower() for word in all_words(f"{name} {told}")}:
            return self.sql(words)
        for form, wants in _FORMATS.items():
            found = by_format(form, values.text) if words & wants else None
            if found is not None and found != _SENTINEL[form]:
                return found
        if words & _DRAWN and (values.result or values.passage):
            return truncate_words(values.result or values.passage, _MAX_TEXT)
        if words & _WHOLE_TEXT or not name:
            return truncate_words(question.strip(), _MAX_TEXT) or "text"
        found = values.next_quoted()
        if found is None and words & _PLACE_WORDS:
            found = values.next_place()
        if found is None and words & _NAME_WORDS:
            found = values.next_name() or _short(said.topic(question))
        if found is not None:
            return found
        if isinstance(schema.get("default"), str):
            return str(schema["default"])
        values.invented += 1
        topic = said.topic(question)
        if words & _DRAWN or not topic:
            return truncate_words(question.strip(), _MAX_TEXT) or "text"
        told = " ".join(all_words(name)).capitalize()
        return truncate_words(f"{told} about {topic}", _MAX_TEXT)

    def sql(self, words: frozenset[str]) -> str:
        """A table's name or a query of it: of the tables that results list the one that fits."""
        listed = re.findall(r"\b[A-Za-z_]\w*(?=\s*(?:,|\(|$))", self.values.result, re.MULTILINE)
        created = re.findall(r"CREATE TABLE [\"`]?(\w+)", self.values.result)
        tables = as_options(created or listed)
        if not tables:
            self.values.invented += 1
        best = choose(tables, self.values.question).name if tables else "sqlite_master"
        return best if words & _TABLES else f"SELECT * FROM {best} LIMIT 10"


def _field_words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in all_words(name))


def _is_chosen(name: str) -> bool:
    return bool(_field_words(name) & _CHOSEN)


def _short(topic: str) -> str | None:
    return topic if topic and len(topic.split()) <= 4 else None


def _as_asked(part: str, values: PromptValues) -> str:
    """A part of the question as a sentence of its own."""
    if part == values.question:
        return part
    mark = "?" if values.question.rstrip().endswith("?") else ""
    return f"{part[:1].upper()}{part[1:]}{mark}"
