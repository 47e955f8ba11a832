"""Converts tool calls to LangChain's, and keeps those that must not be run out of its sums."""

from __future__ import annotations

from langchain_core.messages.content import InvalidToolCall
from langchain_core.messages.tool import ToolCall as LCToolCall
from langchain_core.messages.tool import invalid_tool_call, tool_call

from aimlapi_core import Choice, ToolCall
from aimlapi_core._adapters.tool_arguments import parse_arguments


def to_tool_call(call: ToolCall, finish_reason: str | None) -> LCToolCall | InvalidToolCall:
    """LangChain's tool call, or an invalid tool call when it must not be run."""
    try:
        arguments = parse_arguments(call.arguments, finish_reason, call.name)
    except ValueError as why:
        # None for no text, as in the messages of v3 streams.
        text = call.arguments or None
        return invalid_tool_call(name=call.name, args=text, id=call.id, error=str(why))
    return tool_call(name=call.name, args=arguments, id=call.id)


def invalid_calls(choice: Choice, finish_reason: str | None) -> dict[int, ToolCall]:
    """The calls that must not be run, each by its index."""
    calls = enumerate(choice.tool_calls)
    return {index: call for index, call in calls if invalid_reason(call, finish_reason)}


def invalid_reason(call: ToolCall, finish_reason: str | None) -> str | None:
    """Why a call must not be run; None when it may be."""
    try:
        parse_arguments(call.arguments, finish_reason, call.name)
    except ValueError as why:
        return str(why)
    return None


def invalid_json_suffix(arguments: str) -> str:
    """Text to append to broken arguments so that langchain-core's parser rejects them.

    Expected: a truncated tool call ends in `invalid_tool_calls`. What happens (langchain-core
    1.7.2 to 1.8.3, `AIMessageChunk.init_tool_calls`): the merged arguments go through
    `parse_partial_json`, which closes open strings and brackets and calls the result valid. It
    gives up only at a closing bracket that does not match the innermost open one, so the suffix
    is that bracket, after the quote that ends an open string. Can go when langchain-core does
    not repair tool arguments any more.
    """
    open_brackets: list[str] = []
    inside = escaped = False
    for character in arguments:
        if escaped:
            escaped = False
        elif inside:
            escaped = character == "\\"
            inside = character != '"'
        elif character == '"':
            inside = True
        elif character in "{[":
            open_brackets.append(character)
        elif character in "}]" and open_brackets:
            open_brackets.pop()
    closing_quote = ('""' if escaped else '"') if inside else ""
    return closing_quote + ("}" if open_brackets[-1:] == ["["] else "]")
