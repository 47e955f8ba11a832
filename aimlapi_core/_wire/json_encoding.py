"""Encodes request bodies as JSON bytes; an error names the value that is not serializable."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from aimlapi_core._history.half_characters import sendable_body, tool_subject
from aimlapi_core._values.plain import plain_json, plain_scalar
from aimlapi_core.errors import InvalidRequestError

_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=plain_json
)


def encode_json(body: Mapping[str, Any]) -> bytes:
    """Compact UTF-8 JSON; numbers and mappings of other types (numpy's, frozen) are plain there.

    Raises InvalidRequestError, naming the value that is not serializable.
    Halves of characters are replaced, but for those of the caller's own messages.
    """
    try:
        try:
            return _ENCODER.encode(body).encode()
        except UnicodeEncodeError:
            body = sendable_body(body)
            return _ENCODER.encode(body).encode()
    except (TypeError, ValueError, RecursionError) as exc:
        what = _unserializable_tool(body) or "The request"
        with suppress(RecursionError):
            for found in _find_unserializable(body, ""):
                raise InvalidRequestError(f"{what} cannot be written as JSON: {found}") from exc
        raise InvalidRequestError(f"{what} cannot be written as JSON: {exc}") from exc


def _unserializable_tool(body: Mapping[str, Any]) -> str | None:
    """The first tool that JSON cannot represent, by its name; None if it is none of them."""
    tools = body.get("tools")
    for index, wire in enumerate(tools if isinstance(tools, (list, tuple)) else ()):
        try:
            _ENCODER.encode(wire).encode()
        except (TypeError, ValueError, RecursionError):
            subject = tool_subject(wire, f"tools[{index}]")
            return f"{subject[0].upper()}{subject[1:]}"
    return None


def _find_unserializable(value: Any, at: str) -> Iterator[str]:
    """Descriptions of the values in `value`, found at path `at`, that JSON cannot represent."""
    value = plain_scalar(value)
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _find_unserializable(member, f"{at}.{key}" if at else str(key))
    elif isinstance(value, (list, tuple)):
        for index, member in enumerate(value):
            yield from _find_unserializable(member, f"{at}[{index}]")
    elif isinstance(value, str):
        broken = next((c for c in value if "\ud800" <= c <= "\udfff"), None)
        if broken is not None:
            yield f"{at} holds {broken!r}, half of a character, which has no bytes: take it out"
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{at} is {value!r}, which is no number there"
    elif value is not None and not isinstance(value, (bool, int, float)):
        yield f"{at} is of type {type(value).__name__}"
