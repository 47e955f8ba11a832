"""No request freezes the emulator or fills the memory: each of these did one or the other.

They are answered or refused in one process of their own, whose CPU time the system bounds, so that
one which a later change lets freeze again ends the process and not the tests. What is measured is
CPU time and not the wall's, so that a busy machine changes nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from aimlapi_emulator.text.patterns import longest_text, why_never_matched
from tests.emulator.freezing import CASES, MAX_CPU_S, MAX_MEMORY_MB, NESTED, SEPARATED, TIME

unix = pytest.mark.skipif(sys.platform == "win32", reason="`resource` is of Unix")


def what_is_wrong(name: str, outcome: dict[str, Any] | None) -> str | None:
    """Why an outcome is not that of its case; None if it is."""
    if outcome is None:
        return "it took more than 30 s of CPU, or ended the process"
    if outcome["cpu_s"] >= MAX_CPU_S or outcome["memory_mb"] >= MAX_MEMORY_MB:
        return f"{outcome['cpu_s']} s of CPU, {outcome['memory_mb']} MB"
    wanted, status = CASES[name].refusal, outcome["status"]
    if wanted is None or (wanted == TIME and status == 200):  # on a fast machine
        return None if status == 200 else f"status {status}: {outcome['said']}"
    is_refused = status in (400, 413) and wanted in outcome["said"]
    return None if is_refused else f"status {status} without {wanted!r}: {outcome['said']}"


# One test: each worker of pytest-xdist that has one of several would run all cases.
@pytest.mark.heavy
@unix
def test_each_ends_soon_and_in_little_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.emulator.freezing"], capture_output=True, text=True
    )
    outcomes = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    wrong = {name: why for name in CASES if (why := what_is_wrong(name, outcomes.get(name)))}
    assert wrong == {}


@pytest.mark.parametrize("pattern", NESTED)
def test_a_quantifier_inside_a_quantifier_is_never_matched(pattern: str) -> None:
    assert "quantifier inside a quantifier" in (why_never_matched(pattern) or "")
    assert longest_text(pattern) == 0


@pytest.mark.parametrize("pattern", SEPARATED)
def test_repetitions_that_cannot_be_confused_are_matched(pattern: str) -> None:
    assert why_never_matched(pattern) is None
    assert longest_text(pattern) > 10


def test_the_more_quantifiers_the_shorter_the_text_that_is_tried() -> None:
    assert [longest_text("a*" * count) for count in (0, 1, 3, 6)] == [200, 200, 47, 12]
    assert "4,000 characters" in (why_never_matched("a" * 4001) or "")
    assert why_never_matched("(") is None  # invalid: the service says so
