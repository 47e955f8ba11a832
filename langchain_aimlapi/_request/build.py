"""One call's arguments over the model object's, as a ChatRequest. Pure.

Known names go where they belong, an unknown one is an error that names the nearest: nothing
that a user sets goes nowhere. `extra_body` is the way to send what this package does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import BaseMessage
from pydantic.fields import FieldInfo

from aimlapi_core import (
    ChatRequest,
    ConfigurationError,
    InvalidRequestError,
)
from aimlapi_core._adapters.arguments import (
    CONSTRUCTOR_ALIASES,
    PARAM_ALIASES,
    closest_argument,
    sees_images,
)
from aimlapi_core._adapters.lifecycle import CONNECTION_SETTINGS
from aimlapi_core.request_params import REQUEST_PARAMS, arguments
from langchain_aimlapi._base import as_secret
from langchain_aimlapi._request.argument_validation import check_types
from langchain_aimlapi._request.constructor_types import Arguments
from langchain_aimlapi._request.legacy_arguments import migration_hint
from langchain_aimlapi._request.messages import to_messages
from langchain_aimlapi._request.tools import (
    to_core_response_format,
    to_core_tool,
    to_core_tool_choice,
    to_wire_response_format,
    to_wire_tool_choice,
)

# Arguments of the constructor that shape a request and may be given to a call too.
REQUEST_FIELDS = frozenset([*arguments("model"), "reasoning", "model_kwargs"])
# Arguments that only calls have.
_CALL_ONLY = frozenset(arguments("call"))
# Those that are converted below; the others go into the request as they are.
_CONVERTED = _CALL_ONLY | {"model", "stop", "include", "extra_body"}
_PASSTHROUGH_FIELDS = tuple(
    row for row in REQUEST_PARAMS.values() if row.scope == "model" and row.name not in _CONVERTED
)
# LangChain's own, or without meaning once streaming was decided.
_IGNORED = frozenset(
    "stream streaming ls_structured_output_format structured_output_format".split()
)
# LangChain's way of telling traces about a schema, and a switch of its own: not for users.
_INTERNAL = frozenset("stream ls_structured_output_format structured_output_format".split())
# Arguments of calls in which None means the model object's: no call's key goes to another host.
_NONE_MEANS_UNSET = CONNECTION_SETTINGS - {"timeout"}
# Arguments of calls that may hold a key.
_SECRET = frozenset("api_key default_headers extra_headers".split())
# Names from other packages that are taken for ours.
ALIASES: Mapping[str, str] = {**CONSTRUCTOR_ALIASES, **PARAM_ALIASES}

# What use_responses_api says in langchain-openai.
_ENDPOINTS = {None: "auto", False: "chat", True: "responses"}


def normalize_names(
    given: Mapping[str, Any],
    known: frozenset[str],
    aliases: Mapping[str, str] = ALIASES,
    remedy: str = "",
) -> dict[str, Any]:
    """`given` under our names. Raises ConfigurationError for a name that does not exist.

    `remedy` is a sentence for that error: what else can be done about such a name.
    """
    out: dict[str, Any] = {}
    for name, value in given.items():
        ours = aliases.get(name, name)
        if ours == "use_responses_api":
            ours, value = "endpoint", _endpoint(value)
        if ours not in known:
            raise ConfigurationError(f"{_unknown_argument(name, known, aliases)}{remedy}")
        if ours in out:
            raise ConfigurationError(f"{ours!r} was given twice, once as {name!r}.")
        out[ours] = value
    return out


def wrap_api_key(given: Mapping[str, Any]) -> dict[str, Any]:
    """A constructor's arguments with the key as a SecretStr, which no crash's locals show."""
    return {
        name: as_secret(value) if ALIASES.get(name, name) == "api_key" else value
        for name, value in given.items()
    }


def drop_unset(named: Mapping[str, Any], fields: Mapping[str, FieldInfo]) -> dict[str, Any]:
    """A constructor's arguments without None where an argument always has a value.

    Other packages take None there, and programs hand on what their configuration lacks. A model
    that is None is a mistake, and a time-out that is None means none.
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


def _unknown_argument(name: str, known: frozenset[str], aliases: Mapping[str, str]) -> str:
    shown = sorted(known - _INTERNAL)
    near = closest_argument(name, [*shown, *aliases])
    hint = f"did you mean {near!r}?" if near else f"known are {', '.join(shown)}."
    return f"Unknown argument {name!r}: {migration_hint(name) or hint}"


