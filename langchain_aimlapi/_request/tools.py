"""Converts tools, tool choices and response formats to wire dicts and core values.

Bound arguments are plain wire dicts, so that traces and cache keys can hold them; they become
core values when a request is built. Schemas whose output others parse (LangChain's tools and
agents) are made strict only when that adds no nulls that the schema does not allow.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from langchain_core.tools import BaseTool

from aimlapi_core import (
    BuiltinTool,
    InvalidRequestError,
    JsonSchema,
    NamedTool,
    OpenSchemaWarning,
    ResponseFormat,
    Tool,
    ToolChoice,
    nearest,
    strict_schema,
)
from aimlapi_core._adapters.schema_cache import copies_of
from aimlapi_core._values.warn_once import warn_once, warn_user
from aimlapi_core.schema import object_schema
from aimlapi_core.schema.strict import StrictSchema
from langchain_aimlapi._request.json_schemas import json_schema
from langchain_aimlapi._request.tool_functions import ToolLike, tool_function

ToolChoiceLike: TypeAlias = str | bool | Mapping[str, Any] | None

logger = logging.getLogger("aimlapi")

_NO_ARGUMENTS: Mapping[str, Any] = {"type": "object", "properties": {}}
_CHOICE_MODES = {"any": "required", "required": "required", "auto": "auto", "none": "none"}


def to_wire_tool(tool: ToolLike, strict: bool | None = None) -> dict[str, Any]:
    """A tool as a wire dict: a function, or the unchanged dict of a built-in tool."""
    if _is_builtin(tool):
        return dict(tool)  # type: ignore[arg-type]  # a Mapping, as _is_builtin saw
    read = tool_function(tool)
    function = dict(read.members)
    parameters = function.get("parameters")
    if strict is not None:
        function["strict"] = strict
    subject = f"the tool {function.get('name')!r}"
    if function.get("strict") and (parameters is None or isinstance(parameters, Mapping)):
        is_validated = _has_class(tool)
        if is_validated in read.strict:
            parameters = read.strict[is_validated]()
        else:
            parameters, function["strict"] = strict_or_open(
                parameters or _NO_ARGUMENTS, subject, warn="always", is_validated=is_validated
            )
            if function["strict"]:
                read.strict[is_validated] = copies_of(parameters)
        function["parameters"] = object_schema(parameters, subject)
    else:
        function["parameters"] = read.open_schema(subject)
    return {"type": "function", "function": function}


def _has_class(tool: ToolLike) -> bool:
    """Whether a class of pydantic's holds the arguments to the schema, before the tool runs."""
    given = tool.args_schema if isinstance(tool, BaseTool) else tool
    return isinstance(given, type) and hasattr(given, "model_json_schema")


def _is_builtin(tool: Any) -> bool:
    """Whether a dict is a tool that the service runs; Anthropic's tools and JSON Schemas, which
    have a type too, are not.
    """
    if not isinstance(tool, Mapping) or "input_schema" in tool:
        return False
    kind = tool.get("type")
    return isinstance(kind, str) and kind not in ("function", "object")


def strict_or_open(
    schema: Mapping[str, Any],
    subject: str,
    *,
    warn: Literal["always", "once", "never"],
    is_validated: bool = False,
    may_add_nulls: bool = False,
) -> tuple[Mapping[str, Any], bool]:
    """(strict schema, True), or (an open one, False) when it cannot be strict.

    Warns of the reason then, or logs it. `is_validated`, `may_add_nulls`: see `strict_schema`.
    """
    strict, reason = strict_schema(schema, is_validated=is_validated, may_add_nulls=may_add_nulls)
    if strict is not None:
        return strict, True
    open_schema = object_schema(schema, subject)
    sentence = f"strict=False is sent for {subject}: {reason}."
    if warn == "always":
        warn_user(sentence, OpenSchemaWarning)
    elif warn == "once":
        warn_once(("open schema", subject, str(reason)), sentence, OpenSchemaWarning)
    else:
        logger.info(sentence)
    return open_schema, False


