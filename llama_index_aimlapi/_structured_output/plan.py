"""Structured prediction: by JSON schema, or by a forced tool whose parameters it is. Pure."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic

from llama_index.core.program.function_program import get_function_tool
from llama_index.core.types import Model
from pydantic import BaseModel, RootModel

from aimlapi_core import InvalidRequestError, strict_schema
from llama_index_aimlapi._request.tool_names import wire_name
from llama_index_aimlapi._request.tools import tool_dict

logger = logging.getLogger("aimlapi")

# A program's own arguments, which say how to call the tool: here that is settled.
_SETTLED = ("tool_required", "tool_choice", "allow_parallel_tool_calls")


@dataclass(frozen=True, slots=True)
class Prediction(Generic[Model]):
    """How an `output_cls` is asked for: `call` holds the arguments of the chat call.

    `strict_for` is the class's own schema where a strict form of it is sent.
    """

    output_cls: type[Model]
    call: Mapping[str, Any]
    by_tool: bool
    strict_for: Mapping[str, Any] | None = None

    def arguments(self, llm_kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
        """The call's arguments with the caller's own."""
        given = {k: v for k, v in (llm_kwargs or {}).items() if k not in _SETTLED}
        return {**given, **self.call}


def check_class(output_cls: Any) -> None:
    """Raises InvalidRequestError for what is no class that an object can be read into."""
    if not (isinstance(output_cls, type) and issubclass(output_cls, BaseModel)):
        raise InvalidRequestError(
            f"output_cls is a class made from pydantic's BaseModel, not {output_cls!r:.120}."
        )
    if issubclass(output_cls, RootModel) and not _is_object(output_cls.model_json_schema()):
        raise InvalidRequestError(
            f"{output_cls.__name__} is no JSON object, and the service answers with objects only: "
            "put it into a field of a class."
        )


def by_schema(output_cls: type[Model]) -> Prediction[Model]:
    """Asked for by JSON schema, a strict one where the class allows it."""
    schema = output_cls.model_json_schema()
    strict, reason = strict_schema(schema)
    if reason is not None:
        logger.info("%s is asked for without strict=True: %s.", output_cls.__name__, reason)
    wanted = {
        "name": wire_name(output_cls.__name__),
        "schema": strict or schema,
        "strict": strict is not None,
    }
    call = {"response_format": {"type": "json_schema", "json_schema": wanted}}
    return Prediction(output_cls, call, by_tool=False, strict_for=schema if strict else None)


def by_tool(output_cls: type[Model]) -> Prediction[Model]:
    """Asked for as the arguments of a tool that the model must call."""
    tool = tool_dict(get_function_tool(output_cls), None)
    name = tool["function"]["name"]
    call = {
        "tools": [tool],
        "tool_choice": {"type": "function", "function": {"name": name}},
        "parallel_tool_calls": False,
    }
    return Prediction(output_cls, call, by_tool=True)


def _is_object(schema: Mapping[str, Any]) -> bool:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    target = schema.get("$defs", {}).get(name, {}) if name else schema
    return bool(target.get("type") == "object")
