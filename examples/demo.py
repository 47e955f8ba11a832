"""Six of the examples, one after the other, streamed to the terminal (`make demo`)."""

import ast
import os
import runpy
import sys
from pathlib import Path
from typing import TextIO

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set

NAMES = (
    "langchain_agent",
    "langchain_chain",
    "langchain_structured",
    "langchain_retrieval",
    "llama_index_query",
    "llama_index_agent",
)
HEADING, ASIDE, PLAIN = "\x1b[1;34m", "\x1b[2m", "\x1b[0m"


class Coloured:
    """A terminal on which lines of the program ("  [tool -> result]") are dimmed.

    What is not dimmed are the model's words.
    """

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._starts_line = True
        self._is_aside = False

    def write(self, text: str) -> int:
        for line in text.splitlines(keepends=True):
            if self._starts_line:
                self._is_aside = line.startswith("  [")
            words = line.rstrip("\n")
            coloured = f"{ASIDE}{words}{PLAIN}" if self._is_aside and words else words
            self._terminal.write(coloured + line[len(words) :])
            self._starts_line = line.endswith("\n")
        return len(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._terminal, name)


has_colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
if has_colour:
    sys.stdout = Coloured(sys.stdout)  # it has all that print() needs
for number, name in enumerate(NAMES, 1):
    path = Path(__file__).with_name(f"{name}.py")
    title = f"{number}. {ast.get_docstring(ast.parse(path.read_text(encoding='utf-8')))}"
    print(f"\n{HEADING}{title}{PLAIN}" if has_colour else f"\n{title}", flush=True)
    runpy.run_path(str(path), run_name="__main__")