def to_wire_tool_choice(
    choice: ToolChoiceLike, tools: Sequence[Mapping[str, Any]]
) -> str | dict[str, Any] | None:
    """`tool_choice` as a wire value. Raises InvalidRequestError for a tool that is not bound."""
    if choice is None:
        return None
    if isinstance(choice, bool):
        choice = "required" if choice else "none"
    if not isinstance(choice, (str, Mapping)):
        raise InvalidRequestError(
            f"tool_choice takes a tool's name, a bool or a wire dict, not {choice!r}."
        )
    forced = choice not in ("auto", "none")
    if forced and not tools:
        raise InvalidRequestError(f"tool_choice={choice!r} without any tools: bind one.")
    if isinstance(choice, Mapping):
        # {"type": "any"} and {"type": "tool", "name": …} are Anthropic's.
        kind = choice.get("type")
        name = choice.get("name") if kind == "tool" else _function_name(choice)
        if name is None and kind not in _CHOICE_MODES:
            return dict(choice)
        choice = name or str(kind)
    name = choice
    names = [bound for tool in tools if (bound := _function_name(tool))]
    if name in names:
        return {"type": "function", "function": {"name": name}}
    if name in _CHOICE_MODES:
        return _CHOICE_MODES[name]
    if name in [tool.get("type") for tool in tools if tool.get("type") != "function"]:
        return {"type": name}
    near = nearest(name, [*names, *_CHOICE_MODES])
    hint = f"did you mean {near!r}?" if near else f"bound are {', '.join(names)}."
    raise InvalidRequestError(f"tool_choice names {name!r}, which is not bound: {hint}")


def merge_tools(held: Sequence[ToolLike], added: Sequence[Mapping[str, Any]]) -> list[ToolLike]:
    """The tools of two bindings; of two functions of one name the added one."""
    names = {name for tool in added if (name := _function_name(tool))}
    kept = [
        tool
        for tool in held
        if not (isinstance(tool, Mapping) and (_function_name(tool) in names or tool in added))
    ]
    return [*kept, *added]


def _function_name(wire: Mapping[str, Any]) -> str | None:
    """The function's name in a wire tool or a wire choice, nested or flat."""
    if wire.get("type") != "function":
        return None
    inner = wire.get("function")
    name = inner.get("name") if isinstance(inner, Mapping) else wire.get("name")
    return name if isinstance(name, str) else None


def to_wire_response_format(response_format: Any) -> dict[str, Any]:
    """A response format as a wire dict, from one (nested or flat), a class or a JSON Schema.

    A schema without `strict` is made strict if possible, without a warning.
    """
    if isinstance(response_format, str):
        return {"type": response_format}
    if isinstance(response_format, Mapping):
        kind = response_format.get("type")
        if kind in ("text", "json_object"):
            return {"type": kind}
        if kind == "json_schema":
            inner = response_format.get("json_schema", response_format)
            return _json_schema_format({k: v for k, v in inner.items() if k != "type"})
    schema = json_schema(response_format)
    members = {"name": schema["title"], "schema": schema}
    if schema.get("description"):
        members["description"] = schema["description"]
    return _json_schema_format(members)


def to_wire_name(name: Any) -> str:
    """`name` with other characters than the service accepts replaced, at most 64 of them."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", str(name or "answer"))[:64]


def _json_schema_format(members: Mapping[str, Any]) -> dict[str, Any]:
    schema, strict = members.get("schema") or _NO_ARGUMENTS, members.get("strict")
    subject = f"the response format {members.get('name')!r}"
    if strict or strict is None:
        schema, strict = strict_or_open(schema, subject, warn="always" if strict else "never")
    given = {
        **members,
        "name": to_wire_name(members.get("name")),
        "schema": schema,
        "strict": strict,
    }
    return {"type": "json_schema", "json_schema": given}


def to_core_tool(tool: ToolLike) -> Tool | BuiltinTool:
    """A tool of any shape as the core's."""
    wire: Mapping[str, Any] = tool if _is_made(tool) else to_wire_tool(tool)  # type: ignore[assignment]  # a Mapping
    if wire.get("type") != "function":
        return BuiltinTool(wire)
    function = wire["function"]
    return Tool(
        name=function.get("name") or "",
        parameters=function.get("parameters") or {},
        description=function.get("description"),
        strict=function.get("strict"),
    )


def _is_made(tool: ToolLike) -> bool:
    """Whether it is a wire dict already, as bound ones are, and needs no strict schema made."""
    function = tool.get("function") if isinstance(tool, Mapping) else None
    if not isinstance(function, Mapping):
        return False
    # The caller's own may claim to be strict and not be.
    return not function.get("strict") or isinstance(function.get("parameters"), StrictSchema)


def to_core_tool_choice(wire: str | Mapping[str, Any] | None) -> ToolChoice | None:
    """A wire tool choice as the core's."""
    if isinstance(wire, Mapping):
        name = _function_name(wire)
        return dict(wire) if name is None else NamedTool(name)
    return wire  # type: ignore[return-value]  # to_wire_tool_choice gives these three words only


def to_core_response_format(wire: Mapping[str, Any]) -> ResponseFormat:
    """A wire response format as the core's."""
    if wire["type"] != "json_schema":
        return wire["type"]  # type: ignore[no-any-return]  # "text" or "json_object"
    inner = wire["json_schema"]
    return JsonSchema(inner["name"], inner["schema"], inner["strict"], inner.get("description"))
