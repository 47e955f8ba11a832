"""Builds a ChatRequest from the model object's arguments and those of one call. Pure.

An unknown name is an error that suggests the closest one: no argument is dropped silently.
`extra_body` sends what this package does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langchain_core.messages import BaseMessage
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from aimlapi_core import BuiltinTool, ChatRequest, ConfigurationError, InvalidRequestError, Tool
from aimlapi_core._adapters.arguments import (
    CONSTRUCTOR_ALIASES,
    PARAM_ALIASES,
    check_endpoint,
    closest_argument,
    sees_images,
    stream_usage_from,
    with_plain_mappings,
    with_plain_scalars,
)
from aimlapi_core._adapters.lifecycle import CONNECTION_SETTINGS
from aimlapi_core._misspelled_values import find_misspelled_value
from aimlapi_core.request_params import REQUEST_PARAMS, arguments
from langchain_aimlapi._base import as_secret
from langchain_aimlapi._request.argument_validation import (
    check_types,
    headers_apart,
    reject_bool_numbers,
    reject_config_names,
)
from langchain_aimlapi._request.constructor_types import Arguments
from langchain_aimlapi._request.legacy_arguments import migration_hint, place_hint
from langchain_aimlapi._request.messages import to_messages
from langchain_aimlapi._request.tools import (
    to_core_response_format,
    to_core_tool,
    to_core_tool_choice,
    to_wire_response_format,
    to_wire_tool_choice,
)

# Constructor arguments that are part of a request and can be overridden by a call.
REQUEST_FIELDS = frozenset([*arguments("model"), "reasoning", "model_kwargs"])
# Arguments that only calls have.
_CALL_ONLY = frozenset(arguments("call"))
# Those that are converted below; the others are copied into the request.
_CONVERTED = _CALL_ONLY | {"model", "stop", "include", "extra_body"}
_PASSTHROUGH_FIELDS = tuple(
    row for row in REQUEST_PARAMS.values() if row.scope == "model" and row.name not in _CONVERTED
)
# LangChain's own, or meaningless inside a call.
_IGNORED = frozenset(
    "stream streaming ls_structured_output_format structured_output_format".split()
)
# Set by LangChain, never by users: left out of suggestions.
_INTERNAL = _IGNORED - {"streaming"}
# A call's None means the model object's value: its key must not go to another host.
_NONE_MEANS_UNSET = CONNECTION_SETTINGS - {"timeout"}
# Arguments of calls that may hold a key.
_SECRET = frozenset("api_key default_headers extra_headers".split())
# Argument names of other packages.
ALIASES: Mapping[str, str] = {**CONSTRUCTOR_ALIASES, **PARAM_ALIASES}
MASKED_KEY = str(SecretStr("-"))
# The values of langchain-openai's use_responses_api.
_ENDPOINTS = {None: "auto", False: "chat", True: "responses"}


def normalize_names(
    given: Mapping[str, Any],
    known: frozenset[str],
    aliases: Mapping[str, str] = ALIASES,
    remedy: str = "",
) -> dict[str, Any]:
    """`given` under our names. Raises ConfigurationError for a name that does not exist.

    `remedy` ends the message of that error, unless there is one for the name itself.
    """
    out: dict[str, Any] = {}
    for name, value in given.items():
        ours = aliases.get(name, name)
        if ours == "use_responses_api":
            ours, value = "endpoint", _endpoint(value)
        elif ours == "stream_options":
            ours, value = "stream_usage", stream_usage_from(value)
        if ours not in known:
            raise ConfigurationError(_unknown_argument(name, known, aliases, remedy))
        if ours in out:
            raise ConfigurationError(f"{ours!r} was given twice, once as {name!r}.")
        out[ours] = value
    return out


def wrap_api_key(given: Mapping[str, Any]) -> dict[str, Any]:
    """A constructor's arguments with the key as a SecretStr, which hides it in tracebacks.

    Without the asterisks that pydantic writes into JSON for a key: the environment's is used then.
    """
    return {
        name: as_secret(value) if ALIASES.get(name, name) == "api_key" else value
        for name, value in given.items()
        if ALIASES.get(name, name) != "api_key" or value != MASKED_KEY
    }


def constructor_arguments(
    given: Mapping[str, Any], fields: Mapping[str, FieldInfo], aliases: Mapping[str, str] = ALIASES
) -> dict[str, Any]:
    """A constructor's arguments as values of its fields. Raises ConfigurationError."""
    named = normalize_names(headers_apart(given), frozenset(fields), aliases)
    named = with_plain_mappings(with_plain_scalars(_drop_unset(named, fields)))
    reject_bool_numbers(named)
    check_endpoint(named)
    reasoning = named.get("reasoning")
    nested = _reasoning(reasoning) if isinstance(reasoning, Mapping) else {}
    if sentence := find_misspelled_value({**nested, **named}):
        raise ConfigurationError(sentence)
    return named


