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


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict[str, Any]]:
    """What became of each case, by its name."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.emulator.freezing"], capture_output=True, text=True
    )
    return {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}


@unix
@pytest.mark.parametrize("name", CASES)
def test_it_ends_soon_and_in_little_memory(outcomes: dict[str, Any], name: str) -> None:
    assert name in outcomes, "it took more than 30 s of CPU, or ended the process"
    outcome = outcomes[name]
    assert outcome["cpu_s"] < MAX_CPU_S
    assert outcome["memory_mb"] < MAX_MEMORY_MB
    wanted = CASES[name].refusal
    if wanted is None or (wanted == TIME and outcome["status"] == 200):  # on a fast machine
        assert outcome["status"] == 200
    else:
        assert outcome["status"] in (400, 413)
        assert wanted in outcome["said"]


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
