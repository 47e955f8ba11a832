"""Parts of pages that are written from code, between `<!-- name: begin -->` and its end."""

from __future__ import annotations


def updated(text: str, name: str, part: str) -> str:
    """`text` with the part of that name as it is now."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = text.split(begin)
    return f"{before}{begin}\n{part}\n{end}{rest.split(end)[1]}"
