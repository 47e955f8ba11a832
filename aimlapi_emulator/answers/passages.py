"""Passages that a prompt brings along: cut into blocks with their sources, searched for a sentence.

A block is what blank lines set apart. Its source is in a metadata line (`source: a.txt`,
`Source: {'source': 'a.txt'}`) or a heading (`Source 3:`, `[3] ...`); metadata alone is of the
blocks that follow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from aimlapi_emulator.text.words import plain_words, sentences

_KEYS = frozenset("file_name filename source file document url title file_path path".split())
_META = re.compile(r"\s*(?:[-*] )?([A-Za-z][a-z_]{1,30})\s?[:=] ?(\S[^\n]{0,300})$")
_META_KEYS = frozenset("page author date score id chunk category tags language".split())
_NAMED = re.compile(r"['\"](?:source|file_name|title)['\"]: ?['\"]([^'\"\n]{1,200})['\"]")
_HEADING = re.compile(
    r"\s*(?:\[(\d{1,4})\]|(?:Source|Document|Passage|Doc)[ #:]{1,2}(\d{1,4})\s?(?::|(?=\s*$)))\s*"
)
_CITED = re.compile(r"(?:\(source: [^()\n]{1,200}\)|\[\d{1,4}\])$")
_CONTENT = re.compile(r"\s*(?:Content|Text|Passage|Response|Answer): ?")
_NEARBY = 0.7
_OF_KIND = 1.5
# A question, and what a sentence that answers it holds.
_KINDS = (
    (
        re.compile(r"\b(?:when|how (?:many|much|high|tall|old|far)|year|costs?)\b", re.IGNORECASE),
        re.compile(r"\d|\b(?:hundred|thousand|\w+teen|\w+ty)\b"),
    ),
    (re.compile(r"\bwho\b", re.IGNORECASE), re.compile(r"(?<=[\w,;] )[A-Z][\w'’-]+")),
)


@dataclass(slots=True)
class Passage:
    """One block; `number` is the one it is to be cited by."""

    source: str | None = None
    number: int | None = None
    lines: list[str] = field(default_factory=list)

    @property
    def words(self) -> frozenset[str]:
        """All that its text and its source's name say."""
        return plain_words(" ".join([self.source or "", *self.lines]))


@dataclass(frozen=True, slots=True)
class BestSentence:
    """The sentence that suits a question, its score, and where it is from."""

    sentence: str = ""
    score: float = 0
    source: str | None = None
    number: int | None = None

    def cited(self) -> str:
        """The sentence, followed by its source unless it cites one itself."""
        if _CITED.search(self.sentence):
            return self.sentence
        number = f" [{self.number}]" if self.number is not None else ""
        source = f" (source: {self.source})" if self.source is not None else ""
        return f"{self.sentence}{number}{source}"


def _read_line(line: str, passage: Passage) -> None:
    """Take a line's metadata, or the line itself, into a passage."""
    heading, meta = _HEADING.match(line), _META.match(line)
    if meta and meta[1].lower() in _KEYS and _is_source(meta[2]):
        named = _NAMED.search(meta[2])
        value = named[1] if named else meta[2].strip("\"'").rsplit("/", 1)[-1]
        passage.source = passage.source or value
        return
    if heading:
        passage.number = int(heading[1] or heading[2])
        line = line[heading.end() :]
    if line.strip() and not (meta and ("_" in meta[1] or meta[1] in _META_KEYS)):
        passage.lines.append(_CONTENT.sub("", line, count=1).strip())


def _is_source(value: str) -> bool:
    """Whether a value names a source, and is no sentence: `Source: the river springs here.`"""
    return value[0] == "{" or (len(value.split()) <= 8 and value[-1] not in ".!?。")


def passages(text: str) -> list[Passage]:
    """The passages of a text, in order, those without text left out."""
    found: list[Passage] = []
    heading = Passage()
    for block in re.split(r"\n\s*\n|\n(?=\s*\[\d{1,4}\] )", text):
        passage = Passage()
        for line in block.splitlines():
            _read_line(line, passage)
        passage.source = passage.source or heading.source
        passage.number = heading.number if passage.number is None else passage.number
        if passage.lines:
            found.append(passage)
        else:
            heading = passage
    return found


def best_sentence(found: list[Passage], question: str, earlier: str = "") -> BestSentence:
    """The sentence that answers a question; an empty one when none shares a word with it.

    Words that the question, or an earlier one that it follows up, shares with the rest of a passage
    count too, at less: a passage names its subject once and says `it` after that. So does a number
    or a name where the question wants one. Of equals the first is taken, since retrieval puts the
    nearest first.
    """
    wanted = plain_words(question)
    around = wanted | plain_words(earlier)
    of_kind = next((answer for kind, answer in _KINDS if kind.search(question)), None)
    best = BestSentence()
    for passage in found:
        nearby = around & passage.words
        # Sentences that a line's end cut are joined again.
        for sentence in sentences(
            re.sub(r"(?<![.!?:;。！？])\n(?=[a-z])", " ", "\n".join(passage.lines))
        ):
            words = plain_words(sentence)
            score = len(wanted & words) + _NEARBY * len(nearby - words)
            if score and of_kind:
                new = [m[0] for m in of_kind.finditer(sentence) if m[0] not in question]
                score += _OF_KIND if new else 0
            if score > best.score:
                best = BestSentence(sentence, score, passage.source, passage.number)
    return best
