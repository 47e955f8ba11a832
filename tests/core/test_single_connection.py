"""Transports of one connection: that calls use it, and when it is replaced by another."""

from __future__ import annotations

import inspect
import os
import ssl
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import httpcore
import httpx
import pytest

from aimlapi_core import AsyncClient, Client, ConfigurationError
from aimlapi_core._io.sockets.http11_connection import AsyncHTTP11Connection, HTTP11Connection
from aimlapi_core._io.sockets.single_connection import AsyncSingleConnection, SingleConnection
from aimlapi_emulator import Emulator
from tests.core.test_client import HELLO, both, close_all, settings, wait_until

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
transports = pytest.mark.parametrize("kind", [SingleConnection, AsyncSingleConnection])


async def get(transport: httpx.BaseTransport | httpx.AsyncBaseTransport, emu: Emulator) -> int:
    """The status of one GET through a transport of either kind."""
    url = f"{emu.base_url}/models"
    if isinstance(transport, httpx.BaseTransport):
        return httpx.Client(transport=transport).get(url).status_code
    return (await httpx.AsyncClient(transport=transport).get(url)).status_code


async def close(transport: SingleConnection | AsyncSingleConnection, emu: Emulator) -> None:
    if isinstance(transport, SingleConnection):
        transport.close()
    else:
        await transport.aclose()
    wait_until(lambda: emu.open_connections == 0)


