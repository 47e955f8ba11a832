"""Plans structured output: by JSON schema, or by a forced tool call. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic

from llama_index.core.program.function_program import get_function_tool
from llama_index.core.types import Model
from pydantic import BaseModel, RootModel

from aimlapi_core import InvalidRequestError, strict_schema
from aimlapi_core._history.names import wire_tool_name
from aimlapi_core.schema import object_schema
from llama_index_aimlapi._request.tools import tool_dict, warn_not_strict

# LlamaIndex programs pass these to control the tool call; the plan controls it itself.
_PROGRAM_KWARGS = ("tool_required", "tool_choice", "allow_parallel_tool_calls")


@dataclass(frozen=True, slots=True)
class StructuredOutputPlan(Generic[Model]):
    """How `output_cls` is requested: `arguments` are those of the chat call.

    `original_schema` is the class's own schema when a strict form of it is sent.
    """

    output_cls: type[Model]
    arguments: Mapping[str, Any]
    uses_tool: bool
    original_schema: Mapping[str, Any] | None = None

    def chat_kwargs(self, llm_kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
        """The caller's keyword arguments merged with the plan's, which win."""
        given = {k: v for k, v in (llm_kwargs or {}).items() if k not in _PROGRAM_KWARGS}
        return {**given, **self.arguments}


def check_output_class(output_cls: Any) -> None:
    """Raises InvalidRequestError for anything but a pydantic class whose JSON is an object."""
    if not (isinstance(output_cls, type) and issubclass(output_cls, BaseModel)):
        raise InvalidRequestError(
            f"output_cls is a class made from pydantic's BaseModel, not {output_cls!r:.120}."
        )
    if issubclass(output_cls, RootModel) and not _is_object(output_cls.model_json_schema()):
        raise InvalidRequestError(
            f"{output_cls.__name__} is no JSON object, and the service answers with objects only: "
            "put it into a field of a class."
        )


def json_schema_plan(output_cls: type[Model]) -> StructuredOutputPlan[Model]:
    """Requests a response format by JSON schema, a strict one where the class allows it."""
    schema = output_cls.model_json_schema()
    subject = f"the class {output_cls.__name__!r}"
    strict, reason = strict_schema(schema, is_validated=True)
    if reason is not None:
        warn_not_strict(subject, reason)
    response_schema = {
        "name": wire_tool_name(output_cls.__name__),
        "schema": strict or object_schema(schema, subject),
        "strict": strict is not None,
    }
    arguments = {"response_format": {"type": "json_schema", "json_schema": response_schema}}
    return StructuredOutputPlan(output_cls, arguments, False, schema if strict else None)


def function_calling_plan(output_cls: type[Model]) -> StructuredOutputPlan[Model]:
    """Requests the object as the arguments of a tool that the model must call."""
    tool = tool_dict(get_function_tool(output_cls), None)
    name = tool["function"]["name"]
    arguments = {
        "tools": [tool],
        "tool_choice": {"type": "function", "function": {"name": name}},
        "parallel_tool_calls": False,
    }
    return StructuredOutputPlan(output_cls, arguments, uses_tool=True)


def _is_object(schema: Mapping[str, Any]) -> bool:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    target = schema.get("$defs", {}).get(name, {}) if name else schema
    return bool(target.get("type") == "object")
