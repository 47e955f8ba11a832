"""Maps HTTP error responses and errors inside streams to exceptions.

Reads every shape that was seen: problem+json, the legacy object, validation details, OpenAI's
nested `error`, plain text and HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aimlapi_core._error_messages import (
    MAX_SENTENCE_CHARS,
    MAX_TEXT_CHARS,
    readable_fields,
    redirect_hint,
    status_message,
)
from aimlapi_core._json_reading import loads_with_halves
from aimlapi_core._values.half_characters import HALF_IN_JSON, without_halves
from aimlapi_core._values.readable import readable
from aimlapi_core._values.retry_after import retry_after_s
from aimlapi_core.errors import (
    RETRYABLE_STATUSES,
    BadRequestError,
    ContextTooLongError,
    InsufficientFundsError,
    MaintenanceError,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    StatusError,
    UpstreamRejectedError,
)

_MAX_BODY_CHARS = 300  # of a body that is not JSON
_MAX_TEXT_BYTES = 4_096  # of such a body are searched for tags, which takes quadratic time

# Wording from the vendor's errors page and from responses in public clients' fixtures, 2026-08/09.
# A 403 is not always a bad key: only its text distinguishes missing funds from a missing scope.
_MONEY = re.compile(r"funds|credits|balance|exhausted|top up", re.I)
# Narrower than for a 403: some providers word a rate limit as "resource exhausted".
_QUOTA = re.compile(
    r"free[- ]tier|free limit|insufficient[_ ](quota|funds|balance|credits)|run out of|top up|"
    r"exceeded your current quota|billing_(hard_limit_reached|not_active)",
    re.I,
)
# OpenAI's code and type of an account without funds, whatever the status.
_QUOTA_CODE = "insufficient_quota"
# A request that is larger than the model takes: sending it again cannot succeed. OpenAI's wordings
# (cline#5474, LibreChat-AI/agents#330 for the 429), and those of the providers of other ids.
_CONTEXT = re.compile(
    "|".join(
        (
            r"context[_ ]?(length|window|size|limit|overflow)",
            r"context (has been |is |was )?exceeded",
            r"max(imum)? (context|prompt|input|model) (length|size)",
            r"(?<!max_)\btokens?( count)?( of)?( \(?[\d,]+\)?)? exceeds? (the )?"
            r"(configured |max|limit of \d)",
            r"(prompt|input|messages?|conversation) (is|are) too (long|large)",
            r"prompt[_ ]too[_ ]long|tokens_limit_reached|exceeded max_seq_len",
            r"(prompt|input) tokens?( \([\d,]+\))? \+ (completion|output|max)",
            r"(prompt|request) exceeds (the )?max",
            r"prompt_tokens_exceeded|model token limit|range of input length",
            r"must have less than \d+ tokens|tokens\W+\+ \W*max_new_tokens",
            r"(request|entity|payload|content|body)[_ ](is )?too[_ ]large",
            r"(input|messages?)\S*content\S* string too long",
            r"invalid '(input|prompt)': string too long",
            r"(reduce|shorten) the length of (the|your) (messages|input|prompt)",
            r"input or output tokens must be reduced",
        )
    ),
    re.I,
)
# Providers also say this of the tokens of a minute, with a 429 or a 5xx.
_TOO_MANY_TOKENS = re.compile(r"too many tokens|(reduce|shorten) your (prompt|messages?)", re.I)
# Of a refused request these say it too, in whatever order (SGLang, Bedrock, Vertex AI, Moonshot);
# of a rate or of the provider's own failure they do not.
_INPUT = r"\b(prompt|inputs?|messages?|conversation|history|tokens?)\b(?![\[.'])"
_NO_SUBJECT = (
    r"(?:(?!image|file|audio|video|document|name|description|schema|tool)(?:[^.]|\.\d)){0,60}?"
)
_TOO_LONG = re.compile(
    "|".join(
        (
            rf"{_INPUT}{_NO_SUBJECT}\b(too (long|large|many)|exceed(s|ed|ing)?\b|longer than)",
            rf"{_INPUT}{_NO_SUBJECT}\b(at most|more than|up to|no more than) (max|[\d,]{{4,}})",
            r"(at most|up to|only|exceeds (the )?(limit|max(imum)?)( of)?) [\d,]+ (input |prompt )?"
            r"tokens?\b",
            r"exceeds? (the |this )?model'?s? ?(max(imum)? )?(token |context )?limit",
            r"max(imum)? (allowed )?number of (input )?tokens",
            r"expected maxlength: \d+, actual",
            r"(输入|上下文|prompt).{0,12}(超|过长|上限)",
        )
    ),
    re.I,
)
# Limits on the answer, on a rate, and on other members than the messages.
_OTHER_LIMIT = re.compile(
    r"max_(completion_|output_)?tokens|(completion|output) tokens|budget_tokens|"
    r"\bper (second|min|hour|day|month)|\b(daily|monthly|quota)\b|rate limit",
    re.I,
)
# The members of an error that hold its own words; other members may quote the request.
_WORDED = tuple("message detail details code type error errors msg metadata raw response".split())
_MAINTENANCE = re.compile(r"under maintenance", re.I)
_UPSTREAM_4XX = re.compile(r"^\s*4(?!08|09|29)\d\d\b")  # these three are transient
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
    error_class = _error_class(status_code, f"{text} {_error_codes(parsed)}", parsed)
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


def is_context_refusal(parsed: Any) -> bool:
    """Whether an error in any shape says that the request is larger than the model takes."""
    return _CONTEXT.search(" ".join(_error_words(parsed))) is not None


def _error_words(parsed: Any, depth: int = 6) -> Iterator[str]:
    """The words of an error, wherever a shape has them: OpenRouter's stand in `metadata.raw`."""
    if isinstance(parsed, str):
        yield parsed
    elif isinstance(parsed, Mapping) and depth:
        for name in _WORDED:
            yield from _error_words(parsed.get(name), depth - 1)
    elif isinstance(parsed, list) and depth:
        for member in parsed:
            yield from _error_words(member, depth - 1)


