"""The breaks: a TOML file for each package, a table for each break, named by its promise."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Break:
    """Replace `old`, which stands in `file` once, by `new`: one of `tests` then fails.

    `tests` are node ids, as pytest takes them: a file, a function of one, or one of its cases.
    """

    promise: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """What a break did: `noticed` by the test `why`, `missed`, or an `error` of the row itself."""

    outcome: str
    why: str = ""
    seconds: float = 0.0


def load() -> list[Break]:
    """All breaks, in the order of the files' names."""
    return [
        Break(promise, row["file"], row["old"], row["new"], tuple(row["tests"]))
        for path in sorted(Path(__file__).parent.glob("*.toml"))
        for promise, row in tomllib.loads(path.read_text(encoding="utf-8")).items()
    ]
