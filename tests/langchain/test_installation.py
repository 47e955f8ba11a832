"""The older distribution lies over ours, or took files of ours along: it is said at import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from aimlapi_core import Settings
from aimlapi_core._adapters.package_conflict import (
    LEGACY_FILES,
    find_conflict,
    inspect_package,
    is_within,
    missing_module_message,
)
from aimlapi_core._io import doctor

ROOT = Path(__file__).parents[2]
REMEDY = (
    "pip uninstall -y langchain-aimlapi aimlapi-integrations && "
    "pip install 'aimlapi-integrations[langchain]'"
)
PACKAGE = "langchain_aimlapi"
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
    for name in ("aimlapi_core", "langchain_aimlapi"):
        shutil.copytree(ROOT / name, tmp_path / name)
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


@pytest.mark.parametrize(
    ("lost", "program"),
    [("chat_models", IMPORT), ("embeddings", IMPORT.replace("ChatAIMLAPI", "AIMLAPIEmbeddings"))],
)
def test_a_lost_module_stops_the_import(lost: str, program: str, site: Path) -> None:
    (site / "langchain_aimlapi" / f"{lost}.py").unlink()
    said = run(site, program)
    assert f"has lost 'langchain_aimlapi.{lost}'" in said
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


FIRST_USE = """
import warnings
warnings.simplefilter("always")
from aimlapi_core import AsyncClient, Client, Settings
Client(Settings())
Client(Settings())
AsyncClient(Settings())
print("used")
"""


def overwrite(site: Path) -> None:
    """Install the older one last: its files lie over ours."""
    for name in ("__init__.py", "chat_models.py", *LEGACY_FILES):
        (site / "langchain_aimlapi" / name).write_text("")


def test_the_cores_first_use_says_it_once(site: Path) -> None:
    overwrite(site)
    said = run(site, FIRST_USE)
    assert said.count("holds files of the older distribution") == 1
    assert REMEDY in said
    assert "used" in said
    assert "<string>:" in said  # at the line of the program


def test_the_cores_first_use_says_that_files_are_lost(site: Path) -> None:
    (site / "langchain_aimlapi" / "__init__.py").unlink()
    assert "has lost '__init__'" in run(site, FIRST_USE)


@pytest.mark.heavy
def test_the_cores_first_use_of_a_whole_installation_is_silent(site: Path) -> None:
    assert run(site, FIRST_USE).strip() == "used"


@pytest.mark.parametrize("module", ["errors", "tracing"])
def test_a_module_of_ours_says_it_though_the_package_cannot(site: Path, module: str) -> None:
    overwrite(site)
    said = run(
        site, f"import langchain_aimlapi; print('silent'); import langchain_aimlapi.{module}"
    )
    assert "silent" in said  # the older one's own __init__, which is not ours
    assert "ImportError: " in said
    assert REMEDY in said


def test_llama_index_says_it_once_and_works(site: Path) -> None:
    shutil.copytree(ROOT / "llama_index_aimlapi", site / "llama_index_aimlapi")
    overwrite(site)
    said = run(
        site,
        "from llama_index_aimlapi import AIMLAPI; AIMLAPI(api_key='k').close(); print('works')",
    )
    assert said.count("UserWarning") == 1
    assert "holds files of the older distribution" in said
    assert "works" in said


@pytest.mark.parametrize(
    ("version", "bounds", "fits"),
    [
        ("1.7.0", ">=1.7,<2", True),
        ("1.8.3", ">=1.7,<2", True),
        ("1.10", ">=1.7,<2", True),
        ("0.3.86", ">=1.7,<2", False),
        ("1.6.99", ">=1.7,<2", False),
        ("2.0.0", ">=1.7,<2", False),
        ("2.0.0rc1", ">=1.7,<2", False),
        ("1.9.0.dev0+local", ">=1.7,<2", True),
        ("0.14.23.post1", ">=0.14.23,<0.15", True),
        ("0.14.22", ">=0.14.23,<0.15", False),
        ("unknown", ">=1", False),
    ],
)
def test_versions_within_bounds(version: str, bounds: str, fits: bool) -> None:
    assert is_within(version, bounds) is fits


def test_the_doctor_finds_a_version_that_is_out_of_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the older one pulls langchain-core down."""
    monkeypatch.setenv("AIMLAPI_API_KEY", "")
    monkeypatch.setenv("AIML_API_KEY", "")
    real = doctor.version
    monkeypatch.setattr(
        doctor, "version", lambda name: "0.3.86" if name == "langchain-core" else real(name)
    )
    found = {result.text: result.state for result in doctor.run_checks(Settings())}
    text = next(text for text in found if text.startswith("langchain-core"))
    assert found[text] == "wrong"
    assert "0.3.86 is installed, and >=1.7,<2 is needed" in text
    assert "pip install -U 'aimlapi-integrations[langchain]'" in text


def test_the_doctors_bounds_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [
        *project["dependencies"],
        *(line for name in ("langchain", "llama-index", "otel") for line in extras[name]),
    ]
    assert [f"{name}{bounds}" for name, (bounds, _, _) in doctor._PACKAGES.items()] == wanted
