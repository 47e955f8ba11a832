"""Compares what was streamed with the whole answer, but for white space and the format of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable

from aimlapi_core._json_reading import loads
from aimlapi_core.types import ToolCall


def same_text(one: str, other: str) -> bool:
    """Whether two texts differ in white space alone."""
    return one == other or "".join(one.split()) == "".join(other.split())


def same_calls(one: Iterable[ToolCall], other: Iterable[ToolCall]) -> bool:
    """Whether the calls have the same ids, names and arguments, in the same order."""
    return [_comparable(call) for call in one] == [_comparable(call) for call in other]


def _comparable(call: ToolCall) -> tuple[str, str, str]:
    return call.id, call.name, _normalized_json(call.arguments)


def _normalized_json(arguments: str) -> str:
    try:
        return json.dumps(loads(arguments or "{}"), sort_keys=True)
    except ValueError:
        return arguments
