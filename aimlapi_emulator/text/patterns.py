"""Regular expressions of callers: which ones `re` may match, and on how long a text.

`re` backtracks and cannot be stopped. A quantifier inside a quantifier can take exponential time,
so it is never matched, but for those whose repetitions are told apart by a character of their own,
as in `[a-z]+(?:-[a-z]+)*`. Quantifiers one after the other take polynomial time, which a bound on
the text's length keeps short.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from functools import lru_cache
from math import comb
from typing import Any

# The parser of `re` has no public name since 3.11 (`sre_parse` warns), nor does typeshed know it.
sre: Any = importlib.import_module("re._constants")
sre_parse: Any = importlib.import_module("re._parser")

MAX_PATTERN = 4_000
_MAX_STEPS = 20_000
_MAX_LENGTH = 200
_MAX_WAYS = 1_000
REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
_CLASSES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
}


@lru_cache(maxsize=512)
def why_never_matched(pattern: str) -> str | None:
    """Why the emulator does not match a caller's pattern; None if it does, or if it is invalid."""
    if len(pattern) > MAX_PATTERN:
        return f"the emulator reads patterns of at most {MAX_PATTERN:,} characters"
    try:
        tree = sre_parse.parse(pattern)
        nested = _is_nested(tree, inside=False, repeated=False) or _ways(tree) > _MAX_WAYS
    except (re.error, OverflowError):
        return None
    except RecursionError:
        nested = True
    if not nested:
        return None
    return (
        "the emulator never matches a quantifier inside a quantifier, since Python's `re` could "
        "take for ever: write it with one, or without a pattern"
    )


@lru_cache(maxsize=512)
def longest_text(pattern: str) -> int:
    """How long a text the pattern is tried on; 0 for one that is never matched."""
    if why_never_matched(pattern) is not None:
        return 0
    try:
        repeats = _count_repeats(sre_parse.parse(pattern))
    except (re.error, OverflowError):
        return 0
    length = _MAX_LENGTH
    while length > 1 and comb(length + repeats, repeats) > _MAX_STEPS:
        length -= 1
    return length


def inner_nodes(kind: Any, argument: Any) -> list[Any]:
    """The sequences of nodes inside a node."""
    if kind in REPEATS:
        return [argument[2]]
    if kind is sre.SUBPATTERN:
        return [argument[3]]
    if kind is sre.BRANCH:
        return list(argument[1])
    if kind in (sre.ASSERT, sre.ASSERT_NOT):
        return [argument[1]]
    if kind is sre.ATOMIC_GROUP:
        return [argument]
    if kind is sre.GROUPREF_EXISTS:
        return [one for one in argument[1:] if one is not None]
    return []


def _count_repeats(nodes: Any) -> int:
    """The quantifiers that match texts of different lengths."""
    return sum(
        int(kind in REPEATS and argument[0] != argument[1])
        + sum(map(_count_repeats, inner_nodes(kind, argument)))
        for kind, argument in nodes
    )


def _ways(nodes: Any) -> int:
    """In how many ways alternatives that begin alike can match one text, at most."""
    found = 1
    for kind, argument in nodes:
        if kind is sre.BRANCH and not _begin_differently(argument[1]):
            found *= len(argument[1])
        for inner in inner_nodes(kind, argument):
            found *= _ways(inner)
    return found


def _is_nested(nodes: Any, *, inside: bool, repeated: bool) -> bool:
    """Whether repetitions, those outside included, can share a text in more than one way.

    `inside`: whether they are in one that no character of its own tells apart from the next.
    """
    for kind, argument in nodes:
        within, again = inside, repeated
        if kind in REPEATS:
            low, high, inner = argument
            if inside and low != high:
                return True
            again = repeated or high > 1
            within = inside or (high > 1 and low != high and not _is_separated(inner))
        elif (inside and kind is sre.GROUPREF) or (
            repeated and kind is sre.BRANCH and not _begin_differently(argument[1])
        ):
            return True
        parts = inner_nodes(kind, argument)
        if any(_is_nested(one, inside=within, repeated=again) for one in parts):
            return True
    return False


def _begin_differently(options: Sequence[Any]) -> bool:
    literals = [chr(one[0][1]) for one in options if len(one) and one[0][0] is sre.LITERAL]
    return len(literals) == len(options) == len({one.lower() for one in literals})


def _is_separated(nodes: Any) -> bool:
    """Whether a literal begins or ends each repetition that nothing else in it can match."""
    while len(nodes) == 1 and nodes[0][0] is sre.SUBPATTERN:
        nodes = nodes[0][1][3]
    for at in (0, len(nodes) - 1):
        if len(nodes) > 1 and nodes[at][0] is sre.LITERAL:
            char = chr(nodes[at][1])
            others = [node for index, node in enumerate(nodes) if index != at]
            if not any(can_match(node, char) for node in others):
                return True
    return False


def can_match(node: Any, char: str) -> bool:
    """Whether what a node matches may hold a character, in any case."""
    kind, argument = node
    if kind is sre.LITERAL:
        return chr(argument).lower() == char.lower()
    if kind is sre.NOT_LITERAL:
        return chr(argument).lower() != char.lower()
    if kind is sre.IN:
        return _is_in_set(argument, char)
    if kind in (sre.ANY, sre.GROUPREF):
        return True
    inner = inner_nodes(kind, argument)
    return any(can_match(one, char) for nodes in inner for one in nodes)


def _is_in_set(items: Sequence[Any], char: str) -> bool:
    negated = items[0][0] is sre.NEGATE
    either = {char.lower(), char.upper()}
    found = any(_is_item(item, one) for item in items[negated:] for one in either)
    return found != negated or (negated and len(either) > 1)


def _is_item(item: Any, char: str) -> bool:
    kind, argument = item
    if kind is sre.LITERAL:
        return chr(argument) == char
    if kind is sre.RANGE:
        return bool(argument[0] <= ord(char) <= argument[1])
    return argument not in _CLASSES or re.match(_CLASSES[argument], char) is not None
