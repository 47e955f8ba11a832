"""Drops or refuses the parameters that a model does not take, by its row in the model table."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from aimlapi_core._values.warn_once import warn_once
from aimlapi_core.errors import InvalidRequestError, UnsupportedParameterError
from aimlapi_core.models import ModelInfo
from aimlapi_core.request_params import DEFAULTS, REQUEST_PARAMS, is_given
from aimlapi_core.types import BuiltinTool, ChatRequest, Endpoint, Image

logger = logging.getLogger("aimlapi")

IMAGE_DETAILS = ("low", "high", "auto")
_MAX_STOPS = 4  # for models that take stop sequences [D gpt-5.2-chat.json]

_NUMERIC_PARAMS = tuple(row for row in REQUEST_PARAMS.values() if row.is_number)
_BOOLEAN_PARAMS = tuple(row.name for row in REQUEST_PARAMS.values() if row.kind == "bool")
_MODEL_DEPENDENT_PARAMS = tuple(
    row.name for row in REQUEST_PARAMS.values() if row.is_model_dependent
)
# Those that the catalogue knows of: also what each GPT-5.2 takes.
_LISTED_PARAMS = tuple(
    dict.fromkeys(
        (
            *_MODEL_DEPENDENT_PARAMS,
            *(row.name for row in REQUEST_PARAMS.values() if row.in_every or row.is_client_side),
        )
    )
)


class UnsupportedParameterWarning(UserWarning):
    """A parameter was left out because the model does not take it."""


def drop_unsupported_params(
    request: ChatRequest, info: ModelInfo | None, endpoint: Endpoint
) -> ChatRequest:
    """The request without parameters that this model does not take on this endpoint.

    `unsupported_params` decides whether they are dropped with a warning, raise, or are sent. Raises
    InvalidRequestError for values that no specification of the service allows. For a model without
    a checked row, or with "send", the request is unchanged.
    """
    mode = request.unsupported_params
    if request.top_logprobs is not None and request.logprobs is None:
        request = replace(request, logprobs=True)  # the schema requires both
    if info is None or mode == "send":
        return request
    if not info.gates_params:
        _log_undocumented(request, info, endpoint)
        return request
    unsupported = {}
    for name in _unlisted(_MODEL_DEPENDENT_PARAMS, request, info, endpoint):
        unsupported[name] = _unsupported_message(name, info, endpoint)
    effort = request.reasoning_effort
    is_unknown_effort = isinstance(effort, str) and effort not in info.reasoning_efforts
    if "reasoning_effort" not in unsupported and is_unknown_effort:
        unsupported["reasoning_effort"] = _unknown_effort_message(request, info)
    if unsupported and mode == "raise":
        raise UnsupportedParameterError(next(iter(unsupported.values())))
    for name, message in unsupported.items():
        # n=1 is the default, so no warning.
        if not (name == "n" and request.n == 1):
            _warn_dropped(name, info, endpoint, message)
    # Agents set names on assistant and tool messages; on other messages the caller does.
    if endpoint == "responses" and any(
        m.name for m in request.messages if m.role not in ("assistant", "tool")
    ):
        name = "name (of a message)"
        _warn_dropped(name, info, endpoint, _unsupported_message(name, info, endpoint))
    if unsupported:
        request = replace(request, **{name: DEFAULTS[name] for name in unsupported})
    _check_values(request, info, endpoint)
    _check_content(request, info, endpoint)
    return request


def _unlisted(
    names: Iterable[str], request: ChatRequest, info: ModelInfo, endpoint: Endpoint
) -> list[str]:
    """Those of the parameters that are given and that the row does not list."""
    listed = info.params.get(endpoint, frozenset())
    found = []
    for name in names:
        if name not in listed:
            value = getattr(request, name)
            if value is not None and is_given(value):  # the first saves a call for most of them
                found.append(name)
    return found


def _log_undocumented(request: ChatRequest, info: ModelInfo, endpoint: Endpoint) -> None:
    """Say in the debug log what the vendor's documents do not list of a model."""
    if logger.isEnabledFor(logging.DEBUG):
        for name in _unlisted(_LISTED_PARAMS, request, info, endpoint):
            logger.debug(
                "%r is not documented for %r on the %s endpoint (%s): it is sent as it is.",
                *(REQUEST_PARAMS[name].argument, info.id, endpoint, info.source),
            )


