"""Answers that came compressed are read as the others are."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from aimlapi_core import AsyncClient, Client, Finished, Settings
from tests.core.test_client import HELLO

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
    return httpx.Response(200, headers=headers, stream=Body(gzip.compress(EVENTS)))


@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_a_stream_is_decoded(encoding: str | None) -> None:
    transport = httpx.MockTransport(lambda request: answer(request, encoding))
    with httpx.Client(transport=transport) as http:
        *_, last = Client(Settings(api_key="sk-test-0000", http_client=http)).stream(HELLO)
    assert isinstance(last, Finished)
    assert last.reply.choices[0].text == "Grüße aus Łódź"


@pytest.mark.parametrize("encoding", [None, "gzip"])
async def test_an_async_stream_is_decoded(encoding: str | None) -> None:
    transport = httpx.MockTransport(lambda request: answer(request, encoding))
    async with httpx.AsyncClient(transport=transport) as http:
        client = AsyncClient(Settings(api_key="sk-test-0000", http_async_client=http))
        *_, last = [event async for event in client.stream(HELLO)]
    assert isinstance(last, Finished)
    assert last.reply.choices[0].text == "Grüße aus Łódź"
