"""The JSON text of a tool call's arguments."""

from __future__ import annotations

import json
from typing import Any

from aimlapi_core._history.tool_results import HistoryWarning
from aimlapi_core._values.nearest_json import nearest_json
from aimlapi_core._values.plain import plain_json
from aimlapi_core._values.warn_once import warn_once

# `json.dumps` makes an encoder in each call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=plain_json)


def dumps_arguments(arguments: Any, name: str | None = None) -> str:
    """A tool call's arguments as JSON text, whatever a program has put into them.

    What JSON has no form for is written as what is nearest to it, see `nearest_json`; it warns once
    where something has none. `name` is the tool's, for that warning.
    """
    try:
        return _ENCODER.encode(arguments)
    except (TypeError, ValueError, RecursionError):
        found, lost = nearest_json(arguments)
    if lost:
        call = f"A call of the tool {name!r}" if name else "A tool call"
        warn_once(
            ("arguments of a call", *lost),
            f"{call} has arguments with {', '.join(lost)}, which JSON has no form for: null or "
            "a text about it is sent in its place.",
            HistoryWarning,
        )
    return json.dumps(found, ensure_ascii=False)
