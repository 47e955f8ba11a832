"""Which values a text holds for a field: named ones, quotes, numbers, names, places."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import Any

from aimlapi_emulator.answers.options import Option, mentions, spelled
from aimlapi_emulator.text.words import FUNCTION_WORDS

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?!\w)")
_QUOTED = re.compile(
    r"\"([^\"\n]+)\"|(?<!\w)'([^'\n]+)'(?!\w)|“([^”\n]+)”|«([^»\n]+)»|「([^」\n]+)」|`([^`\n]+)`"
)
_NAME = (
    r"\b(?:(?:Dr|Mr|Mrs|Ms|St)\. +)?[A-Z][\w'’-]*"
    r"(?: +(?:of|de|van|von|la|the) +(?=[A-Z])| +|, +(?=[A-Z]{2}\b))?"
    r"(?:[A-Z][\w'’-]*(?: +|, +(?=[A-Z]{2}\b))?)*"
)
_PLACE = rf"\b(?:in|at|for|near|of|to|from) +({_NAME})"
_FIRST_WORDS = FUNCTION_WORDS | frozenset(
    "multiply list search hello hi extract question answer context convert compute calculate book "
    "set send translate summarize describe compare today tomorrow explain write generate create "
    "return name title query human user assistant according please email json".split()
)
_MAX_TOPIC = 1000
_ABOUT = re.compile(r"(?i)\b(?:about|related to|regarding|concerning):?\s+(?:the\s+)?([^.,;!?\n]+)")
_VALUE_END = re.compile(r"[,.!?](?=\s|$)|\s+(?:and|with|but|then|or)\s+", re.IGNORECASE)


def numbers(text: str) -> list[float | int]:
    """Numbers in order; ints stay ints."""
    plain = [match.replace(",", "") for match in _NUMBER.findall(text)]
    return [float(one) if "." in one else int(one) for one in plain]


def _beginning_later(text: str) -> str:
    """The words of a text but for those at its beginning that any sentence begins with."""
    words = text[:_MAX_TOPIC].split()
    return " ".join(dropwhile(lambda word: word.lower().strip(",:'’") in _FIRST_WORDS, words))


def names(text: str) -> list[str]:
    """Runs of capitalised words that do not merely begin a sentence."""
    found = [_beginning_later(one.strip(" ,")) for one in re.findall(_NAME, text)]
    return [one for one in dict.fromkeys(name.removesuffix("'s") for name in found) if one]


def topic(question: str) -> str:
    """What a question or an order is about, without the words that begin it."""
    about = _ABOUT.search(question)
    return _beginning_later(about[1] if about else question).strip(" \"'?.!,;")


def _named(field_name: str, text: str) -> str:
    """What is behind a field's name."""
    link = r"\s*(?::|=|\bis\b|\bare\b|\bof\b|\bequals\b)\s*"
    value = r"(\"[^\"\n]+\"|'[^'\n]+'|“[^”\n]+”|\[[^\]\n]*\]|[^\n;]+)"
    pattern = rf"(?<!\w)[\"'`]?{spelled(field_name)}[\"'`]?(?:{link}|\s+(?=[\"'“\d])){value}"
    match = re.search(pattern, text, re.IGNORECASE) if field_name else None
    return match[1].strip() if match else ""


def find_named_value(field_name: str, text: str) -> str | None:
    """The value in `field: value`, `field is value`, `field "value"`, as text."""
    raw = _named(field_name, text)
    if raw[:1] in ('"', "'", "“"):
        return raw.strip("\"'“”")
    return raw if raw[:1] == "[" else _VALUE_END.split(raw, maxsplit=1)[0].strip(" \"'`") or None


def find_named_list(field_name: str, text: str) -> list[str]:
    """The values in `field: a, b and c`."""
    raw = re.split(r"[.!?](?=\s|$)", _named(field_name, text).strip("[]"), maxsplit=1)[0]
    parts = re.split(r"\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+", raw)
    return [part.strip(" \"'`") for part in parts if part.strip(" \"'`")]


def wants(name: str, text: str) -> bool | None:
    """Whether a text names a field, and not as `no <name>`; None where it does not name it."""
    denied = rf"\b(?:no|not|without|omit|skip|excluding)\s+(?:a\s+|the\s+|any\s+)?{spelled(name)}\b"
    return None if not mentions(name, text) else not re.search(denied, text, re.IGNORECASE)


@dataclass(slots=True)
class PromptValues:
    """The values of a prompt, given out one after the other while an instance is filled."""

    text: str
    question: str = ""
    """The last user text, for fields that want words rather than a value."""
    material: str = ""
    """What the prompt brings along, for fields that judge by it."""
    result: str = ""
    """The latest tool result, or what the passages answer, for fields that ask for one."""
    is_answered: bool = False
    """Whether somebody has answered the question already, so that an agent can end."""
    options: Sequence[Option] = ()
    """What the prompt or the tool offers, for fields that choose among it."""
    about: str = ""
    """The tool's description, which may say what its fields take."""
    invented: int = 0
    """How many fields of the instance the prompt held nothing for."""
    rows: dict[str, list[Any]] = field(init=False)
    """What is left to give out, by kind."""

    def __post_init__(self) -> None:
        self.rows = {
            "number": numbers(self.text),
            "quoted": ["".join(groups).strip() for groups in _QUOTED.findall(self.text)],
            "name": names(self.text),
            "place": [match.strip(" ,.") for match in re.findall(_PLACE, self.text)],
        }

    def take(self, kind: str, is_taken: Callable[[Any], bool] = lambda value: True) -> Any:
        """The next value of a kind that is taken; None when there is none."""
        row = self.rows[kind]
        for index, value in enumerate(row):
            if is_taken(value):
                return row.pop(index)
        return None

    def drop(self, kind: str, value: Any) -> None:
        """Take a value that was used by name out of its row."""
        self.take(kind, lambda other: other == value)
