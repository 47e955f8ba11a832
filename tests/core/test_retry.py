from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from aimlapi_core import (
    AIMLAPIError,
    ConfigurationError,
    ConnectFailedError,
    ConnectionLostError,
    RequestTimeoutError,
    RetryPolicy,
    Settings,
    StreamCutError,
    UnexpectedReplyError,
)
from aimlapi_core._error_reading.responses import error_from_response
from aimlapi_core.retry import Wait, decide_retry

POLICY = RetryPolicy(max_retries=2, initial_delay_s=1, max_delay_s=3, max_retry_after_s=10)


def status(code: int, message: bytes = b"", **headers: str) -> AIMLAPIError:
    return error_from_response(
        code, {name.replace("_", "-"): v for name, v in headers.items()}, message
    )


@pytest.mark.parametrize(
    "error",
    [
        ConnectFailedError("x"),
        *(status(code) for code in (408, 409, 425, 429, 500, 502, 503, 504)),
        *(status(code) for code in (520, 524, 527, 529, 530)),
    ],
    ids=str,
)
def test_retried_until_the_retries_are_used_up(error: AIMLAPIError) -> None:
    assert decide_retry(error, 0, POLICY, 0.5) == Wait(0.5)
    assert decide_retry(error, 1, POLICY, 0.5) == Wait(1.0)
    assert decide_retry(error, 2, POLICY, 0.5) is None


@pytest.mark.parametrize(
    "error",
    [
        ConnectionLostError("x"),
        RequestTimeoutError("x"),
        StreamCutError("x"),
        UnexpectedReplyError("x"),
        ConfigurationError("x"),
        *(status(code) for code in (301, 400, 401, 402, 403, 404, 413, 422, 499, 501, 505)),
        status(429, b"Free-tier limit: no more"),
        status(500, b"400 Unable to access model"),
        status(500, b"The model is under maintenance"),
    ],
    ids=str,
)
def test_never_retried(error: AIMLAPIError) -> None:
    assert decide_retry(error, 0, POLICY, 0.5) is None


def test_back_off_is_full_jitter_below_a_ceiling() -> None:
    patient = RetryPolicy(max_retries=9, initial_delay_s=1, max_delay_s=3)
    assert decide_retry(status(500), 5, patient, 0.999) == Wait(0.999 * 3)
    assert decide_retry(status(500), 5, patient, 0.0) == Wait(0.0)


def test_retry_after_is_obeyed_up_to_its_cap() -> None:
    assert decide_retry(status(429, retry_after="7"), 0, POLICY, 0.5) == Wait(7.0)
    assert decide_retry(status(429, retry_after="11"), 0, POLICY, 0.5) is None


@pytest.mark.parametrize("given", [-1, 1.5, True, "2"])
def test_bad_retry_counts_are_refused(given: object) -> None:
    with pytest.raises(ConfigurationError, match="max_retries"):
        RetryPolicy(max_retries=given)  # type: ignore[arg-type]  # the fault under test


def test_a_total_budget_bounds_the_waits() -> None:
    policy = RetryPolicy(max_retries=9, initial_delay_s=1, max_elapsed_s=10)
    assert decide_retry(status(500), 0, policy, 0.5, elapsed_s=9.4) == Wait(0.5)
    assert decide_retry(status(500), 0, policy, 0.5, elapsed_s=9.6) is None
    assert decide_retry(status(429, retry_after="3"), 0, policy, 0.5, elapsed_s=8) is None


def test_negative_delays_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="max_delay_s"):
        RetryPolicy(max_delay_s=-1)


DELAYS = ("initial_delay_s", "max_delay_s", "max_retry_after_s", "max_elapsed_s")


@pytest.mark.parametrize("name", DELAYS)
@pytest.mark.parametrize("given", ["0.5", float("nan"), True, [1], {}, 1j, b"1"])
def test_delays_of_wrong_types_are_refused_when_the_policy_is_made(name: str, given: Any) -> None:
    """Not at the first repetition, in place of the failure that was to be repeated."""
    with pytest.raises(ConfigurationError, match=name):
        RetryPolicy(**{name: given})


@pytest.mark.parametrize("name", DELAYS[:3])
def test_only_the_total_can_be_without_a_limit(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        RetryPolicy(**{name: None})  # type: ignore[arg-type]  # the fault under test
    assert RetryPolicy(max_elapsed_s=None).max_elapsed_s is None


@pytest.mark.parametrize("given", [Decimal("0.5"), Fraction(1, 2), 0.5])
def test_numbers_of_other_types_are_delays(given: Any) -> None:
    policy = RetryPolicy(**dict.fromkeys(DELAYS, given))
    assert {getattr(policy, name) for name in DELAYS} == {0.5}
    assert decide_retry(status(500), 0, policy, 0.5) == Wait(0.25)


@pytest.mark.parametrize("attempt", [1, 1_023, 1_024, 100_000])
def test_the_wait_stays_a_number_however_often_a_call_is_repeated(attempt: int) -> None:
    endless = RetryPolicy(max_retries=10**6, max_delay_s=float("inf"))
    wait = decide_retry(status(500), attempt, endless, 0.5)
    assert wait is not None
    assert 0 < wait.delay_s < 10**7


@pytest.mark.parametrize("given", [3, 0, "3", {"max_retries": 3}, RetryPolicy])
def test_settings_take_no_retry_that_is_no_policy(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="retry must be a RetryPolicy"):
        Settings(retry=given)
