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
SAMPLES = re.findall(r"(?<!-->\n)```python\n(.*?)```\n(?:\n```\n(.*?)```)?", TEXT, re.S)


def test_there_are_samples() -> None:
    assert len(SAMPLES) == 3


@pytest.mark.parametrize("at", range(3))
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
        assert run.stdout == printed
    assert "sunny in Paris" in run.stdout or at != 1
    assert "The budget is reached" in run.stdout or at != 1
