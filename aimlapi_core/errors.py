"""All exceptions of this library, by whose fault they are.

    AIMLAPIError
    ├── ConfigurationError          the caller's settings; nothing was sent
    │   └── MissingKeyError
    ├── InvalidRequestError         the caller's request; nothing was sent
    │   └── UnsupportedParameterError
    ├── BudgetExceededError         the caller's own budget (track_costs); nothing was sent
    │   └── UnknownCostError        the budget cannot be enforced: a cost is unknown
    ├── TransportError              the network failed; see `request_sent`
    │   ├── ConnectFailedError      no connection: nothing was sent
    │   ├── ConcurrencyTimeoutError no free slot under max_concurrency: nothing was sent
    │   ├── ConnectionLostError     the connection was closed before a response began
    │   └── RequestTimeoutError     no data for longer than the read time-out, or the write one
    ├── StreamError                 the answer began and failed; see `partial`
    │   ├── StreamCutError          it ended before its last event
    │   └── StreamFailedError       it cannot be read on, or reports an error
    │       └── AnswerFailedError   the service reported an error in the answer, streamed or not
    ├── UnexpectedReplyError        2xx, but not the requested answer (AnswerFailedError is one too)
    └── StatusError                 an HTTP error: see `status_code`, `request_id`, …
        ├── BadRequestError         400, 413, 422 (`fields`: the invalid fields)
        │   └── ContextTooLongError
        ├── AuthenticationError     401
        ├── PermissionDeniedError   403 that is not about money
        ├── InsufficientFundsError  402, 403 about money
        ├── NotFoundError           404
        ├── RateLimitError          429
        │   └── QuotaExceededError  429 that a retry after a few seconds does not fix
        └── ServerError             5xx, 408, 409, 425, 499
            ├── MaintenanceError
            └── UpstreamRejectedError   5xx that wraps an upstream 4xx

Each has `is_retryable`: whether the same request may succeed later, and no answer that may be
billed was lost. Messages say what to do next and never contain a key. All can be pickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from aimlapi_core.types import Reply

__all__ = [
    "AIMLAPIError",
    "AnswerFailedError",
    "AuthenticationError",
    "BadRequestError",
    "BudgetExceededError",
    "ConcurrencyTimeoutError",
    "ConfigurationError",
    "ConnectFailedError",
    "ConnectionLostError",
    "ContextTooLongError",
    "InsufficientFundsError",
    "InvalidRequestError",
    "MaintenanceError",
    "MissingKeyError",
    "NotFoundError",
    "PermissionDeniedError",
    "QuotaExceededError",
    "RateLimitError",
    "RequestTimeoutError",
    "ServerError",
    "StatusError",
    "StreamCutError",
    "StreamError",
    "StreamFailedError",
    "TransportError",
    "UnexpectedReplyError",
    "UnknownCostError",
    "UnsupportedParameterError",
    "UpstreamRejectedError",
]

BILLING_URL = "https://aimlapi.com/app/billing"
KEYS_URL = "https://aimlapi.com/app/keys"


class AIMLAPIError(Exception):
    """The base class. Not raised itself."""

    is_retryable = False
    request_id: str | None = None
    inference_id: str | None = None
    client_request_id: str | None = None


class ConfigurationError(AIMLAPIError, ValueError):
    """A setting that is invalid, or that does not exist."""


class MissingKeyError(ConfigurationError):
    """No API key, neither as an argument nor in the environment."""


class InvalidRequestError(AIMLAPIError, ValueError):
    """A request that the service would reject; raised before anything is sent."""


class UnsupportedParameterError(InvalidRequestError):
    """A parameter that this model does not take, under `unsupported_params="raise"`."""


class BudgetExceededError(AIMLAPIError):
    """A budget is exhausted, so a request was not sent. Amounts are in USD.

    `spent_usd` is what the service reported, `estimated_usd` the estimate for calls whose cost was
    not reported, `reserved_usd` the expected cost of calls in progress.
    """

    def __init__(
        self,
        message: str,
        *,
        budget_usd: Decimal | None = None,
        spent_usd: Decimal | None = None,
        estimated_usd: Decimal | None = None,
        reserved_usd: Decimal | None = None,
    ) -> None:
        super().__init__(message)
        self.budget_usd = budget_usd
        self.spent_usd = spent_usd
        self.estimated_usd = estimated_usd
        self.reserved_usd = reserved_usd


class UnknownCostError(BudgetExceededError):
    """The cost of a call is unknown and cannot be estimated, so a request was not sent."""


class TransportError(AIMLAPIError):
    """The network failed. `request_sent`: the service may have the request, and may bill it."""

    request_sent = False

    def __init__(self, message: str, *, request_sent: bool | None = None) -> None:
        super().__init__(message)
        if request_sent is not None:
            self.request_sent = request_sent


class ConnectFailedError(TransportError):
    """No connection could be made, so nothing was sent."""

    is_retryable = True


class ConcurrencyTimeoutError(TransportError):
    """No slot under `max_concurrency` became free in time, so nothing was sent.

    Not retried, as it has already waited for the whole time-out.
    """

    is_retryable = True


class ConnectionLostError(TransportError):
    """The connection was closed after the request was sent and before a response began.

    If only a part could be written, `request_sent` is False, and nothing is billed.
    """

    request_sent = True


class RequestTimeoutError(TransportError):
    """No data for longer than the read time-out. Not retried: the request may be billed.

    After a write time-out only a part was sent: `request_sent` is False, and nothing is billed.
    """

    request_sent = True


class StreamError(AIMLAPIError):
    """An answer that began and failed. `partial` is the part that was received."""

    def __init__(self, message: str, *, partial: Reply | None = None) -> None:
        super().__init__(message)
        self.partial = partial


class StreamCutError(StreamError):
    """The stream ended before its last event: the text so far is not the whole answer."""


class StreamFailedError(StreamError):
    """A stream with an error in it, or one that cannot be read on. `details` is the JSON object."""

    def __init__(
        self,
        message: str,
        *,
        partial: Reply | None = None,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, partial=partial)
        self.code = code
        self.details = details


class UnexpectedReplyError(AIMLAPIError):
    """A 2xx response without the requested answer; `body` is its beginning."""

    def __init__(self, message: str, *, body: str = "", request_id: str | None = None) -> None:
        super().__init__(message)
        self.body = body
        self.request_id = request_id


class AnswerFailedError(StreamFailedError, UnexpectedReplyError):
    """An answer with status 200 that reports an error, or holds what cannot be read.

    The same class for a whole answer and a streamed one. `partial` is the part that was received,
    `code` and `details` are the service's.
    """

    def __init__(
        self,
        message: str,
        *,
        partial: Reply | None = None,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
        body: str = "",
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, partial=partial, code=code, details=details)
        self.body = body
        self.request_id = request_id


class StatusError(AIMLAPIError):
    """An HTTP error response.

    `message_text` is the service's own message, `fields` maps the names of invalid fields to
    reasons, `body` is the parsed JSON or the beginning of the text, `headers` are in lower case.

    Of the class: `hint` ends its messages, and `statuses` are the HTTP statuses that always mean
    this error. A subclass that defines them needs no other line.
    """

    hint: ClassVar[str] = ""
    statuses: ClassVar[tuple[int, ...]] = ()

    def __init__(
        self,
        message: str,
        *,
        status_code: int = 0,
        message_text: str = "",
        fields: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        request_id: str | None = None,
        inference_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.message_text = message_text
        self.fields = dict(fields or {})
        self.body = body
        self.headers = dict(headers or {})
        self.request_id = request_id
        self.inference_id = inference_id
        self.retry_after_s = retry_after_s


class BadRequestError(StatusError):
    """The service rejected the request as invalid."""

    hint = "Correct the request: sending it again gives the same."


class ContextTooLongError(BadRequestError):
    """The messages do not fit the model's context window."""

    hint = "Shorten the messages or use a model with a larger context window."


