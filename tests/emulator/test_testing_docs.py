"""docs/testing.md: every block of code in it runs as it stands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(<!-- pytest -->\n)?```(\w+)\n(.*?)```", re.S)
BLOCKS = [(kind, bool(mark), code) for mark, kind, code in BLOCK.findall(PAGE)]
PYTHON = [(is_test, code) for kind, is_test, code in BLOCKS if kind == "python"]
LINES = [line for kind, _, code in BLOCKS if kind == "sh" for line in code.splitlines()]
NEEDS = {"langchain": "langchain.agents", "langchain_aimlapi": "langchain_core"}
NEEDS |= {"llama_index": "llama_index.core"}

pytestmark = pytest.mark.timeout(200)  # a new process reads a whole framework


def run(words: list[str], directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AIMLAPI_API_KEY": "", "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(
        words,
        cwd=directory,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=180,
    )


def needs(code: str) -> None:
    """Skips the test where a framework that the code uses is not installed."""
    for name, module in NEEDS.items():
        if re.search(rf"^from {name}\b", code, re.M):
            pytest.importorskip(module)


def test_every_block_is_of_a_kind_that_is_run_here() -> None:
    assert len(BLOCKS) == PAGE.count("```") / 2
    assert [kind for kind, _, _ in BLOCKS].count("text") == 1
    assert {kind for kind, _, _ in BLOCKS} == {"python", "sh", "text"}
    assert [is_test for is_test, _ in PYTHON].count(True) == 2


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_a_block_runs(number: int, tmp_path: Path) -> None:
    is_test, code = PYTHON[number]
    needs(code)
    path = tmp_path / "test_mine.py"
    path.write_text(code, encoding="utf-8")
    words = [sys.executable, "-W", "error::ResourceWarning", str(path)]
    if is_test:
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)]
    done = run(words, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not is_test or "1 passed" in done.stdout


def test_the_agent_takes_ten_lines() -> None:
    _, code = PYTHON[0]
    test = code[code.index("def test_") :]
    agent = code[code.index("def answer_to") : code.index("def test_")]
    assert len(test.splitlines()) + len(agent.strip().splitlines()) <= 10


def test_the_report_is_as_shown(tmp_path: Path) -> None:
    _, code = PYTHON[0]
    needs(code)
    path = tmp_path / "test_mine.py"
    path.write_text(code.replace('when("18 degrees"', 'when("19 degrees"'), encoding="utf-8")
    done = run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(path)], tmp_path)
    (shown,) = [code for kind, _, code in BLOCKS if kind == "text"]
    assert done.returncode == 1
    assert shown in done.stdout


def test_the_commands_run(tmp_path: Path) -> None:
    (tmp_path / "my_agent.py").write_text("import os; print(os.environ['AIMLAPI_API_KEY'])")
    (tmp_path / "test_mine.py").write_text("def test_nothing():\n    pass\n")
    commands = [shlex.split(line) for line in LINES if line.startswith("aimlapi-emulator")]
    assert len(commands) == 2
    for words in commands:
        at = words.index("--") + 1
        to_run = words[at + 1 :] if words[at] == "python" else ["-m", *words[at:]]
        words[at:] = [sys.executable, *to_run]
        done = run([sys.executable, "-m", "aimlapi_emulator", *words[1:]], tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "local" in done.stdout or "1 passed" in done.stdout


def test_the_options_for_ci_let_the_agents_run(tmp_path: Path) -> None:
    pytest.importorskip("pytest_socket")
    (line,) = [line for line in LINES if line.startswith("pytest ")]
    for number, (is_test, code) in enumerate(PYTHON):
        if is_test:
            needs(code)
            (tmp_path / f"test_{number}.py").write_text(code, encoding="utf-8")
    words = [sys.executable, "-m", *shlex.split(line), "-p", "no:cacheprovider"]
    done = run(words, tmp_path)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
