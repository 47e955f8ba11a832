"""Passages that a prompt brings along: cut into blocks with their sources, searched for a sentence.

A block is what blank lines set apart. Its source is in a metadata line (`source: a.txt`,
`Source: {'source': 'a.txt'}`), a tag (`<document source="a.txt">`) or a heading (`Source 3:`,
`[3] ...`); metadata alone is of the blocks that follow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from aimlapi_emulator.text.words import plain_words, sentences

_KEYS = frozenset("file_name filename source file document url title file_path path".split())
_META = re.compile(r"\s*(?:[-*] )?([A-Za-z][a-z_]{1,30})\s?[:=] ?(\S[^\n]{0,300})$")
_META_KEYS = frozenset("page author date score id doc_id chunk category tags language".split())
# In a printed dict, or as the attribute of a tag.
_NAMED = re.compile(r"\b(?:source|file_name|title)['\"]?\s?[:=]\s?['\"]([^'\"\n]{1,200})['\"]")
_TAG = re.compile(r"\s*</?(?:document|doc|source|passage|context)s?\b[^<>]{0,300}>\s*$")
_HEADING = re.compile(
    r"\s*(?:\[(\d{1,4})\]|(?:Source|Document|Passage|Doc)[ #:]{1,2}(\d{1,4})\s?(?::|(?=\s*$)))\s*"
)
_CITED = re.compile(r"(?:\(source: [^()\n]{1,200}\)|\[\d{1,4}\])$")
_CONTENT = re.compile(r"\s*(?:Content|Text|Passage|Response|Answer): ?")
# LangChain's documents, printed.
_PRINTED = re.compile(
    r"['\"]\)(?:, |\]?$)|"
    r"\[?Document\([^\n]{0,200}?metadata=\{([^{}\n]{0,800})\}, page_content=['\"]",
    re.MULTILINE,
)
_NEARBY = 0.7
_OF_KIND = 1.5
_COUNTED = re.compile(
    r"\b(?:when|how (?:many|much|high|tall|long|old|far|big|large|often)|year|date|costs?|price)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d|\b(?:dozen|hundred|thousand|\w+teen|\w+ty|noon|midnight)\b")
_WHO = re.compile(r"\b(?:who|whom|whose)\b", re.IGNORECASE)
_NAME = re.compile(r"(?<=[\w,;] )[A-Z][\w'’-]+")


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
    heading, meta, named = _HEADING.match(line), _META.match(line), _NAMED.search(line)
    if _TAG.match(line):
        passage.source = named[1] if named else passage.source
        return
    if meta and meta[1].lower() in _KEYS and _is_source(meta[2]):
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
    if "page_content=" in text:
        text = _PRINTED.sub(r"\n\nsource: {\1}\n", text).replace("source: {}", "")
    found: list[Passage] = []
    heading = Passage()
    # Each heading or opening tag begins a block too.
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:\[\d{1,4}\] |<(?:document|source)\b))", text):
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


def _unwrapped(lines: list[str]) -> list[str]:
    """Sentences, those that a line's end cut joined again."""
    joined = ""
    for line in lines:
        wraps = joined and joined[-1] not in ".!?:;。！？" and line[:1].islower()
        joined += f" {line}" if wraps else f"\n{line}"
    return sentences(joined)


def _kind_bonus(question: str, sentence: str) -> float:
    """What a sentence gains by holding the number or the name that a question wants."""
    if _COUNTED.search(question):
        return _OF_KIND if _NUMBER.search(sentence) else 0
    if _WHO.search(question):
        return _OF_KIND if any(n[0] not in question for n in _NAME.finditer(sentence)) else 0
    return 0


def best_sentence(found: list[Passage], question: str, earlier: str = "") -> BestSentence:
    """The sentence that answers a question; an empty one when none shares a word with it.

    Words that the question, or an earlier one that it follows up, shares with the rest of a passage
    count too, at less: a passage names its subject once and says `it` after that. Of equals the
    first is taken, since retrieval puts the nearest first.
    """
    wanted = plain_words(question)
    around = wanted | plain_words(earlier)
    best = BestSentence()
    for passage in found:
        nearby = around & passage.words
        for sentence in _unwrapped(passage.lines):
            words = plain_words(sentence)
            score = len(wanted & words) + _NEARBY * len(nearby - words)
            score += _kind_bonus(question, sentence) if score else 0
            if score > best.score:
                best = BestSentence(sentence, score, passage.source, passage.number)
    return best
