"""The pages on LangChain: each code block runs, and each test that they name is there."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aimlapi_emulator import Emulator
from langchain_aimlapi import _connection, _request, embeddings

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / "docs" / name).read_text() for name in ("langchain.md", "migration.md")}
BLOCKS = [
    pytest.param(code, id=f"{name}-{number}")
    for name, text in PAGES.items()
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", text, re.S), start=1)
]
NAMED = sorted(set(re.findall(r"\[(test_\w+\.py)::(\w+)\]", PAGES["langchain.md"])))
# What a block prints, by a word that only it holds.
SAID = {
    "Name a lighthouse.": "'total_tokens'",
    "class Report": "city='Oslo' degrees=18",
    "class Person": "name='Ann' age=30",
    "init_chat_model": "Hello",
    "saved = dumps": "openai/gpt-5-2-pro",
    "AimlapiEmbeddings": "1536 numbers",
    "openai_api_base=": "Sørvågen",
    "temprature": "extra_body={'frequency_penalty': …}",
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("code", BLOCKS)
def test_blocks_run(code: str, emu: Emulator) -> None:
    environment = {**os.environ, "AIMLAPI_API_KEY": "sk-x", "AIMLAPI_BASE_URL": emu.base_url}
    run = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", code],
        env={**environment, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=110,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    (said,) = {said for word, said in SAID.items() if word in code}
    assert said in run.stdout
    assert [seen.problems for seen in emu.seen if seen.problems] == []


def test_there_are_blocks_and_names() -> None:
    assert len(BLOCKS) == len(SAID)
    assert len(NAMED) > 50


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_named_test_exists(file: str, name: str) -> None:
    tree = ast.parse((Path(__file__).parent / file).read_text(encoding="utf-8"))
    assert name in {getattr(node, "name", None) for node in tree.body}


def test_the_table_of_aliases_is_whole() -> None:
    table = PAGES["migration.md"].split("<!-- aliases: begin -->")[1].split("<!-- aliases: end")[0]
    theirs = [row.split("|")[1] for row in table.strip().splitlines()[2:]]
    named = set(re.findall(r"`(\w+)`", " ".join(theirs)))
    aliases = {*_connection.ALIASES, *_request.ALIASES, *embeddings.ALIASES}
    assert named == {*aliases, "use_responses_api", "reasoning"}
