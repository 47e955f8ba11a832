"""Parses a response, complete or streamed, as an instance of a pydantic class."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Generic, get_args, get_origin

from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from llama_index.core.program.utils import FlexibleModel, create_flexible_model
from llama_index.core.types import Model
from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError, from_json

from aimlapi_core import drop_added_nulls
from aimlapi_core._adapters.model_json import json_text, loads_output
from aimlapi_core._adapters.output_errors import MAX_REFUSAL_CHARS
from aimlapi_core._values.readable import readable
from aimlapi_core.types import TRUNCATED_FINISH_REASONS
from llama_index_aimlapi._response.tool_calls import IS_PARTIAL, parse_partial_object
from llama_index_aimlapi._structured_output.plan import StructuredOutputPlan
from llama_index_aimlapi.errors import (
    NoToolCallError,
    OutputEmptyError,
    OutputFilteredError,
    OutputRefusedError,
    OutputTruncatedError,
)


def parse_response(response: ChatResponse, plan: StructuredOutputPlan[Model]) -> Model:
    """The object in a complete response.

    Raises OutputError where there is none, and pydantic's ValidationError where the output does
    not fit the class.
    """
    text = _json_text(response, plan)
    _check_usable(response, plan, text)
    output_cls = plan.output_cls
    text = _readable_json(text, output_cls)
    if plan.original_schema is not None:
        # Before validation: a null that the class allows would hide its default.
        return output_cls.model_validate_json(_without_added_nulls(text, output_cls) or text)
    try:
        return output_cls.model_validate_json(text)
    except ValidationError:
        pruned = _without_added_nulls(text, output_cls)
        if pruned is None:
            raise
    return output_cls.model_validate_json(pruned)


class PartialObjectParser(Generic[Model]):
    """Parses the partial objects of a stream. The last one is an instance of the class itself.

    An earlier one is too, once all fields of all its parts are set; else it is a FlexibleModel
    with None for missing fields, so that no default is replaced by a value later.
    """

    def __init__(self, plan: StructuredOutputPlan[Model]) -> None:
        self._plan = plan
        self._flexible = create_flexible_model(plan.output_cls)
        self._last: dict[str, Any] = {}

    def feed(self, response: ChatResponse) -> list[Model | FlexibleModel]:
        """The objects for one response: none when the object did not change."""
        if not response.additional_kwargs.get(IS_PARTIAL):
            return [parse_response(response, self._plan)]
        data = parse_partial_object(json_text(_json_text(response, self._plan)))
        if data == self._last:
            return []
        self._last = data
        return [self._to_instance(data)]

    def _to_instance(self, data: dict[str, Any]) -> Model | FlexibleModel:
        output_cls, schema = self._plan.output_cls, self._plan.original_schema
        if schema is not None:
            data = drop_added_nulls(data, schema)
        try:
            instance = output_cls.model_validate(data)
        except (ValidationError, TypeError, ValueError):  # validators may raise on partial objects
            instance = None
        if instance is not None and _all_fields_set(instance):
            return instance
        return self._flexible.model_validate(_by_field_name(data, output_cls))


def _json_text(response: ChatResponse, plan: StructuredOutputPlan[Model]) -> str:
    if not plan.uses_tool:
        return response.message.content or ""
    for block in response.message.blocks:
        if isinstance(block, ToolCallBlock):
            arguments = block.tool_kwargs
            return arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ""


def _check_usable(response: ChatResponse, plan: StructuredOutputPlan[Model], text: str) -> None:
    name = plan.output_cls.__name__
    metadata = response.additional_kwargs
    request_id = metadata.get("request_id")
    refusal = metadata.get("refusal")
    if refusal:
        said = readable(str(refusal), MAX_REFUSAL_CHARS)
        raise OutputRefusedError(
            f"The model refused to give {name}: {said}", body=refusal, request_id=request_id
        )
    reason = metadata.get("finish_reason")
    if reason in TRUNCATED_FINISH_REASONS:
        filtered = reason == "content_filter"
        advice = "Change the prompt." if filtered else "Raise max_tokens."
        raise (OutputFilteredError if filtered else OutputTruncatedError)(
            f"The answer for {name} was cut (finish reason {reason!r}) and is not used. {advice}",
            body=text,
            request_id=request_id,
        )
    if text.strip():
        return
    content = response.message.content or ""
    if content:
        raise NoToolCallError(
            f"The model gave text where {name} was asked for: {content!r:.200}",
            body=content,
            request_id=request_id,
        )
    raise OutputEmptyError(
        f"The model gave an empty answer where {name} was asked for. Ask again.",
        request_id=request_id,
    )


def _readable_json(text: str, output_cls: type[BaseModel]) -> str:
    """The JSON in a model's text, in a form that pydantic reads. Raises ValidationError."""
    text = json_text(text)
    try:
        value = loads_output(text)
    except ValueError as exc:
        kind = PydanticCustomError("json_invalid", "Invalid JSON: {error}", {"error": str(exc)})
        details = InitErrorDetails(type=kind, loc=(), input=text)
        raise ValidationError.from_exception_data(output_cls.__name__, [details]) from exc
    try:
        from_json(text)
    except (ValueError, TypeError):  # raw control characters in a string
        return json.dumps(value)
    return text


def _without_added_nulls(text: str, output_cls: type[BaseModel]) -> str | None:
    """The JSON without the nulls that a strict schema requires; None when that changes nothing."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    pruned = drop_added_nulls(value, output_cls.model_json_schema())
    return None if pruned == value else json.dumps(pruned, ensure_ascii=False)


def _all_fields_set(value: Any) -> bool:
    """Whether every field of every model in it is set."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return value.model_fields_set >= set(fields) and all(
            _all_fields_set(getattr(value, name)) for name in fields
        )
    if isinstance(value, Mapping):
        return all(map(_all_fields_set, value.values()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_all_fields_set, value))
    return True


def _by_field_name(value: Any, kind: Any) -> Any:
    """JSON for an annotation, with aliases replaced by the names of their fields."""
    if isinstance(value, list):
        return [_by_field_name(item, kind) for item in value]
    if not isinstance(value, dict):
        return value
    if get_origin(kind) is dict:
        return {key: _by_field_name(item, get_args(kind)[1]) for key, item in value.items()}
    names = {
        alias: (name, field.annotation)
        for model in _model_classes(kind)
        for name, field in model.model_fields.items()
        for alias in (name, *_aliases(field))
    }
    out = {}
    for key, item in value.items():
        name, inner = names.get(key, (key, None))
        out[name] = _by_field_name(item, inner)
    return out


def _model_classes(kind: Any) -> list[type[BaseModel]]:
    """The model classes in an annotation, at any depth of its unions and lists."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for inner in get_args(kind) for model in _model_classes(inner)]


def _aliases(field: FieldInfo) -> list[str]:
    given = field.validation_alias
    choices = given.choices if isinstance(given, AliasChoices) else [given]
    return [alias for alias in choices if isinstance(alias, str)]
