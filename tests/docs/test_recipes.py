"""The recipes: those that need packages of others run in `make test-all`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimlapi_emulator import Emulator
from tests.docs.blocks import PAGES, ROOT, Block, blocks
from tests.docs.collector import Collector, collecting
from tests.docs.test_blocks import ENVIRONMENT, faults, run

KEY = "sk-of-no-account"  # as tests.docs.run_programs sets it
FOREIGN = [
    pytest.param(block, id=block.name)
    for page in PAGES
    for block in blocks(page)
    if block.mark.startswith("heavy: ")
]
# What a page must answer by the search of the built site.
WORDS = ["vision", "caching", "dotenv", "logging", "jupyter", "langfuse", "deepagents", "fastapi"]


def sent_to(tool: str, url: str) -> dict[str, str]:
    """The environment in which this tool sends to the collector."""
    return {
        "langsmith": {
            "LANGSMITH_TRACING": "true",
            "LANGSMITH_API_KEY": "of-no-account",
            "LANGSMITH_ENDPOINT": url,
        },
        "langfuse": {
            "LANGFUSE_PUBLIC_KEY": "pk-lf-of-no-account",
            "LANGFUSE_SECRET_KEY": "sk-lf-of-no-account",
            "LANGFUSE_BASE_URL": url,
        },
        "openinference": {"OTEL_EXPORTER_OTLP_ENDPOINT": url},
        "pandas": {"MPLBACKEND": "agg"},
    }.get(tool, {})


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


def test_there_are_such_recipes() -> None:
    tools = {param.values[0].mark.partition(" ")[2] for param in FOREIGN}
    assert tools >= {"deepagents", "fastapi", "langfuse", "langsmith", "openinference"}


def test_each_package_of_a_recipe_is_installed_by_test_all() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    heavy = project.split("\nheavy = [")[1].split("\n]")[0]
    for block in (param.values[0] for param in FOREIGN):
        for package in block.mark.removeprefix("heavy: ").split(", "):
            assert package in (*re.findall(r'"([a-z]+)', heavy), "langsmith"), package


@pytest.mark.heavy
@pytest.mark.parametrize("block", FOREIGN)
def test_a_recipe_with_packages_of_others_runs(block: Block, collector: Collector) -> None:
    tool = block.mark.removeprefix("heavy: ").partition(",")[0]
    pytest.importorskip(tool)
    results, stderr = run([(block.name, block.text)], [], sent_to(tool, collector.url))
    assert list(faults(results[0])) == [], stderr
    sent = b"".join(body for _, _, body in collector.received)
    if block.name.startswith("docs/observability.md"):
        assert b"gpt-5-2" in sent
        assert b"Name a lake" in sent
    assert KEY.encode() not in sent


def test_the_key_comes_from_a_env_file(tmp_path: Path) -> None:
    """As in docs/recipes.md, with the file beside the program."""
    (program,) = (one for one in blocks("docs/recipes.md") if "load_dotenv" in one.text)
    (tmp_path / "program.py").write_text(program.text, encoding="utf-8")
    with Emulator() as emulator:
        lines = f"AIMLAPI_API_KEY='{KEY}'\nAIMLAPI_BASE_URL={emulator.base_url}\n"
        (tmp_path / ".env").write_text(lines, encoding="utf-8")
        path = os.pathsep.join([str(ROOT), ENVIRONMENT.get("PYTHONPATH", "")])
        subprocess.run(
            [sys.executable, "program.py"],
            cwd=tmp_path,
            env={**ENVIRONMENT, "PYTHONPATH": path},
            check=True,
        )
        (request,) = emulator.requests
    assert request.headers["authorization"].endswith(KEY[-4:])  # the emulator keeps no more of it


@pytest.mark.parametrize("word", WORDS)
def test_a_word_that_users_look_for_is_in_a_page(word: str) -> None:
    """In a heading, a table or a sentence, not only in a program: the search ranks those first."""
    texts = (re.sub(r"^```.*?^```", "", text, flags=re.S | re.M) for text in PAGES.values())
    assert any(re.search(rf"\b{word}\b", text, re.I) for text in texts)
