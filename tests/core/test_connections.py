"""The connections to one origin: which one a call takes, and when an idle one is closed."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path

import httpx
import pytest

from aimlapi_core import (
    AsyncClient,
    Client,
    ConnectFailedError,
    ConnectionLostError,
    Settings,
)
from aimlapi_core._io.connections import AsyncPooledClient, PooledClient
from aimlapi_core._io.sockets import tls
from aimlapi_core._io.sockets.transport_pool import TransportPool
from aimlapi_emulator import Emulator, Fault
from tests.core.test_client import HELLO, both
from tests.core.test_unread_bytes import certificate as certificate  # a fixture
from tests.waiting import wait_until

NOBODY = "http://127.0.0.1:9/v1"
TIMEOUT = httpx.Timeout(5)
BURST = 6

# One TLS context for all, since each takes tens of milliseconds to build.
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
sync_transport = partial(httpx.HTTPTransport, verify=TLS)
async_transport = partial(httpx.AsyncHTTPTransport, verify=TLS)


def test_the_lowest_free_index_is_taken_first() -> None:
    pool = TransportPool(sync_transport)
    taken = [pool.acquire()[0] for _ in range(4)]
    for index in (2, 0, 3):
        pool.release(index)
    assert taken == [0, 1, 2, 3]
    assert [pool.acquire()[0] for _ in range(4)] == [0, 2, 3, 4]


def test_a_call_that_cannot_be_sent_gives_its_place_back() -> None:
    own = PooledClient(sync_transport)
    for _ in range(3):
        request = own.build_request("POST", NOBODY, content=b"{}", headers={}, timeout=TIMEOUT)
        with pytest.raises(httpx.ConnectError):
            own.send(request, stream=True, follow_redirects=False)
    assert own._pool.acquire()[0] == 0
    own.close()


async def test_an_async_call_that_cannot_be_sent_gives_its_place_back() -> None:
    own = AsyncPooledClient(async_transport)
    for _ in range(3):
        request = own.build_request("POST", NOBODY, content=b"{}", headers={}, timeout=TIMEOUT)
        with pytest.raises(httpx.ConnectError):
            await own.send(request, stream=True, follow_redirects=False)
    assert own._pool.acquire()[0] == 0
    await own.aclose()


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


def call(kind: str, settings: Settings) -> None:
    if kind == "sync":
        Client(settings).complete(HELLO)
    else:
        asyncio.run(AsyncClient(settings).complete(HELLO))


@both
def test_a_certificate_that_nobody_trusts_gets_no_request(
    certificate: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    received: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with suppress(OSError), connection:
                    ours = context.wrap_socket(connection, server_side=True)
                    received.append(ours.recv(65_536))

    monkeypatch.setattr(tls, "_built", [])  # the certificates of the system
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/v1"
        settings = Settings(api_key="sk-test-0000", base_url=url, max_retries=0)
        with pytest.raises(ConnectFailedError, match="certificate"):
            call(kind, settings)
        listener.shutdown(socket.SHUT_RDWR)
    assert received in ([], [b""])


def test_an_answer_sets_no_cookie_behind_a_proxy_either(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", NOBODY)  # which http:// does not ask
    emu.faults.append(Fault(headers={"Set-Cookie": "session=1; Path=/"}))
    for key in ("sk-test-0000", "sk-test-0001"):
        with Client(Settings(api_key=key, base_url=emu.base_url)) as client:
            client.complete(HELLO)
            client.complete(HELLO)
    assert not any("cookie" in seen.headers for seen in emu.requests)


def test_a_forgotten_stream_may_end_while_idle_connections_are_looked_for() -> None:
    """The garbage collector ends it, in the middle of anything that makes an object."""
    transport = sync_transport()  # one will do for all indices, since none is used
    pool = TransportPool(lambda: transport, keepalive_s=0)
    # More than the interpreter keeps tuples in store: those are made without a collection.
    taken = [pool.acquire()[0] for _ in range(6_000)]
    for index in taken[:3_000]:
        pool.release(index)
    left = iter(taken[3_000:])

    def collected(phase: str, _: dict[str, int]) -> None:
        if phase == "stop":
            for index in islice(left, 1):
                pool.release(index)

    before = gc.get_threshold()
    gc.freeze()  # so that each of the many collections looks through little
    gc.callbacks.append(collected)
    gc.set_threshold(1)
    try:
        stale = list(pool.pop_expired())
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(collected)
    assert len(stale) >= 3_000


def test_connections_of_a_burst_are_closed_once_idle_for_too_long(emu: Emulator) -> None:
    own = PooledClient(sync_transport, keepalive_s=0)
    answers = [
        own.send(_hello(own, emu), stream=True, follow_redirects=False) for _ in range(BURST)
    ]
    assert emu.open_connections == BURST
    for answer in answers:
        answer.read()
        answer.close()
    own.close_expired()
    wait_until(lambda: emu.open_connections == 0)
    own.close()


async def test_async_connections_of_a_burst_are_closed_once_idle_for_too_long(
    emu: Emulator,
) -> None:
    own = AsyncPooledClient(async_transport, keepalive_s=0)
    answers = [
        await own.send(_hello(own, emu), stream=True, follow_redirects=False) for _ in range(BURST)
    ]
    assert emu.open_connections == BURST
    for answer in answers:
        await answer.aread()
        await answer.aclose()
    await own.aclose_expired()
    await asyncio.to_thread(wait_until, lambda: emu.open_connections == 0)
    await own.aclose()


def _hello(own: PooledClient | AsyncPooledClient, emu: Emulator) -> httpx.Request:
    return own.build_request(
        "POST",
        f"{emu.base_url}/chat/completions",
        content=b'{"model":"openai/gpt-5-2","messages":[{"role":"user","content":"hi"}]}',
        headers={"Authorization": "Bearer sk-test-0000", "Content-Type": "application/json"},
        timeout=TIMEOUT,
    )


def test_a_request_is_what_httpx_makes() -> None:
    """But for the spelling of names, and for decoders that httpx has from other packages."""
    given = {"Authorization": "Bearer k", "Content-Type": "application/json", "X-Own": "1"}
    body = '{"a": "Grüße"}'.encode()
    own = PooledClient(sync_transport)
    made = own.build_request("POST", NOBODY, content=body, headers=given, timeout=TIMEOUT)
    with httpx.Client() as client:
        wanted = client.build_request("POST", NOBODY, content=body, headers=given, timeout=TIMEOUT)
    for request in (made, wanted):
        for name in ("user-agent", "accept-encoding"):
            request.headers.pop(name, None)
    assert made.headers == wanted.headers
    assert (made.method, made.url, made.read()) == (wanted.method, wanted.url, wanted.read())
    assert made.extensions == wanted.extensions


@pytest.mark.parametrize("name", ["Host", "host", "ACCEPT", "Content-Length"])
def test_a_header_of_the_callers_stands_once(name: str) -> None:
    own = PooledClient(sync_transport)
    made = own.build_request("POST", NOBODY, content=b"{}", headers={name: "7"}, timeout=TIMEOUT)
    assert made.headers.get_list(name) == ["7"]


def test_an_answer_that_nobody_could_close_leaves_no_connection(emu: Emulator) -> None:
    """As when Ctrl-C comes before it is assigned to a name."""
    own = PooledClient(sync_transport)
    for _ in range(3):
        own.send(_hello(own, emu), stream=True, follow_redirects=False)
        gc.collect()
        wait_until(lambda: emu.open_connections == 0)
        assert own._pool._free == [0]
    own.close()


def test_an_index_is_released_once() -> None:
    pool = TransportPool(sync_transport)
    index, _ = pool.acquire(holder := object())
    pool.release(index, holder)
    pool.release(index, holder)
    assert (pool.acquire()[0], pool.acquire()[0]) == (0, 1)
