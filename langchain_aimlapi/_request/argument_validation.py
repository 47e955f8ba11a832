"""The types of arguments, judged before anything is made of them. Pure.

Constructors are judged by pydantic, whose errors are worded anew here; calls by the table below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from aimlapi_core import ConfigurationError, InvalidRequestError
from aimlapi_core.request_params import REQUEST_PARAMS

# Pydantic takes True for the number 1.
_NUMBERS = frozenset(
    "timeout max_retries dimensions batch_size max_concurrency concurrent_batches".split()
) | {row.argument for row in REQUEST_PARAMS.values() if row.is_number}


def _is_texts(value: Any) -> bool:
    whole = isinstance(value, Sequence) and not isinstance(value, (str, bytes))
    return whole and all(isinstance(one, str) for one in value)


def _is_text_or_texts(value: Any) -> bool:
    return isinstance(value, str) or _is_texts(value)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


_MAPPING = (_is_mapping, "a dict")
_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "stop": (_is_text_or_texts, "a string or a list of strings"),
    "include": (_is_texts, "a list of strings"),
    "tools": (_is_list, "a list of tools"),
    "reasoning": (_is_mapping, "a dict with 'effort' and 'summary'"),
    "model_kwargs": _MAPPING,
    "extra_body": _MAPPING,
    "extra_headers": _MAPPING,
    "default_headers": _MAPPING,
}


def check_types(call: Mapping[str, Any]) -> None:
    """Raise InvalidRequestError for an argument of a call that has a type which cannot work."""
    for name, value in call.items():
        if value is None:
            continue
        fits, wanted = _RULES.get(name, (_anything, ""))
        if name in _NUMBERS and isinstance(value, bool):
            raise InvalidRequestError(f"{name} takes a number, not {value}.")
        if not fits(value):
            raise InvalidRequestError(f"{name} takes {wanted}, not a {type(value).__name__}.")


def _anything(_: Any) -> bool:
    return True


def check_numbers(given: Mapping[str, Any]) -> None:
    """Raise ConfigurationError for a bool where a number belongs."""
    for name in _NUMBERS & given.keys():
        if isinstance(given[name], bool):
            raise ConfigurationError(f"{name} takes a number, not {given[name]}.")


@contextmanager
def pydantic_worded() -> Iterator[None]:
    """Inside it, a wrong argument of a constructor leaves as a ConfigurationError.

    It names the argument and what it takes, never what was given: that may be a key.
    """
    try:
        yield
    except ValidationError as exc:
        raise ConfigurationError(_sentence(exc)) from None


def _sentence(exc: ValidationError) -> str:
    errors = exc.errors(include_url=False, include_context=False, include_input=False)
    name = str(errors[0]["loc"][0]) if errors[0]["loc"] else str(exc.title)
    said = [str(e["msg"]) for e in errors if not e["loc"] or str(e["loc"][0]) == name]
    return f"{name}: {' or '.join(dict.fromkeys(said))}."
