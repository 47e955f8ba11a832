"""Reads the tool calls of assistant messages, written by any of LlamaIndex's integrations. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock

from aimlapi_core import ToolCall, dumps_arguments
from aimlapi_core._history.foreign_calls import ARGUMENTS, CALL_IDS, HOLDERS, NAMES, read_call
from aimlapi_core._history.names import wire_tool_name

# Where other integrations keep one call: OpenAI's of before 2023-11, Gemini's and Bedrock's.
_ONE_CALL = ("function_call", "functionCall", "toolUse")


def to_tool_calls(message: ChatMessage) -> list[ToolCall]:
    """The calls of an assistant message: its blocks, else the list in `additional_kwargs`."""
    extra = message.additional_kwargs
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    rows = as_mappings(extra["tool_calls"]) if "tool_calls" in extra else []
    if blocks:  # the list beside them says only what they have no place for
        rows = [row for row in rows if "item_id" in row or "extra" in row]
    legacy = [call for row in rows for call in _from_dict(row)]
    if blocks:
        by_id = {call.id: call for call in legacy}
        return [_from_block(block, by_id) for block in blocks]
    return legacy or [
        call
        for key in _ONE_CALL
        if extra.get(key)
        for row in as_mappings([extra[key]])
        for call in _from_dict(row)
    ]


def tool_call_blocks(message: ChatMessage) -> list[ToolCallBlock]:
    """The calls of a response as blocks: its own, else the list in `additional_kwargs`."""
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    rows = [] if blocks else as_mappings(message.additional_kwargs.get("tool_calls"))
    functions = [(row.get("id"), row["function"]) for row in rows if row.get("function")]
    return blocks or [
        ToolCallBlock(
            tool_call_id=call_id,
            tool_name=function.get("name") or "",
            tool_kwargs=function.get("arguments") or "",
        )
        for call_id, function in functions
    ]


def _from_block(block: ToolCallBlock, legacy: Mapping[str, ToolCall]) -> ToolCall:
    # Integrations without call ids use the tool's name in their results' tool_call_id.
    call_id = block.tool_call_id or block.tool_name
    dumped = legacy.get(call_id)
    return ToolCall(
        id=call_id,
        name=wire_tool_name(block.tool_name),
        arguments=_text(block.tool_kwargs, block.tool_name),
        item_id=dumped.item_id if dumped else None,
        extra=dumped.extra if dumped else None,
    )


def _from_dict(row: Mapping[str, Any]) -> Iterator[ToolCall]:
    """The call of a row; none where it has neither a name nor an id."""
    call_id, name, arguments = read_call(row)
    call_id = call_id or name
    if call_id:
        yield ToolCall(
            id=call_id,
            name=wire_tool_name(name),
            arguments=_text(arguments, name),
            item_id=row.get("item_id"),
            extra=row.get("extra"),
        )


def _text(arguments: Any, name: str) -> str:
    return arguments if isinstance(arguments, str) else dumps_arguments(arguments, name)


def as_mappings(rows: Any) -> list[Mapping[str, Any]]:
    """The items of a list as mappings; objects of other integrations are dumped."""
    if not isinstance(rows, (list, tuple)):
        return []
    dumped = [row if type(row) is dict else _dumped(row) for row in rows]
    return [row for row in dumped if isinstance(row, (dict, Mapping))]


def _dumped(row: Any) -> Any:
    if isinstance(row, Mapping):
        return row
    if hasattr(row, "model_dump"):
        return row.model_dump()
    members = {key: getattr(row, key, None) for key in (*HOLDERS, *CALL_IDS, *ARGUMENTS, *NAMES)}
    return members if any(isinstance(members[key], str) for key in NAMES) else row
