"""docs/chat_model.ipynb runs without a key, and is committed without outputs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT
from tests.docs.test_blocks import ENVIRONMENT

NOTEBOOK = ROOT / "docs" / "chat_model.ipynb"
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
SAID = [
    "no language model",
    "{'city': 'Paris'}",
    "Building(name='lighthouse', year=1868)",
    "Say hello to Bern.",
    "USD",
    "Budget: 0.5 USD",
    "image/png",
]


@pytest.mark.heavy
def test_it_runs_without_a_key(tmp_path: Path) -> None:
    """In a process of its own: the kernel talks over sockets, which pytest blocks."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.run_notebook", str(NOTEBOOK)],
        env={**ENVIRONMENT, "IPYTHONDIR": str(tmp_path), "JUPYTER_PLATFORM_DIRS": "1"},
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    printed = "\n".join(json.loads(done.stdout))
    assert [said for said in SAID if said not in printed] == []


def test_it_holds_no_outputs() -> None:
    """They would be the emulator's, and read as the service's."""
    assert [cell["outputs"] for cell in CELLS if cell.get("outputs")] == []


def test_it_has_the_parts_of_langchains_own_pages() -> None:
    text = "".join("".join(cell["source"]) + "\n" for cell in CELLS if cell["cell_type"] != "code")
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert heads[:9] == [
        "# ChatAIMLAPI",
        "## Overview",
        "### Integration details",
        "### Model features",
        "## Setup",
        "### Credentials",
        "### Installation",
        "## Instantiation",
        "## Invocation",
    ]
    assert heads[9] == "## Chaining"
    assert heads[-1] == "## API reference"


def test_its_first_code_says_whom_it_talks_to() -> None:
    first = next(cell for cell in CELLS if cell["cell_type"] == "code")
    assert "Emulator" in "".join(first["source"])
