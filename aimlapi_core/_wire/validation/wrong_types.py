"""Refuses what is of the wrong type. Read only where a request could not be encoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from aimlapi_core.errors import InvalidRequestError
from aimlapi_core.types import BuiltinTool, ChatRequest, Message, Part, Tool

_MESSAGE = 'Message("user", (Text("Hello"),))'
_REQUEST = f'ChatRequest("openai/gpt-5-2", ({_MESSAGE},))'


def refuse_wrong_types(request: object) -> None:
    """Raise InvalidRequestError that names the first value of the wrong type, if there is one."""
    for problem in _problems(request):
        raise InvalidRequestError(problem)


def wrong_parts(message: Message, position: int) -> str:
    """What is wrong with the parts of a message, or "" if nothing is."""
    parts: object = message.parts
    if not isinstance(parts, (tuple, list)):
        return f"Message {position} has parts of type {_kind(parts)}, not a tuple: {_MESSAGE}."
    wrong = next((part for part in parts if not isinstance(part, get_args(Part))), None)
    if wrong is None:
        return ""
    return f"Message {position} has a part of type {_kind(wrong)}: {_MESSAGE} has a Text."


def _problems(request: object) -> Iterator[str]:
    if not isinstance(request, ChatRequest):
        yield f"The request is a ChatRequest, not {_kind(request)}: {_REQUEST}."
        return
    messages: object = request.messages
    if not isinstance(messages, (tuple, list)):
        yield f"messages is a tuple of Messages, not {_kind(messages)}: {_REQUEST}."
        return
    for position, message in enumerate(messages):
        if not isinstance(message, Message):
            yield f"Message {position} is of type {_kind(message)}: write {_MESSAGE}."
        elif problem := wrong_parts(message, position):
            yield problem
    for tool in request.tools:
        if not isinstance(tool, (Tool, BuiltinTool)):
            yield f"tools has a value of type {_kind(tool)}: use Tool(name, parameters)."


def _kind(value: object) -> str:
    return type(value).__name__
