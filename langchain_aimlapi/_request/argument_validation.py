"""Validates the types of arguments. Pure.

Pydantic validates constructors, and its errors are translated; calls are validated by the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aimlapi_core import AIMLAPIError, ConfigurationError, InvalidRequestError
from aimlapi_core._adapters.arguments import (
    ACCEPTED,
    DICT,
    Accepted,
    find_bool_number,
    find_wrong_type,
    is_list_of_strings,
)

_ACCEPTED: Mapping[str, Accepted] = {
    **ACCEPTED,
    "include": (is_list_of_strings, "a list of strings"),
    "reasoning": (DICT[0], "a dict with 'effort' and 'summary'"),
    "model_kwargs": DICT,
    "default_headers": DICT,
}


# Members of a run's config that LangChain hands on by name: as arguments they are given twice.
CONFIG_NAMES = frozenset("callbacks config metadata run_id run_name tags".split())


def reject_config_names(given: Mapping[str, Any]) -> None:
    """Raise InvalidRequestError for a member of the config as an argument of a call."""
    if CONFIG_NAMES.isdisjoint(given):
        return
    name = min(CONFIG_NAMES & given.keys())
    value = "config=…" if name == "config" else f"config={{{name!r}: …}}"
    own = "; extra_body={'metadata': …} sends it to the service" if name == "metadata" else ""
    raise InvalidRequestError(
        f"Unknown argument {name!r}: it belongs into the run's config: invoke(…, {value}), or "
        f"with_config{own}."
    )


def check_types(call: Mapping[str, Any]) -> None:
    """Raise InvalidRequestError for a call's argument of a type that cannot work."""
    reject_bool_numbers(call, InvalidRequestError)
    if wrong := find_wrong_type(call, _ACCEPTED):
        name, value, accepted = wrong
        raise InvalidRequestError(f"{name} takes {accepted}, not a {type(value).__name__}.")


def reject_bool_numbers(
    given: Mapping[str, Any], error: type[AIMLAPIError] = ConfigurationError
) -> None:
    """Raise `error` for True or False where a number is needed."""
    if name := find_bool_number(given):
        raise error(f"{name} takes a number, not {given[name]}.")


def headers_apart(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """A constructor's arguments with the headers in `model_kwargs` as `default_headers`.

    `model_kwargs` stand in reprs, traces and dumps, and a header may hold a key.
    """
    kwargs = given.get("model_kwargs")
    if not isinstance(kwargs, Mapping) or "extra_headers" not in kwargs:
        return given
    rest = {name: value for name, value in kwargs.items() if name != "extra_headers"}
    headers = kwargs["extra_headers"] or {}
    if not isinstance(headers, Mapping):
        raise ConfigurationError(
            f"extra_headers in model_kwargs must map names to values, not be of type "
            f"{type(headers).__name__}."
        )
    return {
        **given,
        "model_kwargs": rest,
        "default_headers": {**(given.get("default_headers") or {}), **headers},
    }
