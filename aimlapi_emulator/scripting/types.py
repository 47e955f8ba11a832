"""Types of the arguments of a scripted rule, and its error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aimlapi_emulator.scripting.request_view import RequestView

Condition = str | re.Pattern[str] | Callable[[RequestView], object]
Text = str | Callable[[RequestView], str]
JSONObject = Mapping[str, Any] | Callable[[RequestView], Mapping[str, Any]]
Arguments = Mapping[str, Any] | str | Callable[[RequestView], Mapping[str, Any] | str]
ToolCalls = Sequence[tuple[str, Arguments | None]]


class RuleError(ValueError):
    """A rule that is invalid, or not allowed by a request; the message says why."""


def is_json_object(value: Any) -> bool:
    """Whether it is a dict that can be encoded as JSON."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return isinstance(value, dict)