def _drop_unset(named: Mapping[str, Any], fields: Mapping[str, FieldInfo]) -> dict[str, Any]:
    """A constructor's arguments without None where the field's default is not None.

    Other packages take None there, and programs pass on unset configuration. `model=None` is a
    mistake, and `timeout=None` means no time-out.
    """
    out = dict(named)
    for name, value in named.items():
        if value is None and name not in ("model", "timeout") and fields[name].default is not None:
            del out[name]
    return out


def _endpoint(use_responses_api: Any) -> str:
    if use_responses_api is None or isinstance(use_responses_api, bool):
        return _ENDPOINTS[use_responses_api]
    raise ConfigurationError("use_responses_api takes True, False or None.")


def _unknown_argument(
    name: str, known: frozenset[str], aliases: Mapping[str, str], remedy: str
) -> str:
    shown = sorted(known - _INTERNAL)
    near = closest_argument(name, [*shown, *aliases])
    hint = f"did you mean {near!r}?" if near else f"known are {', '.join(shown)}."
    elsewhere = migration_hint(name) or place_hint(name, known)
    return f"Unknown argument {name!r}: {elsewhere or hint + remedy}"


_KNOWN_IN_CALLS = REQUEST_FIELDS | _CALL_ONLY | CONNECTION_SETTINGS | _IGNORED


def call_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of one call under our names, without those that are ignored."""
    if not given:
        return {}
    reject_config_names(given)
    try:
        named = normalize_names(
            given, _KNOWN_IN_CALLS, remedy=" To send it all the same, use extra_body."
        )
    except ConfigurationError as exc:
        raise InvalidRequestError(str(exc)) from None
    if isinstance(named.get("api_key"), str):
        raise InvalidRequestError(
            "A call takes api_key as a SecretStr or a function only: a plain string would stand "
            "in the repr of what is bound."
        )
    named = with_plain_scalars(named)
    check_types(named)
    return {
        name: value
        for name, value in named.items()
        if name not in _IGNORED and not (value is None and name in _NONE_MEANS_UNSET)
    }


def without_secrets(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call's arguments without those that may hold a key, for traces and cache keys."""
    shown = {name: value for name, value in call.items() if ALIASES.get(name, name) not in _SECRET}
    if isinstance(kwargs := shown.get("model_kwargs"), Mapping):
        shown["model_kwargs"] = {n: value for n, value in kwargs.items() if n not in _SECRET}
    return shown


# Names that model_kwargs cannot hold. `metadata` is allowed: the service has a parameter of that
# name, while the constructor's is for traces. So is `stream_options`, as with ChatOpenAI.
_CONSTRUCTOR_ARGUMENTS = (frozenset(Arguments.__annotations__) | _IGNORED) - {
    "metadata",
    "stream_options",
}


def check_model_kwargs(given: Mapping[str, Any]) -> None:
    """Raise ConfigurationError for an argument that would be lost in `model_kwargs`."""
    misplaced = next((name for name in given if name in _CONSTRUCTOR_ARGUMENTS), None)
    if misplaced is not None:
        raise ConfigurationError(
            f"model_kwargs holds {misplaced!r}, which is an argument: pass it directly."
        )


