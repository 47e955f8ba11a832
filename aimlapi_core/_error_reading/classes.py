"""Which exception an HTTP status and the words of its error mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aimlapi_core.errors import (
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


def find_error_class(status: int, text: str, parsed: Any) -> type[StatusError]:
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
