"""List the examples, or run one: `python -m scripts.examples [NAME]`. 2 for a name of none."""

from __future__ import annotations

import ast
import os
import sys
from difflib import get_close_matches
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "examples"


def described() -> dict[str, str]:
    """The first line of each program's docstring, by the program's name."""
    return {
        path.stem: (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n")[0]
        for path in sorted(FOLDER.glob("[!_]*.py"))
    }


def table() -> str:
    """The list in Markdown."""
    rows = [
        f"| [`{name}`]({name}.py) | {told.replace('|', chr(92) + '|')} |"
        for name, told in described().items()
    ]
    return "\n".join(["| NAME | what it shows |\n|---|---|", *rows])


def main(arguments: list[str]) -> int:
    """The exit code, unless an example takes the place of this program."""
    programs = described()
    if not arguments:
        width = max(map(len, programs))
        print("\n".join(f"{name:{width}}  {told}" for name, told in programs.items()))
        print("\nRun one by: make example NAME=langchain_chain")
        return 0
    name = Path(arguments[0]).stem
    if name not in programs:
        nearest = get_close_matches(name, programs, 1)
        meant = f" Did you mean {nearest[0]}?" if nearest else ""
        print(f"There is no example {name!r}.{meant} `make example` lists them.", file=sys.stderr)
        return 2
    path = str(FOLDER / f"{name}.py")
    os.execv(sys.executable, [sys.executable, path, *arguments[1:]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
