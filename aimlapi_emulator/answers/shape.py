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
INTEGER: Schema = {"type": "integer"}
_MAX_PLACES = 200
_MAX_LENGTH = 20_000
_NEAR = 300


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
    question: str = ""
    """The prompt without what it offers."""


def to_json(value: Any) -> str:
    """JSON text as a model writes it."""
    return json.dumps(value, ensure_ascii=False)


def find_shape(prompt: Prompt, task: Task) -> Shape | None:
    """The shape that the prompt's text wants; None for plain text."""
    whole = f"{prompt.system_text}\n{prompt.user_text}"
    found = _fields(whole) or _json(whole) or _keys(whole) or _lines(whole)
    return found or _label(task.instructions) or _number(task.instructions) or _list(task)


def _object(properties: Mapping[str, Any]) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


# The fields of DSPy's chat adapter: `1. `answer` (str): what it is`, below a heading.
_FIELD = re.compile(r"^\d+\. `(\w+)` \(([^\n]*?)\):?[^\S\n]*(.*)$", re.MULTILINE)
_TAKES = re.compile(r"It takes arguments (\{.*?\})\.\n")
_TYPES: Mapping[str, Schema] = {
    "int": INTEGER,
    "float": {"type": "number", "minimum": 0, "maximum": 1},
    "bool": {"type": "boolean"},
}


def _fields(text: str) -> Shape | None:
    _, heading, listed = text.partition("output fields are:")
    if not heading or "[[ ## " not in listed:
        return None
    fields: dict[str, Schema] = {
        name: {**_of_type(kind), "description": told}
        for name, kind, told in _FIELD.findall(listed.partition("[[ ## ")[0])
    }
    takes = _TAKES.search(text)
    if takes and "next_tool_args" in fields and "[[ ## observation_" not in text:
        fields["next_tool_args"] = _object(_read_loosely(takes[1]) or {})
    if "JSON object with the following fields" in text:
        return Shape(_object(fields), to_json)

    def render(value: Any) -> str:
        said = {k: v if isinstance(v, str) else to_json(v) for k, v in value.items()}
        parts = [f"[[ ## {name} ## ]]\n{said[name]}" for name in fields]
        return "\n\n".join([*parts, "[[ ## completed ## ]]"])

    return Shape(_object(fields), render)


def _of_type(kind: str) -> Schema:
    if kind.startswith("Literal["):
        return {"enum": re.findall(r"['\"]([^'\"]+)['\"]", kind)}
    if kind.startswith("list["):
        return {"type": "array", "items": _of_type(kind[5:-1])}
    if kind.startswith("dict"):
        return {"type": "object"}
    return _TYPES.get(kind, STRING)


_CUE = re.compile(
    r"\b(?:json|format|like this|example|schema|structure|respond|reply|return|output|form)\b",
    re.IGNORECASE,
)
_OTHER_TAG = re.compile(r"<(?!output)[\w ]+>\s*(?:```\w*\s*)?\Z", re.IGNORECASE)
_LOOSE = re.compile(  # a quoted text; a key; a value without quotes; an ellipsis or a spare comma
    r"\"(?:[^\"\\\n]|\\.)*\"|'((?:[^'\\\n]|\\.)*)'|([A-Za-z_]\w*)(?=\s{0,40}:)"
    r"|(<[^<>\n]*>|[A-Za-z][^{}\[\],:\n\"']*)|,?\s{0,40}(?:\.{3}|…)|,(?=\s{0,40}[}\]])"
)


def _json(text: str) -> Shape | None:
    """The last JSON Schema of an object, or example, that a text asks to be followed."""
    if not re.search(r"\bjson\b|\bformat\b|\bschema\b", text, re.IGNORECASE):
        return None
    if '{{"' in text:  # as templates escape braces, LlamaIndex's evaluators in what they send too
        text = text.replace("{{", "{").replace("}}", "}")
    found, end = None, 0
    for match in list(re.finditer(r"\{|\[(?=\s*\{)", text))[:_MAX_PLACES]:
        if match.start() < end:
            continue
        spelled = _balanced(text, match.start())
        value = _read_loosely(spelled)
        before = text[max(0, match.start() - 160) : match.start()]
        if isinstance(value, dict) and isinstance(value.get("properties"), dict):
            found, end = Shape(value, to_json, spelled), match.start() + len(spelled)
        elif value and _CUE.search(before) and not _OTHER_TAG.search(before):
            schema = _schema_of(value)
            found, end = Shape(schema, to_json, spelled), match.start() + len(spelled)
    return found


def _balanced(text: str, start: int) -> str:
    """The text from a bracket to the one that closes it; empty if none does."""
    depth = 0
    for at, char in enumerate(text[start : start + _MAX_LENGTH], start + 1):
        depth += (char in "{[") - (char in "}]")
        if depth == 0:
            return text[start:at]
    return ""


def _read_loosely(text: str) -> Any:
    """The value of JSON, or of an example that lacks quotes or holds `...`, `<age>` or types."""

    def quote(match: re.Match[str]) -> str:
        single, key, bare = match.groups()
        if bare:
            word = bare.strip()
            return "0" if word[0] == "<" else word if word in _LITERALS else to_json(word)
        return to_json(single or key) if single or key else match[0] if match[0][0] == '"' else ""

    for spelled in (text, _LOOSE.sub(quote, text)):
        try:
            return json.loads(spelled)
        except (ValueError, RecursionError):
            continue
    return None


