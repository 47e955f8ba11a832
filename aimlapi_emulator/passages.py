"""Retrieved passages: cut apart, each with the source that its text names, and searched.

A source stands in metadata lines before a passage or right below it (`file_name: a.txt`,
`source: a.txt`, `Source: {'source': 'a.txt'}`), in a heading (`Source 3:`, `[3] ...`), in a tag
(`<document source="a.txt">`), behind a sentence (`... (source: a.txt)`), or in a printed document
(`metadata={'source': 'a.txt'}, page_content='...'`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .words import asks_for_number, plain_words, sentences

_SOURCE_KEYS = (
    "file_name",
    "filename",
    "source",
    "file",
    "document",
    "doc",
    "url",
    "link",
    "file_path",
    "path",
    "title",
)
_META_KEYS = frozenset(
    "page page_label author date file_type file_size creation_date last_modified_date score id "
    "doc_id document_id chunk chunk_id category tags language".split()
)
_PAIR = re.compile(r"\s*(?:[-*] )?([A-Za-z_][\w-]{0,30})\s?[:=]\s?(\S.{0,300})$")
_HEADING = re.compile(
    r"\s*(?:\[(\d{1,4})\]|(?:Source|Document|Passage|Doc|Excerpt)(?: ID)?[ #:]{1,2}(\d{1,4})(?:\s?:|(?=\s*$)))"
    r"(?:\s+(.*))?$"
)
_TAG = re.compile(r"\s*<(/?)(?:document|doc|source|passage|context)s?\b([^<>]{0,300})>\s*$")
_ELEMENT = re.compile(r"\s*<(\w{1,30})>\s?([^<>\s][^<>]{0,200})</\1>\s*$")
_ATTRIBUTE = re.compile(r"\b(\w+)\s?=\s?[\"']([^\"']{1,200})[\"']")
_BEHIND = re.compile(r"\s*(?:\(source: ([^()\n]{1,200})\)|\[(\d{1,4})\])\s*[.]?$")
_IN_DICT = re.compile(r"['\"](\w{1,30})['\"]\s?:\s?['\"]([^'\"\n]{1,200})['\"]")
_PRINTED = re.compile(
    r"Document\([^\n]{0,400}?metadata=(\{[^{}\n]{0,800}\}),\s?"
    r"page_content=('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\)"
)
_CONTENT = re.compile(
    r"\s*(?:Content|Text|Page content|Passage|Snippet|Article Snippet|Response|A|Answer): ?",
    re.IGNORECASE,
)
_WIDE = 60
_NEARBY = 0.4
_DIGITS = 0.5


@dataclass(slots=True)
class Passage:
    """One passage; `number` is the one it is to be cited by."""

    source: str | None = None
    number: int | None = None
    lines: list[str] = field(default_factory=list)
    rank: int = len(_SOURCE_KEYS)
    """Place in the source keys of the key that gave `source`; a lower one says more."""
    closed: bool = False
    """Whether its source came below its text, so that more text is another passage's."""

    def named(self, key: str, value: str) -> None:
        """Take the source from a metadata pair, when its key says more than the one before."""
        low = key.lower()
        if low in _SOURCE_KEYS and _SOURCE_KEYS.index(low) < self.rank:
            self.rank = _SOURCE_KEYS.index(low)
            self.source = value.rsplit("/", 1)[-1] if "path" in low else value


@dataclass(frozen=True, slots=True)
class Found:
    """The sentence that suits a question, and where it stands."""

    sentence: str
    shared: float
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


def _pairs(line: str) -> list[tuple[str, str]]:
    """The metadata of a line, which holds a source; empty when it is text."""
    match = _PAIR.match(line) or _ELEMENT.match(line)
    if match is None:
        return []
    key, value = match[1], match[2].strip()
    if value.startswith("{"):
        return _IN_DICT.findall(value)
    # A sentence that begins with such a word is text: "Source: the river springs in the Alps."
    is_name = len(value.split()) <= 8 and value[-1] not in ".!?。"
    return [(key, value.strip("\"'"))] if key.lower() in _SOURCE_KEYS and is_name else []


def _is_detail(line: str) -> bool:
    """Whether a line is metadata that names no source."""
    match = _PAIR.match(line)
    return match is not None and (
        match[1] in _META_KEYS or ("_" in match[1] and match[1].islower())
    )


