"""Converts tools and tool choice to the core's types.

In a call's `tools`, a function keeps the caller's name and schema (`tool_dict`). The wire name
and the strict schema are made with the request, so that tool calls can be mapped back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast
from weakref import WeakKeyDictionary

from llama_index.core.tools import BaseTool, ToolMetadata

from aimlapi_core import (
    BuiltinTool,
    InvalidRequestError,
    NamedTool,
    OpenSchemaWarning,
    Tool,
    ToolChoice,
    strict_schema,
)
from aimlapi_core._adapters.schema_cache import ContentCache, SchemaCopies, copies_of
from aimlapi_core._history.names import wire_tool_name
from aimlapi_core._values.warn_once import warn_once
from aimlapi_core.schema import object_schema
from llama_index_aimlapi._request.argument_validation import check_types
from llama_index_aimlapi._request.legacy_arguments import did_you_mean


@dataclass(frozen=True, slots=True)
class ToolRef:
    """The caller's tool. `original_schema` is set when a strict form of it was sent."""

    name: str
    original_schema: Mapping[str, Any] | None = None


def tool_dict(tool: BaseTool, strict: bool | None) -> dict[str, Any]:
    """A LlamaIndex tool in the form that a call's `tools` takes."""
    function = {
        "name": tool.metadata.get_name(),
        "description": tool.metadata.description,
        "parameters": _parameters(tool.metadata),
    }
    return {
        "type": "function",
        "function": function if strict is None else {**function, "strict": strict},
    }


# By a class of arguments, copies of the parameters: to make them takes half a millisecond, and an
# agent gives its tools at each step.
_parameters_of: WeakKeyDictionary[type, SchemaCopies] = WeakKeyDictionary()


def _parameters(metadata: ToolMetadata) -> dict[str, Any]:
    """The parameters of a tool, each time a copy: a caller may change those of a call."""
    schema_class = metadata.fn_schema
    if schema_class is None or type(metadata) is not ToolMetadata:
        return _read_parameters(metadata)
    copies = _parameters_of.get(schema_class)
    if copies is None:
        copies = _parameters_of[schema_class] = copies_of(_read_parameters(metadata))
    return dict(copies())


def _read_parameters(metadata: ToolMetadata) -> dict[str, Any]:
    """The parameters as LlamaIndex gives them, and the whole schema where it loses the root.

    Expected: `get_parameters_dict` keeps a root `$ref`, which recursive classes have, or `anyOf`.
    What happens (llama-index-core 0.14.25): only the definitions are left.
    """
    parameters = metadata.get_parameters_dict()
    if metadata.fn_schema is None or not {"type", "properties"}.isdisjoint(parameters):
        return parameters
    schema = metadata.fn_schema.model_json_schema()
    return {key: value for key, value in schema.items() if key not in ("title", "description")}


def tool_call_arguments(
    tools: Sequence[BaseTool],
    choice: str | Mapping[str, Any] | None,
    parallel: bool,
    strict: bool | None,
) -> dict[str, Any]:
    """The arguments of a chat call with `tools`.

    Raises InvalidRequestError when `tools` is not a list of tools, and when a tool call is
    required without tools.
    """
    check_types({"tools": tools or []})
    if not tools:
        if choice not in (None, "none", "auto"):
            raise InvalidRequestError("A tool call is required, but there are no tools.")
        return {"tools": None, "tool_choice": None}
    if isinstance(choice, str) and choice not in ("none", "auto", "required", "any"):
        choice = {"type": "function", "function": {"name": choice}}
    return {
        "tools": [_as_dict(tool, strict) for tool in tools],
        "tool_choice": choice,
        "parallel_tool_calls": parallel,
    }


def to_tools(rows: Sequence[Any]) -> tuple[tuple[Tool | BuiltinTool, ...], dict[str, ToolRef]]:
    """The core's tools, and the caller's tool for each wire name of a function."""
    tools: list[Tool | BuiltinTool] = []
    tool_refs: dict[str, ToolRef] = {}
    for row in rows:
        row = _as_dict(row, None)
        if row.get("type", "function") == "function":
            tool, ref = _function_tool(row)
            tool_refs[tool.name] = ref
            tools.append(tool)
        else:
            tools.append(BuiltinTool(dict(row)))
    return tuple(tools), tool_refs


def _as_dict(tool: Any, strict: bool | None) -> Mapping[str, Any]:
    if isinstance(tool, BaseTool):
        return tool_dict(tool, strict)
    if isinstance(tool, Mapping):
        return tool
    hint = ". Wrap it in FunctionTool.from_defaults." if callable(tool) else ""
    raise InvalidRequestError(
        f"A tool is a BaseTool or a dict, not {type(tool).__name__}: {tool!r:.80}{hint}"
    )


_strict_schemas: ContentCache[tuple[Mapping[str, Any] | None, str | None]] = ContentCache()
_open_schemas: ContentCache[Mapping[str, Any]] = ContentCache()


def _function_tool(row: Mapping[str, Any]) -> tuple[Tool, ToolRef]:
    function = row.get("function")
    function = function if isinstance(function, Mapping) else row  # Responses' flat form
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidRequestError(f"A function tool needs a name: {dict(row)!r:.120}")
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    subject = f"the tool {name!r}"
    strict: bool | None = function.get("strict")
    parameters, reason = (
        _strict_schemas.get(schema, partial(strict_schema, schema)) if strict else (None, None)
    )
    if reason is not None:
        warn_not_strict(subject, reason)
        strict = None
    sent = parameters or _open_schemas.get(
        (subject, schema), partial(object_schema, schema, subject)
    )
    tool = Tool(wire_tool_name(name), sent, function.get("description"), strict)
    return tool, ToolRef(name, schema if parameters else None)


def warn_not_strict(subject: str, reason: str) -> None:
    """Warn once that a schema is sent open, and why."""
    sentence = f"strict=True is not sent for {subject}: {reason}."
    warn_once(("open schema", subject, reason), sentence, OpenSchemaWarning)


def to_tool_choice(choice: Any, tool_refs: Mapping[str, ToolRef]) -> ToolChoice | None:
    """A tool choice given as a mode, a tool's name or a wire dict."""
    if isinstance(choice, str):
        if choice == "any":  # what other integrations call it
            return "required"
        if choice in ("none", "auto", "required"):
            return cast(Literal["none", "auto", "required"], choice)
        return _named_tool(choice, tool_refs)
    if isinstance(choice, Mapping):
        function = choice.get("function")
        name = function.get("name") if isinstance(function, Mapping) else choice.get("name")
        is_function = choice.get("type", "function") == "function"
        return _named_tool(str(name), tool_refs) if is_function else dict(choice)
    if choice is None:
        return None
    raise InvalidRequestError(f"tool_choice is a name, a word or a dict, not {choice!r:.80}.")


def _named_tool(name: str, tool_refs: Mapping[str, ToolRef]) -> NamedTool:
    names = [tool.name for tool in tool_refs.values()]
    if name not in names:
        raise InvalidRequestError(
            f"tool_choice names {name!r}, which is none of the tools {names}."
            f"{did_you_mean(name, names)}"
        )
    return NamedTool(wire_tool_name(name))
