"""Idle connections are closed once their time is over, whether another call comes or not."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from aimlapi_core import AsyncClient, Client
from aimlapi_core._io import shared_connections
from aimlapi_emulator import Emulator, Fault
from tests.core.test_client import HELLO, both, close_all, settings
from tests.waiting import wait_until

BURST = 6
SLOW = Fault(delay_head_s=0.2)
proxies = pytest.mark.parametrize("is_proxied", [False, True], ids=["direct", "proxy in sight"])


@pytest.fixture(autouse=True)
def _short_lives(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    close_all()
    wait_until(lambda: not idle_threads())
    monkeypatch.setattr(shared_connections, "KEEPALIVE_S", 0.3)
    yield
    close_all()


def idle_threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "aimlapi-idle"]


def burst(client: Client) -> None:
    with ThreadPoolExecutor(BURST) as threads:
        list(threads.map(client.complete, [HELLO] * BURST))


async def aburst(client: AsyncClient) -> None:
    await asyncio.gather(*(client.complete(HELLO) for _ in range(BURST)))


@both
@proxies
@pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "collected"])
def test_the_connections_of_a_burst_are_closed_without_another_call(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch, kind: str, is_proxied: bool, is_kept: bool
) -> None:
    if is_proxied:
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # which http:// does not ask
    emu.faults.extend([SLOW] * BURST)
    before = emu.connections
    if kind == "sync":
        client = Client(settings(emu))
        burst(client)
        if not is_kept:
            del client
        wait_until(lambda: emu.open_connections == 0)
        wait_until(lambda: not idle_threads())
        assert shared_connections._sync_clients == {}
    else:

        async def run() -> None:
            client = AsyncClient(settings(emu))
            await aburst(client)
            if not is_kept:
                del client
            await asyncio.to_thread(wait_until, lambda: emu.open_connections == 0)
            await asyncio.to_thread(wait_until, lambda: not shared_connections._async_clients)

        asyncio.run(run())
    assert emu.connections - before == BURST


@both
async def test_an_open_stream_keeps_its_connection_alone(emu: Emulator, kind: str) -> None:
    emu.faults.append(Fault(delay_between_s=0.2))
    if kind == "sync":
        client = Client(settings(emu))
        events = client.stream(HELLO)
        next(events)
        await asyncio.to_thread(burst, client)
        await asyncio.to_thread(wait_until, lambda: emu.open_connections == 1)
        assert list(events)
        return
    aclient = AsyncClient(settings(emu))
    aevents = aclient.stream(HELLO)
    await anext(aevents)
    await aburst(aclient)
    await asyncio.to_thread(wait_until, lambda: emu.open_connections == 1)
    assert [event async for event in aevents]


@both
async def test_a_client_whose_connections_were_closed_goes_on(emu: Emulator, kind: str) -> None:
    client, aclient = Client(settings(emu)), AsyncClient(settings(emu))
    for _ in range(2):
        if kind == "sync":
            await asyncio.to_thread(client.complete, HELLO)
        else:
            await aclient.complete(HELLO)
        await asyncio.to_thread(wait_until, lambda: emu.open_connections == 0)
    client.close()
    await aclient.aclose()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process")  # that it has threads, from Python 3.12 on
def test_a_forked_child_closes_its_own(emu: Emulator) -> None:
    client = Client(settings(emu))
    client.complete(HELLO)
    assert idle_threads()
    child = os.fork()
    if child == 0:
        client.complete(HELLO)
        wait_until(lambda: not shared_connections._sync_clients)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    client.close()
