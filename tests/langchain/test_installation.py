"""The older distribution lies over ours, or took files of ours along: it is said at import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aimlapi_core._adapters.package_conflict import (
    LEGACY_FILES,
    find_conflict,
    inspect_package,
    missing_module_message,
)

ROOT = Path(__file__).parents[2]
REMEDY = (
    "pip uninstall -y langchain-aimlapi aimlapi-integrations && "
    "pip install 'aimlapi-integrations[langchain]'"
)
IMPORT = "import langchain_aimlapi; print(langchain_aimlapi.ChatAIMLAPI.__name__)"
ALONE = """
import os, sys
site = os.environ["PYTHONPATH"]
sys.path = [p for p in sys.path if p == site or not os.path.isdir(os.path.join(p, "aimlapi_core"))]
"""
ASK = """
import sys
from aimlapi_core._adapters.package_conflict import find_conflict
print(find_conflict(metadata=True))
assert 'langchain_aimlapi' not in sys.modules
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages that holds ours."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("aimlapi_core", "langchain_aimlapi"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    return tmp_path


def run(site: Path, program: str) -> str:
    """What a program prints, errors too. No other folder on its path holds our packages."""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", ALONE + program],
        cwd=site, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.heavy
def test_a_whole_installation_is_imported(site: Path) -> None:
    assert run(site, IMPORT).strip().endswith("ChatAIMLAPI")
    assert run(site, ASK).strip() == "None"


@pytest.mark.parametrize("name", LEGACY_FILES)
def test_files_of_the_older_one_stop_the_import(site: Path, name: str) -> None:
    (site / "langchain_aimlapi" / name).write_text("")
    said = run(site, IMPORT)
    assert "ImportError: " in said
    assert "holds files of the older distribution langchain-aimlapi" in said
    assert REMEDY in said


def test_a_lost_module_stops_the_import(site: Path) -> None:
    (site / "langchain_aimlapi" / "embeddings.py").unlink()
    said = run(site, IMPORT)
    assert "has lost 'langchain_aimlapi.embeddings'" in said
    assert REMEDY in said


def test_ours_under_theirs_is_told_without_importing_it(site: Path) -> None:
    for name in ("__init__.py", *LEGACY_FILES):
        (site / "langchain_aimlapi" / name).write_text("raise RuntimeError('imported')")
    said = run(site, ASK)
    assert "holds files of the older distribution" in said
    assert REMEDY in said


def test_a_package_without_its_init_is_told(site: Path) -> None:
    (site / "langchain_aimlapi" / "__init__.py").unlink()
    said = run(site, ASK)
    assert "has lost '__init__'" in said
    assert REMEDY in said


@pytest.mark.heavy
def test_the_older_ones_metadata_is_told_on_request(site: Path) -> None:
    info = site / "langchain_aimlapi-0.1.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: langchain-aimlapi\nVersion: 0.1.3")
    said = run(site, ASK)
    assert "langchain-aimlapi 0.1.3 is installed beside" in said
    assert REMEDY in said
    assert run(site, IMPORT).strip().endswith("ChatAIMLAPI")


def test_none_of_our_modules_is_taken_for_theirs() -> None:
    assert not [name for name in LEGACY_FILES if (ROOT / "langchain_aimlapi" / name).exists()]
    assert find_conflict() is None


def test_a_package_without_files_of_its_own_is_fine() -> None:
    """As a program has it that was packed into an archive."""
    assert inspect_package(["/nowhere/app.zip/langchain_aimlapi"], has_code=True) is None
    assert inspect_package([], has_code=False) == missing_module_message(
        "__init__", "langchain_aimlapi"
    )


def test_a_stand_in_for_the_package_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_aimlapi", object())  # type: ignore[arg-type]  # as mocks do
    assert find_conflict() is None
