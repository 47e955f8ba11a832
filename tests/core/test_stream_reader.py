"""The first bytes of a stream's body: they tell events from a whole answer."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from dataclasses import replace
from typing import Any

import pytest

from aimlapi_core import (
    AIMLAPIError,
    ChatRequest,
    Endpoint,
    Finished,
    Message,
    StreamFailedError,
    Text,
    TextDelta,
    UnexpectedReplyError,
)
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_core._wire.stream_reader import StreamReader

REQUEST = ChatRequest("openai/gpt-5-2", (Message("user", (Text("hi"),)),))
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Grüße"}, "finish_reason": "stop"}
WHOLE = json.dumps({"id": "x", "choices": [CHOICE]}, ensure_ascii=False).encode()
CHUNK = {"index": 0, "delta": {"content": "Grüße"}, "finish_reason": "stop"}
EVENTS = f"data: {json.dumps({'choices': [CHUNK]})}\n\ndata: [DONE]\n\n".encode()


def read(body: bytes, size: int) -> list[object]:
    reader = prepare_request(REQUEST, stream=True).stream_reader({})
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    return [*(event for piece in pieces for event in reader.feed(piece)), *reader.close()]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096])
@pytest.mark.parametrize("start", [b"", BOM_UTF8, BOM_UTF8 + b"\r\n ", b"\n\n"])
@pytest.mark.parametrize("body", [WHOLE, EVENTS], ids=("whole", "events"))
def test_a_byte_order_mark_and_white_space_may_come_first(
    body: bytes, start: bytes, size: int
) -> None:
    if body is EVENTS and start.endswith(b" "):
        start = start.removesuffix(b" ")  # white space before a field is part of its name
    delta, end = read(start + body, size)
    assert isinstance(delta, TextDelta)
    assert delta.text == "Grüße"
    assert isinstance(end, Finished)
    assert end.reply.choices[0].text == "Grüße"


@pytest.mark.parametrize("start", [b"", BOM_UTF8])
def test_a_page_is_not_taken_for_a_cut_stream(start: bytes) -> None:
    with pytest.raises(UnexpectedReplyError, match="Bad gateway"):
        read(start + b"<html><body>Bad gateway</body></html>", 1)


def test_comments_and_blank_payloads_are_no_progress() -> None:
    reader = prepare_request(REQUEST, stream=True).stream_reader({})
    list(reader.feed(b": ping\n\n"))
    for blank in (b"data:\n\n", b"data:  \n\n", b": still here\n\n"):
        list(reader.feed(blank))
    assert reader.progress == 0
    list(reader.feed(EVENTS))
    assert reader.progress == 2


KEEP_ALIVES = [
    "data: null",
    "data:null",
    "data: NULL",
    "data: ping",
    'data: "ping"',
    "data: pong",
    "data: keepalive",
    "data: keep-alive",
    "data: heartbeat",
    "event: ping\ndata: ping",
    "event: ping\ndata: 1795957200",
    "event: ping\ndata: 2026-11-29T13:00:00Z",
    "event: keepalive\ndata",
    "event: heartbeat\ndata:",
]
RESPONSE = {
    "id": "r",
    "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "Grüße"}]}],
}
RESPONSE_EVENTS = b"event: response.completed\ndata: %s\n\n" % (
    json.dumps({"type": "response.completed", "response": RESPONSE}).encode()
)


def reader_for(endpoint: Endpoint) -> StreamReader:
    request = replace(REQUEST, model="openai/some-model", endpoint=endpoint)
    return prepare_request(request, stream=True).stream_reader({})


@pytest.mark.parametrize("size", [1, 4096])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("keep_alive", KEEP_ALIVES)
def test_keep_alives_of_one_word_are_no_part_of_the_answer(
    keep_alive: str, endpoint: Endpoint, newline: str, size: int
) -> None:
    """They stand before it, within it and behind it, and keep no dead stream alive."""
    idle = (keep_alive + "\n\n").replace("\n", newline).encode()
    reader = reader_for(endpoint)
    for _ in range(3):
        assert list(reader.feed(idle)) == []
    assert reader.progress == 0
    body = EVENTS if endpoint == "chat" else RESPONSE_EVENTS
    first, *rest = [event + b"\n\n" for event in body.split(b"\n\n")[:-1]]
    body = idle + first + idle + b"".join(rest) + idle
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    *_, end = [*(event for piece in pieces for event in reader.feed(piece)), *reader.close()]
    assert isinstance(end, Finished)
    assert end.reply.choices[0].text == "Grüße"


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("garbage", ["data: nul", "data: pingpong", "data: 7", "data: [1]"])
def test_other_payloads_that_are_no_object_are_errors(garbage: str, endpoint: Endpoint) -> None:
    with pytest.raises(StreamFailedError, match="not a JSON object"):
        list(reader_for(endpoint).feed(f"{garbage}\n\n".encode()))


@pytest.mark.parametrize("start", [b"", b"\n\n", b" "])
def test_each_piece_of_a_whole_answer_is_progress_and_white_space_is_not(start: bytes) -> None:
    """A stream that is answered by slow JSON is no stream of keep-alives."""
    reader = prepare_request(REQUEST, stream=True).stream_reader({})
    list(reader.feed(start))
    list(reader.feed(b"  "))
    assert reader.progress == 0
    for at in range(0, len(WHOLE), 10):
        before = reader.progress
        list(reader.feed(WHOLE[at : at + 10]))
        assert reader.progress == before + 1
        list(reader.feed(b"\n" if at else b""))
    list(reader.feed(b"\n"))
    assert reader.progress == -(-len(WHOLE) // 10)


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize(
    "payload",
    [
        {"error": {"message": "\x1b[2J \u202eevil" + "x" * 100_000, "code": "\x07" * 9_999}},
        {"error": "\x1b[2J" + "x" * 100_000},
    ],
)
@pytest.mark.parametrize("form", ["stream", "whole"])
def test_what_a_failed_stream_quotes_is_bounded_and_without_control_characters(
    form: str, payload: dict[str, Any], endpoint: Endpoint
) -> None:
    line = json.dumps(payload)
    body = line if form == "whole" else f"data: {line}\n\n"
    reader = reader_for(endpoint)
    with pytest.raises(AIMLAPIError, match=r"\\x1b") as caught:
        [*reader.feed(body.encode()), *reader.close()]
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 2_000


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_an_answer_of_many_members_is_described_in_few_words(endpoint: Endpoint) -> None:
    prepared = prepare_request(
        replace(REQUEST, model="openai/some-model", endpoint=endpoint), stream=False
    )
    with pytest.raises(UnexpectedReplyError) as caught:
        prepared.decode({f"\x1b member {at}": at for at in range(50_000)}, {})
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 2_000
    assert len(caught.value.body) < 2_000
