"""Answers that came compressed are read as the others are."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from aimlapi_core import (
    AsyncClient,
    BadRequestError,
    Client,
    Endpoint,
    Finished,
    Reply,
    Settings,
    StreamCutError,
    StreamError,
    UnexpectedReplyError,
)
from aimlapi_core._io import stream_end
from tests.core.test_client import HELLO, ended

CHUNK = {"index": 0, "delta": {"content": "Grüße aus Łódź"}, "finish_reason": "stop"}
EVENTS = f"data: {json.dumps({'choices': [CHUNK]})}\n\ndata: [DONE]\n\n".encode()


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in pieces of 7 bytes."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return (self._body[at : at + 7] for at in range(0, len(self._body), 7))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def answer(request: httpx.Request, encoding: str | None) -> httpx.Response:
    headers = {"content-type": "text/event-stream"}
    if encoding is None:
        return httpx.Response(200, headers=headers, stream=Body(EVENTS))
    headers["content-encoding"] = encoding
    compress = {"gzip": gzip.compress, "deflate": zlib.compress}[encoding]
    return httpx.Response(200, headers=headers, stream=Body(compress(EVENTS)))


@pytest.mark.parametrize("encoding", [None, "gzip", "deflate"])
def test_a_stream_is_decoded(encoding: str | None) -> None:
    transport = httpx.MockTransport(lambda request: answer(request, encoding))
    with httpx.Client(transport=transport) as http:
        *_, last = Client(Settings(api_key="sk-test-0000", http_client=http)).stream(HELLO)
    assert isinstance(last, Finished)
    assert last.reply.choices[0].text == "Grüße aus Łódź"


@pytest.mark.parametrize("encoding", [None, "gzip", "deflate"])
async def test_an_async_stream_is_decoded(encoding: str | None) -> None:
    transport = httpx.MockTransport(lambda request: answer(request, encoding))
    async with httpx.AsyncClient(transport=transport) as http:
        client = AsyncClient(Settings(api_key="sk-test-0000", http_async_client=http))
        *_, last = [event async for event in client.stream(HELLO)]
    assert isinstance(last, Finished)
    assert last.reply.choices[0].text == "Grüße aus Łódź"


def members(body: bytes, size: int, end: bytes = b"") -> bytes:
    """A gzip body with a member for so many bytes of it."""
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    return b"".join(map(gzip.compress, pieces)) + end


def bodies(endpoint: str, form: str) -> bytes:
    if endpoint == "responses":
        message = {"type": "message", "content": [{"type": "output_text", "text": CONTENT}]}
        response = {"id": "r", "status": "completed", "output": [message]}
        event = {"type": "response.completed", "response": response}
        return json.dumps(response).encode() if form == "whole" else sse(event)
    if form == "stream":
        return EVENTS
    message = {"content": CONTENT}
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()


def sse(payload: object) -> bytes:
    return f"data: {json.dumps(payload)}\n\n".encode()


CONTENT = "Grüße aus Łódź"


def ask(kind: str, form: str, endpoint: Endpoint, response: httpx.Response, **more: Any) -> str:
    """The text of one answer, through a client that is handed in."""
    transport = httpx.MockTransport(lambda request: response)
    request = replace(HELLO, model="openai/some-model", endpoint=endpoint)

    async def run() -> Reply:
        async with httpx.AsyncClient(transport=transport) as http:
            client = AsyncClient(Settings(api_key="sk-test-0000", http_async_client=http, **more))
            if form == "whole":
                return await client.complete(request)
            return ended([event async for event in client.stream(request)])

    if kind == "async":
        return asyncio.run(run()).choices[0].text
    with httpx.Client(transport=transport) as http:
        client = Client(Settings(api_key="sk-test-0000", http_client=http, **more))
        reply = client.complete(request) if form == "whole" else ended(list(client.stream(request)))
        return reply.choices[0].text


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("form", ["whole", "stream"])
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize(
    ("encoding", "size", "end"),
    [
        ("gzip", 40, b""),
        ("gzip", 1, b""),
        ("x-gzip", 40, b""),
        ("GZIP", 9_999, b""),
        ("gzip", 40, b"\0" * 40),  # padding
        ("gzip", 40, b"\x1f"),
        ("gzip", 40, b"rubbish"),
    ],
)
def test_all_members_of_a_gzip_body_are_read(
    kind: str, form: str, endpoint: Endpoint, encoding: str, size: int, end: bytes
) -> None:
    body = members(bodies(endpoint, form), size, end)
    response = httpx.Response(200, headers={"content-encoding": encoding}, stream=Body(body))
    assert ask(kind, form, endpoint, response) == CONTENT


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("form", ["whole", "stream"])
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("fault", ["cut", "not gzip", "broken"])
def test_a_gzip_body_that_is_not_whole_is_a_typed_error(
    kind: str, form: str, endpoint: Endpoint, fault: str
) -> None:
    plain = bodies(endpoint, form)
    whole = members(plain, 40)
    body = {"cut": whole[:-60], "not gzip": plain, "broken": whole[:80] + b"\xff" * 40}[fault]
    response = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Body(body))
    with pytest.raises((UnexpectedReplyError, StreamError)):
        ask(kind, form, endpoint, response)


def test_an_error_in_several_members_is_read() -> None:
    body = members(b'{"error": {"message": "no such parameter"}}', 10)
    response = httpx.Response(400, headers={"content-encoding": "gzip"}, stream=Body(body))
    with pytest.raises(BadRequestError, match="no such parameter"):
        ask("sync", "whole", "chat", response)


class SlowBody(Body):
    """A body whose pieces come ten seconds apart, by a clock of its own."""

    def __init__(self, *pieces: bytes) -> None:
        super().__init__(b"")
        self._pieces = pieces
        self.now_s = 0.0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.now_s += 10
            yield piece


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_stream_that_is_answered_by_slow_json_is_within_the_timeout(
    monkeypatch: pytest.MonkeyPatch, kind: str, endpoint: Endpoint, zipped: bool
) -> None:
    """Only silence, or white space alone, is waited for no longer."""
    answer = bodies(endpoint, "whole")
    pieces = [b"\n", b" ", *(answer[at : at + 20] for at in range(0, len(answer), 20))]
    slow = SlowBody(*(map(gzip.compress, pieces) if zipped else pieces))
    monkeypatch.setattr(stream_end, "time", SimpleNamespace(monotonic=lambda: slow.now_s))
    headers = {"content-encoding": "gzip"} if zipped else {}
    response = httpx.Response(200, headers=headers, stream=slow)
    assert ask(kind, "stream", endpoint, response, timeout=25) == CONTENT
    assert slow.now_s > 75


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    "idle", [b"\n", b"data: null\n\n", b"event: ping\ndata: ping\n\n", b": x\n\n"]
)
def test_keep_alives_alone_end_with_the_timeout(
    monkeypatch: pytest.MonkeyPatch, kind: str, idle: bytes
) -> None:
    slow = SlowBody(*[idle] * 9)
    monkeypatch.setattr(stream_end, "time", SimpleNamespace(monotonic=lambda: slow.now_s))
    with pytest.raises(StreamCutError, match="nothing but keep-alives for 25 seconds"):
        ask(kind, "stream", "chat", httpx.Response(200, stream=slow), timeout=25)
    assert slow.now_s == 30
