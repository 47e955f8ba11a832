"""Parses a response, whole or streamed, as an instance of a pydantic class."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Generic, get_args, get_origin

from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from llama_index.core.program.utils import FlexibleModel, create_flexible_model
from llama_index.core.types import Model
from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic.fields import FieldInfo

from aimlapi_core import drop_added_nulls
from aimlapi_core.types import TRUNCATED_FINISH_REASONS
from llama_index_aimlapi._response.tool_calls import PARTIAL, partial_object
from llama_index_aimlapi._structured_output.plan import Prediction
from llama_index_aimlapi.errors import (
    NoToolCallError,
    OutputEmptyError,
    OutputRefusedError,
    OutputTruncatedError,
)


def read(response: ChatResponse, prediction: Prediction[Model]) -> Model:
    """The object of a whole answer.

    Raises OutputError where there is none, and pydantic's ValidationError where the output does
    not fit the class.
    """
    text = _json_text(response, prediction)
    _check(response, prediction, text)
    output_cls = prediction.output_cls
    if prediction.strict_for is not None:
        # Before anything is read: a null that the class allows would hide its default.
        return output_cls.model_validate_json(_without_added_nulls(text, output_cls) or text)
    try:
        return output_cls.model_validate_json(text)
    except ValidationError:
        pruned = _without_added_nulls(text, output_cls)
        if pruned is None:
            raise
    return output_cls.model_validate_json(pruned)


class Partials(Generic[Model]):
    """A stream's responses in, growing objects out. The last one is of the class itself.

    Before that an object is of the class once all fields of all its parts have come, and else a
    FlexibleModel with what has come, None for the rest: no default that a value replaces later.
    """

    def __init__(self, prediction: Prediction[Model]) -> None:
        self._prediction = prediction
        self._flexible = create_flexible_model(prediction.output_cls)
        self._last: dict[str, Any] = {}

    def feed(self, response: ChatResponse) -> list[Model | FlexibleModel]:
        """The objects to hand out for one response: none when nothing new has come."""
        if not response.additional_kwargs.get(PARTIAL):
            return [read(response, self._prediction)]
        data = partial_object(_json_text(response, self._prediction))
        if data == self._last:
            return []
        self._last = data
        return [self._object(data)]

    def _object(self, data: dict[str, Any]) -> Model | FlexibleModel:
        output_cls, schema = self._prediction.output_cls, self._prediction.strict_for
        if schema is not None:
            data = drop_added_nulls(data, schema)
        try:
            found = output_cls.model_validate(data)
        except (ValidationError, TypeError, ValueError):  # validators may raise on half an object
            found = None
        if found is not None and _is_filled(found):
            return found
        return self._flexible.model_validate(_by_field_name(data, output_cls))


def _json_text(response: ChatResponse, prediction: Prediction[Model]) -> str:
    if not prediction.by_tool:
        return response.message.content or ""
    for block in response.message.blocks:
        if isinstance(block, ToolCallBlock):
            arguments = block.tool_kwargs
            return arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ""


def _check(response: ChatResponse, prediction: Prediction[Model], text: str) -> None:
    name = prediction.output_cls.__name__
    facts = response.additional_kwargs
    request_id = facts.get("request_id")
    refusal = facts.get("refusal")
    if refusal:
        raise OutputRefusedError(
            f"The model refused to give {name}: {refusal}", body=refusal, request_id=request_id
        )
    reason = facts.get("finish_reason")
    if reason in TRUNCATED_FINISH_REASONS:
        advice = "Raise max_tokens." if reason == "length" else "Change the prompt."
        raise OutputTruncatedError(
            f"The answer for {name} was cut (finish reason {reason!r}) and is not used. {advice}",
            body=text,
            request_id=request_id,
        )
    if text.strip():
        return
    said = response.message.content or ""
    if said:
        raise NoToolCallError(
            f"The model gave text where {name} was asked for: {said!r:.200}",
            body=said,
            request_id=request_id,
        )
    raise OutputEmptyError(
        f"The model gave an empty answer where {name} was asked for. Ask again.",
        request_id=request_id,
    )


def _without_added_nulls(text: str, output_cls: type[BaseModel]) -> str | None:
    """The JSON without the nulls that a strict schema asked for; None when that changes nothing."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    pruned = drop_added_nulls(value, output_cls.model_json_schema())
    return None if pruned == value else json.dumps(pruned, ensure_ascii=False)


def _is_filled(value: Any) -> bool:
    """Whether every field of every model in it was given."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return value.model_fields_set >= set(fields) and all(
            _is_filled(getattr(value, name)) for name in fields
        )
    if isinstance(value, Mapping):
        return all(map(_is_filled, value.values()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_is_filled, value))
    return True


def _by_field_name(value: Any, kind: Any) -> Any:
    """JSON for an annotation, with the names of fields where it has their aliases."""
    if isinstance(value, list):
        return [_by_field_name(item, kind) for item in value]
    if not isinstance(value, dict):
        return value
    if get_origin(kind) is dict:
        return {key: _by_field_name(item, get_args(kind)[1]) for key, item in value.items()}
    names = {
        alias: (name, field.annotation)
        for model in _models(kind)
        for name, field in model.model_fields.items()
        for alias in (name, *_aliases(field))
    }
    out = {}
    for key, item in value.items():
        name, inner = names.get(key, (key, None))
        out[name] = _by_field_name(item, inner)
    return out


def _models(kind: Any) -> list[type[BaseModel]]:
    """The classes that an annotation names, at any depth of its unions and lists."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for inner in get_args(kind) for model in _models(inner)]


def _aliases(field: FieldInfo) -> list[str]:
    given = field.validation_alias
    choices = given.choices if isinstance(given, AliasChoices) else [given]
    return [alias for alias in choices if isinstance(alias, str)]
