"""What a text offers to choose from, and which of it a question is about.

Enum members, agents to hand over to, routes, numbered choices, labels: each is a name with perhaps
a description, and those that share words with the question are chosen.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.text.bounds import check_cpu
from aimlapi_emulator.text.words import all_words, content_words, plain_words

_MAX_LENGTH = 20_000
_QUOTE = r"(?:\"[^\"\n]{1,60}\"|'[^'\n]{1,60}'|`[^`\n]{1,60}`)"
_ITEM = r"[A-Za-z][\w-]{0,40}"
_MAPPING = re.compile(r"\{\s*['\"][^{}]{1,4000}\}")
# `(1) about cats`, `Document 1:`; `- name: description`; `name (what it does)`
_DESCRIBED = (
    re.compile(
        r"(?sm)^(?:\(|Document )(\d+)(?:\)|:)\s*(.*?)(?=^\(\d+\)|^Document \d|^-{6,}|^Question:|\Z)"
    ),
    re.compile(r"^[ \t]*[-*] [`'\"]?([\w-]+)[`'\"]?\s*[:–-]\s*(\S.*)$", re.MULTILINE),
    re.compile(r"[`'\"]?\b([A-Za-z][\w-]{2,40})[`'\"]?\s*\(([a-z][^()]{2,200})\)"),
)
# `yes or no`; `'a', 'b' or 'c'`; `one of a, b or c`, `um de A, B, C`, `Options: a, b`
_ALTERNATIVES = (
    re.compile(r"(?i)\byes\b\W{0,3}(?:or)?\W{0,3}\bno\b|\btrue\W{0,3}or\W{0,3}false\b"),
    re.compile(rf"{_QUOTE}(?:\s*(?:,|/|\||;|\bor\b|\band\b)(?:\s*\b(?:or|and)\b)?\s*{_QUOTE})+"),
    re.compile(
        r"(?i)(?:\b(?:one of|either|between|as|with|de|options?|categor(?:y|ies)|labels?)\b"
        r"(?: the following)?[^\S\n]*:?|\bfollowing\b[^:\n]{0,40}:)[^\S\n]*"
        rf"({_ITEM}(?:(?:, | ?[/|] ?){_ITEM})*(?:,? (?:or|and|ou|oder) {_ITEM}|, {_ITEM}))(?!\w)"
    ),
)
_EXAMPLES = re.compile(r"\b(?:e\.?g\.?|examples?|such as|like|for instance)\b[^.]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Option:
    """Something that can be chosen."""

    name: str
    description: str = ""


def offered(text: str) -> tuple[list[Option], str]:
    """(what a text offers, the text without these words); nothing for fewer than two options.

    A mapping may hold one alone, as an agent may have one other agent to hand over to.
    """
    text = text[:_MAX_LENGTH]
    for found in reversed(_MAPPING.findall(text)):
        with suppress(ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            value: Any = ast.literal_eval(found)  # a JSON object of texts is a Python literal too
            if isinstance(value, dict) and all(isinstance(v, str) for v in value.values()):
                return [Option(str(name), about) for name, about in value.items()], text
    for pattern in _DESCRIBED:  # of an example's and the question's own the last
        pairs = {name: " ".join(about.split()) for name, about in pattern.findall(text)}
        if len(pairs) > 1:
            return [Option(*pair) for pair in pairs.items()], pattern.sub(" ", text)
    for match in itertools.chain(*(pattern.finditer(text) for pattern in _ALTERNATIVES)):
        listed = match[match.re.groups]
        names = dict.fromkeys(re.findall(_QUOTE, listed) or re.findall(r"[\w-]+", listed))
        options = as_options(n.strip("\"'`") for n in names if n not in ("or", "and", "ou", "oder"))
        # Patterns and pieces of code are no names.
        is_plain = all(re.fullmatch(r"[\w .-]+", option.name) for option in options)
        before = text[max(0, match.start() - 80) : match.start()]
        if is_plain and len(options) > 1 and not _EXAMPLES.search(before):
            return options, f"{text[: match.start()]} {text[match.end() :]}"
    return [], text


def spelled(name: str) -> str:
    """A pattern of a name in any spelling of its words: `due_date`, `dueDate`, `due date`."""
    check_cpu()
    return r"[\s_-]*".join(map(re.escape, all_words(name))) or re.escape(name)


def mentions(name: str, text: str) -> re.Match[str] | None:
    """Where a text has a name as a word of its own, in any case and spelling."""
    return re.search(rf"(?<!\w){spelled(name)}(?!\w)", text, re.IGNORECASE)


def fitting(options: Sequence[Option], question: str) -> list[Option]:
    """Those that a question is about, the best first: by name, by words of it, of descriptions."""
    mentioned = [(found.start(), o) for o in options if (found := mentions(o.name, question))]
    if mentioned:
        return [option for _, option in sorted(mentioned, key=lambda pair: pair[0])]
    wanted = content_words(question)
    shared = [(len(wanted & content_words(f"{o.name} {o.description}")), o) for o in options]
    return [option for count, option in sorted(shared, key=lambda pair: -pair[0]) if count]


def choose(options: Sequence[Option], question: str, material: str = "") -> Option:
    """The option that suits a question; of `yes` and `no` the one that the material supports."""
    by_name = {option.name.lower(): option for option in options}
    if set(by_name) == {"yes", "no"}:
        return by_name["yes" if supports(material, question) else "no"]
    return (fitting(options, question) or options)[0]


def supports(material: str, claim: str) -> bool:
    """Whether the material holds half of a claim's or a question's words, or there is none."""
    words = plain_words(claim)
    return not material.strip() or len(words & plain_words(material)) * 2 >= len(words)


def as_options(names: Iterable[Any]) -> list[Option]:
    """Plain names as options."""
    return [Option(str(name)) for name in names]
