"""Constructor settings and the arguments of one call to a ChatRequest. Pure.

Rules: an argument of the call beats a setting; None means "not given", in both; a name that is
neither is an error that names the nearest right one; a request member without a name here goes
through `extra_body`.
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
)
from aimlapi_core._adapters.arguments import sees_images
from aimlapi_core.request_params import REQUEST_PARAMS, arguments
from llama_index_aimlapi._request.argument_validation import (
    check_additional_kwargs,
    check_headers,
    check_types,
)
from llama_index_aimlapi._request.legacy_arguments import OPENAI_LIKE_ONLY, did_you_mean
from llama_index_aimlapi._request.messages import to_messages
from llama_index_aimlapi._request.prepared import PreparedRequest
from llama_index_aimlapi._request.tools import to_tool_choice, to_tools

# Accepted by the constructor and by each call.
SETTINGS = arguments("model")
# Accepted by each call alone.
CALL_ONLY = arguments("call")
_FIELDS = {row.argument: name for name, row in REQUEST_PARAMS.items()}
# The members of both endpoints' bodies that say what an argument says.
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


def check_arguments(given: Iterable[str], known: Iterable[str], of: str = "AIMLAPI") -> None:
    """Raises ConfigurationError for a constructor argument that does not exist."""
    known = tuple(known)
    for name in given:
        if name in OPENAI_LIKE_ONLY:
            hint = " It is OpenAILike's, and nothing here needs to be told so: leave it out."
        else:
            hint = (
                f"{did_you_mean(name, known)} "
                "Members of the request that have no name here go into extra_body."
            )
        raise ConfigurationError(f"{of} has no argument {name!r}.{hint}")


def one_of(name: str, value: Any, other_name: str, other: Any) -> Any:
    """The value of an argument that has two names. Raises ConfigurationError for two values."""
    if value is not None and other is not None and value != other:
        raise ConfigurationError(f"{name} and {other_name} are the same argument: give one.")
    return other if value is None else value


def check_extra_kwargs(
    extra: Mapping[str, Any], settings: Mapping[str, Any], constructor: Iterable[str]
) -> None:
    """Raises ConfigurationError when additional_kwargs says otherwise than an argument.

    And for a name in it that is near one of ours, or is one of `constructor` alone.
    """
    check_additional_kwargs(extra, (*SETTINGS, *CALL_ONLY), constructor)
    for name in extra:
        if settings.get(name) is not None and settings[name] != extra[name]:
            raise ConfigurationError(
                f"{name!r} is given as an argument and, differently, in additional_kwargs: "
                "give it once."
            )


def build(
    messages: Sequence[ChatMessage],
    settings: Mapping[str, Any],
    extra_kwargs: Mapping[str, Any],
    call: Mapping[str, Any],
) -> PreparedRequest:
    """The request. `settings` has the names of SETTINGS; `extra_kwargs` is additional_kwargs."""
    _check_call(call)
    merged = _merge_layers(settings, extra_kwargs, _without_none(call))
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
    return PreparedRequest(request, tool_refs)


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
            return JsonSchema(
                name=str(inner.get("name") or "answer"),
                schema=inner["schema"],
                strict=inner.get("strict"),
                description=inner.get("description"),
            )
    raise InvalidRequestError(
        "response_format is 'text', 'json_object', a pydantic class or "
        f"{{'type': 'json_schema', 'json_schema': {{'name', 'schema'}}}}, not {value!r:.200}."
    )


def _check_call(call: Mapping[str, Any]) -> None:
    known = (*SETTINGS, *CALL_ONLY)
    for name in call:
        if name not in known:
            raise InvalidRequestError(
                f"A call takes no argument {name!r}.{did_you_mean(name, known)} "
                "Members of the request that have no name here go into extra_body."
            )


def _merge_layers(
    settings: Mapping[str, Any], extra_kwargs: Mapping[str, Any], call: Mapping[str, Any]
) -> dict[str, Any]:
    """The layers as one, the call's on top: also of what the others' bodies say."""
    named = _without_none(
        {k: v for k, v in extra_kwargs.items() if k in SETTINGS or k in CALL_ONLY}
    )
    unnamed = {k: v for k, v in extra_kwargs.items() if k not in SETTINGS and k not in CALL_ONLY}
    given = _without_none(settings)
    merged = {**named, **given, **call}
    for layer in (named, given, call):
        check_types(layer)
    check_headers(merged.get("extra_headers", {}))
    said = {member for name in call for member in _WIRE_NAMES[name]}
    below = {**unnamed, **named.get("extra_body", {}), **given.get("extra_body", {})}
    kept = {name: value for name, value in below.items() if name not in said}
    return {**merged, "extra_body": {**kept, **call.get("extra_body", {})}}


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _strings(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
