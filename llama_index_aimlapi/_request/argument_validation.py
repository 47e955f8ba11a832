"""Validates arguments of constructors and calls. Pure.

The core validates ranges, which depend on the model. Here are the types, which it relies on, and
what must not reach events.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

from llama_index.core.schema import BaseComponent

from aimlapi_core import ConfigurationError, InvalidRequestError
from aimlapi_core._adapters.arguments import (
    ACCEPTED,
    PARAM_ALIASES,
    STRING,
    STRINGS,
    Accepted,
    check_endpoint,
    find_bool_number,
    find_wrong_type,
    is_list,
    stream_usage_from,
    with_plain_mappings,
    with_plain_scalars,
)
from aimlapi_core._misspelled_values import find_misspelled_value
from aimlapi_core._values.secret_headers import may_hold_secret
from aimlapi_core.request_params import REQUEST_PARAMS, arguments
from llama_index_aimlapi._base import parse_timeout, reveal_key
from llama_index_aimlapi._request.legacy_arguments import did_you_mean, say_what_to_do

# Accepted by constructors and by each call.
SETTINGS = arguments("model")
# Accepted by each call.
CALL_ARGUMENTS = arguments("model", "call")
# How one call is sent: arguments of it that are no part of the request.
CALL_SETTINGS = ("timeout", "max_retries", "max_concurrency")
# Members of request bodies that are no arguments but look like misspellings of some.
_WIRE_MEMBERS = frozenset(
    "background functions max_output_tokens max_tool_calls models reasoning "
    "response_id stream stream_options text tool_resources top_k top_a".split()
).union(PARAM_ALIASES)


def _is_positive_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


_KINDS: Mapping[str, Accepted] = {
    "bool": (lambda value: isinstance(value, bool), "True or False"),
    "tuple[str, ...]": STRINGS,
}
_ACCEPTED: Mapping[str, Accepted] = {
    **{row.argument: _KINDS[row.kind] for row in REQUEST_PARAMS.values() if row.kind in _KINDS},
    **ACCEPTED,
    "model": (STRING[0], "the id of a model"),
    "endpoint": (STRING[0], '"auto", "chat" or "responses"'),
    "client_request_id": STRING,
    "max_tokens": (_is_positive_int, "a whole number above 0"),
}


def check_model(model: Any) -> None:
    """Raises ConfigurationError for an empty model id, or none."""
    if not isinstance(model, str) or not model.strip():
        raise ConfigurationError(f"model is the id of a model, not {model!r:.80}.")


def check_context_window(tokens: int | None) -> None:
    """Raises ConfigurationError for a context window of 0 or less."""
    if isinstance(tokens, int) and tokens <= 0:
        raise ConfigurationError(f"context_window is a number of tokens above 0, not {tokens}.")


def constructor_fields(cls: type[BaseComponent], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a constructor's arguments set; `arguments` is its `locals()`.

    Raises ConfigurationError for a name that does not exist and for two values of one argument.
    """
    fields, unknown = cls.model_fields, dict(arguments["unknown"])
    if unknown.get("class_name") == cls.class_name():  # pydantic's dump of an object has it
        del unknown["class_name"]
    if "stream_options" in unknown and "stream_usage" in fields:
        unknown["stream_usage"] = stream_usage_from(unknown.pop("stream_options"))
    known = {*fields, *arguments} - {"self", "unknown", "__class__"}
    for name in (n for n in unknown if n not in fields):
        hint = say_what_to_do(name, known)
        raise ConfigurationError(f"{cls.class_name()} has no argument {name!r}. {hint}")
    given: dict[str, Any] = {n: value for n, value in arguments.items() if n in fields}
    given |= unknown
    given["api_key"] = reveal_key(arguments["api_key"])
    given["base_url"] = one_of(arguments, "base_url", "api_base")
    given["timeout"] = parse_timeout(arguments["timeout"])
    given = with_plain_mappings(with_plain_scalars(given))
    if wrong := find_bool_number(given):
        raise ConfigurationError(f"{wrong} is a number, not {given[wrong]}.")
    check_endpoint(given)
    if sentence := find_misspelled_value(given):
        raise ConfigurationError(sentence)
    return given


