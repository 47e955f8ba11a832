"""Tools and tool choice to the core's.

In a call's `tools`, a function keeps the caller's name and schema (`tool_dict`): the wire name
and the strict form are made when the request is, so that answers can be led back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from llama_index.core.tools import BaseTool

from aimlapi_core import (
    BuiltinTool,
    InvalidRequestError,
    NamedTool,
    Tool,
    ToolChoice,
    strict_schema,
)
from llama_index_aimlapi._request.argument_validation import check_types
from llama_index_aimlapi._request.legacy_arguments import did_you_mean
from llama_index_aimlapi._request.tool_names import wire_name

logger = logging.getLogger("aimlapi")


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
