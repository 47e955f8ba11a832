"""The first bytes of a stream's body: they tell events from a whole answer."""

from __future__ import annotations

import json
from codecs import BOM_UTF8

import pytest

from aimlapi_core import ChatRequest, Finished, Message, Text, TextDelta, UnexpectedReplyError
from aimlapi_core._wire.endpoint import prepare_request

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
