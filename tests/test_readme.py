"""README's code passes mypy as a user would write it, its tables are real, and its demo runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import tables
from tests.docs.blocks import blocks

ROOT = Path(__file__).parents[1]
SAMPLES = [b.text for b in blocks("README.md") if b.language == "python"]


@pytest.mark.timeout(400)  # mypy reads both frameworks the first time
def test_samples_pass_mypy_strict(tmp_path: Path) -> None:
    assert len(SAMPLES) == 4
    for number, code in enumerate(SAMPLES):
        (tmp_path / f"sample_{number}.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(ROOT / ".mypy_cache")]
    run = subprocess.run(
        [*command, "--config-file", os.devnull, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=380,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("path", "name", "make"),
    tables.TABLES,
    ids=[f"{path.name}-{name}" for path, name, _ in tables.TABLES],
)
def test_tables_are_those_of_the_code(path: Path, name: str, make: Callable[[], str]) -> None:
    text = path.read_text(encoding="utf-8")
    assert tables.updated(text, name, make()) == text, "run: python -m scripts.tables"


def test_the_demo_runs_and_says_first_whom_it_talks_to() -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AIML")}
    run = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "demo.py")],
        env={**environment, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    first, *_ = run.stdout.splitlines()
    assert "emulator" in first
    for said in (
        "Sørvågen",
        "14:05",
        "18 degrees",
        "year=1868",
        "124",
        "1986",
        "history.txt",
        "2,102,650",
    ):
        assert said in run.stdout
