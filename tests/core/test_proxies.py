"""Proxies of the environment: which calls they take, and what their failures mean and cost."""

from __future__ import annotations

import asyncio
import inspect
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import anyio
import httpcore
import httpx
import pytest

from aimlapi_core import (
    AsyncClient,
    Client,
    ConfigurationError,
    ConnectFailedError,
    ConnectionLostError,
    Settings,
    track_costs,
)
from aimlapi_core._io.sockets import tls
from aimlapi_core._io.sockets.http11_connection import AsyncHTTP11Connection
from aimlapi_core._io.sockets.proxies import proxy_for
from aimlapi_emulator import Emulator
from tests.core.test_client import HELLO, both, close_all
from tests.core.test_unread_bytes import certificate as certificate  # a fixture
from tests.waiting import wait_until

Behaviour = Callable[[socket.socket], None]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    close_all()
    yield
    close_all()


class Proxy:
    """A proxy that does with each connection what it is told."""

    def __init__(self, behave: Behaviour) -> None:
        self.heads: list[bytes] = []
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head and not head.startswith(b"\x05"):
            piece = connection.recv(65_536)
            if not piece:
                return
            head += piece
        self.heads.append(head)
        try:
            self._behave(connection)
        except OSError:
            pass
        finally:
            connection.close()

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Behaviour], Proxy]]:
    proxies: list[Proxy] = []

    def started(behave: Behaviour) -> Proxy:
        proxies.append(Proxy(behave))
        return proxies[-1]

    yield started
    for proxy in proxies:
        proxy.close()


