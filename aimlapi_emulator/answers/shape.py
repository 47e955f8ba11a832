"""In which shape a prompt's text wants its answer: a JSON Schema, and how its instance is written.

Spelled out may be a JSON Schema, an example object, a list of keys, the fields of DSPy's protocol,
a line with a placeholder; or one of several labels, a number, or a list is asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.answers.extraction import numbers
from aimlapi_emulator.answers.options import Option, offered
from aimlapi_emulator.answers.task import Task
from aimlapi_emulator.prompt import Prompt

Schema = Mapping[str, Any]
STRING: Schema = {"type": "string"}
_MAX_PLACES = 200
_MAX_DEPTH = 12
_MAX_TOKENS = 2000


@dataclass(frozen=True, slots=True)
class Shape:
    """What the answer must be an instance of; `span` are the words that spell it out."""

    schema: Schema
    render: Callable[[Any], str]
    span: str = ""
    name: str = ""
    """What the value is called, as a field would be."""
    options: tuple[Option, ...] = ()
    """What it is chosen among, with descriptions."""


def to_json(value: Any) -> str:
    """JSON text as a model writes it."""
    return json.dumps(value, ensure_ascii=False)


def find_shape(prompt: Prompt, task: Task) -> Shape | None:
    """The shape that the prompt's text wants; None for plain text."""
    whole = f"{prompt.system_text}\n{prompt.user_text}"
    for find in (_written_schema, _fields, _example, _keys):
        found = find(whole)
        if found is not None:
            return found
    for find in (_placeholder, _ranking, _label, _number, _list):
        found = find(task.instructions if find is not _ranking else whole)
        if found is not None:
            return found
    return None


def object_of(properties: Mapping[str, Any]) -> Schema:
    """The schema of an object that has all these properties."""
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def _written_schema(text: str) -> Shape | None:
    """The last JSON Schema of an object that the text spells out while it asks for JSON."""
    if '"properties"' not in text or "json" not in text.lower():
        return None
    if '{{"' in text:  # as templates escape braces, LlamaIndex's evaluators in what they send too
        text = text.replace("{{", "{").replace("}}", "}")
    found, place, decoder = None, text.find("{"), json.JSONDecoder()
    for _ in range(_MAX_PLACES):
        if place < 0:
            break
        end = place + 1
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict) and isinstance(value.get("properties"), dict):
            found = Shape(value, to_json, text[place:end])
        place = text.find("{", end)
    return found


# The fields of DSPy's chat adapter: `1. `answer` (str): what it is`, below a heading.
_FIELD = re.compile(r"^\d+\. `(\w+)` \(([^\n]*?)\):?[^\S\n]*(.*)$", re.MULTILINE)
_TYPES: Mapping[str, Schema] = {
    "str": STRING,
    "int": {"type": "integer"},
    "float": {"type": "number", "minimum": 0, "maximum": 1},
    "bool": {"type": "boolean"},
}


def _fields(text: str) -> Shape | None:
    _, heading, listed = text.partition("output fields are:")
    if not heading or "[[ ## " not in listed:
        return None
    fields = {
        name: {**_of_type(kind), "description": told}
        for name, kind, told in _FIELD.findall(listed.partition("[[ ## ")[0])
    }

    def render(value: Any) -> str:
        said = {k: v if isinstance(v, str) else to_json(v) for k, v in value.items()}
        parts = [f"[[ ## {name} ## ]]\n{said.get(name, '')}" for name in fields]
        return "\n\n".join([*parts, "[[ ## completed ## ]]"])

    return Shape(object_of(fields), render) if fields else None


def _of_type(kind: str) -> Schema:
    literal = re.match(r"Literal\[(.*)\]", kind)
    if literal:
        return {"enum": re.findall(r"['\"]([^'\"]+)['\"]", literal[1])}
    if kind.startswith("list["):
        return {"type": "array", "items": _of_type(kind[5:-1])}
    return _TYPES.get(kind, STRING)


_TOKEN = re.compile(
    r"\s*(?:(\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')|([{}\[\],:])"
    r"|(<[^<>\n]*>|[^\s{}\[\],:\"'][^{}\[\],:\n\"']*))"
)
_CUE = re.compile(
    r"\b(?:json|format|like this|example|schema|structure|respond|reply|return|output|form)\b",
    re.IGNORECASE,
)
_OTHER_TAG = re.compile(r"<(?!output)[\w ]+>\s*(?:```\w*\s*)?\Z", re.IGNORECASE)
_CHOICES = re.compile(r"[\w-]+(?: [\w-]+)?(?:\s*[|/]\s*[\w-]+(?: [\w-]+)?)+")
_BOOLEANS = ("true", "false", "bool", "boolean", "true|false", "true/false")


