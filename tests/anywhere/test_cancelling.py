"""A call that is cancelled at any of its waits, and streams that are open when their loop ends.

Cancelled at the wrong moment, httpcore forgets a connection that stays open and is never used
again. A loop that ends closes all of its asynchronous generators at once, in no order.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import types
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

import pytest

from aimlapi_core import AsyncClient
from aimlapi_core._io import shared_connections
from aimlapi_emulator import Emulator, Fault
from tests.anywhere.objects import REQUEST, make
from tests.waiting import wait_until

SLOW = Fault(delay_between_s=0.05)


async def whole(client: AsyncClient) -> None:
    await client.complete(REQUEST)


async def stream(client: AsyncClient) -> None:
    async for _ in client.stream(REQUEST):
        pass


@types.coroutine
def cancelled_at(
    call: Coroutine[Any, Any, None], waits: tuple[int, ...]
) -> Generator[Any, Any, None]:
    """Runs `call` in the present task, which is cancelled when it waits for these times."""
    steps = call.__await__()
    resume: Callable[[], Any] = partial(next, steps)
    for number in count(1):
        try:
            waited_for = resume()
        except StopIteration:
            return
        if number in waits:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        try:
            result = yield waited_for
        except BaseException as exc:
            resume = partial(steps.throw, exc)
        else:
            resume = partial(steps.send, result)


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
@pytest.mark.parametrize("way", [whole, stream])
async def test_a_call_cancelled_at_any_wait_leaves_no_connection(
    emu: Emulator, way: Callable[[AsyncClient], Coroutine[Any, Any, None]], times: int
) -> None:
    client = make("AsyncClient", emu.base_url)

    await whole(client)
    (pool,) = shared_connections._async_clients[asyncio.get_running_loop()].values()

    def kept() -> list[Any]:
        """Connections that wait for the next call."""
        transports = pool.http._pool._transports.values()
        return [one for one in transports if one._pool and one._pool.is_available()]

    def left() -> list[Any]:
        """Connections that are neither closed nor wait: only their idle time would end them."""
        held = [one._pool for one in pool.http._pool._transports.values() if one._pool]
        return [one for one in held if not one.is_available() and not one.is_closed()]

    async def run(waits: tuple[int, ...]) -> None:
        await cancelled_at(way(client), waits)

    for first in count(1):
        task = asyncio.ensure_future(run(tuple(range(first, first + times))))
        await asyncio.wait([task])
        if not task.cancelled():
            break
        assert left() == []
        await asyncio.to_thread(wait_until, lambda: emu.open_connections == len(kept()))
    assert first > 4  # to connect, to write, to read, to give the connection back
    await client.aclose()


@pytest.mark.parametrize("is_logged", [False, True], ids=["own", "httpcore's"])
async def test_a_call_cancelled_in_its_tls_handshake_leaves_no_connection(
    caplog: pytest.LogCaptureFixture, is_logged: bool
) -> None:
    caplog.set_level(logging.DEBUG if is_logged else logging.INFO, "httpcore")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        client = make("AsyncClient", f"https://127.0.0.1:{listener.getsockname()[1]}")
        task = asyncio.ensure_future(whole(client))
        peer, _ = await asyncio.to_thread(listener.accept)
        with peer:
            peer.settimeout(20)
            assert await asyncio.to_thread(peer.recv, 1)  # the handshake has begun
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            await asyncio.to_thread(until_closed, peer)
        await client.aclose()


def until_closed(peer: socket.socket) -> None:
    """Read to the end. Raises TimeoutError where the other side stays open."""
    with suppress(ConnectionResetError):
        while peer.recv(65_536):
            pass


@pytest.mark.parametrize("is_closed", [False, True], ids=["open", "closed"])
def test_streams_that_are_open_when_the_loop_ends_are_closed_in_silence(
    emu: Emulator, caplog: pytest.LogCaptureFixture, is_closed: bool
) -> None:
    kept = []

    async def leave_open() -> None:
        client = make("AsyncClient", emu.base_url)
        for _ in range(3):
            emu.faults.append(SLOW)
            kept.append(client.stream(REQUEST))
            await anext(kept[-1])
        if is_closed:
            await client.aclose()

    with caplog.at_level(logging.ERROR):
        asyncio.run(leave_open())
    wait_until(lambda: emu.open_connections == 0)
    assert [record.getMessage() for record in caplog.records] == []
