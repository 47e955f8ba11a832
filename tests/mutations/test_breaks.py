"""The rows: each can be made, and names tests that are there. `make mutations` runs them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.mutations.breaks import Break, load

ROOT = Path(__file__).parents[2]


def test_each_break_can_be_made() -> None:
    wrong = [f"{row.promise}: {why}" for row in load() for why in what_is_wrong(row)]
    assert not wrong, "\n".join(wrong)


def test_each_promise_is_one_row() -> None:
    twice = [promise for promise, n in Counter(row.promise for row in load()).items() if n > 1]
    assert not twice


def what_is_wrong(row: Break) -> Iterator[str]:
    count = (ROOT / row.file).read_text(encoding="utf-8").count(row.old)
    if count != 1:
        yield f"the old text stands {count} times in {row.file}"
    if row.old == row.new:
        yield "old and new are the same"
    if not row.tests:
        yield "no test is named"
    for test in row.tests:
        file, *names = test.split("[")[0].split("::")
        if names and names[0] not in functions(file):
            yield f"{test} is not there"


@cache
def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}
