"""A terminal's run becomes rows and a picture that holds all of its text."""

from __future__ import annotations

import os
import sys

import pytest

from scripts.terminal import COLUMNS, Piece, drawn, hurried, laid, recorded, shown


def test_rows_keep_their_pieces_and_wrap_at_the_last_column() -> None:
    rows = laid([Piece(0, "a"), Piece(1, "b\n\nc"), Piece(2, "d" * COLUMNS + "\n")])
    assert rows == [
        [Piece(0, "a"), Piece(1, "b")],
        [],
        [Piece(1, "c"), Piece(2, "d" * (COLUMNS - 1))],
        [Piece(2, "d")],
    ]


def test_pauses_are_cut_and_short_ones_kept() -> None:
    pieces = [Piece(9, "a"), Piece(9.25, "b"), Piece(20, "c")]
    assert hurried(pieces) == [Piece(1, "a"), Piece(1.25, "b"), Piece(2.25, "c")]


def test_a_picture_holds_the_text_as_it_was() -> None:
    text = '1. <b> & "q"\n  [tool -> 1]\n\nSørvågen'
    assert shown(drawn([Piece(0, text)], "run")) == ['1. <b> & "q"', "  [tool -> 1]", "Sørvågen"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminal")
def test_a_program_is_recorded_in_a_terminal_as_it_prints() -> None:
    program = (
        "import sys, time\n"
        "print('ø', sys.stdout.isatty(), flush=True); time.sleep(1); print('then')"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    pieces = recorded([sys.executable, "-c", program], environment)
    assert "".join(piece.text for piece in pieces) == "ø True\nthen\n"
    assert pieces[-1].at_s - pieces[0].at_s >= 0.1  # the first may be read late
    with pytest.raises(RuntimeError, match="no such thing"):
        recorded([sys.executable, "-c", "raise SystemExit('no such thing')"], environment)
