"""Time-outs: finite unless asked otherwise, in seconds, four of them."""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
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
    RequestTimeoutError,
    Settings,
    Text,
    track_costs,
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


def send(settings: Settings, request: ChatRequest, kind: str, form: str) -> None:
    async def run() -> None:
        if form == "whole":
            await AsyncClient(settings).complete(request)
        async for _ in AsyncClient(settings).stream(request):
            pass

    if kind == "async":
        asyncio.run(run())
    elif form == "whole":
        Client(settings).complete(request)
    else:
        list(Client(settings).stream(request))


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("form", ["whole", "stream"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_write_timeout_says_that_only_a_part_was_sent(
    kind: str, form: str, endpoint: str
) -> None:
    """The service cannot have answered it: it is not billed, and no budget counts it as unknown."""
    large = ChatRequest(
        "openai/some-model", (Message("user", (Text("x" * 20_000_000),)),), endpoint=endpoint
    )
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # the kernel connects, and nobody reads
        settings = Settings(
            api_key="k",
            base_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
            timeout=httpx.Timeout(600, write=0.2),
        )

        with track_costs() as costs, pytest.raises(RequestTimeoutError, match="a part") as caught:
            send(settings, large, kind, form)
    assert not caught.value.request_sent
    assert (costs.total.calls, costs.total.failed, costs.unknown) == (1, 1, ())


@pytest.mark.parametrize("form", ["whole", "stream"])
def test_a_connection_lost_while_the_request_is_written_says_that_only_a_part_was_sent(
    form: str,
) -> None:
    """As after a write time-out: it cannot have been answered, is not billed, and not repeated."""
    large = ChatRequest("openai/gpt-5-2", (Message("user", (Text("x" * 20_000_000),)),))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepted = []

        def reset() -> None:
            while True:
                connection, _ = listener.accept()
                accepted.append(connection.recv(1000))
                connection.close()  # with bytes that nobody read: the kernel resets it

        threading.Thread(target=reset, daemon=True).start()
        settings = Settings(api_key="k", base_url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        with track_costs() as costs, pytest.raises(ConnectionLostError, match="a part") as caught:
            send(settings, large, "sync", form)
    assert not caught.value.request_sent
    assert len(accepted) == 1
    assert (costs.total.calls, costs.total.failed, costs.unknown) == (1, 1, ())


def test_the_default_is_a_number_and_none_is_said_to_mean_none() -> None:
    assert Settings().timeout == DEFAULT_TIMEOUT_S == 600
    assert "None disables them" in inspect.cleandoc(Settings.__doc__ or "")
