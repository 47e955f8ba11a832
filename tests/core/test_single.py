"""Transports of one connection: what is asked in the pool's place, and what replaces a lost one."""

from __future__ import annotations

import ssl
from typing import Any

import httpcore
import httpx
import pytest

from aimlapi_core import AsyncClient, Client, ConfigurationError, Settings
from aimlapi_core._io import single
from aimlapi_core._io.single import AsyncSingleConnection, SingleConnection
from aimlapi_emulator import Emulator
from tests.core.test_client import HELLO

ANSWER = b'{"choices":[{"message":{"content":"recorded"},"finish_reason":"stop"}]}'


def test_a_recorder_in_the_place_of_httpcores_pool_is_asked(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def recorded(self: Any, request: httpcore.Request) -> httpcore.Response:
        return httpcore.Response(200, content=ANSWER)

    with Client(Settings(api_key="k", base_url=emu.base_url)) as client:
        client.complete(HELLO)  # its connection is open
        monkeypatch.setattr(httpcore.ConnectionPool, "handle_request", recorded)
        assert client.complete(HELLO).choices[0].text == "recorded"
        monkeypatch.undo()
        assert client.complete(HELLO).choices[0].text != "recorded"
    assert len(emu.seen) == 2


async def test_a_recorder_in_the_place_of_httpcores_async_pool_is_asked(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def recorded(self: Any, request: httpcore.Request) -> httpcore.Response:
        return httpcore.Response(200, content=ANSWER)

    async with AsyncClient(Settings(api_key="k", base_url=emu.base_url)) as client:
        await client.complete(HELLO)
        monkeypatch.setattr(httpcore.AsyncConnectionPool, "handle_async_request", recorded)
        assert (await client.complete(HELLO)).choices[0].text == "recorded"
    assert len(emu.seen) == 1


def test_no_pool_is_made_without_a_recorder(emu: Emulator) -> None:
    transport = SingleConnection(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), 4.0)
    client = httpx.Client(transport=transport)
    assert client.get(f"{emu.base_url}/models").status_code == 200
    assert transport._pool._stand_in is None  # type: ignore[attr-defined]  # it is a _One
    client.close()


async def test_no_async_pool_is_made_without_a_recorder(emu: Emulator) -> None:
    transport = AsyncSingleConnection(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), 4.0)
    client = httpx.AsyncClient(transport=transport)
    assert (await client.get(f"{emu.base_url}/models")).status_code == 200
    assert transport._pool._stand_in is None  # type: ignore[attr-defined]  # it is an _AsyncOne
    await client.aclose()


def test_a_connection_closed_by_another_thread_is_replaced(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Between the look at it and the request: the look still finds it open.
    monkeypatch.setattr(single, "_is_spent", lambda held: False)
    transport = SingleConnection(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), 4.0)
    client = httpx.Client(transport=transport)
    assert client.get(f"{emu.base_url}/models").status_code == 200
    transport.close()
    assert client.get(f"{emu.base_url}/models").status_code == 200
    client.close()


async def test_an_async_connection_closed_meanwhile_is_replaced(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single, "_is_spent", lambda held: False)
    transport = AsyncSingleConnection(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), 4.0)
    client = httpx.AsyncClient(transport=transport)
    assert (await client.get(f"{emu.base_url}/models")).status_code == 200
    await transport.aclose()
    assert (await client.get(f"{emu.base_url}/models")).status_code == 200
    await client.aclose()


def test_an_httpx_without_that_pool_serves_with_its_own(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single, "HAS_POOL", False)
    transport = SingleConnection(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), 4.0)
    assert isinstance(transport._pool, httpcore.ConnectionPool)
    with httpx.Client(transport=transport) as client:
        assert client.get(f"{emu.base_url}/models").status_code == 200


@pytest.mark.parametrize("wrong", [None, "é", "a\nb", "a\x7f"], ids=repr)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_user_agent_that_no_header_can_hold_is_refused(kind: Any, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="user_agent"):
        kind(user_agent=wrong)