def closes(connection: socket.socket) -> None:
    """As a proxy that restarts."""


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def is_no_proxy(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")


def refuses(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")


def hangs(connection: socket.socket) -> None:
    connection.settimeout(10)
    connection.recv(1)


def stops_inside_tls(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    connection.recv(65_536)


BEHAVIOURS = [closes, resets, is_no_proxy, refuses, hangs, stops_inside_tls]
ORIGIN = "https://api.example.test/v1"


def failed(kind: str, **more: Any) -> ConnectFailedError:
    given = Settings(api_key="sk-test-0000", base_url=ORIGIN, **{"max_retries": 1, **more})
    with pytest.raises(ConnectFailedError) as caught:
        call(kind, given)
    return caught.value


def call(kind: str, given: Settings) -> None:
    if kind == "sync":
        with Client(given) as client:
            client.complete(HELLO)
    else:
        asyncio.run(AsyncClient(given).complete(HELLO))


@both
@pytest.mark.parametrize("given", [False, True], ids=["environment", "own client"])
@pytest.mark.parametrize("behave", BEHAVIOURS)
def test_before_the_tunnel_stands_nothing_is_sent_and_nothing_is_billed(
    serve: Any, monkeypatch: pytest.MonkeyPatch, kind: str, behave: Behaviour, given: bool
) -> None:
    proxy = serve(behave)
    timeout = httpx.Timeout(0.3)
    more: dict[str, Any] = {"timeout": timeout}
    if given:
        cls = httpx.Client if kind == "sync" else httpx.AsyncClient
        name = "http_client" if kind == "sync" else "http_async_client"
        more[name] = cls(proxy=f"http://{proxy.address}")
    else:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
    with track_costs() as costs:
        error = failed(kind, **more)
    assert error.request_sent is False
    assert costs.unknown == ()
    assert [head.split()[0] for head in proxy.heads] == [b"CONNECT", b"CONNECT"]  # repeated once
    assert not any(b"sk-test" in head for head in proxy.heads)


@both
def test_a_failed_tunnel_does_not_lock_a_budget(
    serve: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{serve(closes).address}")
    with track_costs(budget_usd="1"):
        for _ in range(2):
            failed(kind, max_retries=0)


@both
@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_hangs_is_waited_for_as_long_as_a_connection(
    serve: Any, monkeypatch: pytest.MonkeyPatch, kind: str, scheme: str
) -> None:
    if scheme == "socks5":
        pytest.importorskip("socksio")
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://{serve(hangs).address}")
    started_s = time.monotonic()
    failed(kind, timeout=httpx.Timeout(600, connect=0.2), max_retries=0)
    assert time.monotonic() - started_s < 8


@both
@pytest.mark.filterwarnings("ignore::UserWarning")  # http:// to a host that is not this machine
def test_a_request_that_the_proxy_has_was_sent(
    serve: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Without TLS there is no tunnel: the proxy has the whole request, and may pass it on."""
    proxy = serve(closes)
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
    given = Settings(api_key="sk-test-0000", base_url="http://api.example.test/v1", max_retries=1)
    with pytest.raises(ConnectionLostError) as caught:
        call(kind, given)
    assert caught.value.request_sent is True
    assert len(proxy.heads) == 1


def copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(65_536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def through_tunnel(
    emu: Emulator, serve: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> Proxy:
    """The emulator behind a tunnel with TLS, and the environment that names the proxy."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setattr(tls, "_built", [ssl.create_default_context(cafile=certificate)])
    host, port = emu.base_url.removeprefix("http://").removesuffix("/v1").split(":")

    def behave(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with (
            context.wrap_socket(connection, server_side=True) as ours,
            socket.create_connection((host, int(port))) as there,
        ):
            back = threading.Thread(target=copy, args=(there, ours), daemon=True)
            back.start()
            copy(ours, there)
            back.join()

    proxy = serve(behave)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:password@{proxy.address}")
    return proxy


TUNNELLED = Settings(api_key="sk-test-0000", base_url="https://127.0.0.1:1/v1", timeout=20)


@both
def test_calls_in_turn_use_one_tunnel(through_tunnel: Proxy, emu: Emulator, kind: str) -> None:
    async def acalls() -> None:
        async with AsyncClient(TUNNELLED) as client:
            for _ in range(3):
                await client.complete(HELLO)
                assert [event async for event in client.stream(HELLO)]

    if kind == "sync":
        with Client(TUNNELLED) as client:
            for _ in range(3):
                client.complete(HELLO)
                assert list(client.stream(HELLO))
    else:
        asyncio.run(acalls())
    assert len(emu.requests) == 6
    assert len(through_tunnel.heads) == 1
    assert b"Proxy-Authorization: Basic" in through_tunnel.heads[0]
    assert not any("proxy-authorization" in seen.headers for seen in emu.requests)
    wait_until(lambda: emu.open_connections == 0)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_at_any_line_of_a_call_through_a_proxy_does_not_hang(
    through_tunnel: Proxy, emu: Emulator
) -> None:
    reached: set[tuple[CodeType, int]] = set()

    def interrupt(frame: FrameType, event: str, _: object) -> Any:
        if f"httpcore{os.sep}_sync" not in frame.f_code.co_filename:
            return None
        if event == "line" and (line := (frame.f_code, frame.f_lineno)) not in reached:
            reached.add(line)
            raise KeyboardInterrupt
        return interrupt

    def is_interrupted(client: Client) -> bool:
        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            client.complete(HELLO)
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
        return False

    with Client(TUNNELLED) as client:
        while is_interrupted(client):
            pass
        wait_until(lambda: emu.open_connections == 1)
    assert any(code.co_filename.endswith("http_proxy.py") for code, _ in reached)
    in_pool = {code.co_name for code, _ in reached if "connection_pool" in code.co_filename}
    assert in_pool <= {"__init__"}  # and not what takes its lock


@both
@pytest.mark.parametrize(
    "no_proxy",
    ["localhost,127.0.0.1,[::1]", "127.0.0.1 fe80::/10", "127.0.0.0/8", "*", "nonsense/99,[::1"],
)
def test_no_proxy_without_a_proxy_means_nothing(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch, kind: str, no_proxy: str
) -> None:
    monkeypatch.setenv("NO_PROXY", no_proxy)
    call(kind, Settings(api_key="sk-test-0000", base_url=emu.base_url))


EXCLUDED = [
    ("https://example.com", "example.com", True),
    ("https://api.example.com", "example.com", True),
    ("https://notexample.com", "example.com", False),
    ("https://example.com", ".example.com", False),
    ("https://api.example.com", ".example.com", True),
    ("https://api.example.com", "*.example.com", True),
    ("https://API.Example.com", "api.EXAMPLE.com", True),
    ("https://example.com", "example.com:443", True),
    ("https://example.com", "example.com:8443", False),
    ("https://example.com:8443", "example.com:8443", True),
    ("https://example.com", "http://example.com", False),
    ("https://example.com", "https://example.com", True),
    ("https://example.com", "all://example.com", True),
    ("http://127.0.0.1:80", "127.0.0.1", True),
    ("http://127.0.0.1:80", "127.0.0.0/8", True),
    ("http://128.0.0.1:80", "127.0.0.0/8", False),
    ("http://example.com", "127.0.0.0/8", False),
    ("http://[::1]:8000", "::1", True),
    ("http://[::1]:8000", "[::1]", True),
    ("http://[::1]:8000", "[::1]:8000", True),
    ("http://[::1]:8000", "[::1]:9000", False),
    ("http://[::1]:8000", "0:0:0:0:0:0:0:1", True),
    ("http://[::2]:8000", "::1", False),
    ("http://[fe80::5]", "fe80::/10", True),
    ("http://[fe80::5]", "[fe80::]/10", True),
    ("http://[fe80::5]", "fe80::/10, localhost", True),
    ("http://[2001:db8::5]", "fe80::/10", False),
    ("http://localhost:8000", "localhost", True),
    ("http://localhost:8000", "a, b localhost", True),
    ("http://localhost:8000", "*", True),
    ("http://localhost:8000", "", False),
    ("http://localhost:8000", " , ,", False),
]


@pytest.mark.parametrize(("origin", "no_proxy", "excluded"), EXCLUDED)
def test_no_proxy_excludes_hosts_addresses_and_networks(
    monkeypatch: pytest.MonkeyPatch, origin: str, no_proxy: str, excluded: bool
) -> None:
    monkeypatch.setenv("NO_PROXY", no_proxy)
    monkeypatch.setenv("ALL_PROXY", "proxy.example:3128")
    found = proxy_for(origin)
    assert (found is None) is excluded
    if found is not None:
        assert str(found.url) == "http://proxy.example:3128"


@pytest.mark.parametrize("entry", ["10.0.0.0/99", "[::1", "a:b:c", "host:port", "fe80::/x", "a]b"])
def test_an_entry_of_no_proxy_that_means_nothing_is_named(
    monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    """The key is not sent to a proxy that the entry was to exclude."""
    monkeypatch.setenv("NO_PROXY", f"example.com,{entry}")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(ConfigurationError, match="NO_PROXY") as caught:
        Client(Settings(api_key="k", base_url="https://api.example")).complete(HELLO)
    assert repr(entry) in str(caught.value)


@pytest.mark.parametrize(
    "url", ["nonsense://u:secret-of-mine@x", "http://u:secret-of-mine@x:port", "socks://u:secret@x"]
)
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
        Client(Settings(api_key="k", base_url="https://api.example")).complete(HELLO)
    assert "secret" not in str(caught.value)


def test_http_and_https_have_proxies_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://a:1")
    assert proxy_for("https://x.example") is None
    monkeypatch.setenv("HTTPS_PROXY", "https://b:2")
    monkeypatch.setenv("ALL_PROXY", "http://c:3")
    found = [proxy_for("http://x.example"), proxy_for("https://x.example")]
    assert [str(one and one.url) for one in found] == ["http://a:1", "https://b:2"]


@pytest.mark.parametrize("name", ["HTTPProxy", "AsyncHTTPProxy", "SOCKSProxy", "AsyncSOCKSProxy"])
def test_httpcore_has_the_names_that_proxies_use(name: str) -> None:
    if "SOCKS" in name:
        pytest.importorskip("socksio")
    made = getattr(httpcore, name)(proxy_url="http://proxy:1").create_connection(
        httpcore.Origin(b"https", b"host", 443)
    )
    state = {"_connection", "_connected"} if "HTTP" in name else {"_connection"}
    missing = state - set(vars(made))
    assert not missing, (
        f"httpcore {httpcore.__version__}: {type(made).__name__} has no {sorted(missing)}, by "
        "which aimlapi_core/_io/sockets/proxies.py knows that no tunnel stands."
    )
    assert "proxy_auth" in inspect.signature(getattr(httpcore, name)).parameters


async def test_a_handshake_that_breaks_off_is_a_failed_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """httpcore 1.0.0 lets anyio's `EndOfStream` pass, which no httpx exception is."""

    async def break_off(*_: Any) -> None:
        raise anyio.EndOfStream

    monkeypatch.setattr(AsyncHTTP11Connection, "_connect", break_off)
    with track_costs() as costs:
        client = AsyncClient(Settings(api_key="sk-x", base_url="https://x.test/v1", max_retries=0))
        with pytest.raises(ConnectFailedError, match="in the TLS handshake"):
            await client.complete(HELLO)
    assert costs.unknown == ()
