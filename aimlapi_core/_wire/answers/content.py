"""Content of an answer in any JSON type: read where the meaning is plain, else UnreadableError.

Plain are a text, a list of texts and parts, and one part alone; null, false, "", [] and {} hold
nothing. A number may have lost digits (1.50), so it is no text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from aimlapi_core._json_reading import arguments_text, as_mapping

# Of parts whose text is reasoning: Mistral's, Anthropic's and those of OpenAI's Responses.
_REASONING_TYPES = frozenset("reasoning thinking reasoning_text summary_text".split())
_REASONING_MEMBERS = ("text", "thinking", "reasoning", "summary", "content")
_MAX_SHOWN_CHARS = 100

# Where there are no `arguments`: of Anthropic, Cohere and LangChain. Without them a call would be
# run with none.
_OTHER_ARGUMENTS = ("input", "parameters", "args")


class UnreadableError(ValueError):
    """A member of an answer whose meaning is not plain."""

    def __init__(self, what: str, value: Any) -> None:
        super().__init__(f"{what} is {_shown(value)}")


class Content(NamedTuple):
    """What a content holds, each "" if it holds none."""

    text: str = ""
    refusal: str = ""
    reasoning: str = ""


def read_content(value: Any) -> Content:
    """The content of a message or of its delta. Raises UnreadableError."""
    parts = [read_part(part) for part in content_parts(value)]
    return Content(*("".join(texts) for texts in zip(*parts, strict=True))) if parts else Content()


def content_parts(value: Any) -> list[Mapping[str, Any]]:
    """The content as a list of its parts. Raises UnreadableError."""
    parts = value if isinstance(value, list) else [value]
    return [_as_part(part) for part in parts if not is_nothing(part)]


def is_nothing(value: Any) -> bool:
    """Whether a member holds nothing: null, false, "", [] or {}. A zero is something."""
    return not value and type(value) not in (int, float)


def _as_part(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        return {"type": "text", "text": value}
    if isinstance(value, Mapping):
        return value
    raise UnreadableError("a content", value)


def read_part(part: Mapping[str, Any]) -> Content:
    """One part of a content. Raises UnreadableError."""
    kind = part.get("type")
    if isinstance(kind, str) and kind in _REASONING_TYPES:
        return Content(reasoning=lenient_text([part.get(name) for name in _REASONING_MEMBERS]))
    refusal = part.get("refusal")
    if kind == "refusal":
        return Content(refusal=read_text(refusal) if refusal else _text_member(part))
    if refusal:
        return Content(_text_member(part), read_text(refusal))
    if not part or "text" in part or "content" in part or kind in ("text", "output_text"):
        return Content(_text_member(part))
    raise UnreadableError("a part of the content", part)


def _text_member(part: Mapping[str, Any]) -> str:
    text = part.get("text")
    if isinstance(text, Mapping) and isinstance(text.get("value"), str):  # of OpenAI's Assistants
        return str(text["value"])
    return read_text(text or part.get("content"))


def read_text(value: Any) -> str:
    """A text in any form that a content may have. Raises UnreadableError."""
    return value if isinstance(value, str) else "".join(read_content(value))


def lenient_text(value: Any) -> str:
    """As `read_text`, but without what cannot be read, for what is no answer."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(lenient_text, value))
    try:
        return read_text(value)
    except UnreadableError:
        return ""


def lenient_parts(value: Any) -> list[Mapping[str, Any]]:
    """As `content_parts`, but without what is no part."""
    parts = value if isinstance(value, list) else [value]
    return [_as_part(part) for part in parts if part and isinstance(part, (str, Mapping))]


def tool_calls(value: Any) -> list[Mapping[str, Any]]:
    """The rows of `tool_calls`: a list of objects, or one object alone. Raises UnreadableError."""
    if type(value) is list and len(value) == 1 and value[0] and type(value[0]) is dict:
        nearly_always: list[Mapping[str, Any]] = value
        return nearly_always
    rows = value if isinstance(value, list) else [value]
    for row in rows:
        if not (isinstance(row, (dict, Mapping)) or is_nothing(row)):
            raise UnreadableError("a tool call", row)
    if rows is not value and not any(name in value for name in ("function", "custom", "name")):
        raise UnreadableError("tool_calls", value)
    return [row for row in rows if row]


def function_of(call: Mapping[str, Any]) -> tuple[Any, str, bool]:
    """The name of a tool call, of any type, its arguments as text, and whether it is custom.

    The arguments of a custom tool's call are the text of its input.
    """
    function = call.get("function")
    if type(function) is dict:  # nearly all
        text = function.get("arguments")
        if text and type(text) is str:
            return function.get("name"), text, False
    function = as_mapping(function)
    if not function and "custom" in call:
        custom = as_mapping(call["custom"])
        return custom.get("name"), arguments_text(custom.get("input")), True
    function = function or call
    return function.get("name"), arguments_text(arguments_of(function)), False


def arguments_of(call: Mapping[str, Any]) -> Any:
    """The arguments of a call, of any type, by whichever name an API has for them."""
    arguments = call.get("arguments")
    if is_nothing(arguments):
        for name in _OTHER_ARGUMENTS:
            if other := call.get(name):
                return other
    return arguments


def legacy_call(value: Any) -> Mapping[str, Any] | None:
    """The tool call of a `function_call`, a piece or whole. Raises UnreadableError."""
    if not value:
        return None
    if not isinstance(value, Mapping):
        raise UnreadableError("function_call", value)
    is_placeholder = not value.get("name") and value.get("arguments") in (None, "")
    return None if is_placeholder else {"index": 0, "function": value}


def check_finish_reason(reason: Any) -> None:
    """Raise UnreadableError for a finish reason that is no text."""
    if not (isinstance(reason, str) or is_nothing(reason)):
        raise UnreadableError("finish_reason", reason)


def choices_of(value: Any) -> list[Mapping[str, Any]]:
    """The rows of `choices`. Raises UnreadableError."""
    if not isinstance(value, list):
        if is_nothing(value):
            return []
        raise UnreadableError("choices", value)
    if len(value) == 1 and value[0] and type(value[0]) is dict:
        return value  # of nearly every chunk
    for row in value:
        if not (isinstance(row, (dict, Mapping)) or is_nothing(row)):
            raise UnreadableError("a choice", row)
    return [row for row in value if row]


def message_of(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message of a choice that has no object for it: a text, also that of old completions.

    Or its members are the choice's own.
    """
    if content := row.get("message") or row.get("delta") or row.get("text"):
        return {"content": content}
    return {name: row[name] for name in ("content", "refusal", "tool_calls") if name in row}


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"an object with the members {sorted(map(str, value))}"[:_MAX_SHOWN_CHARS]
    names = {list: "a list", str: "a text", bool: "a boolean", type(None): "null"}
    text = json.dumps(value, ensure_ascii=False)[:_MAX_SHOWN_CHARS]
    return f"{names.get(type(value), 'a number')} ({text})"
