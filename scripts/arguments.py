"""What request parameters do, in words: the table of docs/models.md and lines of class docstrings.

The words are the `doc` of each row of `aimlapi_core.request_params`. Editors read docstrings in
the source, so `python -m scripts.tables` writes the lines there: it replaces the ones of request
parameters, adds those that are missing behind the parameter before, and leaves all others.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aimlapi_core.request_params import DEFAULTS, REQUEST_PARAMS, RequestParam

ROOT = Path(__file__).parents[1]

_PARAMS = [row for row in REQUEST_PARAMS.values() if row.scope == "model"]


def settings() -> str:
    """The parameters of constructors and calls in Markdown."""
    rows = (f"| `{row.argument}` | {_sentences(row, DEFAULTS[row.name])} |" for row in _PARAMS)
    return "\n".join(["| setting | what it does |", "|---|---|", *rows])


def with_params(text: str, cls: type[Any]) -> str:
    """The source `text` of a model class with its parameters' lines in its docstring."""
    before, begin, rest = text.partition("\n    Args:\n")
    section, end, after = rest.partition("\n\n    Raises:")
    lines = re.split(r"\n(?= {8}\w)", section)
    types = _written_types(cls)
    at = -1
    for row in (row for row in _PARAMS if row.argument in types):
        names = [line.split()[0] for line in lines]
        is_there = row.argument in names
        at = names.index(row.argument) if is_there else at + 1
        lines[at : at + is_there] = [_line(row, types[row.argument], cls)]
    return "".join([before, begin, "\n".join(lines), end, after])


def source(cls: type[Any]) -> Path:
    """The file that holds the class."""
    return Path(inspect.getfile(cls))


def model_classes() -> list[type[Any]]:
    """The classes whose docstrings have such lines. Imported late: a core alone has none."""
    from langchain_aimlapi import ChatAIMLAPI
    from llama_index_aimlapi import AIMLAPI

    return [ChatAIMLAPI, AIMLAPI]


def _line(row: RequestParam, written: str, cls: type[Any]) -> str:
    default = inspect.signature(cls).parameters[row.argument].default
    return textwrap.fill(
        f"{row.argument} ({_short_type(row, written)}): {_sentences(row, default)}",
        width=100,
        initial_indent=" " * 8,
        subsequent_indent=" " * 12,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _written_types(cls: type[Any]) -> Mapping[str, str]:
    """The types of the constructor's arguments, as the source has them."""
    typed_dict = getattr(cls, "_arguments", None)
    if typed_dict is None:
        written: Mapping[str, str] = cls.__init__.__annotations__
        return written
    return {name: ref.__forward_arg__ for name, ref in typed_dict.__annotations__.items()}


def _short_type(row: RequestParam, written: str) -> str:
    if row.choices:
        return " | ".join(f'"{choice}"' for choice in row.choices)
    if row.documented:
        return "str | None"
    return written.replace("[str, Any]", "")


def _sentences(row: RequestParam, default: object) -> str:
    words = row.doc.replace("{range}", _range(row)).replace("{values}", _listed(row))
    shown = isinstance(default, (bool, str))
    return f"{words} Default {_literal(default)}." if shown else words


def _range(row: RequestParam) -> str:
    if row.maximum is not None:
        return f"{row.minimum:g} to {row.maximum:g}"
    responses = row.responses_minimum
    return f"from {row.minimum}" + (f", on responses from {responses}" if responses else "")


def _listed(row: RequestParam) -> str:
    return " or ".join(", ".join(map(_literal, row.documented)).rsplit(", ", 1))


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
