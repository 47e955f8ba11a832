"""Text of others made fit for a message: without control characters, and bounded. Pure."""

from __future__ import annotations

# Joiners are part of words (Persian, Hindi) and of emoji.
_JOINERS = "\u200c\u200d"


def readable(text: str, max_chars: int) -> str:
    """`text` in one line, cut to `max_chars`, with control characters as escapes.

    Control characters are those of terminals (`\\x1b`) and those that reverse or hide text.
    """
    line = " ".join(text[: 4 * max_chars].split())
    if not line.isprintable():
        line = "".join(
            char if char.isprintable() or char in _JOINERS else ascii(char)[1:-1] for char in line
        )
    return line if len(line) <= max_chars else line[: max_chars - 1].rstrip() + "…"
