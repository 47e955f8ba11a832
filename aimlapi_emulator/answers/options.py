"""What a text offers to choose from, and which of it a question is about.

Tools, enum members, agents to hand over to, routes, numbered choices, labels: each is a name with
perhaps a description, and the one that shares most words with the question is chosen.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.text.words import all_words, content_words, plain_words

_MAX_LENGTH = 20_000
_NUMBERED = re.compile(
    r"^(?:\(|Document )(\d+)(?:\)|:)\s*(.*?)(?=^\(\d+\)|^Document \d+:|^-{6,}|^Question:|\Z)",
    re.DOTALL | re.MULTILINE,
)
_MAPPING = re.compile(r"\{\s*['\"][^{}]{1,4000}\}")
_BULLET = re.compile(r"^\s*[-*] [`'\"]?([\w-]+)[`'\"]?\s*[:–-]\s*(\S.*)$", re.MULTILINE)
_EXPLAINED = re.compile(r"[`'\"]?\b([A-Za-z][\w-]{2,40})[`'\"]?\s*\(([a-z][^()]{2,200})\)")
_QUOTE = r"(?:\"[^\"\n]{1,60}\"|'[^'\n]{1,60}'|`[^`\n]{1,60}`)"
_JOIN = r"\s*(?:,|/|\||;|\bor\b|\band\b)(?:\s*\b(?:or|and)\b)?\s*"
_QUOTED = re.compile(rf"{_QUOTE}(?:{_JOIN}{_QUOTE})+")
_BRACKETS = re.compile(r"\[\s*([A-Za-z][\w-]*(?:\s*,\s*[A-Za-z][\w-]*)+)\s*\]")
_YES_NO = re.compile(r"\byes\b\W{0,3}(?:or)?\W{0,3}\bno\b", re.IGNORECASE)
# "one of a, b or c", "um de A, B, C", "Options: a, b"
_ITEM = r"[A-Za-z][\w-]{0,40}"
_LISTED = re.compile(
    r"(?:\b(?:one of|any of|either|between|as|de|options?|categor(?:y|ies)|labels?|class(?:es)?)\b"
    r"(?: the following)?[^\S\n]*:?|\bfollowing\b[^:\n]{0,40}:)[^\S\n]*"
    rf"({_ITEM}(?:(?:, | ?[/|] ?){_ITEM})*(?:,? (?:or|and|ou|oder) {_ITEM}|, {_ITEM}))(?!\w)",
    re.IGNORECASE,
)
_EXAMPLES = re.compile(r"\b(?:e\.?g\.?|examples?|such as|like|for instance)\b[^.]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Option:
    """Something that can be chosen."""

    name: str
    description: str = ""


def _from_mapping(text: str) -> list[Option]:
    """The entries of a dict or a JSON object of names and descriptions."""
    for found in reversed(_MAPPING.findall(text)):
        for read in (json.loads, ast.literal_eval):
            try:
                value: Any = read(found)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
            if (
                isinstance(value, dict)
                and value
                and all(isinstance(v, str) for v in value.values())
            ):
                return [Option(str(name), told) for name, told in value.items()]
    return []


def offered(text: str) -> tuple[list[Option], str]:
    """(what a text offers, the text without these words); nothing for fewer than two options.

    A mapping may hold one alone, as an agent may have one other agent to hand over to.
    """
    text = text[:_MAX_LENGTH]
    numbered = _NUMBERED.findall(text)
    if numbered:  # of an example's and the question's own the last
        last = {number: Option(number, " ".join(told.split())) for number, told in numbered}
        return list(last.values()), _NUMBERED.sub(" ", text)
    mapped = _from_mapping(text)
    if mapped:
        return mapped, _MAPPING.sub(" ", text)
    for pattern in (_BULLET, _EXPLAINED):
        pairs = pattern.findall(text)
        if len({name for name, _ in pairs}) > 1:
            return [Option(*pair) for pair in pairs], pattern.sub(" ", text)
    return _alternatives(text)


def _alternatives(text: str) -> tuple[list[Option], str]:
    """Words that are joined by commas, slashes and `or`, if they are no examples."""
    for pattern in (_YES_NO, _QUOTED, _BRACKETS, _LISTED):
        for match in pattern.finditer(text):
            if _EXAMPLES.search(text[max(0, match.start() - 80) : match.start()]):
                continue
            listed = match[1] if match.re.groups else match[0]
            parts = re.findall(_QUOTE, listed) if pattern is _QUOTED else re.split(r"\W+", listed)
            names = [part.strip("\"'`") for part in parts]
            names = [n for n in names if n and n not in ("or", "and", "ou", "oder")]
            if len(names) > 1:
                rest = f"{text[: match.start()]} {text[match.end() :]}"
                return [Option(name) for name in dict.fromkeys(names)], rest
    return [], text


def mentions(word: str, text: str) -> bool:
    """Whether a name is in the text as a word of its own, in any case and spelling."""
    return _place(word, text) >= 0


def _place(word: str, text: str) -> int:
    parts = [re.escape(part) for part in all_words(word)] or [re.escape(word)]
    spelled = r"[\s_-]*".join(parts)
    match = re.search(rf"(?<!\w){spelled}(?!\w)", text, re.IGNORECASE)
    return match.start() if match else -1


def fitting(options: Sequence[Option], question: str) -> list[Option]:
    """Those that a question is about, the best first: mentioned ones, then by words shared."""
    wanted = content_words(question)
    mentioned = [(at, o) for o in options if (at := _place(o.name, question)) >= 0]
    if mentioned:
        return [option for _, option in sorted(mentioned, key=lambda pair: pair[0])]
    shared = [(len(wanted & content_words(f"{o.name} {o.description}")), o) for o in options]
    return [o for count, o in sorted(shared, key=lambda pair: -pair[0]) if count]


def choose(options: Sequence[Option], question: str, material: str = "") -> Option:
    """The option that suits a question; of `yes` and `no` the one that the material supports."""
    by_name = {option.name.lower(): option for option in options}
    if set(by_name) == {"yes", "no"}:
        return by_name["yes" if supports(material, question) else "no"]
    return (fitting(options, question) or list(options))[0]


def supports(material: str, claim: str) -> bool:
    """Whether the material holds half of a claim's or a question's words, or there is none."""
    words = plain_words(claim)
    return not material.strip() or len(words & plain_words(material)) * 2 >= len(words)


def as_options(names: Iterable[Any]) -> list[Option]:
    """Plain names as options."""
    return [Option(str(name)) for name in names]
