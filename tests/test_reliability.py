"""docs/reliability.md names real tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


def test_each_test_that_is_named_exists() -> None:
    existing = {(file, name) for file in {file for file, _ in NAMED} for name in functions(file)}
    assert NAMED
    assert set(NAMED) - existing == set()


def test_each_promise_names_one() -> None:
    """Each bullet of the promises, and each paragraph of the other sections."""
    promises = PAGE.split("## Who could do what")[0]
    sections = {part.split("\n")[0]: part for part in promises.split("\n## ")[1:]}
    for title, text in sections.items():
        points = text.split("\n- ")[1:] or [text]
        unproven = [point for point in points if "::" not in point and "below" not in point]
        assert not unproven, f"{title}: {unproven[0]}"
