"""Which sentence of some passages answers a question: words shared, and the kind of answer.

A question for a number, a time, a person or a place prefers a sentence that holds one. Words that
the question shares with the rest of a passage count too, at less: it names its subject once and
says `it` after that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aimlapi_emulator.answers.rag.passages import Passage
from aimlapi_emulator.text.words import asks_for_number, plain_words, sentences

_WIDE = 60
_NEARBY = 0.7
_MEANT = 0.8
_OF_KIND = 1.5
_MAYBE = 0.5
_FOLLOWED = 0.1
_TIME = re.compile(
    r"\b(?:1\d{3}|20\d\d|\d{1,2}(?::\d\d|\s?[ap]\.?m\b)|o'clock|noon|midnight|January|February|March|"
    r"April|May|June|July|August|September|October|November|December|(?:Mon|Tues|Wednes|Thurs|Fri|"
    r"Satur|Sun)days?|(?:at|from|until) (?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|"
    r"twelve))\b|\d[年月日時]"
)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|\w+teen|twenty|"
    r"thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million)\b",
    re.IGNORECASE,
)
# A capitalised word inside a sentence that no preposition of place stands before.
_PERSON = re.compile(
    r"(?<=[\w,;] )(?<!\bof )(?<!\bin )(?<!\bat )(?<!\bon )(?<!\bnear )[A-Z][\w'’-]+"
)
_SPOT = re.compile(r"\b(?:in|at|on|near|inside|beside|behind|under|between|off) \w", re.IGNORECASE)
_WHEN = re.compile(r"\b(?:when|what (?:year|time|day|date)|which (?:year|day))\b", re.IGNORECASE)
_WHO = re.compile(r"\b(?:who|whom|whose)\b", re.IGNORECASE)
_PRICED = re.compile(r"\b(?:how much|costs?|prices?|fees?|fares?)\b", re.IGNORECASE)
_MONEY = re.compile(
    r"[$€£¥]|\d\D{0,3}(?:euros?|dollars?|pounds?|cents?|francs?|crowns?|yen|usd|eur|gbp)\b",
    re.IGNORECASE,
)
_WHERE = re.compile(r"\bwhere\b", re.IGNORECASE)
_LEANS = re.compile(
    r"(?:\w+,? ){0,2}(?:it|its|they|their|he|his|she|her|this|these|that|those)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Found:
    """The sentence that suits a question, and where it stands."""

    sentence: str
    score: float
    """How well it suits, comparable with what `Question.fits` says of any sentence."""
    source: str | None = None
    number: int | None = None

    def cited(self) -> str:
        """The sentence, followed by its source."""
        marks = [self.sentence]
        if self.number is not None:
            marks.append(f"[{self.number}]")
        if self.source is not None:
            marks.append(f"(source: {self.source})")
        return " ".join(marks)


NOTHING = Found("", 0)


class Question:
    """What a question wants; `earlier` is one that it may follow up."""

    def __init__(self, text: str, earlier: str = "") -> None:
        self.text = text
        self.wanted = plain_words(text)
        self.around = self.wanted | plain_words(earlier)

    def of_kind(self, sentence: str) -> float:
        """What a sentence gains by holding a time, a number, a person or a place, if wanted."""
        if _WHEN.search(self.text):
            return _OF_KIND if _TIME.search(sentence) else _maybe(_NUMBER.search(sentence))
        if _PRICED.search(self.text) and _MONEY.search(sentence):
            return _OF_KIND + _MAYBE
        if asks_for_number(self.text):
            return _OF_KIND if _NUMBER.search(sentence) else 0
        if _WHO.search(self.text):
            named = (match[0] for match in _PERSON.finditer(sentence))
            return _OF_KIND if any(name not in self.text for name in named) else 0
        return _maybe(_WHERE.search(self.text) and _SPOT.search(sentence))

    def fits(self, sentence: str, meant: frozenset[str] = frozenset()) -> float:
        """How well a sentence suits by itself; `meant` are the words that it refers to."""
        own = self.wanted & plain_words(sentence)
        shared = len(own) + _MEANT * len(self.wanted & (meant - own))
        return shared + self.of_kind(sentence) if shared else 0


def _maybe(found: object) -> float:
    return _MAYBE if found else 0


def _unwrapped(lines: Sequence[str]) -> list[str]:
    """Sentences, those that a line's end cut joined again."""
    joined = before = ""
    for line in map(str.strip, lines):
        wrapped = before and before[-1] not in ".!?:;。！？" and line
        same = wrapped and (line[0].islower() or len(before) >= _WIDE)
        joined += f" {line}" if same else f"\n{line}"
        before = line
    return sentences(joined)


def _meant(told: Sequence[str]) -> list[frozenset[str]]:
    """Each sentence's words, with those of the one before when it begins with a pronoun."""
    found: list[frozenset[str]] = []
    for sentence in told:
        words = plain_words(sentence)
        leans = bool(found) and _LEANS.match(sentence)
        found.append(words | found[-1] if leans else words)
    return found


def _in_passage(passage: Passage, question: Question) -> tuple[float, Found]:
    """(score, best sentence) of one passage."""
    told = _unwrapped(passage.lines)
    meant = _meant(told)
    nearby = question.around & plain_words(passage.source or "").union(*meant)
    top, best_score = NOTHING, 0.0
    for at, (sentence, words) in enumerate(zip(told, meant, strict=True)):
        fit = question.fits(sentence, words)
        beside = len(nearby - words)
        score = fit + _NEARBY * beside if fit else _FOLLOWED * len(nearby & words)
        if score > best_score:
            # Of a question among the passages, the sentence after it is the answer.
            asks = sentence.endswith(("?", "？")) and at + 1 < len(told)
            said = told[at + 1] if asks else sentence
            fair = fit + _NEARBY / 2 * beside if fit else 0
            top, best_score = Found(said, fair, passage.source, passage.number), score
    return best_score, top


def best(found: Iterable[Passage], question: str, earlier: str = "") -> Found:
    """The sentence of the passages that answers a question; `NOTHING` when none shares a word.

    Of equals the first passage's is taken, since retrieval puts the nearest first.
    """
    asked = Question(question, earlier)
    ranked = [_in_passage(passage, asked) for passage in found]
    return max(ranked, key=lambda one: one[0])[1] if ranked else NOTHING
