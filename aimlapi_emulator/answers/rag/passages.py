"""Retrieved passages: cut apart, each with the source that its text names.

A source stands in metadata lines before a passage or right below it (`file_name: a.txt`,
`source: a.txt`, `Source: {'source': 'a.txt'}`), in a heading (`Source 3:`, `[3] ...`), in a tag
(`<document source="a.txt">`), behind a sentence (`... (source: a.txt)`), or in a printed document
(`metadata={'source': 'a.txt'}, page_content='...'`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

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
    r"\s*(?:\[(\d{1,4})\]|"
    r"(?:Source|Document|Passage|Doc|Excerpt)(?: ID)?[ #:]{1,2}(\d{1,4})(?:\s?:|(?=\s*$)))"
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
    for line in _unlisted(text).splitlines():
        reader.line(line)
    return [part for one in reader.found for part in _paragraphs(one) if any(part.lines)]


def _unlisted(text: str) -> str:
    """The texts of a printed list of strings, or the text as it is."""
    if not text.strip().startswith(("['", '["')):
        return text
    try:
        listed = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
    return "\n\n".join(map(str, listed))


def _paragraphs(passage: Passage) -> Iterator[Passage]:
    """A passage that names no source may be several, which blank lines part."""
    if passage.source is not None or passage.number is not None:
        yield passage
        return
    part = Passage()
    for line in passage.lines:
        if line:
            part.lines.append(line)
        else:
            yield part
            part = Passage()
    yield part
