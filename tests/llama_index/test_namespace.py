"""Where LlamaIndex's users look for the classes, and what its own integrations keep."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.base import BaseLLM

import llama_index_aimlapi
from llama_index.embeddings.aimlapi import AIMLAPIEmbedding
from llama_index.llms.aimlapi import AIMLAPI

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BUILD = PYPROJECT["tool"]["hatch"]["build"]["targets"]
LEAVES = [("llms", "AIMLAPI"), ("embeddings", "AIMLAPIEmbedding")]
PROGRAM = """
import llama_index.core, llama_index.tools.mcp
from llama_index.llms.aimlapi import AIMLAPI
from llama_index.embeddings.aimlapi import AIMLAPIEmbedding
import llama_index, llama_index.llms.aimlapi as place
assert not hasattr(llama_index, "__file__") or llama_index.__file__ is None
print(place.__file__, AIMLAPI(), AIMLAPIEmbedding())
"""


def run(*arguments: str, cwd: Path) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("kind", "name"), LEAVES)
def test_the_class_is_where_integrations_have_theirs(kind: str, name: str) -> None:
    place = importlib.import_module(f"llama_index.{kind}.aimlapi")
    assert getattr(place, name) is getattr(llama_index_aimlapi, name)
    assert place.__all__ == [name]
    assert (ROOT / "llama_index" / kind / "aimlapi" / "py.typed").exists()


@pytest.mark.parametrize("folder", ["", "llms", "embeddings"])
def test_a_shared_folder_has_no_code_of_its_own(folder: str) -> None:
    """One `__init__.py` would hide LlamaIndex itself and all its other integrations."""
    files = [path.name for path in (ROOT / "llama_index" / folder).iterdir() if path.is_file()]
    assert files == []


@pytest.mark.heavy
def test_both_names_import_beside_llamaindex_from_an_editable_install(tmp_path: Path) -> None:
    """And an installation in order warns of nothing."""
    assert str(ROOT) in run("-W", "error::UserWarning", "-c", PROGRAM, cwd=tmp_path)


@pytest.mark.heavy
def test_both_names_import_beside_llamaindex_from_a_folder_as_a_wheel_makes_it(
    tmp_path: Path,
) -> None:
    for package in BUILD["wheel"]["packages"]:
        shutil.copytree(ROOT / package, tmp_path / package)
    installed = sysconfig.get_paths()["purelib"]
    # Without site no .pth file is read, so the repository itself is not on the path.
    head = f"import sys; sys.path += [{installed!r}, {str(tmp_path)!r}]\n"
    assert str(tmp_path) in run("-S", "-c", head + PROGRAM, cwd=tmp_path)


def test_wheel_and_sdist_hold_every_package() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/py.typed")} | {"llama_index"}
    assert set(BUILD["wheel"]["packages"]) == packages
    assert {f"/{package}" for package in packages} <= set(BUILD["sdist"]["include"])


def test_llamahub_is_told_what_can_be_imported() -> None:
    hub = PYPROJECT["tool"]["llamahub"]
    place = importlib.import_module(hub["import_path"])
    assert hasattr(place, "AIMLAPI")
    assert set(hub["class_authors"]) == {name for _, name in LEAVES}
    assert hub["contains_example"] is False


@pytest.mark.parametrize(("cls", "base"), [(AIMLAPI, BaseLLM), (AIMLAPIEmbedding, BaseEmbedding)])
def test_the_base_class_is_in_the_mro_and_the_name_in_dicts(cls: Any, base: type) -> None:
    assert base.__name__ in [kind.__name__ for kind in cls.__mro__]
    made = cls(api_key="sk-x")
    written = made.to_dict()
    assert cls.class_name() == written["class_name"] == cls.__name__
    assert "api_key" not in written
    assert cls.from_dict(written).to_dict() == written


@pytest.mark.heavy
def test_two_distributions_over_one_another_are_told_and_do_no_harm_here(tmp_path: Path) -> None:
    older = tmp_path / "langchain_aimlapi"
    older.mkdir()
    for name in ("__init__.py", "llms.py"):
        (older / name).touch()
    program = (
        f"import sys, warnings; sys.path.insert(0, {str(tmp_path)!r})\n"
        "with warnings.catch_warnings(record=True) as told:\n"
        "    from llama_index.llms.aimlapi import AIMLAPI\n"
        "print(repr(AIMLAPI()), *[one.message for one in told])"
    )
    said = run("-c", program, cwd=tmp_path)
    assert "AIMLAPI(model=" in said
    assert said.count("pip uninstall -y langchain-aimlapi") == 1
