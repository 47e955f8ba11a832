"""Time-outs: finite unless asked otherwise, in seconds, four of them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from aimlapi_core import (
    DEFAULT_TIMEOUT_S,
    AsyncClient,
    ChatRequest,
    Client,
    ConnectionLostError,
    Message,
    Settings,
    Text,
)

HELLO = ChatRequest("openai/gpt-5-2", (Message("user", (Text("hi"),)),))
FOUR = ("connect", "read", "write", "pool")
APART = httpx.Timeout(connect=1, read=2, write=3, pool=4)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Each request that httpx's own transports were given; none goes out."""
    seen: list[httpx.Request] = []

    def refuse(transport: Any, request: httpx.Request) -> httpx.Response:
        seen.append(request)
        raise httpx.ReadError("not sent")

    async def arefuse(transport: Any, request: httpx.Request) -> httpx.Response:
        return refuse(transport, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", refuse)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", arefuse)
    return seen


def four(request: httpx.Request) -> tuple[float | None, ...]:
    found: Mapping[str, float | None] = request.extensions["timeout"]
    return tuple(found[name] for name in FOUR)


def ask(settings: Settings, kind: str) -> None:
    async def run() -> None:
        await AsyncClient(settings).complete(HELLO)

    with pytest.raises(ConnectionLostError):
        Client(settings).complete(HELLO) if kind == "sync" else asyncio.run(run())


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    ("given", "used"),
    [
        ({}, (10, 600, 600, 600)),
        ({"timeout": 30}, (10, 30, 30, 30)),
        ({"timeout": 3}, (3, 3, 3, 3)),
        ({"timeout": APART}, (1, 2, 3, 4)),
        ({"timeout": None}, (None, None, None, None)),
        ({"timeout": httpx.Timeout(None)}, (None, None, None, None)),
    ],
    ids=str,
)
def test_each_form_of_timeout_sets_the_four(
    asked: list[httpx.Request], kind: str, given: dict[str, Any], used: tuple[Any, ...]
) -> None:
    ask(Settings(api_key="k", base_url="http://127.0.0.1:9", **given), kind)
    assert four(asked[0]) == used


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ({}, (1, 2, 3, 4)),
        ({"timeout": 30}, (10, 30, 30, 30)),
        ({"timeout": None}, (None, None, None, None)),
    ],
    ids=str,
)
def test_a_client_that_was_handed_in_keeps_its_own_unless_told(
    asked: list[httpx.Request], given: dict[str, Any], used: tuple[Any, ...]
) -> None:
    with httpx.Client(timeout=APART) as http:
        ask(Settings(api_key="k", base_url="http://127.0.0.1:9", http_client=http, **given), "sync")
    assert four(asked[0]) == used


def test_the_default_is_a_number_and_none_is_said_to_mean_none() -> None:
    assert Settings().timeout == DEFAULT_TIMEOUT_S == 600
    assert "None disables them" in inspect.cleandoc(Settings.__doc__ or "")