_LITERALS = ("true", "false", "null")
_CHOICES = re.compile(r"[\w-]+(?: [\w-]+)?(?:\s*[|/]\s*[\w-]+(?: [\w-]+)?)+")
_NAMED_TYPES: Mapping[str, Schema] = {
    word: {"type": kind}
    for kind, words in (
        ("boolean", "bool boolean true|false true/false"),
        ("integer", "int integer"),
        ("number", "number float"),
    )
    for word in words.split()
}


def _schema_of(value: Any) -> Schema:
    """The schema of values like this one; a text may name its type or its choices."""
    if isinstance(value, dict):
        return _object({name: _schema_of(one) for name, one in value.items()})
    if isinstance(value, list):
        return {"type": "array", "items": _schema_of(value[0] if value else ""), "minItems": 1}
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int | float):
        return INTEGER if isinstance(value, int) else {"type": "number"}
    plain = str(value or "").strip("<> ")
    if _CHOICES.fullmatch(plain) and plain.lower() not in _NAMED_TYPES:
        return {"enum": [one.strip() for one in re.split(r"[|/]", plain)]}
    return _NAMED_TYPES.get(plain.lower(), {"type": "string", "description": plain})


_KEYWORD = re.compile(r"\b(?:keys?|fields?|properties)\b", re.IGNORECASE)
_BEFORE = re.compile(r"(?:[\"'`]\w+[\"'`][\s,]*(?:and\s+)?)+$")
_AFTER = re.compile(
    r"(?:\s+named)?[:\s]+((?:[\"'`]?\w+[\"'`]?(?:\s*,\s*(?:and\s+)?|\s+and\s+))*[\"'`]?\w+[\"'`]?)"
)


def _keys(text: str) -> Shape | None:
    """The keys that a text asks JSON to have: `with 'a' and 'b' keys`, `keys: a, b`."""
    for match in list(_KEYWORD.finditer(text))[:20] if "json" in text.lower() else ():
        before = _BEFORE.search(text[max(0, match.start() - _NEAR) : match.start()])
        after = _AFTER.match(text[match.end() : match.end() + _NEAR])
        spelled = before[0] if before else after[1] if after else ""
        keys = [w for w in re.findall(r"\w+", spelled) if w not in ("and", "or", "the", "a")]
        if keys and (before or re.search(r"[,\"'`:]| and ", after[0] if after else "")):
            return Shape(_object(dict.fromkeys(keys, STRING)), to_json, spelled)
    return None


_PLACEHOLDER = re.compile(r"['\"]([A-Z][A-Z ]{1,20}): <(\w+)[^>\n]*>")


def _lines(text: str) -> Shape | None:
    """`KEYWORDS: <keywords>`, `ANSWER: <number>`, and `Doc: n, Relevance: m` of documents."""
    if "Doc: " in text and "Relevance: " in text:
        rows = {"type": "array", "items": _object({"choice": INTEGER})}
        line = "Doc: {}, Relevance: {}".format
        return Shape(
            rows, lambda v: "\n".join(line(r["choice"], max(1, 10 - i)) for i, r in enumerate(v))
        )
    match = _PLACEHOLDER.search(text)
    if match and match[2] == "number":
        schema = _object({"choice": INTEGER, "reason": STRING})
        return Shape(schema, lambda v: f"{match[1]}: {v['choice']}\n{v['reason']}")
    if match:
        listed = {"type": "array", "items": STRING}
        return Shape(listed, lambda v: f"{match[1]}: {', '.join(v)}", name=match[2])
    return None


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
    return Shape(schema, str, name="label", options=tuple(options), question=rest)


_SCALE = re.compile(
    r"\b(?:scale|from|between|of)\b[^\n.]{0,20}?(\d+(?:\.\d+)?)\s*(?:to|and|-|–)\s*(\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_A_NUMBER = re.compile(
    r"\b(?:only|just|single)\b[^\n.]{0,40}\b(?:number|score|integer|digit|float)|"
    r"\bnumber (?:only|alone)\b|(\[[A-Z]{3,20}\])'? followed by (?:the )?(?:integer )?number",
    re.IGNORECASE,
)


def _number(text: str) -> Shape | None:
    """A number within the bounds that the text names; with a reason where one is wanted."""
    wanted = _A_NUMBER.search(text)
    if not wanted:
        return None
    scale = _SCALE.search(text)
    low, high = (float(scale[1]), float(scale[2])) if scale else (0.0, 2.0 if wanted[1] else 10.0)
    whole = high > 1 and "float" not in text.lower()
    score = {"type": "integer" if whole else "number", "minimum": low, "maximum": high}
    both = _object({"score": score, "reason": STRING})
    if wanted[1]:  # `[RESULT] followed by the integer number`
        return Shape(both, lambda v: f"{v['reason']} {wanted[1]} {v['score']}")
    if re.search(r"\bseparate line\b[^\n]*\breason", text):
        return Shape(both, lambda v: f"{v['score']}\n{v['reason']}")
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
    r"\b(?:generate|write|provide)\b[^.\n]{0,60}\b(?:questions|queries)\b", re.IGNORECASE
)
_MAX_ITEMS = 20


def _list(task: Task) -> Shape | None:
    """A list of texts, separated as the prompt says."""
    separated = _SEPARATED.search(task.instructions)
    if not separated and not _QUESTIONS.search(task.instructions):
        return None
    count = _COUNT.search(task.instructions)
    size = min(int(numbers(count[1])[0]), _MAX_ITEMS) if count else 3
    schema = {"type": "array", "items": STRING, "minItems": size, "maxItems": size}
    how = separated[0].lower() if separated else ""
    mark = ", " if "comma" in how else "\n"
    name = count[2].lower() if count else "items"
    return Shape(schema, to_json if "list" in how else mark.join, name=name)
