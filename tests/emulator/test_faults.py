"""Each fault, seen on bytes."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from aimlapi_emulator import Emulator, Fault
from tests.emulator.asking import (
    CHAT,
    PRO,
    STRING,
    Asker,
    events,
    flat_tool,
    raw_post,
    read_all,
    streamed_text,
    tool,
    user,
)

BODY: dict[str, Any] = {"model": CHAT, "messages": [user("Grüße 你好 everyone here")]}
STREAM = {**BODY, "stream": True}
WEATHER = tool("get_weather", "Get the weather.", city=STRING)
CLOCK = tool("get_time", "Get the time.", city=STRING)


def payload(raw: bytes) -> bytes:
    """The body of a raw chunked response, closed properly or not."""
    body = raw.split(b"\r\n\r\n", 1)[1]
    parts: list[bytes] = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        parts.append(rest[:length])
        body = rest[length + 2 :]
    return b"".join(parts)


def chunk_sizes(raw: bytes) -> list[int]:
    body = raw.split(b"\r\n\r\n", 1)[1]
    sizes = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        sizes.append(length)
        body = rest[length + 2 :]
    return sizes


def exchange(emu: Emulator, body: dict[str, Any], path: str = "/v1/chat/completions") -> bytes:
    with raw_post(emu.base_url, body, path) as connection:
        parts: list[bytes] = []
        while not b"".join(parts).endswith(b"\r\n0\r\n\r\n"):
            data = connection.recv(65536)
            if not data:
                break
            parts.append(data)
        return b"".join(parts)


def test_statuses_in_sequence_then_answers(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend([Fault(status=429, headers={"Retry-After": "1"}), None, Fault(status=503)])
    assert [ask.chat("x").status_code for _ in range(4)] == [429, 200, 503, 200]
    assert [seen.status for seen in emu.requests] == [429, 200, 503, 200]


@pytest.mark.parametrize(
    ("shape", "kind", "member"),
    [
        ("problem", "application/problem+json", "title"),
        ("legacy", "application/json", "statusCode"),
        ("openai", "application/json", "error"),
    ],
)
def test_error_shapes(emu: Emulator, ask: Asker, shape: str, kind: str, member: str) -> None:
    emu.faults.append(Fault(status=500, shape=shape, message="oh"))
    answer = ask.chat("x")
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith(kind)
    assert member in answer.json()
    assert "oh" in answer.text


def test_opaque_error_bodies(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend(Fault(status=502, shape=shape) for shape in ("text", "html", "empty"))
    text, html, empty = (ask.chat("x") for _ in range(3))
    assert text.text == "Bad Gateway"
    assert html.text.startswith("<!DOCTYPE html>")
    assert empty.content == b""


def test_retry_after_and_other_headers_are_sent(emu: Emulator, ask: Asker) -> None:
    emu.faults.append(Fault(status=429, headers={"Retry-After": "2", "Server": "gateway"}))
    answer = ask.chat("x")
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["server"] == "gateway"


def test_raw_body_status_and_type(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend(
        [Fault(raw_body=b"hi", content_type="text/plain"), Fault(raw_body=b"{", status=418)]
    )
    first, second = ask.chat("x"), ask.chat("x")
    assert (first.status_code, first.headers["content-type"], first.content) == (
        200,
        "text/plain",
        b"hi",
    )
    assert (second.status_code, second.content) == (418, b"{")


def test_success_status_and_wrong_content_type(emu: Emulator, ask: Asker) -> None:
    emu.faults.append(Fault(success_status=201, content_type="text/html"))
    answer = ask.chat("x")
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "text/html"
    assert answer.json()["choices"]


@pytest.mark.parametrize("way", ["fin", "rst"])
@pytest.mark.parametrize("when", ["before_read", "after_read"])
def test_drop_gives_no_byte(emu: Emulator, when: str, way: str) -> None:
    emu.faults.append(Fault(drop=when, drop_with=way))
    with raw_post(emu.base_url, BODY) as connection:
        if way == "rst":
            with pytest.raises(ConnectionResetError):
                read_all(connection)
        else:
            assert read_all(connection) == b""
    assert [seen.status for seen in emu.requests] == ([0] if when == "after_read" else [])


@pytest.mark.parametrize("way", ["fin", "rst"])
def test_cut_after_bytes(emu: Emulator, way: str) -> None:
    emu.faults.append(Fault(cut_after_bytes=40, drop_with=way))
    with raw_post(emu.base_url, BODY) as connection:
        got = b""
        try:
            while data := connection.recv(65536):
                got += data
            assert way == "fin"
        except ConnectionResetError:
            assert way == "rst"
    assert len(got.split(b"\r\n\r\n", 1)[1]) == 40


def test_cut_is_seen_by_a_client(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend([Fault(cut_after_bytes=10), Fault(cut_after_events=2)])
    for stream in (False, True):
        with pytest.raises(httpx.RemoteProtocolError):
            ask.chat("x", stream=stream)


def test_cut_after_events_leaves_whole_events(emu: Emulator) -> None:
    emu.faults.append(Fault(cut_after_events=3))
    raw = exchange(emu, STREAM)
    assert not raw.endswith(b"0\r\n\r\n")
    assert payload(raw).count(b"\n\n") == 3


def test_cut_may_end_the_body_properly(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend(
        [Fault(cut_after_events=2, drop_with="end"), Fault(cut_after_bytes=5, drop_with="end")]
    )
    assert len(events(ask.chat("x", stream=True).text)) == 2
    assert ask.chat("x").content == b'{"id"'


@pytest.mark.parametrize("size", [1, 3, 7])
def test_pieces_are_chunks_of_that_size(emu: Emulator, size: int) -> None:
    emu.faults.append(Fault(piece_size=size))
    raw = exchange(emu, STREAM)
    sizes = chunk_sizes(raw)
    assert set(sizes[:-2]) == {size}
    assert "你好" in streamed_text(events(payload(raw).decode()))


def test_pieces_of_a_whole_answer(emu: Emulator, ask: Asker) -> None:
    emu.faults.append(Fault(piece_size=5))
    assert "Hello" in ask.text("Hello")


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_newlines(emu: Emulator, newline: str) -> None:
    emu.faults.append(Fault(newline=newline, finish_reason="length", piece_size=4))
    body = payload(exchange(emu, STREAM))
    assert body.endswith((newline * 2).encode())
    assert body.replace(newline.encode(), b"").count(b"\n") == 0
    lines = body.decode().replace(newline, "\n")
    assert events(lines)[-2]["choices"][0]["finish_reason"] == "length"


def test_comments_blank_line_and_done(emu: Emulator) -> None:
    emu.faults.extend(
        [Fault(comments=True), Fault(final_blank_line=False), Fault(done_sentinel=False)]
    )
    commented = payload(exchange(emu, STREAM))
    assert commented.count(b": keep-alive\n\n") == commented.count(b"data: ")
    unended = payload(exchange(emu, STREAM))
    assert unended.endswith(b"data: [DONE]\n")
    assert b"[DONE]" not in payload(exchange(emu, STREAM))


def test_malformed_event_stands_in_the_middle(emu: Emulator) -> None:
    emu.faults.append(Fault(malformed_event=True))
    lines = [x for x in payload(exchange(emu, STREAM)).decode().split("\n\n") if x]
    bad = []
    for place, line in enumerate(lines[:-1]):
        try:
            json.loads(line.removeprefix("data: "))
        except ValueError:
            bad.append(place)
    assert len(bad) == 1
    assert 0 < bad[0] < len(lines) - 1


@pytest.mark.parametrize(
    ("form", "member"), [("openai", "error"), ("problem", "title"), ("legacy", "statusCode")]
)
def test_error_frames_end_a_chat_stream(emu: Emulator, ask: Asker, form: str, member: str) -> None:
    emu.faults.append(Fault(error_event=form, error_after_events=3, message="broke"))
    got = events(ask.chat("Hello", stream=True).text)
    assert len(got) == 4
    assert member in got[-1]
    assert "broke" in json.dumps(got[-1])


def test_error_event_line(emu: Emulator, ask: Asker) -> None:
    emu.faults.append(Fault(error_event="event"))
    text = ask.chat("Hello", stream=True).text
    assert "event: error\ndata: {" in text
    assert events(text)[-1]["statusCode"] == 500


def test_responses_error_events(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend([Fault(error_event="error"), Fault(error_event="response.failed")])
    first = events(ask.responses("x", stream=True).text)[-1]
    assert first["type"] == "error"
    assert first["sequence_number"] == 2
    second = events(ask.responses("x", stream=True).text)[-1]
    assert second["type"] == "response.failed"
    assert second["response"]["status"] == "failed"
    assert second["response"]["error"]["message"]


def test_refusal_and_empty(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend([Fault(refusal="I won't."), Fault(refusal="I won't."), Fault(empty=True)])
    message = ask.message("x")
    assert message["refusal"] == "I won't."
    assert message["content"] is None
    got = events(ask.chat("x", stream=True).text)
    said = [c["choices"][0]["delta"].get("refusal") or "" for c in got[:-2]]
    assert "".join(said) == "I won't."
    assert ask.text("x") == ""


def test_refusal_on_responses(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend([Fault(refusal="No.")] * 2)
    assert ask.output("x")[0]["content"] == [{"type": "refusal", "refusal": "No."}]
    kinds = [e["type"] for e in events(ask.responses("x", stream=True).text)]
    assert "response.refusal.done" in kinds


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_finish_reason_cuts_text_and_arguments(emu: Emulator, ask: Asker, reason: str) -> None:
    emu.faults.extend([Fault(finish_reason=reason)] * 2)
    choice = ask.chat("one two three four").json()["choices"][0]
    assert choice["finish_reason"] == reason
    assert choice["message"]["content"] == 'You said: "'
    choice = ask.chat("weather in Paris", tools=[WEATHER]).json()["choices"][0]
    assert choice["finish_reason"] == reason
    with pytest.raises(json.JSONDecodeError):
        json.loads(choice["message"]["tool_calls"][0]["function"]["arguments"])


@pytest.mark.parametrize(
    ("reason", "detail"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_finish_reason_on_responses(emu: Emulator, ask: Asker, reason: str, detail: str) -> None:
    emu.faults.extend([Fault(finish_reason=reason)] * 2)
    body = ask.responses("one two three four").json()
    assert body["status"] == "incomplete"
    assert body["incomplete_details"] == {"reason": detail}
    got = events(
        ask.responses(
            "weather in Paris", tools=[flat_tool("weather", city=STRING)], stream=True
        ).text
    )
    assert got[-1]["type"] == "response.incomplete"


def test_unknown_finish_reason_is_just_said(emu: Emulator, ask: Asker) -> None:
    emu.faults.append(Fault(finish_reason="eos"))
    choice = ask.chat("one two").json()["choices"][0]
    assert choice["finish_reason"] == "eos"
    assert "one two" in choice["message"]["content"]


def test_usage_missing_or_cumulative(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend([Fault(usage="missing"), Fault(usage="missing"), Fault(usage="cumulative")])
    assert "usage" not in ask.chat("x").json()
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    assert not [c for c in events(ask.chat("x", **asked).text)[:-1] if c.get("usage")]
    counts = [
        c["usage"]["completion_tokens"]
        for c in events(ask.chat("one two three", **asked).text)[:-1]
        if c.get("usage")
    ]
    assert counts == sorted(counts)
    assert len(set(counts)) > 3


def test_meta_can_be_left_out(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend([Fault(cost_metadata=False)] * 2)
    answer = ask.chat("x")
    assert "meta" not in answer.json()
    assert "x-aimlapi-credits-used" not in answer.headers
    assert not [c for c in events(ask.chat("x", stream=True).text)[:-1] if "meta" in c]


def tool_deltas(ask: Asker) -> list[list[dict[str, Any]]]:
    answer = ask.chat("weather and time in Paris", tools=[WEATHER, CLOCK], stream=True)
    return [
        choice["delta"]["tool_calls"]
        for chunk in events(answer.text)[:-1]
        for choice in chunk.get("choices", ())
        if "tool_calls" in choice["delta"]
    ]


def test_tool_delta_forms(emu: Emulator, ask: Asker) -> None:
    forms = ["repeat", "no_index", "one_chunk", "interleaved", "placeholder_id"]
    emu.faults.extend(Fault(tool_delta=form) for form in forms)
    repeat, no_index, one_chunk, interleaved, placeholder = (tool_deltas(ask) for _ in forms)
    assert all(d["id"] and d["function"]["name"] for (d,) in repeat)
    assert not any("index" in d for (d,) in no_index)
    assert [len(chunk) for chunk in one_chunk] == [2]
    assert [json.loads(d["function"]["arguments"]) for d in one_chunk[0]] == [{"city": "Paris"}] * 2
    assert [d["index"] for (d,) in interleaved][:4] == [0, 1, 0, 1]
    later = [d["id"] for (d,) in placeholder if "name" not in d["function"]]
    assert set(later) == {"", "null"}


def test_reasoning_text_on_chat_and_responses(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend([Fault(reasoning="I think so.")] * 3)
    assert ask.message("x")["reasoning_content"] == "I think so."
    got = events(ask.chat("x", stream=True).text)[:-2]
    said = [c["choices"][0]["delta"].get("reasoning_content", "") for c in got]
    assert "".join(said) == "I think so."
    assert ask.output("x")[0]["summary"] == [{"type": "summary_text", "text": "I think so."}]


def test_delays(emu: Emulator) -> None:
    emu.faults.append(Fault(delay_head_s=0.1, delay_body_s=0.1, delay_between_s=0.02))
    begin = time.monotonic()
    with raw_post(emu.base_url, STREAM) as connection:
        got = b""
        while b"\r\n\r\n" not in got:
            got += connection.recv(65536)
        head_after = time.monotonic() - begin
        while b"data:" not in got:
            got += connection.recv(65536)
        body_after = time.monotonic() - begin
    assert head_after >= 0.1
    assert body_after >= 0.2


def test_directive_in_the_prompt_counts_its_uses(emu: Emulator, ask: Asker) -> None:
    said = "Hi [[fault status=429 headers.Retry-After=1 times=2]] [[fault status=500 times=1]]"
    answers = [ask.chat(said) for _ in range(4)]
    assert [a.status_code for a in answers] == [429, 429, 500, 200]
    assert answers[0].headers["retry-after"] == "1"
    assert answers[3].json()["choices"][0]["message"]["content"] == 'You said: "Hi"'
    emu.clear()
    assert ask.chat(said).status_code == 429


def test_directive_without_times_acts_each_time(ask: Asker) -> None:
    said = '[[fault finish_reason=length piece_size=3 newline="\\r\\n"]] one two three'
    for _ in range(2):
        assert ask.chat(said, stream=True).text.count("\r\n\r\n") > 3


def test_directive_on_responses(ask: Asker) -> None:
    assert ask.responses("[[fault status=503]]").status_code == 503
    assert ask.responses([{"role": "user", "content": "[[fault status=504]]"}]).status_code == 504


def test_directive_may_drop(emu: Emulator) -> None:
    body = {**BODY, "messages": [user("[[fault drop=after_read]]")]}
    with raw_post(emu.base_url, body) as connection:
        assert read_all(connection) == b""
    assert emu.requests[0].status == 0


def test_unknown_directive_field_is_refused(ask: Asker) -> None:
    answer = ask.chat("[[fault statsu=429]]")
    assert answer.status_code == 400
    assert "statsu" in answer.text


def test_scripted_replies(emu: Emulator, ask: Asker) -> None:
    emu.enqueue_response("A text")
    emu.enqueue_response({"any": 1})
    emu.enqueue_response(b"raw")
    emu.enqueue_response(['{"a":1}', "[DONE]"])
    assert ask.text("x") == "A text"
    assert ask.chat("x").json() == {"any": 1}
    assert ask.chat("x").content == b"raw"
    assert ask.chat("x", stream=True).text == 'data: {"a":1}\n\ndata: [DONE]\n\n'
    assert ask.text("x") == 'You said: "x"'


def test_scripted_text_streams_on_both_endpoints(emu: Emulator, ask: Asker) -> None:
    emu.enqueue_response("A longer text")
    emu.enqueue_response("A longer text")
    assert streamed_text(events(ask.chat("x", stream=True).text)) == "A longer text"
    got = events(ask.responses("x", PRO, stream=True).text)
    deltas = [e["delta"] for e in got if e["type"] == "response.output_text.delta"]
    assert "".join(deltas) == "A longer text"
