"""docs/llamaindex.md: its code runs, and each test that it names is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aimlapi_emulator import Emulator

HERE = Path(__file__).parent
TEXT = (HERE.parents[1] / "docs" / "llamaindex.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", TEXT, re.S | re.M)
EXPECTED = ["Bern", "Aare", "Rhine", "42", "name='Basel'"]
BEHAVIOUR = TEXT.partition("## How it behaves")[2]
POINTS = re.findall(r"^- .*?(?=\n-|\n\n|\Z)", BEHAVIOUR, re.S | re.M)


@pytest.mark.timeout(150)  # the frameworks take seconds to import on a busy machine
@pytest.mark.parametrize(
    ("code", "expected"), list(zip(BLOCKS, EXPECTED, strict=True)), ids=EXPECTED
)
def test_a_block_runs(code: str, expected: str, emu: Emulator) -> None:
    environment = {**os.environ, "AIMLAPI_API_KEY": "sk-x", "AIMLAPI_BASE_URL": emu.base_url}
    run = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", code],
        env={**environment, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert expected in run.stdout
    assert emu.seen
    assert all(not seen.problems for seen in emu.seen)


@pytest.mark.parametrize("point", POINTS)
def test_each_line_names_tests_that_exist(point: str) -> None:
    named = re.findall(r"(\w+)::(\w+)", point)
    assert named, point
    for module, name in named:
        code = (HERE / f"{module}.py").read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name}\(", code, re.M), f"{module}::{name}"
