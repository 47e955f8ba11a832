"""What `make mutations` makes of a row, and what it remembers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.mutations.breaks import Break, Finding
from tests.mutations.journal import Journal
from tests.mutations.run import ROOT, checked_out, digest, parse, try_all
from tests.mutations.trial import broken, verdict

OLD = '_DATA_PREFIX_LENGTH = len(b"data: ")'
ROW = Break(
    "a promise",
    "aimlapi_core/_wire/sse.py",
    OLD,
    "_DATA_PREFIX_LENGTH = 5",
    ("tests/core/test_sse.py",),
)
NOTICED, MISSED = Finding("noticed", "tests/x.py::test_y"), Finding("missed")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"code": 1, "ran": 3, "failed": ["tests/x.py::test_y"]}, "noticed"),
        ({"code": 0, "ran": 3, "failed": []}, "missed"),
        ({"code": 0, "ran": 0, "failed": []}, "error"),
        ({"code": 1, "ran": 0, "failed": []}, "error"),
        ({"code": 2, "ran": 0, "failed": []}, "error"),
        ({"code": 4, "ran": 0, "failed": []}, "error"),
        ({"code": 5, "ran": 0, "failed": []}, "error"),
        ({"code": None}, "error"),
    ],
    ids=lambda value: str(value.get("code")) if isinstance(value, dict) else value,
)
def test_only_a_failing_test_notices_a_break(answer: dict[str, Any], outcome: str) -> None:
    assert verdict({"output": "", **answer}).outcome == outcome


def test_findings_are_read_again(tmp_path: Path) -> None:
    first, path = Journal(tmp_path / "j", "state"), tmp_path / "j"
    first[ROW], first[replace(ROW, new="x")] = NOTICED, MISSED
    with path.open("a") as file:
        file.write('{"key": "of a run that was ki')
    second = Journal(path, "state")
    assert (second[ROW], second[replace(ROW, new="x")]) == (NOTICED, MISSED)


def test_a_finding_holds_for_its_row_and_state_alone(tmp_path: Path) -> None:
    Journal(tmp_path / "j", "state")[ROW] = NOTICED
    assert ROW not in Journal(tmp_path / "j", "another")
    assert replace(ROW, tests=("tests/core/test_chat.py",)) not in Journal(tmp_path / "j", "state")


def test_errors_are_not_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", "state")
    journal[ROW] = Finding("error", "no space left")
    assert journal[ROW].outcome == "error"
    assert ROW not in Journal(tmp_path / "j", "state")


def test_the_state_leaves_out_the_rows_alone() -> None:
    files = checked_out()
    others = [name for name in files if Path(name).parts[:2] != ("tests", "mutations")]
    rows = [name for name in files if name.endswith(".toml") and name not in others]
    assert rows
    assert digest(files) == digest([name for name in files if name not in rows])
    assert digest(files) != digest(others)


def test_the_parts_are_the_whole() -> None:
    rows = range(10)
    parts = [rows[parse(["--part", f"{number}/4"]).part] for number in (1, 2, 3, 4)]
    assert sorted(row for part in parts for row in part) == list(rows)


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b"])
def test_no_such_part(text: str) -> None:
    with pytest.raises(SystemExit):
        parse(["--part", text])


def test_no_break_is_taken_for_another(tmp_path: Path) -> None:
    """Nor for the file as it was: code is compiled again when the time of change differs."""
    path = tmp_path / "module.py"
    path.write_text(OLD)
    before, times = path.stat().st_mtime_ns, set()
    for _ in range(2):
        with broken(path, ROW):
            assert path.read_text() == ROW.new
            times.add(path.stat().st_mtime)
        assert (path.read_text(), path.stat().st_mtime_ns) == (OLD, before)
    assert len(times) == 2


@pytest.mark.heavy
def test_breaks_are_tried_in_a_copy() -> None:
    """One that is noticed, one that is not, and one whose test is not there."""
    source = (ROOT / ROW.file).read_text(encoding="utf-8")
    rows = [
        ROW,
        replace(ROW, new="_DATA_PREFIX_LENGTH = 6"),
        replace(ROW, tests=(f"{ROW.tests[0]}::gone",)),
    ]
    found: dict[Break, Finding] = {}
    asyncio.run(try_all(rows, checked_out(), found.__setitem__))
    assert [found[row].outcome for row in rows] == ["noticed", "missed", "error"]
    assert (ROOT / ROW.file).read_text(encoding="utf-8") == source