def _unsupported_message(name: str, info: ModelInfo, endpoint: Endpoint) -> str:
    others = [e for e in info.endpoints if e != endpoint and name in info.params[e]]
    there = f'; endpoint="{others[0]}" takes it' if others else ""
    return (
        f"{info.id!r} does not take {name!r} on the {endpoint} endpoint{there}. Source: "
        f"{info.source}, checked {info.checked}. "
        'unsupported_params="send" sends it all the same.'
    )


def _unknown_effort_message(request: ChatRequest, info: ModelInfo) -> str:
    return (
        f"reasoning_effort must be one of {', '.join(info.reasoning_efforts)} for {info.id!r}, not "
        f"{request.reasoning_effort!r}. Source: {info.source}, checked {info.checked}. "
        'unsupported_params="send" sends it all the same.'
    )


def _warn_dropped(name: str, info: ModelInfo, endpoint: Endpoint, message: str) -> None:
    message = f"{name!r} was left out: {message}"
    warn_once((info.id, endpoint, name), message, UnsupportedParameterWarning)


def _check_values(request: ChatRequest, info: ModelInfo, endpoint: Endpoint) -> None:
    for row in _NUMERIC_PARAMS:
        value = getattr(request, row.name)
        if value is None or (bounds := row.bounds(endpoint)) is None:
            continue
        minimum, maximum = bounds
        types = int if row.kind == "int" else (int, float)
        wrong_type = isinstance(value, bool) or not isinstance(value, types)
        if wrong_type or value < minimum or (maximum is not None and value > maximum):
            kind = "an integer" if row.kind == "int" else "a number"
            bound = f"at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
            name = row.name if row.name == row.argument else f"{row.name} ({row.argument})"
            raise InvalidRequestError(f"{name} must be {kind} {bound}, not {value!r}")
    for name in _BOOLEAN_PARAMS:
        value = getattr(request, name)
        if value is not None and not isinstance(value, bool):
            raise InvalidRequestError(f"{name} must be True or False, not {value!r}")
    effort = request.reasoning_effort
    if effort is not None and not isinstance(effort, str):
        raise InvalidRequestError(
            f"reasoning_effort must be one of {', '.join(info.reasoning_efforts)} for "
            f"{info.id!r}, not {effort!r}"
        )


def _check_content(request: ChatRequest, info: ModelInfo, endpoint: Endpoint) -> None:
    for position, message in enumerate(request.messages):
        for part in message.parts:
            if isinstance(part, Image):
                _check_image(part, position, info, endpoint)
    if len(request.stop) > _MAX_STOPS and "stop" in info.params[endpoint]:
        raise InvalidRequestError(f"stop takes at most {_MAX_STOPS} strings for {info.id!r}.")
    if endpoint == "chat" and not info.chat_takes_any_tool:
        for tool in request.tools:
            if isinstance(tool, BuiltinTool):
                also = ' Set endpoint="responses".' if "responses" in info.params else ""
                raise InvalidRequestError(
                    f"{info.id!r} takes function tools only on the chat endpoint, not "
                    f"{tool.wire.get('type')!r}.{also}"
                )


def _check_image(image: Image, position: int, info: ModelInfo, endpoint: Endpoint) -> None:
    if endpoint not in info.images:
        raise InvalidRequestError(
            f"Message {position} holds an image: {info.id!r} takes no images on the "
            f"{endpoint} endpoint ({info.source}). Use another model, or describe it in words."
        )
    if image.detail not in (None, *IMAGE_DETAILS):
        raise InvalidRequestError(
            f"Message {position} holds an image with the detail {image.detail!r}; known "
            f"are {', '.join(IMAGE_DETAILS)}."
        )
