"""Ids of tool calls and names of tools and messages in the form that the API takes. Pure.

Each is made fit the same way each time, so that a conversation that grows is sent with the same
beginning.
"""

from __future__ import annotations

import hashlib
import re

from aimlapi_core.types import Endpoint, Role

# The names of roles in lower case, of OpenAI, LangChain, Gemini ("model") and Cohere ("chatbot").
ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "chatbot": "assistant",
    "bot": "assistant",
    "agent": "assistant",
    "tool": "tool",
    "function": "tool",
}

# OpenAI's refusals, as reported: "Invalid 'messages[2].tool_calls[0].id': string too long. Expected
# a string with maximum length 40" (vercel/ai#8132, langgenius/dify#28987), "Invalid
# 'input[5].call_id': … maximum length 64" (decolua/9router#393), seen 2026-11-29.
MAX_CALL_ID_LENGTH: dict[Endpoint, int] = {"chat": 40, "responses": 64}
# "Invalid 'messages[2].name': string does not match pattern. Expected a string that matches the
# pattern '^[^\s<|\\/>]+$'" (langchain-ai/langchain#35054, seen 2026-11-29).
# Halves of characters cannot be sent at all.
_UNFIT_IN_MESSAGE_NAME = re.compile(r"[\s<|\\/>\ud800-\udfff]+")
_MAX_NAME_LENGTH = 64
_HASH_LENGTH = 8
TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNFIT_IN_TOOL_NAME = re.compile(r"[^A-Za-z0-9_-]")


def fit_call_id(call_id: str, occurrence: int, max_length: int) -> str:
    """The id of a call in a request. `occurrence` counts from 0 the calls that have this id."""
    if call_id and not occurrence and len(call_id) <= max_length:
        return call_id
    digest = hashlib.sha256(f"{occurrence} {call_id}".encode("utf-8", "backslashreplace"))
    return f"call_{digest.hexdigest()[:24]}"


def fit_tool_name(name: str) -> str:
    """The name of a call's function: other providers allow dots, colons and longer names."""
    return _UNFIT_IN_TOOL_NAME.sub("_", name)[:_MAX_NAME_LENGTH] or "unknown_tool"


def wire_tool_name(name: str) -> str:
    """The name under which a tool is offered: at most 64 of `[A-Za-z0-9_-]`.

    A valid name is kept. Any other is sanitized, truncated and ends with a hash of the full name,
    so that different names do not collide and each maps to the same one in every request.
    """
    if TOOL_NAME.fullmatch(name) or not name:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    clean = _UNFIT_IN_TOOL_NAME.sub("_", name)
    return f"{clean[: _MAX_NAME_LENGTH - _HASH_LENGTH - 1]}_{digest}"


def fit_message_name(name: str) -> str | None:
    """The name of a message's author: "Research Agent" is "Research_Agent". None: nothing is left.

    Agents set names (`create_agent(name="Research Agent")`), so an unfit one is no error.
    """
    if len(name) <= _MAX_NAME_LENGTH and not _UNFIT_IN_MESSAGE_NAME.search(name):
        return name or None
    return _UNFIT_IN_MESSAGE_NAME.sub("_", name).strip("_")[:_MAX_NAME_LENGTH] or None
