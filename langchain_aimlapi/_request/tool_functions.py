"""Reads tools of any shape as LangChain does, each tool once: agents bind them at every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from aimlapi_core import InvalidRequestError
from aimlapi_core._adapters.schema_cache import ContentCache, SchemaCopies, copies_of
from aimlapi_core.schema import object_schema
from aimlapi_core.schema.references import has_missing_refs, inline_root_ref, is_recursive, walk
from langchain_aimlapi._request.json_schemas import json_schema

ToolLike: TypeAlias = Mapping[str, Any] | type | Callable[..., Any] | BaseTool


class ToolFunction:
    """A tool's name, description and schema, and that schema in the form that is sent."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self.members = members
        self._open: SchemaCopies | None = None
        self.strict: dict[bool, SchemaCopies] = {}
        """Its strict form where there is one, by whether a class validates the arguments."""

    def open_schema(self, subject: str) -> Mapping[str, Any]:
        """`object_schema` of the parameters, each time a copy: callers may change what is bound."""
        if self._open is None:
            self._open = copies_of(object_schema(self.members.get("parameters"), subject))
        return self._open()


# By the class of a tool's schema: what was read of the tool, and its function.
_functions: WeakKeyDictionary[type, tuple[tuple[Any, ...], ToolFunction]] = WeakKeyDictionary()
# Those of tools with a dict as their schema.
_functions_of_dicts: ContentCache[ToolFunction] = ContentCache()


def tool_function(tool: ToolLike) -> ToolFunction:
    """What LangChain reads of a tool.

    An agent binds its tools anew at each step. langchain-core makes the class of a tool's schema
    once, and anew after a change; what was read with that class is kept as long as it lives.
    """
    if isinstance(tool, dict):
        return _function_of_dict(tool, tool)
    if not isinstance(tool, BaseTool):
        return ToolFunction(_read_tool_function(tool))
    schema = tool.tool_call_schema
    # Everything else that the conversion reads of a tool.
    read = (tool.name, tool.description, (tool.metadata or {}).get("type"), type(tool))
    if not isinstance(schema, type):  # a dict, as of MCP's tools
        return _function_of_dict(tool, (*read[:3], type(tool).__qualname__, schema))
    kept = _functions.get(schema)
    if kept is None or kept[0] != read:
        kept = _functions[schema] = (read, ToolFunction(_read_tool_function(tool)))
    return kept[1]


def _function_of_dict(tool: ToolLike, read: Any) -> ToolFunction:
    """The function of a tool of which all that is read is `read`."""
    # A copy: the caller may change the dicts in it.
    return _functions_of_dicts.get(read, lambda: ToolFunction(deepcopy(_read_tool_function(tool))))


def _read_tool_function(tool: ToolLike) -> dict[str, Any]:
    kept = _kept_parameters(tool)
    if kept is not None and isinstance(tool, BaseTool):
        return {"name": tool.name, "description": tool.description, "parameters": kept}
    wire = _to_openai_tool(tool)
    # The flat form of the Responses endpoint is accepted beside the nested one.
    function = dict(wire.get("function") or {k: v for k, v in wire.items() if k != "type"})
    return function if kept is None else {**function, "parameters": kept}


def _to_openai_tool(tool: ToolLike) -> dict[str, Any]:
    try:
        return dict(convert_to_openai_tool(_as_dict(tool)))
    except RecursionError:
        name = f"the tool {tool.name!r}" if isinstance(tool, BaseTool) else "a tool"
        raise InvalidRequestError(
            f"The schema of {name} is nested too deeply, or holds itself."
        ) from None
    except (ValueError, TypeError) as exc:
        raise InvalidRequestError(
            f"A tool is a function, a tool object, a class or a dict with a name; {tool!r} cannot "
            f"be read as one: {exc}"
        ) from exc


def _kept_parameters(tool: ToolLike) -> dict[str, Any] | None:
    """The parameters of a tool whose schema LangChain's conversion loses; None for any other.

    Expected: LangChain's conversion keeps it. What happens (langchain-core 1.7 to 1.8): references
    are inlined, a cyclic one becomes a schema that allows anything, one to nothing raises KeyError,
    and a schema with a title and no `properties` is left out.
    """
    given = tool.tool_call_schema if isinstance(tool, BaseTool) else tool
    if isinstance(given, type) and hasattr(given, "model_json_schema"):
        given = json_schema(given)
    elif not isinstance(tool, BaseTool) and not (isinstance(given, Mapping) and "title" in given):
        return None
    if not isinstance(given, dict) or (not isinstance(tool, BaseTool) and "name" in given):
        return None
    if "properties" in given and _can_be_inlined(given):
        return None
    whole = inline_root_ref(given)
    return {key: value for key, value in whole.items() if key not in ("title", "description")}


def _can_be_inlined(schema: Mapping[str, Any]) -> bool:
    """Whether LangChain finds each `$ref` of the schema, and takes no property for one."""
    named = any("$ref" in (one.get("properties") or ()) for one in walk(schema))
    return not named and not is_recursive(schema) and not has_missing_refs(schema)


def _as_dict(tool: Any) -> Any:
    # langchain-core distinguishes its shapes by isinstance(…, dict).
    return dict(tool) if isinstance(tool, Mapping) else tool