def to_request(
    messages: Sequence[BaseMessage],
    defaults: Mapping[str, Any],
    call: Mapping[str, Any],
    run_id: str | None = None,
    *,
    streaming: bool,
) -> ChatRequest:
    """The request, in which the arguments of the call override the model object's `defaults`."""
    merged = _merge_layers(defaults, call)
    choices = merged.get("n")
    if streaming and isinstance(choices, int) and choices > 1:
        raise InvalidRequestError(
            f"n={choices} cannot be streamed: LangChain's streams hold one answer. "
            "Use generate() or invoke() without streaming, or n=1."
        )
    tools = tuple(map(to_core_tool, merged.get("tools") or ()))
    choice = merged.get("tool_choice")
    if choice is not None:
        choice = to_wire_tool_choice(choice, _tool_names(tools))
    given_format = merged.get("response_format")
    return ChatRequest(
        messages=to_messages(messages, sees_images=sees_images(merged)),
        model=merged["model"],
        tools=tools,
        tool_choice=to_core_tool_choice(choice) if tools else None,
        parallel_tool_calls=merged.get("parallel_tool_calls") if tools else None,
        response_format=(
            to_core_response_format(to_wire_response_format(given_format)) if given_format else None
        ),
        stop=() if (stop := merged.get("stop")) is None else _strings(stop),
        include=tuple(merged.get("include") or ()),
        extra_body=merged.get("extra_body") or {},
        extra_headers=merged.get("extra_headers") or {},
        client_request_id=merged.get("client_request_id"),
        run_id=run_id,
        **{
            row.name: merged[row.argument]
            for row in _PASSTHROUGH_FIELDS
            if merged.get(row.argument) is not None
        },
    )


def _tool_names(tools: Iterable[Tool | BuiltinTool]) -> list[dict[str, Any]]:
    """Names and types of the tools, for `to_wire_tool_choice`."""
    return [
        {"type": "function", "name": tool.name} if isinstance(tool, Tool) else dict(tool.wire)
        for tool in tools
    ]


def _merge_layers(defaults: Mapping[str, Any], call: Mapping[str, Any]) -> dict[str, Any]:
    """The call's arguments over the object's; `extra_body` is merged key by key."""
    under, over = _expand_layer(defaults), _expand_layer(call)
    body = {**(under.get("extra_body") or {}), **(over.get("extra_body") or {})}
    model = under.get("model") if over.get("model") is None else over["model"]
    return {**under, **over, "extra_body": body, "model": model}


def _expand_layer(layer: Mapping[str, Any]) -> dict[str, Any]:
    """One layer with `model_kwargs` and `reasoning` expanded; the layer's own names win.

    Argument names in `model_kwargs` become arguments, the others go into the body.
    """
    kwargs = layer.get("model_kwargs") or {}
    if not kwargs and not layer.get("reasoning"):  # as in most calls
        return {**layer, "extra_body": layer.get("extra_body") or {}}
    check_model_kwargs(kwargs)
    if "stream_options" in kwargs:
        given = stream_usage_from(kwargs["stream_options"])
        kwargs = {name: value for name, value in kwargs.items() if name != "stream_options"}
        layer = dict(layer) if given is None else {**layer, "stream_usage": given}
    named = {name: value for name, value in kwargs.items() if name in _KNOWN_IN_CALLS}
    body = {name: value for name, value in kwargs.items() if name not in _KNOWN_IN_CALLS}
    own = {name: value for name, value in layer.items() if value is not None or name not in named}
    expanded = {**named, **own, "extra_body": {**body, **(layer.get("extra_body") or {})}}
    for name, value in _reasoning(expanded.get("reasoning") or {}).items():
        if expanded.get(name) is None:
            expanded[name] = value
    return expanded


def _reasoning(given: Mapping[str, Any]) -> dict[str, Any]:
    """`reasoning={"effort": …, "summary": …}` as two arguments."""
    unknown = sorted(set(given) - {"effort", "summary"})
    if unknown:
        raise InvalidRequestError(f"reasoning takes 'effort' and 'summary', not {unknown[0]!r}.")
    return {f"reasoning_{name}": value for name, value in given.items()}


def _strings(stop: str | Sequence[str]) -> tuple[str, ...]:
    return (stop,) if isinstance(stop, str) else tuple(stop)
