"""One way to make a call, sync or async, so that no test stands twice."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing
from typing import Any

from aimlapi_core import (
    AsyncClient,
    ChatRequest,
    Client,
    Costs,
    EmbeddingReply,
    EmbeddingRequest,
    Finished,
    Message,
    Reply,
    Settings,
    StreamEvent,
    Text,
    UnknownCall,
)

CHAT, PRO = "openai/gpt-5-2", "openai/gpt-5-2-pro"
EMBED = "text-embedding-3-small"


def asking(text: str = "Name the largest lake of the country", **more: Any) -> ChatRequest:
    return ChatRequest(**{"model": CHAT, "messages": (Message("user", (Text(text),)),), **more})


HELLO = asking()


def complete(how: str, settings: Settings, request: ChatRequest = HELLO) -> Reply:
    if how == "sync":
        return Client(settings).complete(request)
    return asyncio.run(AsyncClient(settings).complete(request))


def stream(
    how: str, settings: Settings, request: ChatRequest = HELLO, *, events: int | None = None
) -> list[StreamEvent]:
    """All events, or so many of them before the stream is closed."""
    if how == "sync":
        found = []
        with closing(Client(settings).stream(request)) as stream:
            for event in stream:
                found.append(event)
                if len(found) == events:
                    break
        return found

    async def run() -> list[StreamEvent]:
        found = []
        async with aclosing(AsyncClient(settings).stream(request)) as stream:
            async for event in stream:
                found.append(event)
                if len(found) == events:
                    break
        return found

    return asyncio.run(run())


def whole(events: list[StreamEvent]) -> Reply:
    last = events[-1]
    assert isinstance(last, Finished)
    return last.reply


def embed(how: str, settings: Settings, *texts: str, **more: Any) -> EmbeddingReply:
    request = EmbeddingRequest(EMBED, texts, **more)
    if how == "sync":
        return Client(settings).embed(request)
    return asyncio.run(AsyncClient(settings).embed(request))


def settled(how: str, costs: Costs, **more: Any) -> tuple[UnknownCall, ...]:
    if how == "sync":
        return costs.settle(**more)
    return asyncio.run(costs.asettle(**more))
