"""Where the output goes: colour and width, if it is a terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

_DIM, _RED, _PLAIN = "\x1b[2m", "\x1b[31m", "\x1b[0m"
_GAP = "  "


@dataclass(frozen=True)
class Terminal:
    """`is_terminal`: whether stdout is one. `has_colour`: whether stderr may be coloured."""

    is_terminal: bool
    has_colour: bool
    width: int

    @classmethod
    def of_process(cls) -> Self:
        """Of this process. No colour with NO_COLOR (no-color.org) or TERM=dumb."""
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        has_colour = not plain and sys.stderr.isatty()
        for stream in (sys.stdout, sys.stderr):
            # An answer may hold what an ASCII terminal has no form for.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        return cls(sys.stdout.isatty(), has_colour, shutil.get_terminal_size().columns)

    def note(self, text: str) -> None:
        """Print a line beside the output, to stderr."""
        print(f"{_DIM}{text}{_PLAIN}" if self.has_colour and text else text, file=sys.stderr)

    def error(self, text: str) -> None:
        """Print an error, to stderr."""
        line = f"aimlapi: {text}"
        print(f"{_RED}{line}{_PLAIN}" if self.has_colour else line, file=sys.stderr)

    def table(self, rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()) -> None:
        """Print rows as columns; those of `numbers` stand to the right. Not cut in a pipe."""
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = [
                cell.rjust(width) if at in numbers else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            line = _GAP.join(cells).rstrip()
            print(line[: self.width] if self.is_terminal else line)