def _example(text: str) -> Shape | None:
    """The last example object or list of objects that the text asks to be followed."""
    if not re.search(r"\bjson\b|\bformat\b|\bschema\b", text, re.IGNORECASE):
        return None
    found, end = None, 0
    for match in list(re.finditer(r"\{|\[(?=\s*\{)", text))[:_MAX_PLACES]:
        before = text[max(0, match.start() - 160) : match.start()]
        if match.start() < end or not _CUE.search(before) or _OTHER_TAG.search(before):
            continue
        reader = _ExampleReader(text, match.start())
        schema = reader.value(0)
        if schema is not None and (schema.get("properties") or "items" in schema):
            end = reader.place
            found = Shape(schema, to_json, text[match.start() : end])
    return found


class _ExampleReader:
    """Reads an example that need not be JSON: without quotes, with `...`, `<age>` or comments."""

    def __init__(self, text: str, place: int) -> None:
        self.text = text
        self.place = place
        self.left = _MAX_TOKENS

    def _next(self) -> tuple[str, str, str]:
        match = _TOKEN.match(self.text, self.place)
        self.left -= 1
        if match is None or self.left < 0:
            raise ValueError
        self.place = match.end()
        return match[1] or "", match[2] or "", (match[3] or "").strip()

    def value(self, depth: int) -> Schema | None:
        """The schema of the value that begins here; None when it is cut or too deep."""
        try:
            return self._value(*self._next(), depth)
        except ValueError:
            return None

    def _value(self, quoted: str, mark: str, bare: str, depth: int) -> Schema:
        if depth > _MAX_DEPTH or (mark and mark not in "{["):
            raise ValueError
        if mark:
            return self._object(depth) if mark == "{" else self._array(depth)
        return _string_schema(quoted[1:-1]) if quoted else _bare_schema(bare)

    def _object(self, depth: int) -> Schema:
        found: dict[str, Schema] = {}
        key = ""
        while True:
            quoted, mark, bare = self._next()
            if mark == "}":
                return object_of(found)
            if mark == ":" and key and key not in found:
                found[key] = self._value(*self._next(), depth + 1)
            elif not mark:  # a key, or a comment behind a value
                key = quoted[1:-1] or bare

    def _array(self, depth: int) -> Schema:
        items: Schema | None = None
        while True:
            quoted, mark, bare = self._next()
            if mark == "]":
                return {"type": "array", "items": items or STRING, "minItems": 1}
            if mark != "," and bare not in ("...", "…"):
                one = self._value(quoted, mark, bare, depth + 1)
                items = items or one


def _string_schema(text: str) -> Schema:
    low = text.strip("<> ").lower()
    if low in _BOOLEANS:
        return {"type": "boolean"}
    if low in ("number", "float", "int", "integer"):
        return {"type": "integer" if low.startswith("int") else "number"}
    if _CHOICES.fullmatch(low):
        return {"enum": [one.strip() for one in re.split(r"[|/]", text.strip("<> "))]}
    return {"type": "string", "description": text}


def _bare_schema(text: str) -> Schema:
    if re.fullmatch(r"-?\d+(?:\.\d+)?", text):
        return {"type": "number" if "." in text else "integer"}
    if text.startswith("<"):  # without quotes no string
        return {"type": "integer"}
    return _string_schema(text)


_KEYWORD = re.compile(r"\b(?:keys?|fields?|properties)\b", re.IGNORECASE)
_BEFORE = re.compile(r"(?:[\"'`]\w+[\"'`][\s,]*(?:and\s+)?)+$")
_AFTER = re.compile(
    r"(?:\s+named)?[:\s]+((?:[\"'`]?\w+[\"'`]?(?:\s*,\s*(?:and\s+)?|\s+and\s+))*[\"'`]?\w+[\"'`]?)"
)
_NEAR = 300


def _keys(text: str) -> Shape | None:
    """The keys that a text asks JSON to have: `with 'a' and 'b' keys`, `keys: a, b`."""
    if "json" not in text.lower():
        return None
    places = [(match.start(), match.end()) for match in _KEYWORD.finditer(text)][:20]
    for start, end in places:
        before = _BEFORE.search(text[max(0, start - _NEAR) : start])
        after = _AFTER.match(text[end : end + _NEAR])
        spelled = before[0] if before else after[1] if after else ""
        keys = [w for w in re.findall(r"\w+", spelled) if w not in ("and", "or", "the", "a")]
        if keys and (before or re.search(r"[,\"'`:]| and ", after[0] if after else "")):
            return Shape(object_of(dict.fromkeys(keys, STRING)), to_json, spelled)
    return None


_PLACEHOLDER = re.compile(r"['\"]([A-Z][A-Z ]{1,20}): <(\w+)[^>\n]*>")
_MARKED = re.compile(r"'?(\[[A-Z]{3,20}\])'? followed by (?:the |an )?(?:integer )?number")


