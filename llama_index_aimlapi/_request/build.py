"""Builds a ChatRequest from the constructor's settings and the arguments of one call. Pure.

Rules: an argument of the call overrides a setting; None means "not given" in both; an unknown name
is an error that suggests the closest one; other request members go through `extra_body`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.instrumentation.span import active_span_id
from pydantic import BaseModel

from aimlapi_core import (
    ChatRequest,
    ConfigurationError,
    InvalidRequestError,
    JsonSchema,
    ResponseFormat,
    strict_schema,
)
from aimlapi_core._adapters.arguments import (
    sees_images,
    stream_usage_from,
    with_plain_scalars,
)
from aimlapi_core.request_params import REQUEST_PARAMS
from llama_index_aimlapi._request.argument_validation import (
    CALL_ARGUMENTS,
    CALL_SETTINGS,
    check_headers,
    check_names,
    check_types,
    connection_settings,
)
from llama_index_aimlapi._request.messages import to_messages
from llama_index_aimlapi._request.prepared import PreparedRequest
from llama_index_aimlapi._request.tools import to_tool_choice, to_tools, warn_not_strict

_FIELDS = {row.argument: name for name, row in REQUEST_PARAMS.items()}
# The members of both endpoints' bodies that an argument sets.
_WIRE_NAMES: Mapping[str, frozenset[str]] = {
    **{
        row.argument: frozenset(
            name.partition(".")[0] for name in (row.argument, row.chat, row.responses, *row.aliases)
        )
        - {""}
        for row in REQUEST_PARAMS.values()
    },
    "response_format": frozenset({"response_format", "text"}),
    "stream_usage": frozenset({"stream_options"}),
}


def build(
    messages: Sequence[ChatMessage],
    settings: Mapping[str, Any],
    extra_kwargs: Mapping[str, Any],
    call: Mapping[str, Any],
) -> PreparedRequest:
    """The request. `settings` are the constructor's; `extra_kwargs` is additional_kwargs."""
    connection: dict[str, Any] = {}
    if call:
        connection = {name: call[name] for name in CALL_SETTINGS if name in call}
        call = _layer({name: value for name, value in call.items() if name not in connection})
        check_names(call)
    extra = _layer(extra_kwargs) if extra_kwargs else {}
    merged = _merge_layers(settings, extra, _without_none(call))
    tools, tool_refs = to_tools(merged.pop("tools", ()))
    choice = merged.pop("tool_choice", None)
    parallel = merged.pop("parallel_tool_calls", None)
    if not tools and choice not in (None, "none", "auto"):
        raise InvalidRequestError(f"tool_choice is {choice!r}, but there are no tools.")
    request = ChatRequest(
        messages=to_messages(messages, sees_images=sees_images(merged)),
        tools=tools,
        tool_choice=to_tool_choice(choice, tool_refs) if tools else None,
        parallel_tool_calls=parallel if tools else None,
        response_format=to_response_format(merged.pop("response_format", None)),
        stop=_strings(merged.pop("stop", ())),
        include=_strings(merged.pop("include", ())),
        run_id=active_span_id.get(),
        **{_FIELDS[name]: value for name, value in merged.items()},
    )
    settings = connection_settings(connection) if connection else {}
    return PreparedRequest(request, tool_refs, settings)


def to_response_format(value: Any) -> ResponseFormat | None:
    """A response format given as a word, a pydantic class or in the wire form of chat."""
    if value in (None, "text", "json_object"):
        return value  # type: ignore[no-any-return]  # the line above leaves these three
    if isinstance(value, type) and issubclass(value, BaseModel):
        return JsonSchema(value.__name__, value.model_json_schema())
    if isinstance(value, Mapping):
        kind = value.get("type")
        if kind in ("text", "json_object"):
            return kind  # type: ignore[no-any-return]  # the line above leaves these two
        inner = value.get("json_schema", value)
        if kind == "json_schema" and isinstance(inner, Mapping) and "schema" in inner:
            name, schema = str(inner.get("name") or "answer"), inner["schema"]
            strict: bool | None = inner.get("strict")
            if strict:
                found, reason = strict_schema(schema, may_add_nulls=False)
                if reason is not None:
                    warn_not_strict(f"the response format {name!r}", reason)
                schema, strict = found or schema, found is not None
            return JsonSchema(name, schema, strict, inner.get("description"))
    raise InvalidRequestError(
        "response_format is 'text', 'json_object', a pydantic class or "
        f"{{'type': 'json_schema', 'json_schema': {{'name', 'schema'}}}}, not {value!r:.200}."
    )


def _layer(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call or of additional_kwargs by our names, with plain numbers."""
    named = with_plain_scalars(given)
    if "stream_options" in named:
        options = named.pop("stream_options")
        try:
            named.setdefault("stream_usage", stream_usage_from(options))
        except ConfigurationError as exc:
            raise InvalidRequestError(str(exc)) from None
    return named


def _merge_layers(
    settings: Mapping[str, Any], extra_kwargs: Mapping[str, Any], call: Mapping[str, Any]
) -> dict[str, Any]:
    """Merge settings and call; a call argument also overrides matching `extra_body` keys."""
    given = _without_none(settings)
    check_types(given)
    if not extra_kwargs and not call:  # nothing to merge
        return {**given, "extra_body": given.get("extra_body", {})}
    named = _without_none({k: v for k, v in extra_kwargs.items() if k in CALL_ARGUMENTS})
    unnamed = {k: v for k, v in extra_kwargs.items() if k not in CALL_ARGUMENTS}
    merged = {**named, **given, **call}
    for layer in (named, call):
        check_types(layer)
    check_headers(merged.get("extra_headers", {}))
    body = {**unnamed, **named.get("extra_body", {}), **given.get("extra_body", {})}
    if body:
        overridden = {member for name in call for member in _WIRE_NAMES[name]}
        body = {name: value for name, value in body.items() if name not in overridden}
    return {**merged, "extra_body": {**body, **call.get("extra_body", {})}}


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _strings(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