class AuthenticationError(StatusError):
    """The key is missing, wrong or disabled."""

    hint = f"Check AIMLAPI_API_KEY; keys are made at {KEYS_URL}."
    statuses = (401,)


class PermissionDeniedError(StatusError):
    """The key is valid but lacks permission (scope, verification, its own limit)."""

    hint = f"Check the key's scopes and limits at {KEYS_URL}."
    statuses = (403,)


class InsufficientFundsError(StatusError):
    """The account has no funds left."""

    hint = f"Top up the balance at {BILLING_URL}."
    statuses = (402,)


class NotFoundError(StatusError):
    """No such model on this endpoint, or no such path."""

    hint = "Check the model id, the endpoint and base_url."
    statuses = (404,)


class RateLimitError(StatusError):
    """Too many requests."""

    hint = "Slow down, or raise max_retries."
    is_retryable = True


class QuotaExceededError(RateLimitError):
    """A quota that is not restored within seconds."""

    hint = f"Waiting a little does not cure this; see {BILLING_URL}."
    is_retryable = False


class ServerError(StatusError):
    """The service, or the provider behind it, failed."""

    hint = "Try again later; report the request id if it stays."
    # 460 and 499: a gateway whose own client closed the connection. The provider may have answered.
    statuses = (408, 409, 425, 460, 499)
    is_retryable = True


class MaintenanceError(ServerError):
    """The service reports that the model is under maintenance."""

    hint = "Try later or use another model."
    is_retryable = False


class UpstreamRejectedError(ServerError):
    """A 5xx whose text is an upstream provider's 4xx: a retry gives the same."""

    hint = "The provider refused the request itself: correct it."
    is_retryable = False


# Statuses after which no answer was delivered: failed requests are not billed [D logs-v2.json].
# Whether a gateway's are (502, 504, 52x) only a live key can tell. 409 and 52x/530 are not in the
# vendor's documents; other clients retry them. 425 (RFC 8470) and 529 (overloaded, as of Anthropic)
# say that the request was not served.
RETRYABLE_STATUSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504, *range(520, 528), 529, 530})
