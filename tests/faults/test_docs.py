"""docs/faults.md: every block of code in it runs, and its table is the fields' own."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import httpx
import pytest

from aimlapi_emulator import Fault
from scripts import tables

PAGE = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"## ([^\n]+)\n(?:(?!\n## ).)*?```(\w+)\n(.*?)```", PAGE, re.S)
PYTHON = {title: code for title, kind, code in BLOCKS if kind == "python"}


def test_every_block_is_run_here() -> None:
    assert [(title, kind) for title, kind, _ in BLOCKS] == [
        ("In a test", "python"),
        ("Several at once", "python"),
        ("Faults that cannot be", "python"),
        ("In a prompt", "python"),
        ("From the command line", "sh"),
    ]
    assert len(BLOCKS) == PAGE.count("```") / 2


@pytest.mark.parametrize("title", [title for title in PYTHON if title != "In a test"])
def test_a_script_runs(title: str) -> None:
    exec(compile(PYTHON[title], f"docs/faults.md: {title}", "exec"), {})


def test_the_test_file_passes(tmp_path: Path) -> None:
    path = tmp_path / "test_mine.py"
    path.write_text(PYTHON["In a test"], encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=50)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_the_command_line_makes_its_faults() -> None:
    ((_, _, line),) = (block for block in BLOCKS if block[1] == "sh")
    words = [sys.executable, *shlex.split(line)[1:]]
    words[words.index("--port") + 1] = "0"
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+/v1", server.stdout.readline())
            assert found is not None
            body = {"model": "openai/gpt-5-2", "messages": [{"role": "user", "content": "Hi"}]}
            with httpx.Client(
                base_url=found[0], headers={"Authorization": "Bearer x"}, timeout=20, verify=False
            ) as client:
                path = "/chat/completions"
                answers = [client.post(path, json=body) for _ in range(2)]
                assert [(a.status_code, a.headers["retry-after"]) for a in answers] == [
                    (429, "1")
                ] * 2
                with pytest.raises(httpx.RemoteProtocolError):
                    client.post(path, json={**body, "stream": True})
                assert client.post(path, json=body).status_code == 200
        finally:
            server.terminate()


def test_the_table_holds_every_field() -> None:
    path, name, make = tables.FAULT_FIELDS
    assert tables.updated(PAGE, name, make()) == PAGE, "run: python -m scripts.tables"
    rows = re.findall(r"^\| `(\w+)` \|", make(), re.M)
    assert rows == [field.name for field in fields(Fault)]
    assert path.name == "faults.md"
