"""The kept outcome of `make clients`: complete, current in the docs, without a failure in `live`.

The clients themselves run in `make clients` alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients import run
from tests.clients.run import CLIENTS, LATEST, ROOT, Client

REPORT: dict[str, Any] = json.loads(LATEST.read_text(encoding="utf-8"))


def test_each_client_has_its_row() -> None:
    assert set(REPORT) == {client.name for client in CLIENTS}
    assert run.table() in (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_no_check_failed_against_the_neighbour_of_the_service(client: Client) -> None:
    found = REPORT[client.name]
    assert found["live"]["failed"] == {}
    assert found["live"]["checks"] >= 5
    assert set(found["versions"]) == set(client.packages)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_what_strict_refuses_has_a_reason(client: Client) -> None:
    found = REPORT[client.name]["strict"]
    assert bool(found["failed"]) == bool(found["refused"])


def test_versions_are_those_that_are_pinned() -> None:
    package = json.loads((ROOT / "tests" / "clients" / "package.json").read_text())
    pinned = dict(package["dependencies"])
    for client in CLIENTS:
        if client.environment != "node":
            text = (ROOT / "constraints" / f"clients-{client.environment}.txt").read_text()
            pinned = dict(line.split("==") for line in text.splitlines() if "==" in line)
        wanted = {name: pinned[name] for name in client.packages}
        assert REPORT[client.name]["versions"] == wanted
        pinned = dict(package["dependencies"])


def test_a_program_reports_each_check(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from checks import run\n"
        "def well(): pass\n"
        "async def badly(): raise ValueError('no')\n"
        "print('noise')\n"
        "run(well, badly)\n"
    )
    client = Client("mine", "", (), (str(program),))
    environment = {"PYTHONPATH": str(run.PROGRAMS), "AIMLAPI_BASE_URL": "", "AIMLAPI_API_KEY": ""}
    done = subprocess.run(
        [sys.executable, *client.program], env=environment, capture_output=True, text=True
    )
    rows = [row for row in map(run._row, done.stdout.splitlines()) if row is not None]
    assert rows == [
        {"check": "well", "error": None},
        {"check": "badly", "error": "ValueError: no"},
    ]


@pytest.fixture
def latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what is kept, which the test may overwrite."""
    copy = tmp_path / "latest.json"
    copy.write_text(LATEST.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(run, "LATEST", copy)
    return copy


def test_a_client_that_cannot_be_run_stops_no_other(
    latest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def outcome(client: Client, schema: str) -> run.Outcome:
        if client.name == "litellm":
            raise ValueError("it broke")
        return run.Outcome(checks=7)

    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("subprocess.run", lambda words, **_: subprocess.CompletedProcess(words, 0))
    monkeypatch.setattr(run, "outcome", outcome)
    monkeypatch.setattr(run, "versions", lambda client: dict.fromkeys(client.packages, "1"))
    assert run.main([]) == 1
    said = capsys.readouterr().out
    assert "openai for Node: not run: there is no node and no npm on this machine" in said
    assert "litellm: not run: it broke" in said
    report = json.loads(latest.read_text(encoding="utf-8"))
    assert report["openai-agents"]["live"]["checks"] == 7
    assert report["openai for Node"] == REPORT["openai for Node"]
    assert report["litellm"] == REPORT["litellm"]


def test_an_environment_that_cannot_be_made_is_tried_once_and_reported(
    latest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried: list[list[str]] = []

    def fail(words: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        tried.append(words)
        return subprocess.CompletedProcess(words, 1)

    monkeypatch.setattr("subprocess.run", fail)
    assert run.main(["pydantic-ai", "openai-agents"]) == 1
    assert len(tried) == 1
    said = capsys.readouterr().out
    for name in ("pydantic-ai", "openai-agents"):
        assert f"{name}: not run: {' '.join(tried[0])} failed" in said
    assert json.loads(latest.read_text(encoding="utf-8")) == REPORT


def test_a_name_of_no_client_says_which_there_are(
    latest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["nobody"]) == 1
    assert "there are: openai-python 3, " in capsys.readouterr().out


def test_a_program_that_does_not_end_keeps_what_it_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(words: list[str], **how: Any) -> None:
        raise subprocess.TimeoutExpired(words, how["timeout"], output=b"here\n")

    with monkeypatch.context() as patch:
        patch.setattr("subprocess.run", never)
        assert run._printed(["x"], {}) == ("here\n", "not done in 300 s")
    failed = run._printed([sys.executable, "-c", "raise SystemExit('no key')"], {})
    assert failed == ("", "no key\n")
