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


def test_a_client_without_its_environment_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert run.main(["litellm", "Node"]) == 1
    said = capsys.readouterr().out
    assert "litellm: " in said
    assert "openai for Node: not installed: no node and npm on this machine" in said
