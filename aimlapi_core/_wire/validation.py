"""Validates a request before it is sent, and drops the parameters that its model does not take.

Only the model table differs by model. The rules are those of the strictest published schema
(aimlapi/api-docs, state 2026-08-21).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeGuard

from aimlapi_core._history.names import TOOL_NAME
from aimlapi_core._misspelled_values import find_misspelled_value
from aimlapi_core._values.media import is_pdf, is_sendable_image, shown
from aimlapi_core._values.warn_once import warn_once
from aimlapi_core.errors import InvalidRequestError, UnsupportedParameterError
from aimlapi_core.models import ModelInfo
from aimlapi_core.request_params import REQUEST_PARAMS, is_given
from aimlapi_core.types import (
    BuiltinTool,
    ChatRequest,
    Endpoint,
    File,
    Image,
    Message,
    NamedTool,
    Tool,
)

logger = logging.getLogger("aimlapi")

ROLES = ("system", "developer", "user", "assistant", "tool")
IMAGE_DETAILS = ("low", "high", "auto")
IMAGE_FORMATS = ("png", "jpeg", "gif", "webp")

MAX_REQUEST_ID_LENGTH = 128
_REQUEST_ID = re.compile(rf"[A-Za-z0-9._:-]{{1,{MAX_REQUEST_ID_LENGTH}}}")
_MAX_TOOLS = 128
_MAX_STOPS = 4  # for models that take stop sequences [D gpt-5.2-chat.json]

_NUMERIC_PARAMS = tuple(row for row in REQUEST_PARAMS.values() if row.is_number)
_PARAMS_WITH_CHOICES = tuple(row for row in REQUEST_PARAMS.values() if row.choices)
_PARAMS_WITH_DOCUMENTED_VALUES = tuple(
    row.name for row in REQUEST_PARAMS.values() if row.documented
)
_BOOLEAN_PARAMS = tuple(row.name for row in REQUEST_PARAMS.values() if row.kind == "bool")
_DEFAULTS: Mapping[str, Any] = {field.name: field.default for field in fields(ChatRequest)}
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


def check_request(request: ChatRequest) -> None:
    """Raise InvalidRequestError for what no model accepts."""
    if not isinstance(request.model, str) or not request.model.strip():
        raise InvalidRequestError(f"model must be a model id, not {request.model!r}")
    if not request.messages:
        raise InvalidRequestError("There are no messages: send at least one.")
    if request.extra_body.get("background"):
        raise InvalidRequestError(
            "background=True is not supported yet: how the service is asked for the result of "
            "such a response is not documented. Stream the answer instead."
        )
    for position, message in enumerate(request.messages):
        if message.role not in ROLES:
            raise InvalidRequestError(
                f"Message {position} has the role {message.role!r}; known are {', '.join(ROLES)}."
            )
        for part in message.parts:
            if isinstance(part, (Image, File)):
                _check_medium(part, message, position)
    if request.tools or request.tool_choice is not None:
        _check_tools(request)
    if isinstance(request.stop, str):
        raise InvalidRequestError("stop must be a tuple of strings: a string would be its letters.")
    if request.stop and not all(request.stop):
        raise InvalidRequestError("stop holds an empty string: it would cut every answer to none.")
    for row in _PARAMS_WITH_CHOICES:
        value = getattr(request, row.name)
        is_unset = value is None and _DEFAULTS[row.name] is None
        if not is_unset and not (isinstance(value, str) and value in row.choices):
            *most, last = (f'"{choice}"' for choice in row.choices)
            choices = f"{', '.join(most)} or {last}"
            raise InvalidRequestError(f"{row.argument} must be {choices}: {value!r}")
    for name in _PARAMS_WITH_DOCUMENTED_VALUES:
        value = getattr(request, name)
        if value is not None:
            given = {name: value, "unsupported_params": request.unsupported_params}
            if misspelled := find_misspelled_value(given):
                raise InvalidRequestError(misspelled)
    if request.client_request_id is not None:
        check_client_request_id(request.client_request_id)


def is_client_request_id(given: str | None) -> TypeGuard[str]:
    """Whether the service stores this id."""
    return given is not None and _REQUEST_ID.fullmatch(given) is not None


def request_id_header(name: str | None) -> dict[str, str]:
    """The header of a client request id; none without one."""
    return {"X-Client-Request-Id": name} if name else {}


def check_client_request_id(given: str | None) -> None:
    """Raise InvalidRequestError for an id that the service ignores [D request-tracing-and-cost]."""
    if given is not None and not _REQUEST_ID.fullmatch(given):
        raise InvalidRequestError(
            f"client_request_id {given!r} must be 1 to 128 characters of A-Z a-z 0-9 . _ : -"
        )


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
        request = replace(request, **{name: _DEFAULTS[name] for name in unsupported})
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


def _check_medium(part: Image | File, message: Message, position: int) -> None:
    if message.role != "user":
        kind = "an image" if isinstance(part, Image) else "a file"
        raise InvalidRequestError(
            f"Message {position} ({message.role}) holds {kind}: only user messages may."
        )
    if isinstance(part, Image) and not is_sendable_image(part.url):
        raise InvalidRequestError(
            f"Message {position} holds an image of an unsupported kind by its bytes "
            f"({shown(part.url)}): give an http(s) URL, or a base64 data URL of "
            f"{', '.join(IMAGE_FORMATS)}."
        )
    if isinstance(part, File) and not is_pdf(part.data):
        raise InvalidRequestError(
            f"Message {position} holds a file that is no PDF by its bytes "
            f"({shown(part.data)}): give a PDF as data:application/pdf;base64,…, and another "
            "document as its text."
        )


def _check_tools(request: ChatRequest) -> None:
    if len(request.tools) > _MAX_TOOLS:
        raise InvalidRequestError(
            f"{len(request.tools)} tools are too many: the limit is {_MAX_TOOLS}."
        )
    names: set[str] = set()
    for tool in request.tools:
        if not isinstance(tool, Tool):
            continue
        if not TOOL_NAME.fullmatch(tool.name):
            raise InvalidRequestError(
                f"The tool name {tool.name!r} must be 1 to 64 characters of A-Z a-z 0-9 _ -: give "
                "the tool another name."
            )
        if tool.strict is not None and not isinstance(tool.strict, bool):
            raise InvalidRequestError(
                f"strict of the tool {tool.name!r} must be True, False or None: {tool.strict!r}"
            )
        if tool.name in names:
            raise InvalidRequestError(f"Two tools have the name {tool.name!r}.")
        names.add(tool.name)
    choice = request.tool_choice
    if isinstance(choice, NamedTool) and choice.name not in names:
        raise InvalidRequestError(
            f"tool_choice names {choice.name!r}; the tools are {sorted(names)}."
        )
    if choice == "required" and not request.tools:
        raise InvalidRequestError('tool_choice "required" without any tools.')
