"""Compares what was streamed with the whole answer, but for white space and the format of JSON.

Two halves of a character that came in two deltas are one character in the whole answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from aimlapi_core._json_reading import loads
from aimlapi_core._values.half_characters import join_half_characters
from aimlapi_core.types import ToolCall


def same_text(one: str, other: str) -> bool:
    """Whether two texts differ in white space alone."""
    return one == other or _comparable_text(one) == _comparable_text(other)


def _comparable_text(text: str) -> str:
    return "".join(join_half_characters(text).split())


def same_calls(one: Iterable[ToolCall], other: Iterable[ToolCall]) -> bool:
    """Whether the calls have the same ids, names and arguments, in the same order."""
    return [_comparable(call) for call in one] == [_comparable(call) for call in other]


def _comparable(call: ToolCall) -> tuple[str, str, str]:
    return call.id, call.name, _normalized_json(join_half_characters(call.arguments))


def _normalized_json(arguments: str) -> str:
    try:
        return json.dumps(loads(arguments or "{}"), sort_keys=True)
    except ValueError:
        return arguments
