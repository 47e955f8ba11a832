"""The wheel and the sdist hold what they should, and nothing else."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from aimlapi_core import __version__
from scripts.release_check import LEFT_OUT, extras, stray, tries
from tests.release.contents import PINNED, ROOT, Built, build, built

PACKAGES = (
    "aimlapi_cli",
    "aimlapi_core",
    "aimlapi_emulator",
    "aimlapi_ray",
    "langchain_aimlapi",
    "llama_index_aimlapi",
)
NAMESPACES = ("llama_index/llms/aimlapi", "llama_index/embeddings/aimlapi")
DEPENDENCIES = {"httpx<1,>=0.27", "pydantic<3,>=2.12"}


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return built(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def files(distribution: Built) -> dict[str, list[str]]:
    return distribution.files()


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_each_file_is_one_of_those_that_are_pinned(kind: str, files: dict[str, list[str]]) -> None:
    pinned = json.loads(PINNED.read_text(encoding="utf-8"))
    assert files[kind] == pinned[kind], "a file more or less: python -m tests.release.contents"


def test_the_wheel_holds_our_packages_alone(files: dict[str, list[str]]) -> None:
    tops = {name.split("/")[0] for name in files["wheel"]}
    assert tops == {*PACKAGES, "llama_index", "dist-info"}
    data = {"dist-info/entry_points.txt", "aimlapi_core/models/catalogue.json"}
    assert data <= set(files["wheel"])
    code = set(files["wheel"]) - data
    assert {Path(name).suffix for name in code} <= {".py", ".typed", ""}


def test_every_package_says_that_it_is_typed(files: dict[str, list[str]]) -> None:
    assert {f"{name}/py.typed" for name in (*PACKAGES, *NAMESPACES)} <= set(files["wheel"])


def test_the_namespace_stays_llamaindexs(files: dict[str, list[str]]) -> None:
    """An `__init__` of ours would hide every other package of `llama_index`."""
    found = {name for name in files["wheel"] if name.startswith("llama_index/")}
    assert {name.rpartition("/")[0] for name in found} == set(NAMESPACES)


def test_neither_holds_tests_documents_or_what_is_made_elsewhere(
    files: dict[str, list[str]],
) -> None:
    strays = {"tests", "benchmarks", "docs", "examples", "scripts", "cassettes", "__pycache__"}
    for names in files.values():
        assert not strays & {part for name in names for part in name.split("/")}


def test_the_tree_gives_the_wheel_that_the_sdist_gives(distribution: Built, tmp_path: Path) -> None:
    (straight,) = build(tmp_path, "--wheel").glob("*.whl")
    assert straight.name == distribution.wheel.name
    assert straight.read_bytes() == distribution.wheel.read_bytes()


def test_the_metadata_says_what_an_index_shows(distribution: Built) -> None:
    told = distribution.metadata()
    assert told["Name"] == "aimlapi-integrations"
    assert told["Version"] == __version__
    assert told["License-Expression"] == "MIT"
    assert told["License-File"] == "LICENSE"
    assert told["Requires-Python"] == ">=3.11"
    assert told["Description-Content-Type"] == "text/markdown"
    assert told.get_payload(decode=True) == (ROOT / "README.md").read_bytes()
    assert told.get_all("Project-URL")


def test_the_core_needs_httpx_and_pydantic_alone(distribution: Built) -> None:
    required = distribution.metadata().get_all("Requires-Dist") or []
    assert {one for one in required if "extra ==" not in one} == DEPENDENCIES


def test_the_extras_are_those_that_readme_names(distribution: Built) -> None:
    extras = set(distribution.metadata().get_all("Provides-Extra") or [])
    assert extras >= {"langchain", "llama-index", "emulator", "otel", "all"}


def test_what_is_published_is_compared_with_what_is_pinned(distribution: Built) -> None:
    assert stray(distribution.wheel.parent) == []


@pytest.mark.parametrize("name", ["notes.txt", "aimlapi_integrations-0.0.0-py3-none-any.whl"])
def test_a_file_beside_the_two_is_told(distribution: Built, tmp_path: Path, name: str) -> None:
    shutil.copytree(distribution.wheel.parent, tmp_path / "dist")
    (tmp_path / "dist" / name).touch()
    assert name in str(stray(tmp_path / "dist"))


def test_a_missing_sdist_is_told(distribution: Built, tmp_path: Path) -> None:
    shutil.copy(distribution.wheel, tmp_path)
    assert distribution.sdist.name in str(stray(tmp_path))


def test_a_file_in_the_wheel_that_is_not_pinned_is_told(
    distribution: Built, tmp_path: Path
) -> None:
    shutil.copytree(distribution.wheel.parent, tmp_path / "dist")
    with zipfile.ZipFile(tmp_path / "dist" / distribution.wheel.name, "a") as wheel:
        wheel.writestr("moon.py", "")
    (told,) = stray(tmp_path / "dist")
    assert "moon.py" in told


def test_the_wheel_is_tried_with_each_extra_and_the_sdist_once(distribution: Built) -> None:
    offered = extras(distribution.wheel)
    told = distribution.metadata().get_all("Provides-Extra") or []
    assert {*offered, *LEFT_OUT} == {"-", *told}
    assert tries(distribution, offered) == [
        *((distribution.wheel, extra) for extra in offered),
        (distribution.sdist, "-"),
    ]


def test_contributing_says_which_extra_is_left_out() -> None:
    told = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [name for name in LEFT_OUT if f"each extra but `{name}`" not in told] == []
