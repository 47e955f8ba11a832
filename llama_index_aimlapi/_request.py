"""Constructor settings and the arguments of one call to a ChatRequest. Pure.

Rules: an argument of the call beats a setting; None means "not given", in both; a name that is
neither is an error that names the nearest right one; a request member without a name here goes
through `extra_body`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from pydantic import BaseModel

from aimlapi_core import (
    ChatRequest,
    ConfigurationError,
    InvalidRequestError,
    JsonSchema,
    ResponseFormat,
)
from llama_index_aimlapi._answers import Asked
from llama_index_aimlapi._convert import to_messages
from llama_index_aimlapi._names import did_you_mean
from llama_index_aimlapi._tools import to_tool_choice, to_tools

# Accepted by the constructor and by each call.
SETTINGS = (
    "model",
    "temperature",
    "top_p",
    "max_tokens",
    "n",
    "seed",
    "logprobs",
    "top_logprobs",
    "stop",
    "stream_usage",
    "reasoning_effort",
    "reasoning_summary",
    "instructions",
    "previous_response_id",
    "store",
    "truncation",
    "include",
    "endpoint",
    "unsupported_params",
    "extra_body",
)
# Accepted by each call alone.
CALL_ONLY = (
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "extra_headers",
    "client_request_id",
)
_WIRE_DICTS = ("extra_body", "extra_headers")


def check_arguments(given: Iterable[str], known: Iterable[str], of: str = "AIMLAPI") -> None:
    """Raises ConfigurationError for a constructor argument that does not exist."""
    known = tuple(known)
    for name in given:
        raise ConfigurationError(
            f"{of} has no argument {name!r}.{did_you_mean(name, known)} "
            "Members of the request that have no name here go into extra_body."
        )


def one_of(name: str, value: Any, other_name: str, other: Any) -> Any:
    """The value of an argument that has two names. Raises ConfigurationError for two values."""
    if value is not None and other is not None and value != other:
        raise ConfigurationError(f"{name} and {other_name} are the same argument: give one.")
    return other if value is None else value


def check_extra_kwargs(extra: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raises ConfigurationError when additional_kwargs says otherwise than an argument."""
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
) -> Asked:
    """The request. `settings` has the names of SETTINGS; `extra_kwargs` is additional_kwargs."""
    _check_call(call)
    named = {k: v for k, v in extra_kwargs.items() if k in SETTINGS or k in CALL_ONLY}
    unnamed = {k: v for k, v in extra_kwargs.items() if k not in named}
    layers = [_given(layer) for layer in (named, settings, call)]
    merged: dict[str, Any] = {}
    for layer in layers:
        merged |= layer
    bodies = [unnamed, *(layer.get("extra_body") or {} for layer in layers)]
    merged["extra_body"] = {key: value for body in bodies for key, value in body.items()}
    tools, offered = to_tools(merged.pop("tools", ()))
    choice = merged.pop("tool_choice", None)
    parallel = merged.pop("parallel_tool_calls", None)
    if not tools and choice not in (None, "none", "auto"):
        raise InvalidRequestError(f"tool_choice is {choice!r}, but there are no tools.")
    request = ChatRequest(
        messages=to_messages(messages),
        tools=tools,
        tool_choice=to_tool_choice(choice, offered) if tools else None,
        parallel_tool_calls=parallel if tools else None,
        max_output_tokens=merged.pop("max_tokens", None),
        response_format=to_response_format(merged.pop("response_format", None)),
        stop=_strings(merged.pop("stop", ())),
        include=_strings(merged.pop("include", ())),
        **merged,
    )
    return Asked(request, offered)


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
    for name, value in call.items():
        if name not in known:
            raise InvalidRequestError(
                f"A call takes no argument {name!r}.{did_you_mean(name, known)} "
                "Members of the request that have no name here go into extra_body."
            )
        if name in _WIRE_DICTS and value is not None and not isinstance(value, Mapping):
            raise InvalidRequestError(f"{name} is a dict, not {value!r:.80}.")


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _strings(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
