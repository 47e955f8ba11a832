"""One version everywhere, and nothing is released whose papers disagree."""

from __future__ import annotations

import runpy
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

import aimlapi_core
import aimlapi_emulator
import langchain_aimlapi
from scripts.release import disagreements, main

ROOT = Path(__file__).parents[2]
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-12-01\n\n### Added\n\n- Much.\n"
PROJECT: dict[str, Any] = {"urls": {"Repository": "https://example.com"}}


def test_every_package_has_the_version_of_the_one_line() -> None:
    line = runpy.run_path(str(ROOT / "aimlapi_core" / "_version.py"))["__version__"]
    assert aimlapi_core.__version__ == line
    assert langchain_aimlapi.__version__ == line
    assert aimlapi_emulator.__version__ == line
    assert metadata.version("aimlapi-integrations") == line


def test_the_changelog_begins_with_what_is_not_released() -> None:
    headings = [
        line
        for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("## ")
    ]
    assert headings[0] == "## [Unreleased]"


def test_what_agrees_may_be_released() -> None:
    assert disagreements("v1.2.3", "1.2.3", CHANGELOG, PROJECT) == []


@pytest.mark.parametrize(
    ("tag", "changelog", "project", "said"),
    [
        ("v1.2.4", CHANGELOG, PROJECT, "The tag is 'v1.2.4'"),
        ("1.2.3", CHANGELOG, PROJECT, "The tag is '1.2.3'"),
        (
            "v1.2.3",
            CHANGELOG.replace("## [1", "- A line.\n\n## [1"),
            PROJECT,
            "lines under [Unreleased]",
        ),
        ("v1.2.3", CHANGELOG.replace("1.2.3", "1.2.2"), PROJECT, "first version is 1.2.2"),
        ("v1.2.3", "## [Unreleased]\n", PROJECT, "first version is none"),
        ("v1.2.3", CHANGELOG.replace(" - 2026-12-01", ""), PROJECT, "has no date"),
        ("v1.2.3", CHANGELOG, {}, "no Repository"),
    ],
)
def test_what_disagrees_is_told(
    tag: str, changelog: str, project: dict[str, Any], said: str
) -> None:
    (found,) = disagreements(tag, "1.2.3", changelog, project)
    assert said in found


def test_the_exit_code_stops_the_workflow(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["v0.0.0-never"]) == 1
    assert "The tag is 'v0.0.0-never'" in capsys.readouterr().out
    assert main([]) == 2


def test_only_the_job_that_publishes_may_ask_for_an_identity() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    asking = {name: job.get("permissions") for name, job in workflow["jobs"].items()}
    assert asking.pop("publish") == {"id-token": "write"}
    assert set(asking.values()) == {None}
    publish = workflow["jobs"]["publish"]
    assert publish["environment"] == "pypi"
    assert not any("run" in step for step in publish["steps"])
    assert "secrets." not in text


def test_nothing_is_published_that_no_test_has_seen() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    checkout, _, *steps, upload = workflow["jobs"]["build"]["steps"]
    assert checkout["with"] == {"fetch-depth": 0}  # or main would not be there to compare with
    runs = [step["run"] for step in steps]
    assert runs == [
        "git merge-base --is-ancestor HEAD origin/main",
        "make setup PYTHON=python",
        '.venv/bin/python -m scripts.release "$GITHUB_REF_NAME"',
        "make lint types test",
        "make test-all",
        "make release-check NEWEST=1",
    ]
    assert upload["with"]["path"] == "dist/"
    told = " ".join((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split())
    assert [
        run for run in runs if f"`{run.replace('$GITHUB_REF_NAME', 'v1.2.3')}`" not in told
    ] == []
    assert workflow["jobs"]["publish"]["needs"] == "build"
