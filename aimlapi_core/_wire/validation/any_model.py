"""Refuses what no model accepts.

The rules are those of the strictest published schema (aimlapi/api-docs, state 2026-08-21).
"""

from __future__ import annotations

import re
from typing import TypeGuard, get_args

from aimlapi_core._history.names import TOOL_NAME
from aimlapi_core._misspelled_values import find_misspelled_value
from aimlapi_core._values.media import is_pdf, is_sendable_image, shown
from aimlapi_core.errors import InvalidRequestError
from aimlapi_core.request_params import DEFAULTS, REQUEST_PARAMS
from aimlapi_core.types import ChatRequest, File, Image, Message, NamedTool, Part, Tool

ROLES = ("system", "developer", "user", "assistant", "tool")
IMAGE_FORMATS = ("png", "jpeg", "gif", "webp")

_UNCHECKED_PARTS = frozenset(get_args(Part)) - {Image, File}
MAX_REQUEST_ID_LENGTH = 128
_REQUEST_ID = re.compile(rf"[A-Za-z0-9._:-]{{1,{MAX_REQUEST_ID_LENGTH}}}")
_MAX_TOOLS = 128

_PARAMS_WITH_CHOICES = tuple(row for row in REQUEST_PARAMS.values() if row.choices)
_PARAMS_WITH_DOCUMENTED_VALUES = tuple(
    row.name for row in REQUEST_PARAMS.values() if row.documented
)


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
            if type(part) not in _UNCHECKED_PARTS:
                _check_part(part, message, position)
    if request.tools or request.tool_choice is not None:
        _check_tools(request)
    if isinstance(request.stop, str):
        raise InvalidRequestError("stop must be a tuple of strings: a string would be its letters.")
    if request.stop and not all(request.stop):
        raise InvalidRequestError("stop holds an empty string: it would cut every answer to none.")
    for row in _PARAMS_WITH_CHOICES:
        value = getattr(request, row.name)
        is_unset = value is None and DEFAULTS[row.name] is None
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


def _check_part(part: Part, message: Message, position: int) -> None:
    if isinstance(part, (Image, File)):
        _check_medium(part, message, position)
        return
    from aimlapi_core._wire.validation.wrong_types import wrong_parts  # few programs need it

    if problem := wrong_parts(message, position):  # a string has letters, which are no parts
        raise InvalidRequestError(problem)


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
