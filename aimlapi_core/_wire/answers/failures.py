"""Failures inside answers with status 200: how they are known, and their errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aimlapi_core._error_reading.messages import MAX_SENTENCE_CHARS
from aimlapi_core._error_reading.responses import context_error, error_in_payload
from aimlapi_core._late import late_module
from aimlapi_core._values.readable import readable
from aimlapi_core.errors import AIMLAPIError, AnswerFailedError, UnexpectedReplyError
from aimlapi_core.types import Reply

if TYPE_CHECKING:
    from aimlapi_core._error_reading import classes
else:
    classes = late_module("aimlapi_core._error_reading.classes")

# OpenRouter's normalized reason is `error`; others are their providers' own: `network_error`
# (pi#8511), vLLM's `abort`, DeepSeek's `insufficient_system_resource`.
_FAILED = re.compile(
    r"error|fail|abort|cancel|time_?d?_?out|unavailable|overload|interrupt|insufficient|"
    r"exception|crash",
    re.I,
)
# Gemini's. As the service's own reason, such a word is passed on [C].
_FAILED_NATIVELY = re.compile(rf"{_FAILED.pattern}|malformed|unexpected|too_many", re.I)


def unexpected_reply(
    wanted: str, what: str, payload: Any, headers: Mapping[str, str]
) -> AIMLAPIError:
    """The error for a response with status 200 that holds `what` in place of `wanted`."""
    what = readable(what, 2 * MAX_SENTENCE_CHARS)
    message = f"The service answered with success, but not with {wanted}: {what}"
    request_id = headers.get("x-request-id")
    if classes.is_context_refusal(payload):
        return context_error(message, payload, request_id)
    failure = reported_failure(payload) if isinstance(payload, Mapping) else None
    if failure is None:
        return UnexpectedReplyError(message, body=what, request_id=request_id)
    return AnswerFailedError(
        message, code=failure[1], details=payload, body=what, request_id=request_id
    )


def answer_failed(
    what: str,
    partial: Reply,
    details: Mapping[str, Any],
    code: str | None = None,
    request_id: str | None = None,
) -> AIMLAPIError:
    """The error for an answer that began and failed, whole or streamed. `details`: its JSON."""
    what = readable(what, 2 * MAX_SENTENCE_CHARS).rstrip(" .")
    code = None if code is None else readable(code, MAX_SENTENCE_CHARS)
    message = f"The answer failed: {what}."
    if any(choice.parts for choice in partial.choices):
        message += " The part that came is in .partial."
    elif classes.is_context_refusal(details):
        return context_error(message, details, request_id)
    return AnswerFailedError(
        message, partial=partial, code=code, details=details, body=what, request_id=request_id
    )


# Members beside an answer that say, without an `error`, that it failed.
_REPORTING = ("errors", "statusCode", "status")
REPORTING_MEMBERS = frozenset(("error", *_REPORTING))


def reported_failure(payload: Mapping[str, Any], event: str = "") -> tuple[str, str | None] | None:
    """(message, code) of a failure that stands in the JSON of an answer, or beside it; else None.

    `event` is the SSE event name.
    """
    failure = error_in_payload(payload, event)
    if failure or REPORTING_MEMBERS.isdisjoint(payload):
        return failure
    for name in _REPORTING:
        value = payload.get(name)
        if bool(value) if name == "errors" else _is_failed_status(value):
            words = [payload[key] for key in ("message", "detail", "title") if payload.get(key)]
            return f"{name} is {value!r}" + (f", {words[0]}" if words else ""), None
    return None


def _is_failed_status(status: Any) -> bool:
    return (type(status) is int and status >= 400) or names_failure(status)


def names_failure(reason: Any, *, is_native: bool = False) -> bool:
    """Whether a finish reason says that the answer failed. `is_native`: the provider's own."""
    failed = _FAILED_NATIVELY if is_native else _FAILED
    return isinstance(reason, str) and failed.search(reason) is not None
