"""The JSON text of a tool call's arguments."""

from __future__ import annotations

import json
from datetime import date, time
from typing import Any
from uuid import UUID

from aimlapi_core._values.plain import plain_json
from aimlapi_core.errors import InvalidRequestError


def dumps_arguments(arguments: Any) -> str:
    """A tool call's arguments as JSON text.

    NaN and infinities become null, numbers of numpy and the like Python's own, dates, times and
    UUIDs their text: a program may have put them into a history.

    Raises InvalidRequestError for values that are not JSON serializable.
    """
    try:
        text = json.dumps(arguments, ensure_ascii=False, default=_json_value)
        if "NaN" in text or "Infinity" in text:  # possibly only inside a string
            finite = json.loads(text, parse_constant=lambda _: None)
            text = json.dumps(finite, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise InvalidRequestError(
            f"A tool call's arguments cannot be written as JSON: {exc}"
        ) from exc
    return text


def _json_value(value: Any) -> Any:
    return str(value) if isinstance(value, (date, time, UUID)) else plain_json(value)
