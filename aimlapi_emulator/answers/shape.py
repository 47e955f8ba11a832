"""In which shape a prompt's text wants its answer: a JSON Schema, and how its instance is written.

Spelled out may be a JSON Schema, an example object, a list of keys, the fields of DSPy's protocol;
or one of several labels, a number, or a list is asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.answers.options import Option, offered
from aimlapi_emulator.answers.schema_reading import Schema
from aimlapi_emulator.answers.task import Task
from aimlapi_emulator.prompt import Prompt

STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
_MAX_PLACES = 200
_MAX_LENGTH = 20_000


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
    found = _fields(whole) or _json(whole) or _keys(whole) or _ranking(whole)
    return found or _label(task.instructions) or _number(task.instructions) or _list(task)


def _object(properties: Mapping[str, Any]) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


# A text that names its type, or the values to choose from.
_TYPES = {"bool": "boolean", "true|false": "boolean", "true/false": "boolean", "int": "integer"}
_CHOICES = re.compile(r"[\w-]+(?: [\w-]+)?(?:\s*[|/]\s*[\w-]+(?: [\w-]+)?)+")


def _schema_of(value: Any) -> Schema:
    """The schema of values like this one; a text may name its type or its choices."""
    if isinstance(value, dict):
        return _object({name: _schema_of(one) for name, one in value.items()})
    if isinstance(value, list):
        return {"type": "array", "items": _schema_of(value[0] if value else ""), "minItems": 1}
    if isinstance(value, bool | int | float):
        names = {bool: "boolean", int: "integer", float: "number"}
        return {"type": names[type(value)]}
    plain = str(value or "").strip("<> ")
    kind, _, inner = plain.partition("[")
    name = _TYPES.get(kind.lower(), kind.lower()).replace("float", "number")
    if name in ("boolean", "integer", "number"):
        return {"type": name}
    if kind == "list":
        return {"type": "array", "items": _schema_of(inner[:-1])}
    if kind == "Literal":
        return {"enum": re.findall(r"['\"]([^'\"]+)['\"]", inner)}
    if _CHOICES.fullmatch(plain):
        return {"enum": [one.strip() for one in re.split(r"[|/]", plain)]}
    return {"type": "object"} if kind == "dict" else {"type": "string", "description": plain}


# The fields of DSPy's chat adapter: `1. `answer` (str): what it is`, below a heading.
_FIELD = re.compile(r"^\d+\. `(\w+)` \(([^\n]*?)\):?[^\S\n]*(.*)$", re.MULTILINE)
_TAKES = re.compile(r"It takes arguments (\{.*?\})\.\n")


def _fields(text: str) -> Shape | None:
    listed = text.partition("output fields are:")[2].partition("[[ ## ")[0]
    fields: dict[str, Schema] = {
        name: {**_schema_of(kind), "description": description}
        for name, kind, description in _FIELD.findall(listed)
    }
    takes = _TAKES.search(text)
    if takes and "next_tool_args" in fields and "[[ ## observation_" not in text:
        fields["next_tool_args"] = _object(_read_loosely(takes[1]) or {})

    def render(value: Any) -> str:
        texts = {k: v if isinstance(v, str) else to_json(v) for k, v in value.items()}
        parts = [f"[[ ## {name} ## ]]\n{texts[name]}" for name in fields]
        return "\n\n".join([*parts, "[[ ## completed ## ]]"])

    is_json = "JSON object with the following fields" in text
    return Shape(_object(fields), to_json if is_json else render) if fields else None


_CUE = re.compile(
    r"(?i)\b(?:json|format|like this|example|schema|structure|respond|reply|return|output|form)\b"
)
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
        is_schema = isinstance(value, dict) and isinstance(value.get("properties"), dict)
        before = re.sub(r"```\w*", "", text[max(0, match.start() - 160) : match.start()])
        if is_schema or (value and _CUE.search(before.rsplit("\n<", 1)[-1])):
            found = Shape(value if is_schema else _schema_of(value), to_json, spelled)
            end = match.start() + len(spelled)
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
        bare = (bare or "").strip()
        if bare in ("true", "false", "null") or bare.startswith("<"):
            return "0" if bare[0] == "<" else bare
        word = single or key or bare
        return to_json(word) if word else match[0] if match[0][0] == '"' else ""

    for spelled in (text, _LOOSE.sub(quote, text)):
        with suppress(ValueError, RecursionError):
            return json.loads(spelled)
    return None


_KEYS = re.compile(
    r"(?i)((?:[\"'`]\w+[\"'`][\s,]{0,9}(?:and\s+)?){1,40})(?:keys?|fields?|properties)\b|"
    r"\b(?:keys?|fields?|properties)(?:\s+named)?[:\s]+"
    r"((?:[\"'`]?\w+[\"'`]?(?:\s*,\s*(?:and\s+)?|\s+and\s+)){1,40}[\"'`]?\w+[\"'`]?|[\"'`]\w+[\"'`])"
)


def _keys(text: str) -> Shape | None:
    """The keys that a text asks JSON to have: `with 'a' and 'b' keys`, `keys: a, b`."""
    match = _KEYS.search(text) if "json" in text.lower() else None
    if match is None:
        return None
    keys = [word for word in re.findall(r"\w+", match[1] or match[2]) if word != "and"]
    return Shape(_object(dict.fromkeys(keys, STRING)), to_json, match[1] or match[2])


def _ranking(text: str) -> Shape | None:
    """`Doc: n, Relevance: m` for the documents that suit the question, the best first."""
    rows = {"type": "array", "items": _object({"choice": INTEGER})}
    line = "Doc: {}, Relevance: {}".format
    if "Doc: " not in text or "Relevance: " not in text:
        return None
    return Shape(rows, lambda v: "\n".join(line(r["choice"], 10 - i) for i, r in enumerate(v[:9])))


_ALONE = re.compile(
    r"(?i)\b(?:only|just|alone|single word|one word|either|answer|classify|decide|choose|pick|"
    r"select|route)\b"
)


def _label(text: str) -> Shape | None:
    """One of the labels that the text offers."""
    options, rest = offered(text)
    if not options or not _ALONE.search(text):
        return None
    schema = {"enum": [option.name for option in options]}
    return Shape(schema, str, name="label", options=tuple(options), question=rest)


_SCALE = re.compile(
    r"(?i)\b(?:scale|from|between|of)\b[^\n.]{0,20}?(\d+(?:\.\d+)?)\s*(?:to|and|-|–)\s*(\d+(?:\.\d+)?)"
)
_A_NUMBER = re.compile(
    r"(?i)\b(?:only|just|single)\b[^\n.]{0,40}\b(?:number|score|integer|digit|float)|"
    r"\bnumber (?:only|alone)\b|(\[[A-Z]{3,20}\])'? followed by (?:the )?(?:\w+ )?number"
)


def _number(text: str) -> Shape | None:
    """A number within the bounds that the text names; with a reason where one is wanted."""
    wanted = _A_NUMBER.search(text)
    if not wanted:
        return None
    scale = _SCALE.search(text)
    low, high = (float(scale[1]), float(scale[2])) if scale else (0.0, 2.0 if wanted[1] else 10.0)
    kind = "integer" if high > 1 and "float" not in text.lower() else "number"
    score = {"type": kind, "minimum": low, "maximum": high}
    if not wanted[1] and not re.search(r"\bseparate line\b[^\n]*\breason", text):
        return Shape(score, to_json, scale[0] if scale else "", "score")
    # `[RESULT] followed by the integer number`
    form = f"{{reason}} {wanted[1]} {{score}}" if wanted[1] else "{score}\n{reason}"
    return Shape(_object({"score": score, "reason": STRING}), lambda v: form.format(**v))


_SMALL_NUMBERS = "zero one two three four five six seven eight nine ten".split()
_COUNT = re.compile(
    rf"(?i)\b(\d{{1,2}}|{'|'.join(_SMALL_NUMBERS[2:])})\s+(?:[\w-]+\s+){{0,2}}?"
    r"(quer(?:y|ies)|questions?|versions?|[\w-]+s)\b"
)
_SEPARATED = re.compile(
    r"(?i)separated by (?:commas?|newlines?)|comma[- ]separated|list of strings|"
    r"(?:json|python) list|\b(?:on|per|to) (?:(?:each|every|a|separate|new) ){0,2}line|"
    r"\b(?:generate|write|provide)\b[^.\n]{0,60}\b(?:questions|queries)\b"
)
_MAX_ITEMS = 20


def _list(task: Task) -> Shape | None:
    """A list of texts, separated as the prompt says."""
    how = " ".join(match[0].lower() for match in _SEPARATED.finditer(task.instructions))
    if not how:
        return None
    count = _COUNT.search(task.instructions)
    word = count[1].lower() if count else "3"
    size = _SMALL_NUMBERS.index(word) if word in _SMALL_NUMBERS else min(int(word), _MAX_ITEMS)
    schema = {"type": "array", "items": STRING, "minItems": size, "maxItems": size}
    name = count[2].lower() if count else "items"
    mark = ", " if "comma" in how else "\n"
    return Shape(schema, to_json if "list" in how else mark.join, name=name)
