"""Reads tool calls and their results in the JSON of any provider's own API. Pure.

The shapes are those of OpenAI (chat, Responses), Anthropic, Bedrock Converse, Gemini, Cohere,
Mistral, Ollama, the AI SDK and LangChain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Block = Mapping[str, Any]

# The members of a call: what holds it, its id (`id` last: in Responses it is the item's), its
# arguments and its name.
HOLDERS = (
    "function",
    "function_call",
    "functionCall",
    "toolUse",
    "tool_use",
    "toolInvocation",
    "functionResponse",
    "function_response",
    "toolResult",
)
CALL_IDS = ("call_id", "tool_call_id", "toolUseId", "tool_use_id", "toolCallId", "id")
ARGUMENTS = ("arguments", "args", "input", "parameters", "tool_kwargs")
NAMES = ("name", "tool_name", "toolName")
CALL_TYPES = frozenset("tool_call tool_use toolUse function_call".split())
_OUTPUTS = ("output", "content", "result", "response", "outputs")
_TEXT_OUTPUTS = frozenset(("text", "error-text", "execution-denied"))
_MAX_NAME_LENGTH = 64


def inner_of(row: Block) -> Block:
    """The object that holds the members of a call or result: one below `row`, or `row` itself."""
    return next((row[key] for key in HOLDERS if isinstance(row.get(key), Mapping)), row)


def first_text(row: Block, keys: tuple[str, ...]) -> str:
    """The first of the members that is a string with characters; "" where there is none."""
    return next((row[key] for key in keys if isinstance(row.get(key), str) and row[key]), "")


def call_id_of(row: Block, inner: Block) -> str:
    """The id of a call or of a result, "" where it has none."""
    return first_text(row, CALL_IDS) or first_text(inner, CALL_IDS)


def read_call(row: Block) -> tuple[str, str, Any]:
    """(id, name, arguments) of a call; id and name are "" where it has none."""
    inner = inner_of(row)
    arguments: Any = next((inner[key] for key in ARGUMENTS if inner.get(key)), {})
    return call_id_of(row, inner), first_text(inner, NAMES), arguments


def as_tool_use(block: Block) -> Block:
    """A call of any provider in Anthropic's form."""
    call_id, name, arguments = read_call(block)
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}


def as_tool_result(block: Block) -> Block:
    """A result of any provider in Anthropic's form, with the name of the function beside its id.

    `content` is a text or a list of blocks, as it was given, or else one block of JSON.
    """
    inner = inner_of(block)
    content = next((inner[key] for key in _OUTPUTS if inner.get(key) is not None), "")
    is_error = inner.get("is_error") or inner.get("isError") or inner.get("status") == "error"
    if isinstance(content, Mapping) and isinstance(content.get("type"), str):  # of the AI SDK
        kind = content["type"]
        if "value" in content or kind in _TEXT_OUTPUTS:
            is_error = is_error or kind.startswith(("error-", "execution-denied"))
            content = content.get("value", content.get("reason") or "")
    if error := inner.get("errorText"):
        content, is_error = str(error), True
    return {
        "type": "tool_result",
        "tool_use_id": call_id_of(block, inner),
        "name": first_text(inner, NAMES),
        "content": content if isinstance(content, (str, list)) else [content],
        "is_error": bool(is_error),
    }


def call_and_result(block: Block) -> Iterator[Block]:
    """A call of the AI SDK's interface messages, with its result once there is one."""
    inner = inner_of(block)
    kind = str(block.get("type"))
    name = first_text(inner, NAMES) or kind.removeprefix("tool-")[:_MAX_NAME_LENGTH]
    named = {**inner, "name": name}
    if block.get("providerExecuted"):
        yield {"type": "server_tool_call", "name": name}
        return
    yield as_tool_use(named)
    if any(inner.get(key) is not None for key in ("output", "result", "errorText")):
        yield as_tool_result(named)
