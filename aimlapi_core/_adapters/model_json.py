"""The JSON that a model wrote as its answer, as text to validate."""

from __future__ import annotations

import json
import re
from typing import Any

from aimlapi_core._json_reading import loads_written
from aimlapi_core._values.half_characters import split_json_text

# GPT-5.2 writes none around structured output; other models of the service do.
_FENCE = re.compile(r"```[\w.+-]*[^\S\n]*\n?")
_DECODER = json.JSONDecoder(strict=False)


def loads_output(text: str) -> Any:
    """Parse JSON that a model wrote; see `json_text`. Raises ValueError, also for NaN.

    Raw control characters in strings are accepted, and a name twice in an object is refused, as
    in the arguments of a tool call.
    """
    return loads_written(json_text(text))


def json_text(text: str) -> str:
    """The JSON in a model's text, whole or partial, without byte order mark and code fence.

    What is before and behind a fence is left out, where the text does not begin with JSON. Half of
    a character, as an escape, is U+FFFD.
    """
    if "\\u" in text:
        text, _ = split_json_text(text)  # of a partial one, an escape at its end may go on
    text = text.lstrip("\ufeff \t\r\n")
    if text[:1] in ("{", "[", ""):
        return text
    fence = _FENCE.search(text)
    if fence is None:
        return text
    start = fence.end()
    try:  # not up to the next fence: a string may hold one
        _, end = _DECODER.raw_decode(text, len(text) - len(text[start:].lstrip()))
    except (ValueError, RecursionError):
        return text[start:].rstrip().removesuffix("```")
    return text[start:end]
