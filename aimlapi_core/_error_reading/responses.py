"""Maps HTTP error responses and errors inside streams to exceptions.

Reads every shape that was seen: problem+json, the legacy object, validation details, OpenAI's
nested `error`, plain text and HTML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aimlapi_core._error_reading.messages import (
    MAX_SENTENCE_CHARS,
    MAX_TEXT_CHARS,
    readable_fields,
    redirect_hint,
    status_message,
)
from aimlapi_core._json_reading import loads_with_halves
from aimlapi_core._late import late_module
from aimlapi_core._values.half_characters import HALF_IN_JSON, without_halves
from aimlapi_core._values.readable import readable
from aimlapi_core._values.retry_after import retry_after_s
from aimlapi_core.errors import (
    RETRYABLE_STATUSES,
    ContextTooLongError,
    StatusError,
)

if TYPE_CHECKING:
    from aimlapi_core._error_reading import classes
else:
    classes = late_module("aimlapi_core._error_reading.classes")

_MAX_BODY_CHARS = 300  # of a body that is not JSON
_MAX_TEXT_BYTES = 4_096  # of such a body are searched for tags, which takes quadratic time

_TAGS = re.compile(r"<(script|style).*?</\1>|<[^>]*>", re.I | re.S)


def error_from_response(
    status_code: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    url: str = "",
    now_s: float | None = None,
) -> StatusError:
    """The exception for a response with a status outside 2xx. `headers` in lower case.

    `url` is the one that was called, for a redirect; `now_s` the time in seconds since the epoch,
    for a `Retry-After` that is a date in a response without `Date`.
    """
    parsed = parse_body(body)
    text = _message_text(parsed)
    fields = _invalid_fields(parsed)
    error_class = classes.find_error_class(status_code, f"{text} {_error_codes(parsed)}", parsed)
    request_id = headers.get("x-request-id") or _string_member(parsed, "requestId", "request_id")
    hint = redirect_hint(status_code, headers.get("location"), url) or error_class.hint
    error = error_class(
        status_message(status_code, text, fields, request_id, hint),
        status_code=status_code,
        message_text=readable(text, MAX_TEXT_CHARS),
        fields=readable_fields(fields),
        body=parsed if not isinstance(parsed, str) else parsed[:_MAX_BODY_CHARS],
        headers=headers,
        request_id=request_id,
        inference_id=headers.get("x-inference-id"),
        retry_after_s=retry_after_s(headers, now_s),
    )
    error.is_retryable = error_class.is_retryable and status_code in RETRYABLE_STATUSES
    return error


def parse_body(body: bytes) -> Any:
    """The parsed JSON body; if it is not JSON, its text without HTML tags.

    Without halves of characters.
    """
    payload = parse_raw_body(body)
    return without_halves(payload) if HALF_IN_JSON.search(body) else payload


def parse_raw_body(body: bytes) -> Any:
    """As `parse_body`, with halves of characters, which may have to be joined."""
    try:
        return loads_with_halves(body)[0]
    except ValueError:
        start = body[:_MAX_TEXT_BYTES].decode("utf-8", "replace")
        return " ".join(_TAGS.sub(" ", start).split())


def error_in_payload(payload: Mapping[str, Any], event: str = "") -> tuple[str, str | None] | None:
    """(message, code) if the JSON payload of a stream event reports an error, else None.

    `event` is the SSE event name: one named "error" is an error in any shape. No sample of an
    error inside a chat stream is documented, so every shape that the service uses outside streams
    is read: an `error` member, or the flat objects without `choices`.
    """
    error = payload.get("error")
    if isinstance(error, Mapping) and not any(error.values()):  # gateways that always send it
        error = None
    flat = "choices" not in payload and ("statusCode" in payload or "title" in payload)
    if not error and not flat and event != "error":
        return None
    code = error.get("code") or error.get("type") if isinstance(error, Mapping) else None
    code = code or payload.get("statusCode") or payload.get("status")
    message = readable(_message_text(payload), MAX_SENTENCE_CHARS) or "no message"
    return message, None if code is None else readable(str(code), MAX_SENTENCE_CHARS)


def describe_payload(payload: Any) -> str:
    """An unexpected payload in a few words, for a message: its error, or its shape."""
    if isinstance(payload, Mapping):
        failure = error_in_payload(payload)
        if failure:
            return f"an error: {failure[0]}"
        kind = payload.get("object")
        what = (f"object={kind!r}, " if kind else "") + f"members {sorted(map(str, payload))}"
        return readable(what, MAX_SENTENCE_CHARS)
    return f"{type(payload).__name__} {str(payload)[:200]!r}"


def context_error(message: str, payload: Any, request_id: str | None = None) -> ContextTooLongError:
    """The error for a refusal inside a response with status 200."""
    return ContextTooLongError(
        f"{readable(message, 2 * MAX_SENTENCE_CHARS).rstrip(' .')}. {ContextTooLongError.hint}",
        status_code=200,
        message_text=readable(_message_text(payload), MAX_TEXT_CHARS),
        body=payload,
        request_id=request_id,
    )


def _message_text(parsed: Any) -> str:
    """The service's error message, "" if there is none."""
    if isinstance(parsed, str):
        return parsed
    if not isinstance(parsed, Mapping):
        return ""
    error = parsed.get("error")
    for holder in (parsed, error):
        if isinstance(holder, Mapping):
            message = holder.get("message") or holder.get("detail") or holder.get("title")
            if isinstance(message, str):
                return message
    return error if isinstance(error, str) else ""


def _error_codes(parsed: Any) -> str:
    """The service's error codes and types (`context_length_exceeded`), "" if there are none."""
    if not isinstance(parsed, Mapping):
        return ""
    holders = (holder for holder in (parsed.get("error"), parsed) if isinstance(holder, Mapping))
    codes = (holder.get(name) for holder in holders for name in ("code", "type"))
    return " ".join(code for code in codes if isinstance(code, str))


def _invalid_fields(parsed: Any) -> dict[str, str]:
    """Field name -> reason, from the list of validation errors, whose key differs by shape."""
    if not isinstance(parsed, Mapping):
        return {}
    found: dict[str, str] = {}
    error = parsed.get("error")
    for holder in (error, parsed):
        if not isinstance(holder, Mapping):
            continue
        for name in ("details", "errors", "issues", "meta"):
            rows = holder.get(name)
            for row in rows if isinstance(rows, list) else ():
                if isinstance(row, Mapping):
                    path = row.get("path")
                    key = (
                        ".".join(map(str, path)) if isinstance(path, list) else str(path or "body")
                    )
                    found[key] = str(row.get("reason") or row.get("message") or row.get("code"))
    if isinstance(error, Mapping) and error.get("param") and not found:
        found[str(error["param"])] = str(error.get("message"))
    return found


def _string_member(parsed: Any, *names: str) -> str | None:
    if isinstance(parsed, Mapping):
        for name in names:
            if isinstance(parsed.get(name), str):
                return str(parsed[name])
    return None
