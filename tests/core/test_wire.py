"""The connections to one origin: which one a call takes, and when an idle one is closed."""

from __future__ import annotations

import asyncio
import socket
import threading

import httpx
import pytest

from aimlapi_core import Client, ConnectionLostError, Settings
from aimlapi_core._io.wire import AsyncWire, Places, Wire
from aimlapi_emulator import Emulator
from tests.core.test_client import HELLO, wait_until

NOBODY = "http://127.0.0.1:9/v1"
TIMEOUT = httpx.Timeout(5)
BURST = 6


def test_the_lowest_free_place_is_taken_first() -> None:
    places = Places(httpx.HTTPTransport)
    taken = [places.take()[0] for _ in range(4)]
    for place in (2, 0, 3):
        places.give_back(place)
    assert taken == [0, 1, 2, 3]
    assert [places.take()[0] for _ in range(4)] == [0, 2, 3, 4]


def test_a_call_that_cannot_be_sent_gives_its_place_back() -> None:
    made: list[httpx.HTTPTransport] = []

    def make() -> httpx.HTTPTransport:
        made.append(httpx.HTTPTransport())
        return made[-1]

    own = Wire(make)
    for _ in range(3):
        request = own.build_request("POST", NOBODY, content=b"{}", headers={}, timeout=TIMEOUT)
        with pytest.raises(httpx.ConnectError):
            own.send(request, stream=True, follow_redirects=False)
    own.close()
    assert len(made) == 1


async def test_an_async_call_that_cannot_be_sent_gives_its_place_back() -> None:
    made: list[httpx.AsyncHTTPTransport] = []

    def make() -> httpx.AsyncHTTPTransport:
        made.append(httpx.AsyncHTTPTransport())
        return made[-1]

    own = AsyncWire(make)
    for _ in range(3):
        request = own.build_request("POST", NOBODY, content=b"{}", headers={}, timeout=TIMEOUT)
        with pytest.raises(httpx.ConnectError):
            await own.send(request, stream=True, follow_redirects=False)
    await own.aclose()
    assert len(made) == 1


@pytest.mark.filterwarnings("ignore::UserWarning")  # http:// to a host that is not this machine
def test_a_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            asked.append(connection.recv(65_536).split(b"\r\n")[0])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{listener.getsockname()[1]}")
        server = threading.Thread(target=serve)
        server.start()
        with (
            Client(Settings(api_key="k", base_url="http://elsewhere.invalid/v1")) as client,
            pytest.raises(ConnectionLostError),
        ):
            client.complete(HELLO)
        server.join()
    assert asked == [b"POST http://elsewhere.invalid/v1/chat/completions HTTP/1.1"]


def test_connections_of_a_burst_are_closed_once_idle_for_too_long(emu: Emulator) -> None:
    own = Wire(httpx.HTTPTransport, keepalive_s=0)
    answers = [
        own.send(_hello(own, emu), stream=True, follow_redirects=False) for _ in range(BURST)
    ]
    assert emu.open_connections == BURST
    for answer in answers:
        answer.read()
        answer.close()
    own.send(_hello(own, emu), stream=True, follow_redirects=False).close()
    wait_until(lambda: emu.open_connections == 0)
    own.close()


async def test_async_connections_of_a_burst_are_closed_once_idle_for_too_long(
    emu: Emulator,
) -> None:
    own = AsyncWire(httpx.AsyncHTTPTransport, keepalive_s=0)
    answers = [
        await own.send(_hello(own, emu), stream=True, follow_redirects=False) for _ in range(BURST)
    ]
    assert emu.open_connections == BURST
    for answer in answers:
        await answer.aread()
        await answer.aclose()
    await (await own.send(_hello(own, emu), stream=True, follow_redirects=False)).aclose()
    await asyncio.to_thread(wait_until, lambda: emu.open_connections == 0)
    await own.aclose()


def _hello(own: Wire | AsyncWire, emu: Emulator) -> httpx.Request:
    return own.build_request(
        "POST",
        f"{emu.base_url}/chat/completions",
        content=b'{"model":"openai/gpt-5-2","messages":[{"role":"user","content":"hi"}]}',
        headers={"Authorization": "Bearer sk-test-0000", "Content-Type": "application/json"},
        timeout=TIMEOUT,
    )
