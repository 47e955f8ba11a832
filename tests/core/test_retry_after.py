"""`Retry-After` in each form that servers send: obeyed, the end of the retries, or no form."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aimlapi_core import (
    AsyncClient,
    ChatRequest,
    Client,
    Message,
    RateLimitError,
    RetryPolicy,
    ServerError,
    Settings,
    Text,
    track_costs,
)
from aimlapi_core._error_reading.responses import error_from_response
from aimlapi_core._values.retry_after import MAX_WAIT_S
from aimlapi_core.retry import decide_retry
from aimlapi_emulator import Emulator, Fault

NOW = "Sun, 29 Nov 2026 13:00:00 GMT"
NOW_S = 1_795_957_200.0
IN_30_S = "29 Nov 2026 13:00:30"

FORMS = [
    ("2", 2),
    ("0.5", 0.5),
    ("+3", 3),
    ("30s", 30),
    ('"30"', 30),
    ("-1", 0),
    ("2, 2", 2),
    ("5, 7, soon", 7),
    (f"Sun, {IN_30_S} GMT", 30),
    (f"sun, {IN_30_S} GMT", 30),
    (f"Sun, {IN_30_S} -0000", 30),
    (f"Sun, {IN_30_S}", 30),
    ("Sun, 29 Nov 2026 15:00:30 +0200", 30),
    ("Sunday, 29-Nov-26 13:00:30 GMT", 30),
    ("Sun Nov 29 13:00:30 2026", 30),
    ("2026-11-29T13:00:30Z", 30),
    ("2026-11-29T15:00:30+02:00", 30),
    ("Sun, 29 Nov 2026 13:00:60 GMT", 60),
    (f"Sun, {IN_30_S} GMT, 5", 30),
    (f"Sun, {IN_30_S} GMT, Sun, 29 Nov 2026 13:00:40 GMT", 40),
    ("Sun, 29 Nov 2020 13:00:30 GMT", 0),
    ("Sun, 29 Nov 3000000000 13:00:00 GMT", MAX_WAIT_S),
    ("inf", MAX_WAIT_S),
    ("Infinity", MAX_WAIT_S),
    ("1e309", MAX_WAIT_S),
    ("9" * 309, MAX_WAIT_S),
    ("9" * 9_000, MAX_WAIT_S),
    *((text, None) for text in ("", " ", "soon", "nan", "1_0", "\u0663")),
    ("Sun, 31 Feb 2026 13:00:30 GMT", None),
    (f"Sun, 29 Nov {'9' * 5_000} 1:1:1 GMT", None),
]


@pytest.mark.parametrize("date", [NOW, None, "junk", "Sun, 29 Nov 99999 13:00:00 GMT"])
@pytest.mark.parametrize(("text", "seconds"), FORMS, ids=lambda value: str(value)[:40])
def test_each_form_is_read(text: str, seconds: float | None, date: str | None) -> None:
    """A date is compared with the answer's own, else with the clock of the machine."""
    headers = {"retry-after": text, **({} if date is None else {"date": date})}
    error = error_from_response(429, headers, b"", now_s=NOW_S)
    assert error.retry_after_s == seconds


def test_the_clock_of_the_answer_counts_more_than_that_of_the_machine() -> None:
    headers = {"retry-after": f"Sun, {IN_30_S} GMT", "date": NOW}
    assert error_from_response(429, headers, b"", now_s=NOW_S + 9_999).retry_after_s == 30


@pytest.mark.parametrize(("text", "seconds"), FORMS, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("limit_s", [60.0, float("inf"), 10**400])
def test_a_wait_is_one_that_a_clock_takes(text: str, seconds: float | None, limit_s: float) -> None:
    error = error_from_response(429, {"retry-after": text, "date": NOW}, b"")
    policy = RetryPolicy(max_retry_after_s=limit_s, initial_delay_s=limit_s, max_delay_s=limit_s)
    wait = decide_retry(error, 0, policy, 0.5)
    if seconds is not None and seconds > limit_s:
        assert wait is None
    else:
        assert wait is not None
        assert 0 <= wait.delay_s <= MAX_WAIT_S


HELLO = ChatRequest("openai/gpt-5-2", (Message("user", (Text("Hi"),)),))


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("form", ["whole", "stream"])
@pytest.mark.parametrize("status", [429, 503, 425, 529])
@pytest.mark.parametrize(
    "text", ["Sun, 29 Nov 3000000000 13:00:00 GMT", "inf", "9" * 309, "99, 99"]
)
def test_a_wait_without_end_ends_the_retries_and_costs_nothing(
    emu: Emulator, kind: str, form: str, status: int, text: str
) -> None:
    emu.faults.extend([Fault(status=status, headers={"Retry-After": text})] * 3)
    setup = Settings(api_key="sk-test-0000", base_url=emu.base_url)
    error = RateLimitError if status == 429 else ServerError
    with track_costs() as costs, pytest.raises(error):
        _ask(setup, kind, form)
    assert len(emu.requests) == 1
    assert (costs.total.calls, costs.total.failed, costs.unknown) == (1, 1, ())


def _ask(setup: Settings, kind: str, form: str) -> Any:
    if kind == "sync":
        client = Client(setup)
        return client.complete(HELLO) if form == "whole" else list(client.stream(HELLO))

    async def run() -> Any:
        async_client = AsyncClient(setup)
        if form == "whole":
            return await async_client.complete(HELLO)
        return [event async for event in async_client.stream(HELLO)]

    return asyncio.run(run())
