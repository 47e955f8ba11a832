"""Argument validation for both adapters: accepted types, other libraries' names, "did you mean"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from pydantic import ValidationError

from aimlapi_core._values.plain import plain_number, plain_tree
from aimlapi_core.errors import ConfigurationError
from aimlapi_core.models import model_info, nearest
from aimlapi_core.request_params import REQUEST_PARAMS

# A test of a value, and what passes it in words.
Accepted: TypeAlias = tuple[Callable[[Any], bool], str]


def is_list(value: Any) -> bool:
    """Whether it is a sequence, but no string."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def is_list_of_strings(value: Any) -> bool:
    return is_list(value) and all(isinstance(one, str) for one in value)


def is_string_or_strings(value: Any) -> bool:
    return isinstance(value, str) or is_list_of_strings(value)


DICT: Accepted = (lambda value: isinstance(value, Mapping), "a dict")
STRING: Accepted = (lambda value: isinstance(value, str), "a string")
STRINGS: Accepted = (is_string_or_strings, "a string or a list of strings")
# The rows that both adapters have.
ACCEPTED: Mapping[str, Accepted] = {
    "stop": STRINGS,
    "tools": (is_list, "a list of tools"),
    "extra_body": DICT,
    "extra_headers": DICT,
}


# The arguments that hold numbers or booleans, with the kind of each.
_SCALARS: Mapping[str, str] = {
    **{row.argument: row.kind for row in REQUEST_PARAMS.values() if row.is_scalar},
    "timeout": "float",
    **dict.fromkeys(
        (
            "max_retries max_concurrency dimensions batch_size embed_batch_size "
            "concurrent_batches num_workers context_window"
        ).split(),
        "int",
    ),
}


def with_plain_scalars(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with Python's own numbers and booleans for those of numpy, Decimal, …"""
    plain = dict(arguments)
    for name in _SCALARS.keys() & plain.keys():
        plain[name] = plain_number(plain[name], _SCALARS[name])
    return plain


def stream_usage_from(stream_options: Any) -> bool | None:
    """OpenAI's `stream_options={"include_usage": …}` as the value of `stream_usage`.

    Raises ConfigurationError for anything else.
    """
    if stream_options is None:
        return None
    if isinstance(stream_options, Mapping) and set(stream_options) <= {"include_usage"}:
        include = stream_options.get("include_usage")
        if include is None or isinstance(include, bool):
            return include
    raise ConfigurationError(
        "stream_options takes {'include_usage': True} or False, which is stream_usage here. Pass "
        "other members as extra_body={'stream_options': …}, which is sent as it is."
    )


_MAPPINGS = ("extra_body", "model_kwargs", "additional_kwargs", "default_headers", "reasoning")


def with_plain_mappings(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A constructor's arguments with dicts for nested frozen mappings, so that it can be copied.

    Raises ConfigurationError for a mapping that holds itself.
    """
    plain = dict(arguments)
    for name in _MAPPINGS:
        if isinstance(plain.get(name), Mapping):
            try:
                plain[name] = plain_tree(plain[name])
            except ValueError as exc:
                raise ConfigurationError(f"{name} cannot be written as JSON: {exc}.") from None
    return plain


def check_endpoint(arguments: Mapping[str, Any]) -> None:
    """Raises ConfigurationError for a URL as `endpoint`: Mistral's name of the base URL."""
    given = arguments.get("endpoint")
    if isinstance(given, str) and "://" in given:
        raise ConfigurationError(
            f"endpoint is 'auto', 'chat' or 'responses': pass {given!r:.80} as base_url."
        )


def find_bool_number(arguments: Mapping[str, Any]) -> str | None:
    """The first argument that needs a number and is True or False, which pydantic takes for one."""
    for name, value in arguments.items():
        if isinstance(value, bool) and _SCALARS.get(name, "bool") != "bool":
            return name
    return None


def find_wrong_type(
    arguments: Mapping[str, Any], accepted: Mapping[str, Accepted]
) -> tuple[str, Any, str] | None:
    """(name, value, what is accepted) of the first argument of a wrong type, None without one.

    None is no wrong type: the argument is not given.
    """
    for name, value in arguments.items():
        row = None if value is None else accepted.get(name)
        if row is not None and not row[0](value):
            return name, value, row[1]
    return None


# Names of constructor arguments in other packages that LangChain's classes take for ours.
CONSTRUCTOR_ALIASES: Mapping[str, str] = {
    "model_name": "model",
    "openai_api_key": "api_key",
    "openai_api_base": "base_url",
    "aimlapi_api_key": "api_key",
    "aimlapi_api_base": "base_url",
    "request_timeout": "timeout",
}
# Names of request parameters in other packages.
PARAM_ALIASES: Mapping[str, str] = {
    alias: row.argument for row in REQUEST_PARAMS.values() for alias in row.aliases
}
_SYNONYMS: Mapping[str, str] = {
    **CONSTRUCTOR_ALIASES,
    **PARAM_ALIASES,
    "api_base": "base_url",
    "async_http_client": "http_async_client",
    "max_concurrent_requests": "max_concurrency",
    "max_new_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "max_tokens_to_sample": "max_tokens",
    "model_id": "model",
    "num_output": "max_tokens",
    "num_predict": "max_tokens",
    "random_seed": "seed",
    "stop_sequences": "stop",
}


def our_name(name: str) -> str:
    """Our name of what another library calls `name`; the name itself for any other."""
    return _SYNONYMS.get(name, name)


def closest_argument(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that another library calls `name`, or that it misspells; None without one."""
    candidates = tuple(candidates)
    near = our_name(name)
    return near if near in candidates else nearest(name, candidates)


def sees_images(arguments: Mapping[str, Any]) -> bool:
    """Whether images can be sent to the model and endpoint of a request's arguments.

    To a model without a checked row they are sent: the service says if it does not take them.
    """
    info = model_info(arguments["model"])
    if info is None or not info.gates_params or arguments.get("unsupported_params") == "send":
        return True
    endpoint = arguments.get("endpoint") or "auto"
    return (info.endpoints[0] if endpoint == "auto" else endpoint) in info.images


@contextmanager
def translate_validation_errors() -> Iterator[None]:
    """Inside it, pydantic's ValidationError is raised as a ConfigurationError.

    It names the argument and what it takes, never the value: that may be a key.
    """
    try:
        yield
    except ValidationError as exc:
        raise ConfigurationError(_message(exc)) from None


def _message(exc: ValidationError) -> str:
    errors = exc.errors(include_url=False, include_context=False, include_input=False)
    name = str(errors[0]["loc"][0]) if errors[0]["loc"] else str(exc.title)
    messages = [str(e["msg"]) for e in errors if not e["loc"] or str(e["loc"][0]) == name]
    return f"{name}: {' or '.join(dict.fromkeys(messages))}."
