"""An async stream whose events have all come gives other tasks their turn."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import httpx
import pytest

from aimlapi_core import AsyncClient, Endpoint, Settings, TextDelta
from aimlapi_core._io.client import EVENTS_A_TURN
from tests.core.test_client import HELLO

COUNT = 300


def _events(path: str) -> list[dict[str, object]]:
    if path.endswith("/responses"):
        delta = {"type": "response.output_text.delta", "output_index": 0, "delta": "a"}
        text = {"type": "output_text", "text": "a" * COUNT}
        answer = {"status": "completed", "output": [{"type": "message", "content": [text]}]}
        return [delta] * COUNT + [{"type": "response.completed", "response": answer}]
    pieces = [{"content": "a"}] * COUNT
    choices = [{"index": 0, "delta": piece} for piece in pieces]
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    return [{"choices": [choice]} for choice in [*choices, last]]


def _answer(request: httpx.Request) -> httpx.Response:
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in _events(request.url.path))
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=body)


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
async def test_streams_that_came_in_one_read_go_on_side_by_side(endpoint: Endpoint) -> None:
    seen = [0, 0, 0]
    leads: list[int] = []

    async def one(number: int, client: AsyncClient) -> None:
        async for event in client.stream(replace(HELLO, endpoint=endpoint)):
            if isinstance(event, TextDelta):
                seen[number] += 1
                leads.append(max(seen) - min(seen))

    async with httpx.AsyncClient(transport=httpx.MockTransport(_answer)) as http:
        client = AsyncClient(Settings(api_key="sk-test-0000", http_async_client=http))
        await asyncio.gather(*(one(number, client) for number in range(len(seen))))
    assert seen == [COUNT] * len(seen)
    assert max(leads) <= 2 * EVENTS_A_TURN
