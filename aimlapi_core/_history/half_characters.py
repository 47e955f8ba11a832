"""Halves of characters (lone surrogates), which have no bytes and cannot be sent. Pure.

They come from texts of PDFs and from programs that cut texts by UTF-16. In the caller's own message
they are an error; tools and their schemas, models and documents cannot be corrected by the one who
calls, and must not end a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aimlapi_core._values.half_characters import (
    join_half_characters,
    replace_half_characters,
)
from aimlapi_core._values.warn_once import warn_once


class ReplacedCharacterWarning(UserWarning):
    """Half of a character in a text was sent as U+FFFD, the replacement character."""


def sendable_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """A request's body without halves of characters, but for what the caller himself wrote.

    That is: messages of users and `instructions`. Texts to embed are documents.
    """
    return {key: _member(key, value) for key, value in body.items()}


def _member(key: str, value: Any) -> Any:
    if key == "tools" and isinstance(value, list):
        return [
            _replaced(one, f"{tool_subject(one, f'tools[{at}]')}, in ")
            for at, one in enumerate(value)
        ]
    if key in ("response_format", "text"):
        return _replaced(value, key)
    if key == "messages" and isinstance(value, list):
        return [_message(one, f"messages[{at}]") for at, one in enumerate(value)]
    if key == "input" and isinstance(value, list):
        return [_message(one, f"input[{at}]") for at, one in enumerate(value)]
    return _replaced(value, "input") if key == "input" else value


def tool_subject(wire: Any, where: str) -> str:
    """A tool of a request's body in words: by its name or its type, else by where it is."""
    if not isinstance(wire, Mapping):
        return where
    function = wire.get("function")
    name = (function if isinstance(function, Mapping) else wire).get("name")
    kind = wire.get("type")
    shown = name if isinstance(name, str) else kind
    return f"the tool {shown!r}" if isinstance(shown, str) else where


def _message(item: Any, where: str) -> Any:
    if isinstance(item, Mapping) and item.get("role") == "user":
        return _joined(item)
    return _replaced(item, where)


def _joined(value: Any) -> Any:
    if isinstance(value, str):
        return join_half_characters(value)
    if isinstance(value, Mapping):
        return {
            # Of a file: its name comes from a directory or a web page.
            key: _replaced(member, key) if key == "filename" else _joined(member)
            for key, member in value.items()
        }
    return [_joined(one) for one in value] if isinstance(value, list) else value


def _replaced(value: Any, where: str) -> Any:
    if isinstance(value, str):
        return warn_replaced(value, where)
    if isinstance(value, Mapping):
        at = where if where.endswith(" ") else f"{where}."
        # A name too: that of a schema's property.
        return {_replaced(k, where): _replaced(v, f"{at}{k}") for k, v in value.items()}
    return [_replaced(one, where) for one in value] if isinstance(value, (list, tuple)) else value


def warn_replaced(text: str, where: str) -> str:
    """`replace_half_characters`, with a warning once if one is replaced. `where` names the text."""
    replaced = replace_half_characters(text)
    if replaced is not text and "\ufffd" in replaced:
        where = f"{where[:1].upper()}{where[1:]}" if " " in where else where
        warn_once(
            ("half of a character",),
            f"{where} holds half of a character, which has no bytes: U+FFFD was sent in its place. "
            "Later ones are replaced without a warning.",
            ReplacedCharacterWarning,
        )
    return replaced
