"""The JSON text of a tool call's arguments."""

from __future__ import annotations

import json
from typing import Any

from aimlapi_core.errors import InvalidRequestError


def dumps_arguments(arguments: Any) -> str:
    """A tool call's arguments as JSON text. NaN and infinities become null.

    Raises InvalidRequestError for values that are not JSON serializable.
    """
    try:
        text = json.dumps(arguments, ensure_ascii=False)
        if "NaN" in text or "Infinity" in text:  # possibly only inside a string
            finite = json.loads(text, parse_constant=lambda _: None)
            text = json.dumps(finite, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise InvalidRequestError(
            f"A tool call's arguments cannot be written as JSON: {exc}"
        ) from exc
    return text
