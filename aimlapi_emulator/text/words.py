"""Plain-text measures: pieces that count as tokens, content words, sentences."""

from __future__ import annotations

import re
from functools import lru_cache

# A run of letters and digits is one token, any other visible character (and each CJK one) is one.
_PIECE = re.compile(r"\s*(?:[^\W\u2e80-\U0010ffff]+|\S)|\s+\Z")
# Where a piece begins for certain.
_CUT = re.compile(r"(?<=\S)(?:\s|[^\w\s]|[\u2e80-\U0010ffff])")
_CHUNK = 50_000
_WORD = re.compile(r"[^\W_\u2e80-\U0010ffff]+|[\u2e80-\U0010ffff]")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# "Mr. Hyde" and "St. Ives" are no ends of sentences.
_SENTENCE = re.compile(
    r"(?<=[.!?])(?<!\b[DJMS]r\.)(?<!\bM[st]\.)(?<!\bMrs\.)(?<!\bSt\.)(?<!\bNo\.)(?<!\b[ei]\.[ge]\.)"
    r"\s+|(?<=[。！？])\s*|\n+"
)

FUNCTION_WORDS = frozenset(
    "a about after all also an and any are as at be been before between both but by can could "
    "did do does each for from get give given gives had has have he her here him his how i if "
    "in into is it its itself just let like made make many may me more most much must my need "
    "no not now of on one only or other our out over please say says she should show so some "
    "such take takes tell than that the their them then there these they this those to two up "
    "us use used using very want was we were what when where which while who whose why will "
    "with would you your".split()
)
# Words about tools and their types say nothing of what a tool is for.
STOP_WORDS = FUNCTION_WORDS | frozenset(
    "arg args argument arguments bool call default dict find float function functions input "
    "inputs int integer list none number object output result results return returned returns "
    "run str string tool tools type value values".split()
)
_ENDINGS = ("ingly", "ings", "ing", "ies", "es", "ed", "s", "e", "y")


def tokenize(text: str) -> list[str]:
    """The text cut into tokens; joined they are the text again."""
    return _PIECE.findall(text)


def count_tokens(text: str) -> int:
    """How many tokens a text is."""
    total = start = 0
    while start < len(text):  # in chunks, since a list of all pieces can be large
        cut = _CUT.search(text, start + _CHUNK)
        end = cut.start() if cut else len(text)
        total += len(_PIECE.findall(text, start, end))
        start = end
    return total


@lru_cache(maxsize=1 << 14)
def bare_stem(word: str) -> str:
    """A rough stem, enough to match `adding` and `adds` with `add`; a `miller` is no `mill`."""
    low = word.lower()
    for ending in _ENDINGS:
        if len(low) - len(ending) >= 3 and low.endswith(ending):
            low = low[: -len(ending)]
            break
    return low[:-1] if len(low) > 3 and low[-1] == low[-2] else low


def stem(word: str) -> str:
    """A rougher stem: a `coder` codes, an `adder` adds."""
    low = bare_stem(word)
    return bare_stem(low[:-2]) if len(low) > 4 and low.endswith("er") else low


def all_words(text: str) -> list[str]:
    """The words of a text or an identifier, `get_weather` and `getWeather` alike."""
    return _WORD.findall(_CAMEL.sub(" ", text))


def content_words(text: str) -> frozenset[str]:
    """Stems of the words of a tool or an order that carry meaning."""
    return frozenset(stem(w) for w in _meaningful(text, STOP_WORDS) if not w.isdigit())


def plain_words(text: str) -> frozenset[str]:
    """Stems of the words of a passage or a question, numbers too, without function words."""
    return frozenset(map(bare_stem, _meaningful(text, FUNCTION_WORDS)))


def _meaningful(text: str, stop_words: frozenset[str]) -> list[str]:
    words = [word for word in all_words(text) if word.lower() not in stop_words]
    return [word for word in words if len(word) > 1 or word > "\u2e80" or word.isdigit()]


def sentences(text: str) -> list[str]:
    """Sentences and lines, stripped, without the empty ones."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


def truncate_words(text: str, limit: int) -> str:
    """The text, cut at a word when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[limit // 2 :] else cut) + "…"
