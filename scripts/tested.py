"""The claims of docs/tested.md, each with the tests that show it.

They are kept in tests/claims/, a file for each framework. `python -m scripts.tables` writes the
page.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[1]
CLAIMS = ROOT / "tests" / "claims"


@dataclass(frozen=True)
class Claim:
    """One claim in Markdown. `tests` are paths below the root of the project, with the name."""

    section: str
    text: str
    tests: tuple[str, ...]


@cache
def claims(name: str) -> tuple[Claim, ...]:
    """The claims of tests/claims/{name}.toml, in order."""
    data = tomllib.loads((CLAIMS / f"{name}.toml").read_text(encoding="utf-8"))
    return tuple(
        Claim(
            row["section"],
            row["claim"].strip(),
            tuple(f"{data['folder']}/{test}" for test in row["tests"]),
        )
        for row in data["claims"]
    )


def table(name: str) -> str:
    """The claims as lists in Markdown, a heading for each section."""
    parts = []
    for section, rows in groupby(claims(name), key=lambda claim: claim.section):
        parts.append(f"### {section}\n\n" + "\n".join(map(_item, rows)))
    return "\n\n".join(parts)


def _item(claim: Claim) -> str:
    text = claim.text.replace("\n", "\n  ")
    shown = "\n".join(f"    - `{test.rpartition('/')[2]}`" for test in claim.tests)
    return f"- {text}\n{shown}"
