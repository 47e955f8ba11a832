"""docs/migration.md: its table of aliases is the code's."""

from __future__ import annotations

import re
from pathlib import Path

from langchain_aimlapi import embeddings
from langchain_aimlapi._request import build

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_of_aliases_is_whole() -> None:
    page = (DOCS / "migration.md").read_text(encoding="utf-8")
    table = page.split("<!-- aliases: begin -->")[1].split("<!-- aliases: end")[0]
    theirs = [row.split("|")[1] for row in table.strip().splitlines()[2:]]
    named = set(re.findall(r"`(\w+)`", " ".join(theirs)))
    aliases = {*build.ALIASES, *embeddings.ALIASES}
    assert named == {*aliases, "use_responses_api", "stream_options", "reasoning"}
