"""Encodes request bodies as JSON bytes; an error names the value that is not serializable."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from itertools import groupby
from typing import Any, TypeAlias

from aimlapi_core._history.half_characters import sendable_body, tool_subject
from aimlapi_core._values.media import (
    MediaData,
    base64_length,
    base64_pieces,
    data_url_head,
    is_whole_base64,
)
from aimlapi_core._values.plain import plain_json, plain_scalar
from aimlapi_core.errors import InvalidRequestError


def _default(value: Any) -> Any:
    if not isinstance(value, MediaData):
        return plain_json(value)
    if isinstance(value.data, bytes) and not is_whole_base64(value):
        raise TypeError("the data is not base64")
    return str(value)


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_default
)

# From this many characters on, as of images and documents, a text is written by itself.
LONG_TEXT = 16_384
_SLICE = 16_384
_PLAIN = re.compile(r"[ !#-\[\]-~]*")  # ASCII that stands in a JSON string as it is
_HISTORIES = ("messages", "input")


def encode_json(body: Mapping[str, Any]) -> bytes:
    """Compact UTF-8 JSON; numbers and mappings of other types (numpy's, frozen) are plain there.

    Raises InvalidRequestError, naming the value that is not serializable.
    Halves of characters are replaced, but for those of the caller's own messages.
    """
    try:
        try:
            return _encode(body)
        except UnicodeEncodeError:
            body = sendable_body(body)
            return _encode(body)
    except (TypeError, ValueError, RecursionError) as exc:
        what = _unserializable_tool(body) or "The request"
        with suppress(RecursionError):
            for found in _find_unserializable(body, ""):
                raise InvalidRequestError(f"{what} cannot be written as JSON: {found}") from exc
        raise InvalidRequestError(f"{what} cannot be written as JSON: {exc}") from exc


def _encode(body: Mapping[str, Any]) -> bytes:
    if holds_long_texts(body):
        return _encode_in_pieces(body)
    return _ENCODER.encode(body).encode()


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
    value = value if isinstance(value, MediaData) else plain_scalar(value)
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
    elif isinstance(value, MediaData):
        if not is_whole_base64(value):
            yield f"{at} holds data that is not base64"
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{at} is {value!r}, which is no number there"
    elif value is not None and not isinstance(value, (bool, int, float)):
        yield f"{at} is of type {type(value).__name__}"


def holds_long_texts(body: Mapping[str, Any]) -> bool:
    """Whether a message of the conversation has a part with a long text, or with media."""
    for name in _HISTORIES:
        messages = body.get(name)
        for message in messages if type(messages) is list else ():
            content = message.get("content") if type(message) is dict else None
            if type(content) is list and _is_long(content):
                return True
    return False


def _is_long(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return len(value) >= LONG_TEXT
    if kind is dict:
        return any(map(_is_long, value.values()))
    return kind is MediaData or (kind is list and any(map(_is_long, value)))


def _encode_in_pieces(body: Mapping[str, Any]) -> bytes:
    """As `_ENCODER.encode(body).encode()`, but what is long is copied once, into the bytes."""
    pieces = list(_pieces(dict(body)))
    out = BytesIO()
    out.seek(sum(map(_size, pieces)) - 1)
    out.write(b"}")  # allocated at once: a buffer that grows is larger than what it holds
    out.seek(0)
    for piece in pieces:
        out.writelines(_written(piece))
    return out.getvalue()


# JSON; a long text or media that are written as they are; members of a list that are not long,
# which are encoded twice: for their size, and when there is room for them.
_Piece: TypeAlias = bytes | str | MediaData | list[Any]


def _size(piece: _Piece) -> int:
    if isinstance(piece, MediaData):
        return base64_length(piece)
    return len(piece) if not isinstance(piece, list) else sum(map(len, _written(piece)))


def _written(piece: _Piece) -> Iterable[bytes]:
    if isinstance(piece, bytes):
        return (piece,)
    if isinstance(piece, MediaData):
        return base64_pieces(piece)
    if isinstance(piece, str):
        return (piece[at : at + _SLICE].encode() for at in range(0, len(piece), _SLICE))
    return (_ENCODER.encode(piece)[1:-1].encode(),)


def _pieces(value: Any) -> Iterator[_Piece]:
    """The JSON of `value` in pieces."""
    kind = type(value)
    if kind is str and len(value) >= LONG_TEXT and _PLAIN.fullmatch(value):
        yield b'"'
        yield value
        yield b'"'
    elif kind is MediaData and is_whole_base64(value):
        yield _ENCODER.encode(data_url_head(value))[:-1].encode()
        yield value
        yield b'"'
    elif kind is list and _is_long(value):
        before = b"["
        for is_long, members in groupby(value, _is_long):
            for member in members if is_long else ():
                yield before
                yield from _pieces(member)
                before = b","
            if not is_long:
                yield before
                yield [*members]
                before = b","
        yield b"]"
    elif kind is dict and _is_long(value) and all(type(name) is str for name in value):
        for at, (name, member) in enumerate(value.items()):
            yield f"{',' if at else '{'}{_ENCODER.encode(name)}:".encode()
            yield from _pieces(member)
        yield b"}"
    else:
        yield _ENCODER.encode(value).encode()