def _printed(text: str) -> list[Passage]:
    found = []
    for meta, content in _PRINTED.findall(text):
        passage = Passage(lines=str(ast.literal_eval(content)).splitlines())
        for key, value in _IN_DICT.findall(meta):
            passage.named(key, value)
        found.append(passage)
    return found


class _Reader:
    """Takes the lines of a context one after the other."""

    def __init__(self) -> None:
        self.found = [Passage()]
        self.blank = True

    @property
    def last(self) -> Passage:
        """The passage that is being read."""
        return self.found[-1]

    def fresh(self) -> Passage:
        """A passage without text, a new one when the last has some."""
        if self.last.lines or self.last.closed:
            self.found.append(Passage())
        return self.last

    def metadata(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Pairs before a passage, or right below one that has no source yet."""
        below = bool(self.last.lines) and not self.blank and self.last.source is None
        passage = self.last if below or (self.last.closed and not self.blank) else self.fresh()
        for key, value in pairs:
            passage.named(key, value)
        passage.closed = passage.closed or below

    def text(self, line: str) -> None:
        """A line of text, perhaps with a source behind it."""
        passage = self.fresh() if self.last.closed else self.last
        behind = _BEHIND.search(line)
        if behind is None:
            passage.lines.append(line)
            return
        own = Passage(
            behind[1] or passage.source,
            int(behind[2]) if behind[2] else passage.number,
            closed=True,
        )
        own.lines.append(line[: behind.start()])
        self.found += [own, Passage(passage.source, passage.number, rank=passage.rank)]

    def line(self, line: str) -> None:
        """The next line, of whatever kind."""
        heading, tag, pairs = _HEADING.match(line), _TAG.match(line), _pairs(line)
        if not line.strip():
            if self.last.lines:
                self.last.lines.append("")
        elif heading:
            passage = self.fresh()
            passage.number = int(heading[1] or heading[2])
            if heading[3]:
                self.text(heading[3])
        elif tag:
            passage = self.fresh()
            passage.closed = bool(tag[1]) and bool(passage.source)
            for key, value in _ATTRIBUTE.findall(tag[2]):
                passage.named("source" if key in ("name", "href") else key, value)
        elif pairs:
            self.metadata(pairs)
        elif not _is_detail(line):
            self.text(_CONTENT.sub("", line, count=1))
        self.blank = not line.strip()


def passages(text: str) -> list[Passage]:
    """The passages of a context, in order, those without text left out."""
    if "page_content=" in text:
        printed = _printed(text)
        if printed:
            return printed
    reader = _Reader()
    for line in text.splitlines():
        reader.line(line)
    return [one for one in reader.found if any(one.lines)]


def _unwrapped(lines: Sequence[str]) -> list[str]:
    """Sentences, those that a line's end cut joined again."""
    joined = ""
    before = ""
    for line in map(str.strip, lines):
        wrapped = before and before[-1] not in ".!?:;。！？" and line
        same = wrapped and (line[0].islower() or len(before) >= _WIDE)
        joined += f" {line}" if same else f"\n{line}"
        before = line
    return sentences(joined)


def best(found: Iterable[Passage], question: str, earlier: str = "") -> Found:
    """The sentence that shares most words with the question.

    Words that its passage shares beside it count less (a passage about a thing calls it `it`), as
    do those of the `earlier` question that this one may follow up. Of a question among the
    passages, the sentence after it is taken.
    """
    wanted = plain_words(question)
    around = wanted | plain_words(earlier)
    digits = asks_for_number(question)
    top, score = NOTHING, 0.0
    for passage in found:
        told = _unwrapped(passage.lines)
        words = [plain_words(one) for one in told]
        nearby = around & plain_words(passage.source or "").union(*words)
        for at, sentence in enumerate(told):
            shared = suits(sentence, wanted, digits, words[at])
            total = shared + _NEARBY * len(nearby - (words[at] & wanted)) if shared else 0
            if not shared and not wanted & nearby and nearby:
                total = 0.1 * len(words[at] & around)
            if total > score:
                asks = sentence.endswith(("?", "？")) and at + 1 < len(told)
                said = told[at + 1] if asks else sentence
                top, score = Found(said, shared, passage.source, passage.number), total
    return top


def suits(
    sentence: str, wanted: frozenset[str], digits: bool, words: frozenset[str] | None = None
) -> float:
    """How many of the wanted words a sentence has; a little more with a digit when one is."""
    shared = len(wanted & (plain_words(sentence) if words is None else words))
    return shared + (_DIGITS if shared and digits and re.search(r"\d", sentence) else 0)
