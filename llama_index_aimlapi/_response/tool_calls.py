"""Tool calls of an answer as LlamaIndex's, whole or while their arguments stream in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from llama_index.core.llms.llm import ToolSelection
from pydantic_core import from_json

from aimlapi_core import ToolCall, drop_added_nulls, loads_arguments
from aimlapi_core.types import TRUNCATED_FINISH_REASONS
from llama_index_aimlapi._request.messages import called
from llama_index_aimlapi._request.tools import Offered
from llama_index_aimlapi.errors import InvalidToolCallError, NoToolCallError

# In the additional_kwargs of a streamed item that is not the last: its calls may be unfinished.
PARTIAL = "is_partial"


def returned(call: ToolCall, offered: Mapping[str, Offered]) -> ToolCall:
    """A call of a finished answer under the caller's own name and schema."""
    known = offered.get(call.name)
    if known is None:
        return call
    arguments = call.arguments
    if known.schema is not None:
        try:
            given = drop_added_nulls(loads_arguments(arguments), known.schema)
            arguments = json.dumps(given, ensure_ascii=False)
        except ValueError:
            pass  # broken: `selections` reports it, as the model wrote it
    return ToolCall(call.id, known.name, arguments, call.item_id, call.extra)


def selections(response: ChatResponse, *, need_one: bool) -> list[ToolSelection]:
    """The calls of a response. Those of a streamed item that is not the last may be partial.

    Raises InvalidToolCallError for a finished call whose arguments are not a JSON object, and
    NoToolCallError when there is none and `need_one`.
    """
    blocks = called(response.message)
    if not blocks and need_one:
        raise NoToolCallError(
            "The model was asked to call a tool and answered with text: "
            f"{response.message.content or ''!r:.200}",
            body=response.message.content or "",
        )
    read = _partial_arguments if response.additional_kwargs.get(PARTIAL) else _whole_arguments
    return [
        ToolSelection(
            tool_id=block.tool_call_id or block.tool_name,
            tool_name=block.tool_name,
            tool_kwargs=read(block, response),
        )
        for block in blocks
    ]


def first_call_only(response: ChatResponse) -> ChatResponse:
    """`response` with at most one call, itself where it has no more."""
    message = response.message
    calls = [at for at, block in enumerate(message.blocks) if isinstance(block, ToolCallBlock)]
    if len(calls) <= 1:
        return response
    blocks = [block for at, block in enumerate(message.blocks) if at not in calls[1:]]
    legacy = (message.additional_kwargs.get("tool_calls") or [])[:1]
    extra = {**message.additional_kwargs, "tool_calls": legacy}
    kept = message.model_copy(update={"blocks": blocks, "additional_kwargs": extra})
    return response.model_copy(update={"message": kept})


def _whole_arguments(block: ToolCallBlock, response: ChatResponse) -> dict[str, Any]:
    if not isinstance(block.tool_kwargs, str):
        return block.tool_kwargs
    reason = response.additional_kwargs.get("finish_reason")
    was_cut = reason in TRUNCATED_FINISH_REASONS
    try:
        if was_cut and not block.tool_kwargs.strip():
            raise ValueError("no arguments came")
        return loads_arguments(block.tool_kwargs)
    except ValueError as exc:
        why = f"the answer was cut (finish reason {reason!r})" if was_cut else str(exc)
        raise InvalidToolCallError(
            f"The call of tool {block.tool_name!r} is not run: {why}. "
            + ("Raise max_tokens." if reason == "length" else "Ask again."),
            body=block.tool_kwargs,
            request_id=response.additional_kwargs.get("request_id"),
        ) from exc


def _partial_arguments(block: ToolCallBlock, response: ChatResponse) -> dict[str, Any]:
    if not isinstance(block.tool_kwargs, str):
        return block.tool_kwargs
    return partial_object(block.tool_kwargs)


def partial_object(text: str) -> dict[str, Any]:
    """What is certain of a JSON object that is still being written; {} while nothing is.

    From one call to the next its values only grow. A number at the end is left out, since its
    next digit may follow; inside a string the same characters only come a little later.
    """
    text = text.rstrip("0123456789+-.eE")
    try:
        value = from_json(text, allow_partial="trailing-strings")
    except (ValueError, TypeError):  # TypeError: half of a character, which is not UTF-8
        return {}
    return value if isinstance(value, dict) else {}
