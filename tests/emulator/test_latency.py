"""How long answers take: as numbers, and over a socket."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from aimlapi_emulator import Emulator, Fault, Latency
from tests.emulator.asking import CHAT, KEY, PRO, STRING, Asker, flat_tool, tool, user

# Far above what a busy machine adds to nothing, far below what is waited for.
SOON_S = 5.0


def arrivals(emu: Emulator, path: str, body: dict[str, Any]) -> list[tuple[float, bytes]]:
    """(seconds since the request, event) of each event that holds something."""
    begin = time.monotonic()
    found = []
    with (
        httpx.Client(base_url=emu.base_url, headers=KEY, timeout=30) as client,
        client.stream("POST", path, json={**body, "stream": True}) as answer,
    ):
        for line in answer.iter_lines():
            if line.startswith("data:"):
                found.append((time.monotonic() - begin, line.encode()))  # noqa: PERF401 - clock
    return found


def chat_body(said: str) -> dict[str, Any]:
    return {"model": CHAT, "messages": [user(said)]}


def test_a_whole_answer_waits_for_its_tokens() -> None:
    latency = Latency(first_token_s=1.0, tokens_per_second=10)
    assert latency.before_s(5) == 1.5
    assert latency.before_s() == 1.0
    assert Latency(first_token_s=1.0).before_s(5) == 1.0
    assert Latency().before_s(5) == 0.0


def test_the_time_of_a_token_passes_behind_its_piece() -> None:
    role = b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}'
    text = b'data: {"choices":[{"delta":{"content":"x"}}]}'
    end = b'data: {"choices":[{"delta":{}}]}'
    latency = Latency(first_token_s=9.0, tokens_per_second=10)
    assert latency.gaps_s([role, text, text, end], 4) == [0, 0, 0.2, 0.2]
    assert latency.gaps_s([role, text, end], 0) == pytest.approx([0, 0, 0.1])
    assert latency.gaps_s([b"d", b"a"], 4) == [0, 0.2]
    assert latency.gaps_s([], 4) == []


def test_jitter_is_bounded_seeded_and_of_each_request() -> None:
    latency = Latency(tokens_per_second=10, jitter=0.5, seed=3)
    first, again = latency.of_request(1), latency.of_request(1)
    gaps = first.gaps_s([b"x"] * 200, 200)
    assert gaps == again.gaps_s([b"x"] * 200, 200)
    assert gaps != latency.of_request(2).gaps_s([b"x"] * 200, 200)
    assert gaps != Latency(0.0, 10, 0.5, seed=4).of_request(1).gaps_s([b"x"] * 200, 200)
    assert 0.05 <= min(gaps[1:]) < 0.07
    assert 0.13 < max(gaps[1:]) <= 0.15


@pytest.mark.parametrize(
    "given",
    [
        {"first_token_s": -1},
        {"first_token_s": float("nan")},
        {"first_token_s": float("inf")},
        {"tokens_per_second": 0},
        {"tokens_per_second": -5},
        {"jitter": 1.1},
        {"jitter": -0.1},
    ],
)
def test_impossible_numbers_are_refused(given: dict[str, Any]) -> None:
    (name,) = given
    with pytest.raises(ValueError, match=name):
        Latency(**given)


def test_what_is_no_latency_is_refused(emu: Emulator) -> None:
    wrong: Any = 0.4
    with pytest.raises(TypeError, match=r"0\.4"):
        Emulator(latency=wrong)
    with pytest.raises(TypeError, match=r"0\.4"):
        emu.latency = wrong


@pytest.mark.parametrize(
    ("path", "body", "mark"),
    [
        ("/chat/completions", chat_body("x"), b'"content":"a"'),
        ("/responses", {"model": PRO, "input": "x"}, b'"delta":"a"'),
        (
            "/chat/completions",
            {**chat_body("call"), "tools": [tool("look", city=STRING)]},
            b'"tool_calls"',
        ),
        (
            "/responses",
            {"model": PRO, "input": "call", "tools": [flat_tool("look", city=STRING)]},
            b"arguments.delta",
        ),
    ],
)
def test_a_stream_waits_then_goes_at_its_pace(
    emu: Emulator, path: str, body: dict[str, Any], mark: bytes
) -> None:
    emu.latency = Latency(first_token_s=0.2, tokens_per_second=20)
    emu.when("x", text="a" + " b" * 7)
    emu.when("call", tool_call="look", arguments={"city": "Paris Paris Paris"})
    found = arrivals(emu, path, body)
    first = next(at for at, event in found if mark in event)
    tokens = emu.requests[0].usage.completion - emu.requests[0].usage.reasoning
    assert 0.2 <= first < 0.2 + SOON_S
    assert found[-1][0] >= 0.2 + tokens / 20 - 0.05
    assert found[-1][0] - first >= tokens / 20 * 0.5  # the first may be seen late


def test_late_wake_ups_do_not_add_up(emu: Emulator) -> None:
    emu.latency = Latency(tokens_per_second=2000)
    emu.when("x", text="a " * 1000)
    found = arrivals(emu, "/chat/completions", chat_body("x"))
    assert 0.5 <= found[-1][0] < 0.5 + SOON_S


def test_whole_answers_and_embeddings_wait_and_errors_do_not(emu: Emulator, ask: Asker) -> None:
    emu.latency = Latency(first_token_s=0.2)
    begin = time.monotonic()
    assert ask.chat("x").status_code == 200
    assert time.monotonic() - begin >= 0.2
    begin = time.monotonic()
    ask.client.post("/embeddings", json={"model": "text-embedding-3-small", "input": "x"})
    assert time.monotonic() - begin >= 0.2
    emu.latency = Latency(first_token_s=60)
    emu.faults.append(Fault(status=503))
    begin = time.monotonic()
    assert ask.chat("x").status_code == 503
    assert ask.chat("x", unknown=1).status_code == 400
    assert time.monotonic() - begin < 20  # of 120


def test_a_whole_answer_takes_the_time_of_its_tokens(emu: Emulator, ask: Asker) -> None:
    emu.latency = Latency(tokens_per_second=50)
    emu.when("x", text="a " * 20)
    begin = time.monotonic()
    ask.chat("x")
    assert time.monotonic() - begin >= 0.4


def test_pieces_of_a_fault_keep_the_pace(emu: Emulator, ask: Asker) -> None:
    emu.latency = Latency(tokens_per_second=50)
    emu.faults.append(Fault(piece_size=100))
    emu.when("x", text="a " * 20)
    begin = time.monotonic()
    ask.chat("x", stream=True)
    assert time.monotonic() - begin >= 0.35


def test_clear_restores_the_first_latency() -> None:
    first = Latency(tokens_per_second=1000)
    emu = Emulator(latency=first)
    emu.latency = Latency(first_token_s=60)
    emu.clear()
    assert emu.latency == first