def connection_settings(call: Mapping[str, Any]) -> dict[str, Any]:
    """The `CALL_SETTINGS` of one call, as fields hold them. None is "not given", but for `timeout`.

    Raises InvalidRequestError for a boolean, and ConfigurationError for what cannot work.
    """
    given = drop_unset(with_plain_scalars(call))
    if wrong := find_bool_number(given):
        raise InvalidRequestError(f"{wrong} is a number, not {given[wrong]}.")
    if "timeout" in given:
        given["timeout"] = parse_timeout(given["timeout"])
    return given


def one_of(arguments: Mapping[str, Any], name: str, alias: str) -> Any:
    """The value of an argument that has two names. Raises ConfigurationError for two values."""
    value, other = arguments[name], arguments[alias]
    if value is not None and other is not None and value != other:
        raise ConfigurationError(f"{name} and {alias} are the same argument: give one.")
    return other if value is None else value


def drop_unset(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` without None, which is the default of each; `timeout=None` means no time-out."""
    return {n: value for n, value in fields.items() if value is not None or n == "timeout"}


def check_additional_kwargs(
    extra: Mapping[str, Any], settings: Mapping[str, Any], constructor: Container[str]
) -> None:
    """Raises ConfigurationError for a wrong name in additional_kwargs.

    That is a misspelt one, one of `constructor` alone, or one of `settings` with another value.
    """
    for name, value in extra.items():
        if name == "stream_options":
            stream_usage_from(value)
        elif name == "extra_headers":
            raise ConfigurationError(
                "additional_kwargs stand in events: use default_headers in place of extra_headers."
            )
        elif name in CALL_ARGUMENTS:
            if settings.get(name) is not None and settings[name] != value:
                raise ConfigurationError(
                    f"{name!r} is given as an argument and, differently, in additional_kwargs: "
                    "give it once."
                )
        elif name in _WIRE_MEMBERS:
            continue
        elif name in constructor:
            raise ConfigurationError(
                f"{name!r} is an argument of the constructor, and no member of a request."
            )
        elif hint := did_you_mean(name, CALL_ARGUMENTS):
            raise ConfigurationError(
                f"additional_kwargs has the unknown name {name!r}.{hint} "
                "To send it as it is, put it into extra_body."
            )


def check_types(values: Mapping[str, Any]) -> None:
    """Raises InvalidRequestError for an argument of the wrong type."""
    if wrong := find_wrong_type(values, _ACCEPTED):
        name, value, accepted = wrong
        raise InvalidRequestError(f"{name} is {accepted}, not {value!r:.80}.")


def check_names(names: Iterable[str]) -> None:
    """Raises InvalidRequestError for an argument that no call takes."""
    for name in names:
        if name not in CALL_ARGUMENTS and name not in CALL_SETTINGS:
            raise InvalidRequestError(
                f"A call takes no argument {name!r}. "
                f"{say_what_to_do(name, (*CALL_ARGUMENTS, *CALL_SETTINGS))}"
            )


def check_shown(call: Mapping[str, Any]) -> None:
    """Raises InvalidRequestError for what may hold a key: events show the arguments of a call."""
    for name, value in call.items():
        if name == "extra_headers" and isinstance(value, Mapping):
            check_headers(value)
        elif may_hold_secret(name) or "header" in name:
            check_names((name,))


def check_headers(headers: Mapping[str, Any]) -> None:
    """Raises InvalidRequestError for a header that may hold a secret: events show arguments."""
    for name in headers:
        if may_hold_secret(name):
            raise InvalidRequestError(
                f"The header {name!r} may hold a secret, and the arguments of a call stand in "
                "events: use default_headers."
            )


def check_messages(messages: Any) -> None:
    """Raises InvalidRequestError for anything but a list: one message, one text, a generator, None.

    The events would exhaust a generator before the request is built.
    """
    if not is_list(messages):
        raise InvalidRequestError(
            f"messages is a list of ChatMessage, not {type(messages).__name__}. For one text use "
            "complete(), or give [ChatMessage(content=...)]."
        )


def check_prompt(prompt: Any) -> None:
    """Raises InvalidRequestError for a prompt that is not a string. An empty one is sent."""
    if not isinstance(prompt, str):
        raise InvalidRequestError(f"A prompt is a string, not {type(prompt).__name__}.")
