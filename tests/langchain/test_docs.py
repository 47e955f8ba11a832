"""The pages on LangChain: each test that they name is there, and the aliases are the code's."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from langchain_aimlapi import embeddings
from langchain_aimlapi._request import build

DOCS = Path(__file__).parents[2] / "docs"
NAMED = sorted(
    set(re.findall(r"(test_\w+\.py)::(\w+)", (DOCS / "langchain.md").read_text(encoding="utf-8")))
)


def test_there_are_names() -> None:
    assert len(NAMED) > 50


def test_each_named_test_exists() -> None:
    existing = {
        (file, getattr(node, "name", ""))
        for file in {file for file, _ in NAMED}
        for node in ast.parse((Path(__file__).parent / file).read_text(encoding="utf-8")).body
    }
    assert set(NAMED) - existing == set()


def test_the_table_of_aliases_is_whole() -> None:
    page = (DOCS / "migration.md").read_text(encoding="utf-8")
    table = page.split("<!-- aliases: begin -->")[1].split("<!-- aliases: end")[0]
    theirs = [row.split("|")[1] for row in table.strip().splitlines()[2:]]
    named = set(re.findall(r"`(\w+)`", " ".join(theirs)))
    aliases = {*build.ALIASES, *embeddings.ALIASES}
    assert named == {*aliases, "use_responses_api", "stream_options", "reasoning"}
