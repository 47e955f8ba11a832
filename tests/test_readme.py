"""README's tables, demo and pictures are current."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path

import pytest

from benchmarks import page
from scripts import tables, terminal

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("path", "name", "make"),
    tables.TABLES,
    ids=[f"{path.name}-{name}" for path, name, _ in tables.TABLES],
)
def test_tables_are_those_of_the_code(path: Path, name: str, make: Callable[[], str]) -> None:
    text = path.read_text(encoding="utf-8")
    assert tables.updated(text, name, make()) == text, "run: python -m scripts.tables"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminal")
def test_the_demo_shows_what_its_picture_shows_in_the_same_colours() -> None:
    """Without a key. One test, since the demo takes seconds."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AIML") and k != "NO_COLOR"}
    command = [sys.executable, str(ROOT / "examples" / "demo.py")]
    pieces = terminal.recorded(command, {**kept, "PYTHONIOENCODING": "utf-8"})
    lines = "".join(piece.text for piece in pieces).splitlines()
    assert "emulator" in lines[0]
    headings = [line for line in lines if line.startswith("\x1b[1;34m")]
    assert len(headings) == 6
    coloured = [line for line in lines if "\x1b" in line and line not in headings]
    assert len(coloured) == 4  # three results of tools, and the nearest document
    assert all(line.startswith("\x1b[2m  [") and line.endswith("]\x1b[0m") for line in coloured)
    plain = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(lines))
    for said in ("Sørvågen", "14:05", "18 degrees", "year=1868", "124", "1986", "2,102,650"):
        assert said in plain
    picture = (ROOT / "docs" / "demo.svg").read_text(encoding="utf-8")
    rows = ["".join(p.text for p in row) for row in terminal.laid([terminal.Piece(0, plain)])]
    shown = terminal.shown(picture)
    assert in_order(shown) == in_order(row for row in rows if row), "run: make pictures"


def in_order(rows: Iterable[str]) -> list[str]:
    """The rows, with the results of parallel tools, which come in either order, in one."""
    out: list[str] = []
    for is_result, group in groupby(rows, key=lambda row: row.startswith("  [")):
        found = list(group)
        out += sorted(found) if is_result else found
    return out


def test_pictures_need_nothing_from_elsewhere_and_are_small() -> None:
    for name in ("demo.svg", "performance.svg", "profile.svg"):
        picture = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert len(picture.encode()) < 60_000
        assert not re.search(r"<script|<image|@import|@font-face|url\(|href", picture)
        assert re.findall(r"https?://[^\"]+", picture) == ["http://www.w3.org/2000/svg"]


@pytest.mark.parametrize("name", page.PICTURES)
def test_the_charts_are_drawn_from_the_kept_run(name: str) -> None:
    chart = (ROOT / "docs" / f"{name}.svg").read_text(encoding="utf-8")
    assert chart == page.picture(name), "run: make pictures"