_KNOWN_IN_CALLS = REQUEST_FIELDS | _CALL_ONLY | CONNECTION_SETTINGS | _IGNORED


def call_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of one call under our names, without those that mean nothing here."""
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
    check_types(named)
    return {
        name: value
        for name, value in named.items()
        if name not in _IGNORED and not (value is None and name in _NONE_MEANS_UNSET)
    }


def without_secrets(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call's arguments without those that may hold a key, for traces and cache keys."""
    return {name: value for name, value in call.items() if ALIASES.get(name, name) not in _SECRET}


# Names that model_kwargs cannot hold. `metadata` can be: the service has a parameter of this
# name, which the constructor's, for traces, is not.
_CONSTRUCTOR_ARGUMENTS = (frozenset(Arguments.__annotations__) | _IGNORED) - {"metadata"}


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
    """The request. `defaults` are the model object's arguments, `call` those of the call."""
    merged = _merge_layers(defaults, call)
    if streaming and (merged.get("n") or 1) > 1:
        raise InvalidRequestError(
            f"n={merged['n']} cannot be streamed: LangChain's streams hold one answer. "
            "Use generate() or invoke() without streaming, or n=1."
        )
    tools = tuple(to_core_tool(tool) for tool in merged.get("tools") or ())
    choice = to_wire_tool_choice(merged.get("tool_choice"), _tool_names(merged))
    given_format = merged.get("response_format")
    return ChatRequest(
        messages=to_messages(messages, sees_images=sees_images(merged)),
        model=merged["model"],
        tools=tools,
        tool_choice=to_core_tool_choice(choice) if tools else None,
        parallel_tool_calls=merged.get("parallel_tool_calls") if tools else None,
        response_format=to_core_response_format(
            to_wire_response_format(given_format) if given_format else None
        ),
        stop=_strings(merged.get("stop")),
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


def _tool_names(merged: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Names and types of the tools, as `to_wire_tool_choice` reads them."""
    values = [to_core_tool(tool) for tool in merged.get("tools") or ()]
    return [
        {"type": "function", "name": value.name} if hasattr(value, "name") else dict(value.wire)
        for value in values
    ]


def _merge_layers(defaults: Mapping[str, Any], call: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments in force: the call's over the object's; `extra_body` is united key by key."""
    under, over = _expand_layer(defaults), _expand_layer(call)
    body = {**(under.get("extra_body") or {}), **(over.get("extra_body") or {})}
    model = under.get("model") if over.get("model") is None else over["model"]
    return {**under, **over, "extra_body": body, "model": model}


def _expand_layer(layer: Mapping[str, Any]) -> dict[str, Any]:
    """One layer with `model_kwargs` and `reasoning` taken apart; the layer's own names win.

    Names in `model_kwargs` that are arguments act as such, the others go into the body.
    """
    kwargs = layer.get("model_kwargs") or {}
    if not kwargs and not layer.get("reasoning"):  # as in most calls: nothing to take apart
        return {**layer, "extra_body": layer.get("extra_body") or {}}
    check_model_kwargs(kwargs)
    named = {name: value for name, value in kwargs.items() if name in _KNOWN_IN_CALLS}
    bodily = {name: value for name, value in kwargs.items() if name not in _KNOWN_IN_CALLS}
    own = {name: value for name, value in layer.items() if value is not None or name not in named}
    plain = {**named, **own, "extra_body": {**bodily, **(layer.get("extra_body") or {})}}
    for name, value in _reasoning(plain.get("reasoning") or {}).items():
        if plain.get(name) is None:
            plain[name] = value
    return plain


def _reasoning(given: Mapping[str, Any]) -> dict[str, Any]:
    """`reasoning={"effort": …, "summary": …}` as the two arguments that it stands for."""
    unknown = sorted(set(given) - {"effort", "summary"})
    if unknown:
        raise InvalidRequestError(f"reasoning takes 'effort' and 'summary', not {unknown[0]!r}.")
    return {f"reasoning_{name}": value for name, value in given.items()}


def _strings(stop: str | Sequence[str] | None) -> tuple[str, ...]:
    if isinstance(stop, str):
        return (stop,)
    return tuple(stop or ())
