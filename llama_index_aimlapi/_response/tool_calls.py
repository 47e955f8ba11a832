"""Converts tool calls to LlamaIndex's tool selections, complete or while streaming."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from llama_index.core.llms.llm import ToolSelection
from pydantic_core import from_json

from aimlapi_core import ToolCall, drop_added_nulls, loads_arguments
from aimlapi_core._adapters.tool_arguments import parse_arguments
from aimlapi_core.types import TRUNCATED_FINISH_REASONS
from llama_index_aimlapi._request.invalid_calls import invalid_selection
from llama_index_aimlapi._request.tool_calls import tool_call_blocks
from llama_index_aimlapi._request.tools import ToolRef
from llama_index_aimlapi.errors import InvalidToolCallError, NoToolCallError

# Key in additional_kwargs of all streamed items but the last: their calls may be incomplete.
IS_PARTIAL = "is_partial"


def restore_tool_call(call: ToolCall, tool_refs: Mapping[str, ToolRef]) -> ToolCall:
    """A complete call under the caller's tool name, without the nulls of a strict schema."""
    ref = tool_refs.get(call.name)
    if ref is None:
        return call
    arguments = call.arguments
    if ref.original_schema is not None:
        try:
            given = drop_added_nulls(loads_arguments(arguments), ref.original_schema)
            arguments = json.dumps(given, ensure_ascii=False)
        except ValueError:
            pass  # not a JSON object: `tool_selections` raises with the model's own text
    return ToolCall(call.id, ref.name, arguments, call.item_id, call.extra)


def tool_selections(
    response: ChatResponse, *, need_one: bool, report_invalid: bool = False
) -> list[ToolSelection]:
    """The calls of a response. Arguments of any streamed item but the last may be partial.

    Raises NoToolCallError when there is none and `need_one`, and InvalidToolCallError for a
    finished call that must not be run. With `report_invalid` only a truncated one raises: another
    is given the name of no tool, so that an agent goes on (`_request.invalid_calls`).
    """
    blocks = tool_call_blocks(response.message)
    if not blocks and need_one:
        raise NoToolCallError(
            "The model was asked to call a tool and answered with text: "
            f"{response.message.content or ''!r:.200}",
            body=response.message.content or "",
        )
    return [_selection(block, response, report_invalid) for block in blocks]


def _selection(block: ToolCallBlock, response: ChatResponse, report_invalid: bool) -> ToolSelection:
    name, call_id, arguments = block.tool_name, block.tool_call_id or block.tool_name, None
    finish_reason = response.additional_kwargs.get("finish_reason")
    if not isinstance(block.tool_kwargs, str):
        arguments = block.tool_kwargs
    elif response.additional_kwargs.get(IS_PARTIAL):
        arguments = parse_partial_object(block.tool_kwargs)
    else:
        try:
            arguments = parse_arguments(block.tool_kwargs, finish_reason, name)
        except ValueError as why:
            if report_invalid and finish_reason not in TRUNCATED_FINISH_REASONS:
                return invalid_selection(name, call_id, block.tool_kwargs, str(why))
            raise InvalidToolCallError(
                f"The model's call of tool {name!r} was not run. {why}"
                + _REMEDIES.get(str(finish_reason), _REMEDY),
                body=block.tool_kwargs,
                request_id=response.additional_kwargs.get("request_id"),
            ) from why
    return ToolSelection(tool_id=call_id, tool_name=name, tool_kwargs=arguments)


_REMEDIES = {"length": " Raise max_tokens.", "content_filter": " Change the prompt."}
_REMEDY = ". Ask again, or use an agent, which lets the model correct its call."


def keep_first_call(response: ChatResponse) -> ChatResponse:
    """`response` with its first tool call only."""
    message = response.message
    calls = [at for at, block in enumerate(message.blocks) if isinstance(block, ToolCallBlock)]
    if len(calls) <= 1:
        return response
    blocks = [block for at, block in enumerate(message.blocks) if at not in calls[1:]]
    legacy = (message.additional_kwargs.get("tool_calls") or [])[:1]
    extra = {**message.additional_kwargs, "tool_calls": legacy}
    kept = message.model_copy(update={"blocks": blocks, "additional_kwargs": extra})
    return response.model_copy(update={"message": kept})


def parse_partial_object(text: str) -> dict[str, Any]:
    """The stable part of an incomplete JSON object; {} while there is none.

    Values only grow as more text follows. Trailing characters of a number are left out, since a
    digit may follow; at the end of a string that only delays them.
    """
    text = text.rstrip("0123456789+-.eE")
    try:
        value = from_json(text, allow_partial="trailing-strings")
    except (ValueError, TypeError):  # TypeError: a lone surrogate
        return {}
    return value if isinstance(value, dict) else {}
