"""The fenced blocks of README and of the handbook's pages, as values.

A comment in the line before a fence says what its block is: `<!-- output -->` what the Python
block before it prints, `<!-- pytest -->` a file of tests, `<!-- heavy -->` a program that only
`make test-all` runs, `<!-- heavy: fastapi -->` one that needs this package too. A `diff` block is a
program before and after: what is after runs.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
}
_FENCE = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*?) -->\n)?"
    r"(?P<indent>[ ]*)```(?P<language>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$",
    re.S | re.M,
)


@dataclass(frozen=True)
class Block:
    """One block. `name` is its page and line, as editors understand them."""

    name: str
    language: str
    mark: str
    text: str


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, in order."""
    text = PAGES[page]
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start("language")) + 1
        yield Block(
            f"{page}:{line}",
            found["language"].strip(),
            found["mark"] or "",
            textwrap.dedent(found["text"]),
        )


def after(diff: str) -> str:
    """The program that a diff leads to."""
    return _side(diff, " +")


def before(diff: str) -> str:
    """The program that a diff starts from."""
    return _side(diff, " -")


def _side(diff: str, kept: str) -> str:
    return "".join(line[1:] or "\n" for line in diff.splitlines(True) if line[0] in f"{kept}\n")
