"""Data files of LlamaIndex that nltk refuses to read, found without importing either."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from aimlapi_core import Settings
from aimlapi_core._adapters.package_conflict import unreadable_nltk_data
from aimlapi_core._io.doctor import run_checks

STOPWORDS = "llama_index/core/_static/nltk_cache/corpora/stopwords/english"
CODE = "llama_index/core/utils.py"
REMEDY = (
    "uv pip install --link-mode copy --reinstall-package llama-index-core llama-index-core==0.14.23"
)


def install(site: Path, name: str, version: str, *files: str) -> None:
    """What an installer leaves: the files, their list and the metadata."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    for file in files:
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_text("the\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that is installed: LlamaIndex with a data file."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    install(folder, "llama-index-core", "0.14.23", CODE, STOPWORDS)
    monkeypatch.setattr(sys, "path", [str(folder)])
    monkeypatch.delenv("NLTK_DATA", raising=False)
    return folder


def hard_link(site: Path, file: str = STOPWORDS) -> None:
    """Give a file a second name, in a cache."""
    os.link(site / file, site.parent / "cache")


@pytest.mark.parametrize("version", ["3.10.3", "3.10.10", "3.11", "4.0.0rc1"])
def test_a_hard_link_is_found(site: Path, version: str) -> None:
    install(site, "nltk", version)
    hard_link(site)
    found = unreadable_nltk_data()
    assert found is not None
    assert str(site / STOPWORDS) in found
    assert f"nltk {version} refuses" in found
    assert found.endswith(REMEDY)


def test_a_symbolic_link_is_found(site: Path) -> None:
    install(site, "nltk", "3.10.4")
    (site / STOPWORDS).replace(site.parent / "cache")
    (site / STOPWORDS).symlink_to(site.parent / "cache")
    assert str(site / STOPWORDS) in (unreadable_nltk_data() or "")


@pytest.mark.parametrize("version", ["3.9.3", "3.10", "3.10.2"])
def test_an_older_nltk_reads_a_hard_link(site: Path, version: str) -> None:
    install(site, "nltk", version)
    hard_link(site)
    assert unreadable_nltk_data() is None


def test_what_nltk_does_not_read_may_be_a_hard_link(site: Path) -> None:
    install(site, "nltk", "3.10.4")
    hard_link(site, CODE)
    assert unreadable_nltk_data() is None


def test_a_copy_is_fine(site: Path) -> None:
    install(site, "nltk", "3.10.4")
    assert unreadable_nltk_data() is None


def test_data_in_a_folder_of_the_users_own_is_fine(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, "nltk", "3.10.4")
    hard_link(site)
    monkeypatch.setenv("NLTK_DATA", str(site.parent / "data"))
    assert unreadable_nltk_data() is None


def test_without_nltk_nothing_is_refused(site: Path) -> None:
    hard_link(site)
    assert unreadable_nltk_data() is None


def test_a_file_that_is_listed_and_gone_is_passed_over(site: Path) -> None:
    install(site, "nltk", "3.10.4")
    (site / STOPWORDS).unlink()
    assert unreadable_nltk_data() is None


def test_the_doctor_says_it(site: Path) -> None:
    install(site, "nltk", "3.10.4")
    hard_link(site)
    found = [one for one in run_checks(Settings(api_key=" ")) if "nltk 3.10.4" in one.text]
    assert [one.state for one in found] == ["wrong"]
    assert REMEDY in found[0].text
