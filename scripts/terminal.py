"""A program's run in a terminal as a picture: recorded for real, drawn as SVG that plays once.

The picture has no script and no font of its own. Where nothing is animated, or the reader wants
no motion, all of its text stands from the start; colours follow the light or dark theme.
"""

from __future__ import annotations

import codecs
import os
import struct
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple
from xml.etree import ElementTree

COLUMNS, ROWS = 104, 50
_LONGEST_PAUSE_S = 1.0
_WIDTH, _LEFT, _TOP, _LINE = 860, 20, 58, 18
_STYLE = """
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
 white-space: pre; fill: #1f2328 }
.box { fill: #f6f8fa; stroke: #d1d9e0 } .head { font-weight: 600; fill: #0550ae }
.aside { fill: #59636e }
tspan { animation: show 1ms backwards }
@keyframes show { from { fill-opacity: 0 } }
@media (prefers-reduced-motion: reduce) { tspan { animation: none } }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .box { fill: #151b23; stroke: #3d444d } .head { fill: #79c0ff }
.aside { fill: #9198a1 }
}
"""


class Piece(NamedTuple):
    """What was printed at once, and when, in seconds from the start."""

    at_s: float
    text: str


def recorded(command: Sequence[str], environment: Mapping[str, str]) -> list[Piece]:
    """Run a program in a pseudo-terminal. Raises RuntimeError where it fails; Linux and macOS."""
    import fcntl
    import pty
    import termios

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=follower, stderr=follower
    )
    os.close(follower)
    began_s, decoder = time.monotonic(), codecs.getincrementaldecoder("utf-8")()
    pieces = []
    while data := _read(leader):
        pieces.append(Piece(time.monotonic() - began_s, decoder.decode(data).replace("\r", "")))
    os.close(leader)
    if process.wait():
        raise RuntimeError("".join(piece.text for piece in pieces))
    return pieces


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65_536)
    except OSError:  # Linux tells the end of the program so
        return b""


def hurried(pieces: Iterable[Piece]) -> list[Piece]:
    """The same with no pause longer than a second, from the first piece on."""
    out: list[Piece] = []
    before_s = at_s = 0.0
    for piece in pieces:
        at_s += min(piece.at_s - before_s, _LONGEST_PAUSE_S)
        before_s = piece.at_s
        out.append(Piece(at_s, piece.text))
    return out


def laid(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """The rows of the terminal, wrapped at its last column, each in the pieces that it came in."""
    rows: list[list[Piece]] = [[]]
    for piece in pieces:
        for number, line in enumerate(piece.text.split("\n")):
            if number:
                rows.append([])
            while line:
                room = COLUMNS - sum(len(one.text) for one in rows[-1])
                if not room:
                    rows.append([])
                    continue
                rows[-1].append(Piece(piece.at_s, line[:room]))
                line = line[room:]
    while rows and not rows[-1]:
        rows.pop()
    return rows


def drawn(pieces: Iterable[Piece], title: str) -> str:
    """The picture of a run."""
    rows = laid(hurried(pieces))
    height = _TOP + _LINE * len(rows) + 10
    lines = [_row(row, _TOP + _LINE * number) for number, row in enumerate(rows) if row]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
            'xml:space="preserve" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="box" x="1" y="1" width="{_WIDTH - 2}" height="{height - 2}" rx="8"/>',
            f'<text class="aside" x="{_LEFT}" y="28">$ {escape(title)}</text>',
            *lines,
            "</svg>",
            "",
        ]
    )


def _row(row: Sequence[Piece], y: int) -> str:
    text = "".join(piece.text for piece in row)
    kind = ' class="head"' if text[:1].isdigit() else ' class="aside"' if text[:3] == "  [" else ""
    spans = [
        f'<tspan style="animation-delay:{at_s:.2f}s">{escape(said, quote=False)}</tspan>'
        for at_s, said in row
    ]
    return f'<text{kind} x="{_LEFT}" y="{y}">{"".join(spans)}</text>'


def shown(picture: str) -> list[str]:
    """The rows that a picture shows, without its title and empty ones."""
    texts = ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(text.itertext()) for text in texts][1:]
