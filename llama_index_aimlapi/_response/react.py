"""Calls of ReActAgent, which the model writes as text."""

from __future__ import annotations

import json
import re

from aimlapi_core import ChatRequest, Choice, Text
from llama_index_aimlapi.errors import InvalidToolCallError

_PROTOCOL = "Action Input:"
_ACTION = re.compile(rf"\bAction:\s*([^\n() ]+)(?:.*?\n\s*{_PROTOCOL}(.*))?", re.DOTALL)
_REMEDIES = {"length": "Raise max_tokens.", "content_filter": "Change the prompt."}


def check_cut_action(choice: Choice, request: ChatRequest) -> None:
    """Raise InvalidToolCallError where a truncated answer to ReAct's prompt ends inside a call.

    LlamaIndex's parser repairs what is left of the arguments and runs the tool:
    `{"to": "bob", "meta": {"x": "y"}, "amount": 1` becomes `{"to": "bob", "x": "y"}`.
    """
    found = _ACTION.search(choice.text)
    if found is None or not _asks_for_actions(request) or _holds_an_object(found[2] or ""):
        return
    raise InvalidToolCallError(
        f"The model's call of tool {found[1]!r} was not run. The answer was cut "
        f"({choice.finish_reason}) inside its arguments. "
        + _REMEDIES.get(str(choice.finish_reason), ""),
        body=choice.text,
    )


def _asks_for_actions(request: ChatRequest) -> bool:
    return any(
        isinstance(part, Text) and _PROTOCOL in part.text
        for message in request.messages
        for part in message.parts
    )


def _holds_an_object(text: str) -> bool:
    try:
        json.JSONDecoder(strict=False).raw_decode(text[text.index("{") :])
    except (ValueError, RecursionError):
        return False
    return True