@both
async def test_calls_in_turn_use_one_connection_and_no_pool(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    close_all()
    monkeypatch.delattr(httpcore.ConnectionPool, "handle_request")
    monkeypatch.delattr(httpcore.AsyncConnectionPool, "handle_async_request")
    if kind == "sync":
        with Client(settings(emu)) as client:
            for _ in range(3):
                client.complete(HELLO)
    else:
        async with AsyncClient(settings(emu)) as own:
            for _ in range(3):
                await own.complete(HELLO)
    assert emu.connections == 1


@pytest.mark.parametrize(
    ("transport", "connection", "method", "closing"),
    [
        (httpx.HTTPTransport, httpcore.HTTPConnection, "handle_request", "close"),
        (httpx.AsyncHTTPTransport, httpcore.AsyncHTTPConnection, "handle_async_request", "aclose"),
    ],
)
def test_httpx_and_httpcore_have_the_names_that_are_used(
    transport: Any, connection: Any, method: str, closing: str
) -> None:
    assert "_pool" in getattr(transport, method).__code__.co_names, (
        f"httpx {httpx.__version__} keeps what it sends requests with under another name than "
        "`_pool`, which aimlapi_core/_io/sockets/single_connection.py sets: see "
        f"{transport.__name__}.{method}."
    )
    used = {method, closing, "can_handle_request", "is_available", "has_expired"}
    used |= {"ssl_context", "keepalive_expiry", "network_backend"}
    missing = used - {*dir(connection), *inspect.signature(connection).parameters}
    assert not missing, (
        f"httpcore {httpcore.__version__}: {connection.__name__} has no {sorted(missing)}, which "
        "aimlapi_core/_io/sockets/single_connection.py uses."
    )


@pytest.mark.parametrize(
    ("ours", "interface"),
    [
        (HTTP11Connection, httpcore.ConnectionInterface),
        (AsyncHTTP11Connection, httpcore.AsyncConnectionInterface),
    ],
)
def test_our_connections_have_the_interface_of_httpcore(ours: Any, interface: Any) -> None:
    of_requests = {"request", "stream"}  # they call `handle_request`
    wanted = {name for name in dir(interface) if not name.startswith("_")} - of_requests
    assert {"can_handle_request", "is_available"} < wanted
    missing = wanted - {*vars(ours), *vars(ours.__mro__[1])}
    assert not missing, (
        f"httpcore {httpcore.__version__}: its connections have {sorted(missing)}, which those of "
        "aimlapi_core/_io/sockets/http11_connection.py have not."
    )


# What httpcore has not made a connection of yet is closed with its last reference; what collects
# something is interrupted too.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("part", ["httpcore", f"aimlapi_core{os.sep}_io"])
@pytest.mark.parametrize("limit", [None, 1])
@pytest.mark.parametrize("way", [Client.complete, lambda *how: [*Client.stream(*how)]])
def test_a_call_interrupted_at_any_line_of_httpcore_neither_hangs_nor_leaves_a_connection(
    emu: Emulator, part: str, limit: int | None, way: Callable[..., Any]
) -> None:
    """As by Ctrl-C. A lock of httpcore's pools, interrupted once it is taken, is never released."""
    close_all()
    reached: set[tuple[CodeType, int]] = set()

    def interrupt(frame: FrameType, event: str, _: object) -> Any:
        if part not in frame.f_code.co_filename:
            return None
        if event == "line" and (line := (frame.f_code, frame.f_lineno)) not in reached:
            reached.add(line)
            raise KeyboardInterrupt
        return interrupt

    def is_interrupted(client: Client) -> bool:
        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            way(client, HELLO)
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
        return False

    with Client(settings(emu, max_concurrency=limit)) as client:
        while is_interrupted(client):
            pass
        wait_until(lambda: emu.open_connections == 1)
    assert len(reached) > 60


@transports
async def test_a_connection_that_was_idle_for_too_long_is_replaced(
    emu: Emulator, kind: Any
) -> None:
    transport = kind(CONTEXT, keepalive_s=-1.0)
    for _ in range(3):
        assert await get(transport, emu) == 200
    assert emu.connections == 3
    await close(transport, emu)


@transports
async def test_another_origin_has_a_connection_of_its_own(emu: Emulator, kind: Any) -> None:
    transport = kind(CONTEXT, keepalive_s=4.0)
    with Emulator() as other:
        for server in (emu, other, emu):
            assert await get(transport, server) == 200
        assert (emu.connections, other.connections) == (2, 1)
        wait_until(lambda: other.open_connections == 0)
    await close(transport, emu)


@transports
async def test_a_connection_that_is_closed_just_before_its_request_is_replaced(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    def closed(self: HTTP11Connection, request: httpcore.Request) -> httpcore.Response:
        monkeypatch.undo()
        self.close()
        return self.handle_request(request)

    async def aclosed(self: AsyncHTTP11Connection, request: httpcore.Request) -> httpcore.Response:
        monkeypatch.undo()
        await self.aclose()
        return await self.handle_async_request(request)

    transport = kind(CONTEXT, keepalive_s=4.0)
    assert await get(transport, emu) == 200
    monkeypatch.setattr(HTTP11Connection, "handle_request", closed)
    monkeypatch.setattr(AsyncHTTP11Connection, "handle_async_request", aclosed)
    assert await get(transport, emu) == 200
    assert (len(emu.requests), emu.connections) == (2, 2)
    await close(transport, emu)


@transports
@pytest.mark.parametrize("is_open", [False, True], ids=["new", "open"])
async def test_a_tool_that_replaces_the_methods_of_httpcore_gets_the_requests(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch, kind: Any, is_open: bool
) -> None:
    """respx replaces them so: what goes past it would reach the service, and be billed."""

    def handle(self: Any, request: httpcore.Request) -> httpcore.Response:
        return httpcore.Response(418)

    async def ahandle(self: Any, request: httpcore.Request) -> httpcore.Response:
        return httpcore.Response(418)

    transport = kind(CONTEXT, keepalive_s=4.0)
    if is_open:
        assert await get(transport, emu) == 200
    with monkeypatch.context() as patch:
        patch.setattr(httpcore.HTTPConnection, "handle_request", handle)
        patch.setattr(httpcore.AsyncHTTPConnection, "handle_async_request", ahandle)
        assert await get(transport, emu) == 418
    assert len(emu.requests) == is_open
    assert await get(transport, emu) == 200
    await close(transport, emu)


@pytest.mark.parametrize("wrong", [None, "é", "a\nb", "a\x7f"], ids=repr)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_user_agent_that_no_header_can_hold_is_refused(kind: Any, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="user_agent"):
        kind(user_agent=wrong)
