"""Chooses what to bind for structured output of a schema, and the parser of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from langchain_core.utils.pydantic import is_basemodel_subclass
from typing_extensions import is_typeddict

from aimlapi_core import InvalidRequestError, model_info, nearest
from aimlapi_core.schema import object_schema
from langchain_aimlapi._request.json_schemas import json_schema
from langchain_aimlapi._request.tools import strict_or_open, to_wire_name
from langchain_aimlapi._structured_output.methods import Method
from langchain_aimlapi._structured_output.parser import AnswerParser


@dataclass(frozen=True)
class StructuredOutputPlan:
    """What `with_structured_output` binds, and the parser that follows it."""

    parser: AnswerParser
    arguments: Mapping[str, Any]
    tools: tuple[Mapping[str, Any], ...] = ()
    traced_schema: Mapping[str, Any] | None = None


def default_method(model: str) -> Method:
    """How to request an instance where the caller does not say: by the model's row."""
    info = model_info(model)
    by_call = info is not None and info.tools and not info.structured_output
    return "function_calling" if by_call else "json_schema"


def make_plan(schema: Any, method: str, strict: bool | None) -> StructuredOutputPlan:
    """The plan for an instance of `schema`. Raises InvalidRequestError for invalid arguments."""
    if method not in get_args(Method):
        near = nearest(method, get_args(Method))
        hint = f"; did you mean {near!r}?" if near else f"; known are {', '.join(get_args(Method))}"
        raise InvalidRequestError(f"Unknown method {method!r} of with_structured_output{hint}")
    if method == "json_mode" and strict is not None:
        raise InvalidRequestError('strict has no meaning with method="json_mode".')
    if method != "json_mode" and schema is None:
        raise InvalidRequestError(f"method={method!r} needs a schema.")
    original = {} if schema is None else json_schema(schema)
    name = to_wire_name(original.get("title"))
    tool_name = name if method == "function_calling" else None
    parser = AnswerParser(
        output_class=output_class(schema), original_schema=original, tool_name=tool_name
    )
    tools: tuple[Mapping[str, Any], ...] = ()
    arguments: dict[str, Any]
    if method == "json_mode":
        arguments = {"response_format": {"type": "json_object"}}
    elif method == "json_schema":
        arguments = {
            "response_format": _response_format(
                original, name, strict, is_validated=parser.output_class is not None
            )
        }
    else:
        arguments = {"tool_choice": name, "parallel_tool_calls": False}
        is_validated = parser.output_class is not None
        tools = (_forced_tool(original, name, strict, is_validated=is_validated),)
    traced = original if isinstance(schema, Mapping) else _without_property_titles(original)
    return StructuredOutputPlan(parser, arguments, tools, traced or None)


def _without_property_titles(schema: Mapping[str, Any]) -> dict[str, Any]:
    """As LangChain traces a class: its properties without the titles that pydantic adds."""
    properties = {
        name: {key: value for key, value in one.items() if key != "title"}
        if isinstance(one, Mapping)
        else one
        for name, one in schema.get("properties", {}).items()
    }
    return {**schema, "properties": properties} if properties else dict(schema)


def check_conflicts(plan: StructuredOutputPlan, method: str, given: Mapping[str, Any]) -> None:
    """Raise InvalidRequestError for an argument that contradicts what the plan binds."""
    for name, value in plan.arguments.items():
        if name in given and given[name] != value:
            raise InvalidRequestError(
                f"with_structured_output sets {name} itself for method={method!r}: leave it out."
            )


def _response_format(
    original: dict[str, Any], name: str, strict: bool | None, *, is_validated: bool
) -> dict[str, Any]:
    """The response format. The parser removes the nulls that strictness adds."""
    schema: Mapping[str, Any]
    if strict is False:
        schema, is_strict = object_schema(original, repr(name)), False
    else:
        schema, is_strict = strict_or_open(
            original,
            repr(name),
            warn="always" if strict else "once",
            is_validated=is_validated,
            may_add_nulls=True,
        )
    described = {"description": original["description"]} if original.get("description") else {}
    inner = {"name": name, "schema": schema, "strict": is_strict, **described}
    return {"type": "json_schema", "json_schema": inner}


def _forced_tool(
    original: dict[str, Any], name: str, strict: bool | None, *, is_validated: bool
) -> dict[str, Any]:
    given = {key: original[key] for key in original if key not in ("title", "description")}
    parameters: Mapping[str, Any]
    if strict:
        parameters, is_strict = strict_or_open(
            given, repr(name), warn="always", is_validated=is_validated, may_add_nulls=True
        )
    else:
        parameters, is_strict = object_schema(given, repr(name)), False
    function: dict[str, Any] = {"name": name, "parameters": parameters}
    if original.get("description"):
        function["description"] = original["description"]
    if strict is not None:
        function["strict"] = is_strict
    return {"type": "function", "function": function}


def output_class(schema: Any) -> Any:
    """The class to parse answers as; None when they stay dicts."""
    if not isinstance(schema, type) or is_typeddict(schema):
        return None
    is_model = is_basemodel_subclass(schema)
    return schema if is_model or hasattr(schema, "__dataclass_fields__") else None
