"""docs/testing.md: its report, its commands, and how short a test is.

Its programs and files of tests run with those of all pages.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from aimlapi_emulator import Emulator
from aimlapi_emulator.scripting.rules_file import RulesFile
from tests.docs.blocks import blocks
from tests.docs.test_blocks import programs, run

PAGE = "docs/testing.md"
AGENT = programs(PAGE, "pytest")[0][1]


def test_the_agent_takes_ten_lines() -> None:
    test = AGENT[AGENT.index("def test_") :]
    agent = AGENT[AGENT.index("def answer_to") : AGENT.index("def test_")]
    assert len(test.splitlines()) + len(agent.strip().splitlines()) <= 10


def test_the_report_is_as_shown() -> None:
    failing = AGENT.replace('when("18 degrees"', 'when("19 degrees"')
    ((result,), _) = run([], [(PAGE, failing, [])])
    (shown,) = [b.text for b in blocks(PAGE) if b.language == "text" and b.mark != "output"]
    assert result["exit_code"] == 1
    assert shown in result["printed"]


def test_the_rules_of_a_file_are_rules(tmp_path: Path) -> None:
    (shown,) = [block.text for block in blocks(PAGE) if block.language == "yaml"]
    path = tmp_path / "rules.yaml"
    path.write_text(shown)
    assert len(RulesFile(path).rules()) == 3


AGENT_SCRIPT = """
import os, httpx
body = {"model": "openai/gpt-5-2", "messages": [{"role": "user", "content": "Hello"}]}
key = {"Authorization": "Bearer " + os.environ["AIMLAPI_API_KEY"]}
answer = httpx.post(os.environ["AIMLAPI_BASE_URL"] + "/chat/completions", json=body, headers=key)
print(os.environ["AIMLAPI_API_KEY"], answer.status_code)
"""


def test_the_commands_run(tmp_path: Path, emu: Emulator) -> None:
    (tmp_path / "my_agent.py").write_text(AGENT_SCRIPT)
    (tmp_path / "test_mine.py").write_text("def test_nothing():\n    pass\n")
    lines = [line for b in blocks(PAGE) if b.language == "sh" for line in b.text.splitlines()]
    commands = [shlex.split(line) for line in lines if line.startswith("aimlapi-emulator")]
    assert len(commands) == 4
    for words in commands:
        at = words.index("--") + 1
        to_run = words[at + 1 :] if words[at] == "python" else ["-m", *words[at:]]
        words[at:] = [sys.executable, *to_run]
        upstream = ["--upstream", emu.base_url] if "--record" in words else []
        done = subprocess.run(
            [sys.executable, "-m", "aimlapi_emulator", *upstream, *words[1:]],
            cwd=tmp_path,
            env={
                **os.environ,
                "AIMLAPI_API_KEY": "sk-mine" if upstream else "",
                "PYTHONIOENCODING": "utf-8",
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            },
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "local 200" in done.stdout or "1 passed" in done.stdout
    assert len(list((tmp_path / "cassettes").iterdir())) == 1
