"""Retry policy: exponential backoff with full jitter. No sleeping, clock or random numbers here.

The one retry layer of the library. No idempotency key is documented, so a retried POST may be
billed twice. A request is retried only if nothing was sent, or if its status means that no answer
was delivered: failed requests are not billed [D logs-v2.json]. Whether that holds for a gateway's
502, 504 or 52x, behind which the model may have continued, only a live key can tell.
"""

from __future__ import annotations

from dataclasses import dataclass

from aimlapi_core._values.plain import plain_number
from aimlapi_core.errors import (
    RETRYABLE_STATUSES,
    AIMLAPIError,
    ConfigurationError,
    ConnectFailedError,
    StatusError,
)

_MAX_DOUBLINGS = 64  # of a delay: more would not fit a float
_MAX_DELAY_S = 1_000_000.0  # a clock takes no infinite sleep, which `max_delay_s` may allow


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often to retry, and how long to wait. `max_retries=n` means at most n + 1 requests.

    Delays are in seconds. The backoff before retry k (from 0) is random between 0 and
    `initial_delay_s * 2**k`, at most `max_delay_s` ("full jitter"). A `Retry-After` of at most
    `max_retry_after_s` is used instead: a longer one ends the retries, and so does a wait that
    would end later than `max_elapsed_s` after the first request began (None: no limit; the
    duration of a request itself is bounded by the time-outs).
    """

    max_retries: int = 2
    initial_delay_s: float = 0.5
    max_delay_s: float = 8.0
    max_retry_after_s: float = 60.0
    max_elapsed_s: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "max_retries", plain_number(self.max_retries, "int"))
        if isinstance(self.max_retries, bool) or not isinstance(self.max_retries, int):
            raise ConfigurationError(f"max_retries must be an int, not {self.max_retries!r}")
        if self.max_retries < 0:
            raise ConfigurationError(f"max_retries must be 0 or more, not {self.max_retries}")
        for name in ("initial_delay_s", "max_delay_s", "max_retry_after_s", "max_elapsed_s"):
            value = plain_number(getattr(self, name), "float")
            if value is None and name == "max_elapsed_s":
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
                raise ConfigurationError(
                    f"{name} must be a number of seconds, 0 or more, not {value!r}"
                )
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Wait:
    """Retry after `delay_s` seconds."""

    delay_s: float


def is_retryable(error: BaseException) -> bool:
    """Whether the call may be repeated: it may succeed, and no answer that may be billed was lost.

    A predicate for retries above those of `max_retries`: LangGraph's `RetryPolicy(retry_on=...)`,
    LangChain's `ToolRetryMiddleware`, LlamaIndex's workflows, tenacity. False for every error
    that is not of this library: combine it with conditions of your own.
    """
    return isinstance(error, AIMLAPIError) and error.is_retryable


def decide_retry(
    error: AIMLAPIError, attempt: int, policy: RetryPolicy, jitter: float, elapsed_s: float = 0.0
) -> Wait | None:
    """Wait, or None to raise `error`, after request number `attempt` (from 0) failed.

    `jitter` is a random number in [0, 1); `elapsed_s` the time since the first request began.
    """
    if attempt >= policy.max_retries or not is_safe_to_repeat(error):
        return None
    retry_after_s = error.retry_after_s if isinstance(error, StatusError) else None
    if retry_after_s is not None and retry_after_s > policy.max_retry_after_s:
        return None
    doublings = min(attempt, _MAX_DOUBLINGS)
    ceiling = min(policy.max_delay_s, policy.initial_delay_s * 2**doublings, _MAX_DELAY_S)
    delay_s = jitter * ceiling if retry_after_s is None else retry_after_s
    if policy.max_elapsed_s is not None and elapsed_s + delay_s > policy.max_elapsed_s:
        return None
    return Wait(delay_s)


def is_safe_to_repeat(error: AIMLAPIError) -> bool:
    """Whether a retry may succeed and is not billed twice, by the vendor's documents."""
    if isinstance(error, StatusError):
        return error.is_retryable and error.status_code in RETRYABLE_STATUSES
    return isinstance(error, ConnectFailedError)
