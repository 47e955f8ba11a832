"""What no call and no constructor takes, and what to give instead. Pure.

Bounds that depend on the model are the core's to judge: here stand the types, which it trusts,
and what must not reach events.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aimlapi_core import ConfigurationError, InvalidRequestError
from aimlapi_core._adapters.arguments import (
    ACCEPTED,
    STRING,
    STRINGS,
    Accepted,
    find_wrong_type,
    is_list,
)
from aimlapi_core.request_params import REQUEST_PARAMS
from llama_index_aimlapi._request.legacy_arguments import did_you_mean

# Members of the request that have no name here and look like a misspelling of one that has.
_MEMBERS = frozenset(
    "background functions max_output_tokens max_tool_calls models reasoning "
    "response_id stream stream_options text tool_resources top_k top_a".split()
) | {alias for row in REQUEST_PARAMS.values() for alias in row.aliases}
_CREDENTIAL = re.compile("auth|key|token|cookie|secret|password", re.IGNORECASE)
_NO_CREDENTIAL = re.compile("idempotency", re.IGNORECASE)


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
    """Raises ConfigurationError for a model id that is none."""
    if not isinstance(model, str) or not model.strip():
        raise ConfigurationError(f"model is the id of a model, not {model!r:.80}.")


def check_context_window(tokens: int | None) -> None:
    """Raises ConfigurationError for a context window that holds nothing."""
    if isinstance(tokens, int) and tokens <= 0:
        raise ConfigurationError(f"context_window is a number of tokens above 0, not {tokens}.")


def check_additional_kwargs(
    extra: Iterable[str], known: Sequence[str], constructor: Iterable[str]
) -> None:
    """Raises ConfigurationError for names in additional_kwargs that are surely not meant so."""
    for name in extra:
        if name == "extra_headers":
            raise ConfigurationError(
                "additional_kwargs stand in events: use default_headers in place of extra_headers."
            )
        if name in known or name in _MEMBERS:
            continue
        if name in constructor:
            raise ConfigurationError(
                f"{name!r} is an argument of the constructor, and no member of a request."
            )
        if hint := did_you_mean(name, known):
            raise ConfigurationError(
                f"additional_kwargs has the unknown name {name!r}.{hint} "
                "To send it as it is, put it into extra_body."
            )


def check_types(arguments: Mapping[str, Any]) -> None:
    """Raises InvalidRequestError for an argument of a call that is of the wrong type."""
    if wrong := find_wrong_type(arguments, _ACCEPTED):
        name, value, accepted = wrong
        raise InvalidRequestError(f"{name} is {accepted}, not {value!r:.80}.")


def check_headers(headers: Mapping[str, Any]) -> None:
    """Raises InvalidRequestError for a header that may be a secret: events show the arguments."""
    for name in headers:
        if _CREDENTIAL.search(str(name)) and not _NO_CREDENTIAL.search(str(name)):
            raise InvalidRequestError(
                f"The header {name!r} may hold a secret, and the arguments of a call stand in "
                "events: use default_headers."
            )


def check_messages(messages: Any) -> None:
    """Raises InvalidRequestError for what is no list: one message, one text, a generator, None.

    The events would read a generator to its end, and leave none to send.
    """
    if not is_list(messages):
        raise InvalidRequestError(
            f"messages is a list of ChatMessage, not {type(messages).__name__}. For one text use "
            "complete(), or give [ChatMessage(content=...)]."
        )


def check_prompt(prompt: Any) -> None:
    """Raises InvalidRequestError for a prompt that is no text, or an empty one."""
    if not isinstance(prompt, str):
        raise InvalidRequestError(f"A prompt is a string, not {type(prompt).__name__}.")
    if not prompt.strip():
        raise InvalidRequestError("The prompt is empty: give it some text.")
