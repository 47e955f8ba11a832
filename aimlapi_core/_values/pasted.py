"""Undoes what copying leaves around a key or a URL: quotes, blanks, the words of a header. Pure."""

from __future__ import annotations

import re

# In pairs. Docker's `--env-file` keeps the quotes of a value.
_QUOTES = frozenset(('""', "''", "``", "“”", "‘’", "<>"))
_BLANKS = " \t\r\n\v\f\xa0\u200b\ufeff"
_VARIABLE = re.compile(r"^(?:export\s+)?AIML(?:API)?_(?:API_)?KEY\s*=\s*")  # a line of a .env file
_HEADER = re.compile(r"(?:authorization\s*:\s*)?(?:bearer(?:\s+|$))+", re.I)


def unquoted(text: str) -> str:
    """`text` without blanks and pairs of quotes around it."""
    text = text.strip(_BLANKS)
    while len(text) > 1 and text[0] + text[-1] in _QUOTES:
        text = text[1:-1].strip(_BLANKS)
    return text


def pasted_key(text: str) -> str:
    """A key without what belongs to the place that it was copied from: `Bearer `, quotes."""
    text = unquoted(_VARIABLE.sub("", unquoted(text), count=1))
    return unquoted(_HEADER.sub("", text, count=1)) if _HEADER.match(text) else text
