"""When to ask again, as values: no sleeping, no clock and no dice in this module.

The one retry layer of the library. No idempotency key is documented, so a POST that is billed
twice costs twice. A request is repeated only where nothing was sent, or where a status says that no
answer was delivered: failed requests are billed nothing [D logs-v2.json]. Whether that holds for a
gateway's 502, 504 or 52x, behind which the model may have worked on, only a live key can tell.
"""

from __future__ import annotations

from dataclasses import dataclass

from aimlapi_core.errors import (
    RETRYABLE_STATUSES,
    AIMLAPIError,
    ConfigurationError,
    ConnectFailedError,
    StatusError,
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long to wait. `max_retries=n` means at most n + 1 requests.

    Delays are in seconds. The back-off before retry k (from 0) is drawn between 0 and
    `initial_delay_s * 2**k`, at most `max_delay_s` ("full jitter"). A `Retry-After` is obeyed
    instead, when it is at most `max_retry_after_s`: a longer one ends the retries, and so does
    a wait that would end later than `max_elapsed_s` after the first request began (None: no
    such end; the time of a request itself is bounded by the time-outs).
    """

    max_retries: int = 2
    initial_delay_s: float = 0.5
    max_delay_s: float = 8.0
    max_retry_after_s: float = 60.0
    max_elapsed_s: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.max_retries, bool) or not isinstance(self.max_retries, int):
            raise ConfigurationError(f"max_retries must be an int, not {self.max_retries!r}")
        if self.max_retries < 0:
            raise ConfigurationError(f"max_retries must be 0 or more, not {self.max_retries}")
        for name in ("initial_delay_s", "max_delay_s", "max_retry_after_s", "max_elapsed_s"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ConfigurationError(f"{name} must be 0 or more, not {value!r}")


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask again after `delay_s` seconds."""

    delay_s: float


def decide_retry(
    error: AIMLAPIError, attempt: int, policy: RetryPolicy, draw: float, elapsed_s: float = 0.0
) -> Wait | None:
    """What to do after request number `attempt` (from 0) failed: Wait, or None to raise `error`.

    `draw` is a random number in [0, 1); `elapsed_s` the time since the first request began.
    """
    if attempt >= policy.max_retries or not is_safe_to_repeat(error):
        return None
    asked = error.retry_after_s if isinstance(error, StatusError) else None
    if asked is not None and asked > policy.max_retry_after_s:
        return None
    ceiling = min(policy.max_delay_s, policy.initial_delay_s * 2**attempt)
    delay_s = draw * ceiling if asked is None else asked
    if policy.max_elapsed_s is not None and elapsed_s + delay_s > policy.max_elapsed_s:
        return None
    return Wait(delay_s)


def is_safe_to_repeat(error: AIMLAPIError) -> bool:
    """Whether a repetition can help and bills nothing twice, by the vendor's documents."""
    if isinstance(error, StatusError):
        return error.is_retryable and error.status_code in RETRYABLE_STATUSES
    return isinstance(error, ConnectFailedError)
