"""Faults of bytes, connections and order, seen on sockets."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest

from aimlapi_emulator import Emulator, Fault
from tests.emulator.asking import CHAT, PRO, Asker, events, raw_post, read_all, streamed_text, user
from tests.emulator.test_faults import BODY, STREAM, chunk_sizes, exchange, payload
from tests.waiting import wait_until

BOM = b"\xef\xbb\xbf"
RESPONSES = "/v1/responses"
RESPONSES_BODY: dict[str, Any] = {"model": PRO, "input": "Grüße 你好 everyone", "stream": True}
ASKED = {"stream_options": {"include_usage": True}}
Send = Callable[[], bytes]


def frames(raw: bytes) -> list[bytes]:
    return [frame for frame in payload(raw).split(b"\n\n") if frame]


def numbers(raw: bytes) -> list[int]:
    return [json.loads(frame.split(b"data: ")[1])["sequence_number"] for frame in frames(raw)]


@pytest.mark.parametrize("body", [BODY, STREAM], ids=["whole", "stream"])
@pytest.mark.parametrize("more", [{}, {"piece_size": 1}], ids=["at once", "byte by byte"])
def test_a_byte_order_mark_stands_before_the_body(
    emu: Emulator, body: dict[str, Any], more: dict[str, Any]
) -> None:
    emu.faults.append(Fault(bom=True, close_after=True, **more))
    with raw_post(emu.base_url, body) as connection:
        raw = read_all(connection)
    content = payload(raw) if body is STREAM else raw.split(b"\r\n\r\n", 1)[1]
    assert content.startswith(BOM + (b"data: " if body is STREAM else b'{"'))
    assert content.count(BOM) == 1


def test_a_whole_answer_with_a_mark_has_the_right_length(emu: Emulator, ask: Asker) -> None:
    emu.faults.append(Fault(bom=True))
    answer = ask.chat("x")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert json.loads(answer.content)["choices"]


def test_a_mark_counts_in_bytes_and_not_in_events(emu: Emulator) -> None:
    emu.faults.extend([Fault(bom=True, cut_after_bytes=5), Fault(bom=True, cut_after_events=1)])
    assert payload(exchange(emu, STREAM)) == BOM + b"da"
    assert payload(exchange(emu, STREAM)).count(b"data: ") == 1


def test_writes_end_inside_each_character_of_several_bytes(emu: Emulator) -> None:
    emu.faults.append(Fault(split_characters=True))
    raw = exchange(emu, {**BODY, "messages": [user("ü 你 🌍")], "stream": True})
    body = payload(raw)
    ends, at = [], 0
    for size in chunk_sizes(raw)[:-2]:
        at += size
        ends.append(at)
    inside = [n + 1 for n, byte in enumerate(body) if byte >= 0xC0]
    assert len(inside) == 3
    assert set(inside) <= set(ends)
    assert streamed_text(events(body.decode())).count("ü 你 🌍") == 1


def test_an_event_grows_to_megabytes(emu: Emulator) -> None:
    emu.faults.extend([Fault(pad_event_bytes=3_000_000)] * 2)
    for body, path in ((STREAM, "/v1/chat/completions"), (RESPONSES_BODY, RESPONSES)):
        sizes = [len(frame) for frame in frames(exchange(emu, body, path))]
        assert [size > 3_000_000 for size in sizes].count(True) == 1
        assert sizes[0] < 10_000 > sizes[-1]


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_a_long_text_comes_in_one_event(emu: Emulator, ask: Asker, endpoint: str) -> None:
    text = " ".join(["ł" * 500_000] * 3)
    emu.enqueue_response(text)
    emu.faults.append(Fault(single_delta=True, reasoning="Let me think it over."))
    if endpoint == "chat":
        deltas = [
            chunk["choices"][0]["delta"]
            for chunk in events(ask.chat("x", stream=True).text)[:-1]
            if chunk.get("choices")
        ]
        assert [d["content"] for d in deltas if d.get("content")] == [text]
        assert [d["reasoning_content"] for d in deltas if "reasoning_content" in d] == [
            "Let me think it over."
        ]
    else:
        got = events(ask.responses("x", stream=True).text)
        assert [e["delta"] for e in got if e["type"] == "response.output_text.delta"] == [text]
        assert [e["sequence_number"] for e in got] == list(range(len(got)))


@pytest.mark.parametrize("at", [0, 3, -1, -2])
def test_an_event_is_sent_twice(emu: Emulator, at: int) -> None:
    emu.faults.extend([None, Fault(repeat_event=at)])
    before, after = (numbers(exchange(emu, RESPONSES_BODY, RESPONSES)) for _ in range(2))
    place = before[at]
    assert after == [*before[: place + 1], *before[place:]]


@pytest.mark.parametrize("at", [0, 3, -2])
def test_an_event_changes_places_with_the_next(emu: Emulator, at: int) -> None:
    emu.faults.extend([None, Fault(swap_event=at)])
    before, after = (numbers(exchange(emu, RESPONSES_BODY, RESPONSES)) for _ in range(2))
    place = before[at]
    assert after == [*before[:place], before[place + 1], before[place], *before[place + 2 :]]


def test_scripted_events_can_be_sent_twice(emu: Emulator, ask: Asker) -> None:
    emu.enqueue_response(["1", "2", "[DONE]"])
    emu.faults.append(Fault(repeat_event=1))
    assert events(ask.chat("x", stream=True).text) == [1, 2, 2, "[DONE]"]


@pytest.mark.parametrize("body", [BODY, STREAM], ids=["whole", "stream"])
def test_interim_responses_come_before_the_head(emu: Emulator, body: dict[str, Any]) -> None:
    emu.faults.append(Fault(interim=(100, 103), delay_head_s=0.05, close_after=True))
    with raw_post(emu.base_url, body) as connection:
        raw = read_all(connection)
    heads = [part.split(b"\r\n")[0] for part in raw.split(b"\r\n\r\n")[:3]]
    assert heads == [b"HTTP/1.1 100 Continue", b"HTTP/1.1 103 Early Hints", b"HTTP/1.1 200 "]
    assert raw.count(b"link: </hint>; rel=preload") == 1


def test_interim_responses_are_passed_over_by_a_client(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend([Fault(interim=(103, 103, 102)), Fault(interim=(100,), status=503)])
    assert ask.text("Hello") == 'You said: "Hello"'
    assert ask.chat("Hello").status_code == 503


@pytest.mark.parametrize("when", ["before_read", "after_read"])
@pytest.mark.parametrize("way", ["fin", "rst"])
def test_an_open_connection_ends_when_the_next_request_comes(
    emu: Emulator, ask: Asker, when: str, way: str
) -> None:
    emu.faults.extend([None, Fault(drop=when, drop_with=way)])
    assert ask.chat("x").status_code == 200
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)):
        ask.chat("x")
    assert emu.connections == 1
    assert [seen.status for seen in emu.requests] == ([200] if when == "before_read" else [200, 0])
    assert ask.chat("x").status_code == 200
    assert emu.connections == 2


@pytest.mark.parametrize("body", [BODY, STREAM], ids=["whole", "stream"])
@pytest.mark.parametrize("way", ["fin", "rst"])
def test_a_connection_closes_behind_the_answer_without_a_word(
    emu: Emulator, body: dict[str, Any], way: str
) -> None:
    emu.faults.append(Fault(close_after=True, drop_with=way))
    with raw_post(emu.base_url, body) as connection:
        got = b""
        try:
            while data := connection.recv(65536):
                got += data
            assert way == "fin"
        except ConnectionResetError:
            assert way == "rst"
    assert b"connection: close" not in got.lower()
    assert got.endswith(b"0\r\n\r\n" if body is STREAM else b"}}}")


@pytest.mark.skipif(sys.platform != "linux", reason="others discard what was not read by then")
def test_a_reset_comes_behind_all_that_was_sent(emu: Emulator) -> None:
    size = 300_000
    emu.enqueue_response("a " * size)
    emu.faults.append(Fault(cut_after_bytes=size, drop_with="rst"))
    got = []
    with raw_post(emu.base_url, BODY, window=4_096) as connection:
        wait_until(lambda: emu.requests)
        with suppress(ConnectionResetError):
            while True:
                got.append(len(connection.recv(65536)))
                time.sleep(0.002)  # slower than any fixed pause of the emulator's would allow
    assert got[-1]  # no end of the stream before the reset
    assert sum(got) > size


def test_a_connection_outlives_faults_that_leave_it_open(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend(
        [
            Fault(status=500, bom=True, piece_size=3),
            Fault(success_status=204),
            Fault(cut_after_bytes=10, drop_with="end"),
            Fault(raw_body=b"", interim=(103,)),
            Fault(split_characters=True, comments=True),
        ]
    )
    statuses = [ask.chat("ü", stream=n == 4).status_code for n in range(6)]
    assert statuses == [500, 204, 200, 200, 200, 200]
    assert emu.connections == 1
    assert {seen.connection for seen in emu.requests} == {emu.requests[0].connection}


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_gets_none(emu: Emulator, status: int) -> None:
    emu.faults.append(Fault(status=status, headers={"Connection": "close"}))
    with raw_post(emu.base_url, STREAM) as connection:
        raw = read_all(connection)
    assert raw.startswith(b"HTTP/1.1 %d " % status)
    assert raw.endswith(b"\r\n\r\n")
    assert raw.count(b"\r\n\r\n") == 1


def counts(answer: httpx.Response, form: str) -> dict[str, Any]:
    """The usage that an answer tells."""
    if form == "whole":
        usage: dict[str, Any] = answer.json()["usage"]
        return usage
    told = [e.get("response", e).get("usage") for e in events(answer.text) if isinstance(e, dict)]
    (usage,) = [usage for usage in told if usage]
    return usage


@pytest.mark.parametrize("form", ["whole", "stream"])
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_usage_can_be_wrong(emu: Emulator, ask: Asker, endpoint: str, form: str) -> None:
    kinds = ("normal", "negative", "strings", "partial", "wrong_sum")
    emu.faults.extend(Fault(usage=kind) if kind != "normal" else None for kind in kinds)
    more: dict[str, Any] = {"stream": True} if form == "stream" else {}
    if endpoint == "chat":
        answers = [ask.chat("x", **more, **(ASKED if more else {})) for _ in kinds]
    else:
        answers = [ask.responses("x", **more) for _ in kinds]
    normal, negative, strings, partial, wrong = (counts(a, form) for a in answers)
    sent, got = ("prompt", "completion") if endpoint == "chat" else ("input", "output")
    assert normal["total_tokens"] == normal[f"{sent}_tokens"] + normal[f"{got}_tokens"]
    assert negative[f"{got}_tokens"] == -normal[f"{got}_tokens"] - 1
    assert negative[f"{got}_tokens_details"]["reasoning_tokens"] < 0
    assert strings[f"{sent}_tokens"] == str(normal[f"{sent}_tokens"])
    assert partial == {f"{sent}_tokens": normal[f"{sent}_tokens"]}
    assert wrong["total_tokens"] != normal["total_tokens"]
    assert {**wrong, "total_tokens": 0} == {**normal, "total_tokens": 0}


def test_usage_of_embeddings_can_be_wrong(emu: Emulator, ask: Asker) -> None:
    emu.faults.append(Fault(usage="negative"))
    body = {"model": "text-embedding-3-small", "input": "x"}
    usage = ask.client.post("/embeddings", json=body).json()["usage"]
    assert usage["prompt_tokens"] < 0


def test_two_posts_in_one_write_get_their_faults_in_order(emu: Emulator) -> None:
    """Pipelined: the second request lies in the buffer while the first is answered."""
    emu.faults.extend([Fault(piece_size=7), Fault(status=503, headers={"Connection": "close"})])
    content = json.dumps({"model": CHAT, "messages": [user("x")]}).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer sk-1234\r\n"
        f"content-length: {len(content)}\r\n\r\n"
    ).encode()
    with socket.create_connection((emu.host, emu.port)) as connection:
        connection.sendall((head + content) * 2)
        raw = read_all(connection)
    assert [seen.status for seen in emu.requests] == [200, 503]
    assert raw.index(b"HTTP/1.1 200") < raw.index(b"HTTP/1.1 503")
