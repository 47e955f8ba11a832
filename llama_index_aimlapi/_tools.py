"""Tools and tool choice to the core's, and the calls of an answer back to LlamaIndex's.

In a call's `tools`, a function keeps the caller's name and schema (`tool_dict`): the wire name
and the strict form are made when the request is, so that answers can be led back.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools import BaseTool
from pydantic_core import from_json

from aimlapi_core import (
    BuiltinTool,
    InvalidRequestError,
    NamedTool,
    Tool,
    ToolCall,
    ToolChoice,
    drop_added_nulls,
    loads_arguments,
    strict_schema,
)
from llama_index_aimlapi._checks import check_types
from llama_index_aimlapi._convert import called
from llama_index_aimlapi._names import did_you_mean, wire_name
from llama_index_aimlapi.errors import BrokenToolCallError, NoToolCallError

logger = logging.getLogger("aimlapi")

# In the additional_kwargs of a streamed item that is not the last: its calls may be unfinished.
PARTIAL = "is_partial"


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool of a request. `schema` is the caller's own where a strict form of it was sent."""

    name: str
    schema: Mapping[str, Any] | None = None


def tool_dict(tool: BaseTool, strict: bool | None) -> dict[str, Any]:
    """A LlamaIndex tool in the form that a call's `tools` takes."""
    function = {
        "name": tool.metadata.get_name(),
        "description": tool.metadata.description,
        "parameters": tool.metadata.get_parameters_dict(),
    }
    return {
        "type": "function",
        "function": function if strict is None else {**function, "strict": strict},
    }


def tool_call_arguments(
    tools: Sequence[BaseTool],
    choice: str | Mapping[str, Any] | None,
    parallel: bool,
    strict: bool | None,
) -> dict[str, Any]:
    """The arguments of a chat call that offers `tools`; without tools there is nothing to say.

    Raises InvalidRequestError for what is no list of tools, and for a call that must be made of
    no tool.
    """
    check_types({"tools": tools or []})
    if not tools:
        if choice not in (None, "none", "auto"):
            raise InvalidRequestError("A tool call is required, but there are no tools.")
        return {"tools": None, "tool_choice": None}
    if isinstance(choice, str) and choice not in ("none", "auto", "required", "any"):
        choice = {"type": "function", "function": {"name": choice}}
    return {
        "tools": [_row(tool, strict) for tool in tools],
        "tool_choice": choice,
        "parallel_tool_calls": parallel,
    }


def to_tools(rows: Sequence[Any]) -> tuple[tuple[Tool | BuiltinTool, ...], dict[str, Offered]]:
    """The core's tools, and what each wire name of a function stands for."""
    tools: list[Tool | BuiltinTool] = []
    offered: dict[str, Offered] = {}
    for row in rows:
        row = _row(row, None)
        if row.get("type", "function") == "function":
            tool, known = _function(row)
            offered[tool.name] = known
            tools.append(tool)
        else:
            tools.append(BuiltinTool(dict(row)))
    return tuple(tools), offered


def _row(tool: Any, strict: bool | None) -> Mapping[str, Any]:
    if isinstance(tool, BaseTool):
        return tool_dict(tool, strict)
    if isinstance(tool, Mapping):
        return tool
    hint = ". Wrap it in FunctionTool.from_defaults." if callable(tool) else ""
    raise InvalidRequestError(
        f"A tool is a BaseTool or a dict, not {type(tool).__name__}: {tool!r:.80}{hint}"
    )


def _function(row: Mapping[str, Any]) -> tuple[Tool, Offered]:
    function = row.get("function")
    function = function if isinstance(function, Mapping) else row  # Responses' flat form
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidRequestError(f"A function tool needs a name: {dict(row)!r:.120}")
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    strict: bool | None = function.get("strict")
    parameters, reason = strict_schema(schema) if strict else (None, None)
    if reason is not None:
        logger.warning("Tool %r is sent without strict=True: %s.", name, reason)
        strict = None
    tool = Tool(wire_name(name), parameters or schema, function.get("description"), strict)
    return tool, Offered(name, schema if parameters else None)


def to_tool_choice(choice: Any, offered: Mapping[str, Offered]) -> ToolChoice | None:
    """A tool choice given as a word, as a tool's name or in wire form."""
    if isinstance(choice, str):
        if choice == "any":  # what other integrations call it
            return "required"
        if choice in ("none", "auto", "required"):
            return cast(Literal["none", "auto", "required"], choice)
        return _named(choice, offered)
    if isinstance(choice, Mapping):
        function = choice.get("function")
        name = function.get("name") if isinstance(function, Mapping) else choice.get("name")
        is_function = choice.get("type", "function") == "function"
        return _named(str(name), offered) if is_function else dict(choice)
    if choice is None:
        return None
    raise InvalidRequestError(f"tool_choice is a name, a word or a dict, not {choice!r:.80}.")


def _named(name: str, offered: Mapping[str, Offered]) -> NamedTool:
    names = [tool.name for tool in offered.values()]
    if name not in names:
        raise InvalidRequestError(
            f"tool_choice names {name!r}, which is none of the tools {names}."
            f"{did_you_mean(name, names)}"
        )
    return NamedTool(wire_name(name))


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

    Raises BrokenToolCallError for a finished call whose arguments are not a JSON object, and
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
    was_cut = reason in ("length", "content_filter")
    try:
        if was_cut and not block.tool_kwargs.strip():
            raise ValueError("no arguments came")
        return loads_arguments(block.tool_kwargs)
    except ValueError as exc:
        why = f"the answer was cut (finish reason {reason!r})" if was_cut else str(exc)
        raise BrokenToolCallError(
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
