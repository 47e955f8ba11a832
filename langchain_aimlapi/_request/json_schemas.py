"""Converts pydantic classes, dataclasses, TypedDicts and tools to JSON Schema. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from enum import Enum
from typing import Any, NotRequired, get_origin

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind
from typing_extensions import get_type_hints, is_typeddict

from aimlapi_core import InvalidRequestError
from aimlapi_core.schema.references import inline_root_ref

# What only a JSON Schema has at its root, and no tool's description.
_ROOT_KEYWORDS = frozenset(
    ("properties", "$ref", "allOf", "anyOf", "oneOf", "$defs", "definitions")
)
_CONVERSION_ERRORS = (TypeError, ValueError, KeyError, AttributeError, RecursionError)


class _SilentSchemaGenerator(GenerateJsonSchema):
    """Does not warn of a default that JSON cannot represent, such as a default_factory's."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {  # noqa: RUF012  # pydantic's own form
        "skipped-choice",
        "non-serializable-default",
    }


def json_schema(schema: Any) -> dict[str, Any]:
    """The JSON Schema of a class or dict, with a `title` that can be its name.

    pydantic converts its classes and dataclasses (LangChain's conversion inlines references,
    which fails for recursive models); LangChain converts the rest, since it reads descriptions
    in Annotated. Raises InvalidRequestError for anything but an object schema.
    """
    if isinstance(schema, Mapping):
        return _from_mapping(schema)
    if is_typeddict(schema):
        return _from_typeddict(schema)
    if isinstance(schema, type) and get_origin(schema) is None:
        if hasattr(schema, "schema") and not hasattr(schema, "model_json_schema"):
            return _from_pydantic_v1(schema)
        if hasattr(schema, "model_json_schema") or hasattr(schema, "__dataclass_fields__"):
            return _with_pydantic(schema)
        if issubclass(schema, Enum) or schema.__module__ == "builtins":
            raise _not_a_schema(schema)
    if get_origin(schema) is not None or not (callable(schema) or isinstance(schema, BaseTool)):
        raise _not_a_schema(schema)
    return _with_langchain(schema)


def _from_mapping(schema: Mapping[str, Any]) -> dict[str, Any]:
    inner = schema.get("json_schema")
    if schema.get("type") == "json_schema" and isinstance(inner, Mapping):
        return _from_mapping(inner)  # a response format in wire format
    if "name" in schema and isinstance(schema.get("schema"), dict):
        named = {key: schema[key] for key in ("description",) if key in schema}
        return {**named, **schema["schema"], "title": schema["name"]}
    if not _ROOT_KEYWORDS.isdisjoint(schema) or schema.get("type") not in (None, "function"):
        return inline_root_ref({"title": "answer", **schema})
    return _with_langchain(dict(schema))


def _from_pydantic_v1(schema: Any) -> dict[str, Any]:
    """The schema of a class of pydantic.v1, which leaves out that a field takes null."""
    found: dict[str, Any] = deepcopy(schema.schema())  # pydantic keeps the one that it gave
    definitions = {**found.get("definitions", {}), schema.__name__: found}
    pending, seen = [schema], set()
    while pending:
        model = pending.pop()
        properties = definitions.get(model.__name__, {}).get("properties", {})
        seen.add(model)
        for field in model.__fields__.values():
            if field.allow_none and field.alias in properties:
                properties[field.alias] = _nullable(properties[field.alias])
            pending += [one for one in _models_in(field) if one not in seen]
    return found


def _models_in(field: Any) -> list[Any]:
    """The classes of pydantic.v1 in a field of one."""
    inner = [model for one in field.sub_fields or () for model in _models_in(one)]
    return [*inner, field.type_] if hasattr(field.type_, "__fields__") else inner


def _nullable(schema: Mapping[str, Any]) -> dict[str, Any]:
    own = {key: schema[key] for key in ("title", "description", "default") if key in schema}
    rest = {key: value for key, value in schema.items() if key not in own}
    return {"anyOf": [rest, {"type": "null"}], **own}


def _from_typeddict(schema: Any) -> dict[str, Any]:
    """Uses pydantic for NotRequired and recursive types, which LangChain's converter rejects."""
    try:
        hints = get_type_hints(schema, include_extras=True).values()
        origins: list[Any] = [get_origin(hint) for hint in hints]
        if NotRequired not in origins:
            return dict(convert_to_json_schema(schema))
    except _CONVERSION_ERRORS:
        pass
    return _with_pydantic(schema)


def _with_pydantic(schema: Any) -> dict[str, Any]:
    try:
        found = TypeAdapter(schema).json_schema(schema_generator=_SilentSchemaGenerator)
    except PydanticUserError as exc:
        raise InvalidRequestError(f"No JSON Schema can be made of {schema!r}: {exc}") from exc
    return inline_root_ref({"title": schema.__name__, **found})


def _with_langchain(schema: Any) -> dict[str, Any]:
    try:
        return dict(convert_to_json_schema(schema))
    except _CONVERSION_ERRORS as exc:
        raise _not_a_schema(schema) from exc


def _not_a_schema(schema: Any) -> InvalidRequestError:
    what = "a dict" if isinstance(schema, Mapping) else repr(schema)
    return InvalidRequestError(
        f"A schema is a class of pydantic, a dataclass, a TypedDict or a JSON Schema with 'title' "
        f"and 'properties', not {what}: make it a field of such a class."
    )