def _placeholder(text: str) -> Shape | None:
    """`KEYWORDS: <keywords>`, `ANSWER: <number>`, `[RESULT] followed by the number`."""
    marked = _MARKED.search(text)
    if marked:
        score = {"type": "integer", "minimum": 1, "maximum": 2}
        schema = object_of({"score": score, "feedback": STRING})
        return Shape(schema, lambda v: f"{v['feedback']} {marked[1]} {v['score']}")
    match = _PLACEHOLDER.search(text)
    if match is None:
        return None
    if match[2] == "number":
        schema = object_of({"choice": {"type": "integer", "minimum": 1}, "reason": STRING})
        return Shape(schema, lambda v: f"{match[1]}: {v['choice']}\n{v['reason']}")
    listed = {"type": "array", "items": STRING}
    return Shape(listed, lambda v: f"{match[1]}: {', '.join(v)}", name=match[2])


def _ranking(text: str) -> Shape | None:
    """`Doc: n, Relevance: m` lines for the numbered documents of a prompt."""
    if "Doc: " not in text or "Relevance: " not in text:
        return None
    row = object_of({"choice": {"type": "integer"}})
    schema = {"type": "array", "items": row}
    best = 10
    return Shape(
        schema,
        lambda v: "\n".join(f"Doc: {r['choice']}, Relevance: {best - i}" for i, r in enumerate(v)),
    )


_ALONE = re.compile(
    r"\b(?:only|just|alone|single word|one word|either|classify|decide|choose|pick|select|route)\b",
    re.IGNORECASE,
)


def _label(text: str) -> Shape | None:
    """One of the labels that the text offers."""
    options, rest = offered(text)
    if not options or not _ALONE.search(text):
        return None
    schema = {"enum": [option.name for option in options]}
    return Shape(schema, str, _removed(text, rest), "label", tuple(options))


def _removed(text: str, rest: str) -> str:
    """The words by which `rest` is shorter than the text, where it is one run of them."""
    begin = next(
        (i for i, pair in enumerate(zip(text, rest, strict=False)) if len(set(pair)) > 1), 0
    )
    end = len(text) - len(rest) + begin + 1
    return text[begin:end] if text[end:] == rest[begin + 1 :] else ""


_SCALE = re.compile(
    r"\b(?:scale|from|between|of)\b[^\n.]{0,20}?(\d+(?:\.\d+)?)\s*(?:to|and|-|–)\s*(\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_A_NUMBER = re.compile(
    r"\b(?:only|just|single)\b[^\n.]{0,40}\b(?:number|score|integer|digit|float)|"
    r"\bnumber (?:only|alone)\b|\bonly the (?:score|number)\b",
    re.IGNORECASE,
)
_REASONED = re.compile(r"\bseparate line\b[^\n]*\breason", re.IGNORECASE)


def _number(text: str) -> Shape | None:
    """A number within the bounds that the text names."""
    if not _A_NUMBER.search(text):
        return None
    scale = _SCALE.search(text)
    low, high = (float(scale[1]), float(scale[2])) if scale else (0.0, 10.0)
    whole = high > 1 and "float" not in text.lower()
    score = {"type": "integer" if whole else "number", "minimum": low, "maximum": high}
    if _REASONED.search(text):
        schema = object_of({"score": score, "reason": STRING})
        return Shape(schema, lambda v: f"{v['score']}\n{v['reason']}")
    return Shape(score, to_json, scale[0] if scale else "", "score")


_COUNT = re.compile(
    r"\b(\d{1,2}|two|three|four|five|six|seven|eight|nine|ten)\s+(?:[\w-]+\s+){0,2}?"
    r"(quer(?:y|ies)|questions?|versions?|[\w-]+s)\b",
    re.IGNORECASE,
)
_SEPARATED = re.compile(
    r"separated by (?:commas?|newlines?)|comma[- ]separated|list of strings|(?:json|python) list|"
    r"\b(?:on|per|to) (?:(?:each|every|a|separate|new) ){0,2}line",
    re.IGNORECASE,
)
_QUESTIONS = re.compile(
    r"\b(?:generate|write|provide)\b[^.\n]{0,60}\b(?:questions|queries)\b", re.I
)
_MAX_ITEMS = 20


def _list(text: str) -> Shape | None:
    """A list of texts, separated as the prompt says."""
    separated = _SEPARATED.search(text)
    if not separated and not _QUESTIONS.search(text):
        return None
    count = _COUNT.search(text)
    size = min(int(numbers(count[1])[0]), _MAX_ITEMS) if count else 3
    schema = {"type": "array", "items": STRING, "minItems": size, "maxItems": size}
    name = count[2].lower() if count else "items"
    how = separated[0].lower() if separated else ""
    if "list" in how:
        return Shape(schema, to_json, name=name)
    mark = ", " if "comma" in how else "\n"
    return Shape(schema, lambda values: mark.join(values), name=name)
