"""Error bodies in each shape that the service is known to use.

Shape names: `problem` is the current one (a problem document that also holds an `error`),
`legacy` the one of https://docs.aimlapi.com/errors-and-messages/general-info, `openai` the
upstream's `{"error": {...}}`. `text`, `html` and `empty` are those of gateways.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from aimlapi_emulator.billing.ledger import iso

KEYS_PAGE = "https://aimlapi.com/app/keys"
NO_KEY = (
    "This request requires a valid API key. You can create a new API key on the Billing page: "
    + KEYS_PAGE
)
EMPTY_KEY = (
    "You provided an empty string instead of valid API key. You can create a new API key on the "
    "Billing page: " + KEYS_PAGE
)
NO_FUNDS = (
    "You've run out of funds. Please top up your balance or update your payment method to "
    "continue: https://aimlapi.com/app/billing"
)
MODEL_NOT_FOUND = "Model not found"
BODY_INVALID = "Body validation error!"

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    409: "Conflict",
    413: "Payload Too Large",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    520: "Web Server Returned an Unknown Error",
    522: "Connection Timed Out",
    524: "A Timeout Occurred",
}
_MESSAGES = {
    400: BODY_INVALID,
    401: NO_KEY,
    403: NO_FUNDS,
    404: MODEL_NOT_FOUND,
    429: "Too Many Requests",
    500: "Something wrong with the server. Please, try again later.",
    502: "Bad Gateway",
    503: "Service unavailable",
    504: "Generation timeout",
}
_OPENAI_TYPES = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("permission_error", None),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


def title(status: int) -> str:
    """The reason phrase of a status."""
    return _TITLES.get(status, "Error")


def default_message(status: int) -> str:
    """The service's message for a status."""
    return _MESSAGES.get(status, title(status))


def _exception_name(status: int) -> str:
    return title(status).title().replace(" ", "") + "Exception"


def problem(
    status: int,
    message: str,
    path: str,
    request_id: str,
    details: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The current shape; `details` ({path, reason, code}) are those of an invalid body."""
    name = "PublicApiValidationException" if details else _exception_name(status)
    error: dict[str, Any] = {"name": name, "message": message}
    if details:
        error["details"] = list(details)
    return {
        "title": title(status),
        "status": status,
        "message": message,
        "instance": path,
        "requestId": request_id,
        "timestamp": iso(time.time()),
        "error": error,
    }


def legacy(status: int, message: str, path: str, request_id: str) -> dict[str, Any]:
    """The shape of the service's older pages."""
    return {
        "requestId": request_id,
        "statusCode": status,
        "timestamp": iso(time.time()),
        "path": path,
        "message": message,
    }


def openai(status: int, message: str) -> dict[str, Any]:
    """The upstream's shape, passed through."""
    kind, code = _OPENAI_TYPES.get(status, ("server_error", None))
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def body(
    shape: str, status: int, message: str | None, path: str, request_id: str
) -> tuple[bytes, str]:
    """Body and content type of an error in a shape; ValueError for an unknown shape."""
    text = message if message is not None else default_message(status)
    if shape == "problem":
        return dump(problem(status, text, path, request_id)), PROBLEM_TYPE
    if shape == "legacy":
        return dump(legacy(status, text, path, request_id)), JSON_TYPE
    if shape == "openai":
        return dump(openai(status, text)), JSON_TYPE
    if shape == "text":
        return text.encode(), "text/plain; charset=utf-8"
    if shape == "html":
        page = (
            f"<!DOCTYPE html><html><head><title>{status}: {title(status)}</title></head>"
            f"<body><h1>{title(status)}</h1><p>{text}</p></body></html>"
        )
        return page.encode(), "text/html; charset=utf-8"
    if shape == "empty":
        return b"", "text/plain; charset=utf-8"
    raise ValueError(
        f"unknown error shape {shape!r}: use problem, legacy, openai, text, html or empty"
    )


JSON_TYPE = "application/json; charset=utf-8"
PROBLEM_TYPE = "application/problem+json; charset=utf-8"


_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def dump(value: Any) -> bytes:
    """Compact JSON with text as raw UTF-8, as the service sends it."""
    return _ENCODE(value).encode("utf-8", "replace")
