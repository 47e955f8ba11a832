"""docs/scaling.md: its samples that need no Ray run; the others are tests of `test_runs`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from aimlapi_emulator import Emulator

TEXT = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text()
SAMPLES = re.findall(r"(?<!-->\n)```python\n(.*?)```", TEXT, re.S)


def test_a_sample_runs_without_ray(emu: Emulator) -> None:
    (code,) = SAMPLES
    environment = {**os.environ, "AIMLAPI_API_KEY": "sk-x", "AIMLAPI_BASE_URL": emu.base_url}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=55
    )
    assert run.returncode == 0, run.stderr
    assert "Name a lake in Peru." in run.stdout