def _error_class(status: int, text: str, parsed: Any) -> type[StatusError]:
    is_quota = any(_QUOTA_CODE in words for words in _error_words(parsed))
    if status == 403 and (is_quota or _MONEY.search(text)):
        return InsufficientFundsError
    if (status in (400, 429) and is_quota) or (status == 429 and _QUOTA.search(text)):
        return QuotaExceededError
    if (status in (400, 413, 422, 429) or status >= 500) and is_context_refusal(parsed):
        return ContextTooLongError
    if status == 429:
        return RateLimitError
    is_wrapped = status >= 500 and _UPSTREAM_4XX.match(text)
    if (status in (400, 413, 422) or is_wrapped) and _is_too_long(text, parsed):
        return ContextTooLongError
    if status >= 500:
        if _MAINTENANCE.search(text):
            return MaintenanceError
        if is_wrapped:
            return UpstreamRejectedError
    classes = _classes_with_statuses(StatusError)
    by_status = {code: error_class for error_class in classes for code in error_class.statuses}
    if status in by_status:
        return by_status[status]
    if status < 400:  # a redirect: base_url is not the API's
        return NotFoundError
    return ServerError if status >= 500 else BadRequestError


def _is_too_long(text: str, parsed: Any) -> bool:
    """Whether the words of a refused request say that its messages are too long."""
    if _TOO_MANY_TOKENS.search(text):
        return True
    words = " ".join(_error_words(parsed))
    return _TOO_LONG.search(words) is not None and not _OTHER_LIMIT.search(words)


def _classes_with_statuses(base: type[StatusError]) -> Iterator[type[StatusError]]:
    """The subclasses that define `statuses` themselves; the adapters' subclasses do not."""
    for subclass in base.__subclasses__():
        if "statuses" in subclass.__dict__:
            yield subclass
        yield from _classes_with_statuses(subclass)


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
