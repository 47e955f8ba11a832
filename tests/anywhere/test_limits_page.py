"""docs/limits.md: its code runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aimlapi_emulator import Emulator

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M)
SAID = ["1536 numbers", "nothing of it is billed. Raise max_concurrency"]


@pytest.mark.timeout(150)  # the frameworks take seconds to import on a busy machine
@pytest.mark.parametrize(("code", "said"), list(zip(BLOCKS, SAID, strict=True)), ids=SAID)
def test_a_block_runs(code: str, said: str, emu: Emulator) -> None:
    environment = {**os.environ, "AIMLAPI_API_KEY": "sk-x", "AIMLAPI_BASE_URL": emu.base_url}
    run = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", code],
        env={**environment, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert said in run.stdout
    assert all(not seen.problems for seen in emu.seen)
