"""docs/costs.md: its code runs, and the table is the one that it prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aimlapi_emulator import Emulator

TEXT = (Path(__file__).parents[2] / "docs" / "costs.md").read_text()
# Ids differ from run to run: of spans, of requests (UUIDs), of inferences.
IDS = re.compile(
    r"\b([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16}|[\w-]{21})(?= |$)", re.M
)
SAMPLES = re.findall(r"(?<!-->\n)```python\n(.*?)```\n(?:\n```\n(.*?)```)?", TEXT, re.S)


def numbered(text: str) -> str:
    """Each id as its number in the order in which they first appear; no blanks at line ends."""
    found = list(dict.fromkeys(IDS.findall(text)))
    lines = IDS.sub(lambda id_: f"id{found.index(id_[0])}", text).splitlines()
    return "\n".join(line.rstrip() for line in lines)


def test_there_are_samples() -> None:
    assert len(SAMPLES) == 4


def test_the_agent_run_shows_each_id_in_every_place() -> None:
    """Two spans under a third; two requests and two inferences, in span, answer and logs."""
    shown = numbered(SAMPLES[2][1])
    assert len(set(IDS.findall(SAMPLES[2][1]))) == 7
    assert [len(re.findall(rf"\bid{n}\b", shown)) for n in range(7)] == [3, 1, 3, 3, 1, 3, 3]


@pytest.mark.parametrize("at", range(4))
def test_a_sample_runs(at: int, emu: Emulator) -> None:
    code, printed = SAMPLES[at]
    environment = {**os.environ, "AIMLAPI_API_KEY": "sk-x", "AIMLAPI_BASE_URL": emu.base_url}
    run = subprocess.run(
        [sys.executable, "-W", "ignore::aimlapi_core.BudgetWarning", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    if printed:
        assert numbered(run.stdout) == numbered(printed)
    assert "sunny in Paris" in run.stdout or at != 1
    assert "The budget is reached" in run.stdout or at != 1
