"""Structured output: what to bind for a schema, and the parser for what comes back."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from langchain_core.utils.function_calling import convert_to_json_schema
from langchain_core.utils.pydantic import is_basemodel_subclass
from typing_extensions import is_typeddict

from aimlapi_core import InvalidRequestError, nearest, strict_schema
from langchain_aimlapi._request.json_schemas import json_schema
from langchain_aimlapi._request.tools import wire_name
from langchain_aimlapi._structured_output.parser import AnswerParser

logger = logging.getLogger("aimlapi")

Method = Literal["json_schema", "function_calling", "json_mode"]


@dataclass(frozen=True)
class Plan:
    """What `with_structured_output` binds, and the parser that follows. `traced`: the schema."""

    parser: AnswerParser
    arguments: Mapping[str, Any]
    tools: tuple[Mapping[str, Any], ...] = ()
    traced: Mapping[str, Any] | None = None


def plan(schema: Any, method: str, strict: bool | None) -> Plan:
    """How to get an instance of `schema`. Raises InvalidRequestError for what cannot be."""
    if method not in get_args(Method):
        near = nearest(method, get_args(Method))
        hint = f"; did you mean {near!r}?" if near else f"; known are {', '.join(get_args(Method))}"
        raise InvalidRequestError(f"Unknown method {method!r} of with_structured_output{hint}")
    if method == "json_mode":
        if strict is not None:
            raise InvalidRequestError('strict has no meaning with method="json_mode".')
        own = json_schema(schema) if schema is not None else {}
        parser = AnswerParser(target=target_of(schema), own_schema=own)
        return Plan(parser, {"response_format": {"type": "json_object"}}, traced=_traced(schema))
    if schema is None:
        raise InvalidRequestError(f"method={method!r} needs a schema.")
    own = json_schema(schema)
    name = wire_name(own.get("title"))
    if method == "json_schema":
        parser = AnswerParser(target=target_of(schema), own_schema=own)
        wire = _for_wire(own, name, strict)
        return Plan(parser, {"response_format": wire}, traced=_traced(schema))
    parser = AnswerParser(target=target_of(schema), own_schema=own, tool_name=name)
    choice = {"tool_choice": name, "parallel_tool_calls": False}
    return Plan(parser, choice, (_forced_tool(own, name, strict),), traced=_traced(schema))


def check_clash(plan: Plan, method: str, given: Mapping[str, Any]) -> None:
    """Raise InvalidRequestError for an argument that says other than what the plan must bind."""
    for name, value in plan.arguments.items():
        if name in given and given[name] != value:
            raise InvalidRequestError(
                f"with_structured_output sets {name} itself for method={method!r}: leave it out."
            )


def _traced(schema: Any) -> Mapping[str, Any] | None:
    """The schema as LangChain's traces show it; None where LangChain cannot convert it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of defaults that JSON cannot show
            return convert_to_json_schema(schema)
    except Exception:  # None, a recursive class, or what else it cannot read
        return None


def _for_wire(own: dict[str, Any], name: str, strict: bool | None) -> dict[str, Any]:
    """The response format. Nulls that strictness adds are taken out again by the parser."""
    schema, is_strict = _fitted(own, name, strict is not False, warn=bool(strict))
    described = {"description": own["description"]} if own.get("description") else {}
    inner = {"name": name, "schema": schema, "strict": is_strict, **described}
    return {"type": "json_schema", "json_schema": inner}


def _forced_tool(own: dict[str, Any], name: str, strict: bool | None) -> dict[str, Any]:
    parameters = {key: own[key] for key in own if key not in ("title", "description")}
    parameters, is_strict = _fitted(parameters, name, bool(strict), warn=True)
    function: dict[str, Any] = {"name": name, "parameters": parameters}
    if own.get("description"):
        function["description"] = own["description"]
    if strict is not None:
        function["strict"] = is_strict
    return {"type": "function", "function": function}


def _fitted(
    schema: dict[str, Any], name: str, strict: bool, *, warn: bool
) -> tuple[dict[str, Any], bool]:
    if not strict:
        return schema, False
    closed, reason = strict_schema(schema)
    if closed is not None:
        return closed, True
    sentence = f"strict=False is sent for {name!r}: {reason}."
    if warn:
        warnings.warn(sentence, stacklevel=2)
    else:
        logger.info(sentence)
    return schema, False


def target_of(schema: Any) -> Any:
    """The class that answers become instances of; None when they stay dicts."""
    if not isinstance(schema, type) or is_typeddict(schema):
        return None
    is_model = is_basemodel_subclass(schema)
    return schema if is_model or hasattr(schema, "__dataclass_fields__") else None
