"""Text of others made fit for a message: without control characters, and bounded. Pure."""

from __future__ import annotations

# Joiners are part of words (Persian, Hindi) and of emoji.
_JOINERS = "\u200c\u200d"


def readable_lines(text: str, max_chars: int) -> str:
    """As `readable`, but the lines of `text` stay."""
    lines = (escape_controls(line) for line in text[:max_chars].splitlines())
    return "\n".join(lines) + ("…" if len(text) > max_chars else "")


def escape_controls(line: str) -> str:
    """`line` with control characters as escapes."""
    if line.isprintable():
        return line
    return "".join(
        char if char.isprintable() or char in _JOINERS else ascii(char)[1:-1] for char in line
    )


def readable(text: str, max_chars: int) -> str:
    """`text` in one line, cut to `max_chars`, with control characters as escapes.

    Control characters are those of terminals (`\\x1b`) and those that reverse or hide text.
    """
    line = escape_controls(" ".join(text[: 4 * max_chars].split()))
    return line if len(line) <= max_chars else line[: max_chars - 1].rstrip() + "…"


def quoted(text: str, max_chars: int) -> str:
    """`text` in quotes, cut to `max_chars`, with its spaces: in an id they may be what is wrong."""
    return repr(text if len(text) <= max_chars else text[: max_chars - 1] + "…")
