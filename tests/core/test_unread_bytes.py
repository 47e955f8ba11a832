"""What a server sends behind an answer is never the answer of a later call, of whichever key."""

from __future__ import annotations

import asyncio
import json
import queue
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h11
import httpcore
import httpx
import pytest

from aimlapi_core import AsyncClient, Client, EmbeddingRequest, Settings, StatusError
from aimlapi_core._io.sockets import http11_connection, single_connection, tls
from aimlapi_core._io.sockets.unread_bytes import _http11_connection, has_buffered_bytes
from aimlapi_emulator import Emulator
from tests.core.test_client import HELLO, both, close_all
from tests.waiting import wait_until

LATER = "what belongs to another call"
PLAIN: dict[str, Any] = {"trust_env": False, "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}


def _chat(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return _http(json.dumps({"id": "1", "model": "m", "choices": [choice]}).encode())


def _stream(text: str) -> bytes:
    delta = {"index": 0, "delta": {"content": text}, "finish_reason": "stop"}
    chunk = json.dumps({"id": "1", "model": "m", "choices": [delta]}).encode()
    body = b"data: %b\n\ndata: [DONE]\n\n" % chunk
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def _vector(text: str) -> bytes:
    number = 2.0 if text == LATER else 1.0
    return _http(json.dumps({"data": [{"index": 0, "embedding": [number]}]}).encode())


def _http(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


def _complete(client: Client) -> str:
    return client.complete(HELLO).choices[0].text


def _read_stream(client: Client) -> str:
    *_, last = client.stream(HELLO)
    return last.reply.choices[0].text  # type: ignore[union-attr]  # the last is Finished


def _embed(client: Client) -> str:
    vectors = client.embed(EmbeddingRequest("text-embedding-3-small", ("text",))).vectors
    return LATER if vectors[0][0] == 2.0 else "mine"


async def _acomplete(client: AsyncClient) -> str:
    return (await client.complete(HELLO)).choices[0].text


async def _aread_stream(client: AsyncClient) -> str:
    *_, last = [event async for event in client.stream(HELLO)]
    return last.reply.choices[0].text  # type: ignore[union-attr]  # the last is Finished


async def _aembed(client: AsyncClient) -> str:
    reply = await client.embed(EmbeddingRequest("text-embedding-3-small", ("text",)))
    return LATER if reply.vectors[0][0] == 2.0 else "mine"


WAYS: dict[str, tuple[Callable[[str], bytes], Any, Any]] = {
    "whole": (_chat, _complete, _acomplete),
    "streamed": (_stream, _read_stream, _aread_stream),
    "embeddings": (_vector, _embed, _aembed),
}


class TwiceServer:
    """Sends `extra` behind its first answer, in the same segment; each later answer alone.

    Without `extra` it waits there for `send_while_idle`.
    """

    def __init__(
        self, first: bytes, later: bytes, extra: bytes | None, tls: ssl.SSLContext | None
    ) -> None:
        self._is_idle_sender = extra is None
        self._answers = [[first, extra] if extra else [first], [later]]
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests = 0
        self.connections = 0
        self.first: socket.socket | None = None
        self._more: queue.Queue[bytes] = queue.Queue()
        self._is_sent = threading.Event()
        self._is_more_sent = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True)
        self.connections += 1
        self.first = self.first or connection
        peer = h11.Connection(h11.SERVER)
        with connection, suppress(OSError):  # closed with bytes that were not read
            while received := connection.recv(65_536):
                peer.receive_data(received)
                while (event := peer.next_event()) is not h11.NEED_DATA:
                    if type(event) is h11.EndOfMessage:
                        answer = self._answers[min(self.requests, 1)]
                        self.requests += 1
                        self._send(connection, answer)
                        if self._is_idle_sender and self.requests == 1:
                            connection.sendall(self._more.get())
                            self._is_more_sent.set()
                        peer = h11.Connection(h11.SERVER)
                        break

    def _send(self, connection: socket.socket, answer: list[bytes]) -> None:
        """Its parts in one segment, if the system can, but each in a TLS record of its own."""
        cork = getattr(socket, "TCP_CORK", None)
        for is_held, parts in ((1, answer), (0, [])):
            if cork is not None:
                connection.setsockopt(socket.IPPROTO_TCP, cork, is_held)
            for part in parts:
                connection.sendall(part)
        self._is_sent.set()

    def send_while_idle(self, more: bytes) -> None:
        """Send it behind the first answer, which was received."""
        self._more.put(more)
        self._is_more_sent.wait()

    def wait_until_sent(self) -> None:
        """Until all of the first answer was sent, and what is behind it."""
        self._is_sent.wait()

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the command openssl")
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    how = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x"
    own = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run([openssl, *how.split(), *own], check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.fixture
def serve(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[TwiceServer, str]]]:
    """Start a `TwiceServer`; returns it and its base URL."""
    running = []

    def started(
        first: bytes, later: bytes, extra: bytes | None, is_tls: bool = False
    ) -> tuple[TwiceServer, str]:
        context = None
        if is_tls:
            path = request.getfixturevalue("certificate")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(path)
            trusting = ssl.create_default_context(cafile=path)
            monkeypatch.setattr(tls, "_built", [trusting])
        server = TwiceServer(first, later, extra, context)
        running.append(server)
        return server, f"http{'s' * is_tls}://127.0.0.1:{server.port}/v1"

    close_all()
    yield started
    close_all()
    for server in running:
        server.close()


def two_calls(
    kind: str,
    way: str,
    base_url: str,
    between: Callable[[], None],
    library: Any = httpx,
    **more: Any,
) -> Any:
    """What two calls of one key get; with `more`, through one client of `library`."""
    keys = ("sk-tenant-a", "sk-tenant-a")
    _, call, acall = WAYS[way]
    if kind == "sync":
        with library.Client(**(more or PLAIN)) as http:
            given: dict[str, Any] = {"http_client": http} if more else {}
            found = []
            for key in keys:
                found.append(call(Client(Settings(api_key=key, base_url=base_url, **given))))
                between()
        return found

    async def run() -> list[str]:
        async with library.AsyncClient(**(more or PLAIN)) as http:
            given: dict[str, Any] = {"http_async_client": http} if more else {}
            found = []
            for key in keys:
                client = AsyncClient(Settings(api_key=key, base_url=base_url, **given))
                found.append(await acall(client))
                await asyncio.to_thread(between)
        return found

    return asyncio.run(run())


@pytest.mark.half("extra", "is_given", "is_tls", "way", "kind")
@both
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("is_given", [False, True], ids=["own", "given client"])
@pytest.mark.parametrize("extra", ["an answer", "a line", "100,000 bytes"])
def test_bytes_behind_an_answer_are_nobodys_answer(
    serve: Any, kind: str, way: str, is_tls: bool, is_given: bool, extra: str
) -> None:
    made = WAYS[way][0]
    behind = {"an answer": made(LATER), "a line": b"\r\n"}.get(extra) or made(LATER + "!" * 100_000)
    server, base_url = serve(made("mine"), made("mine"), behind, is_tls)
    more = {"verify": tls._built[0]} if is_tls else PLAIN
    # 100,000 bytes are more than the sockets hold: the server waits until they are read, or closed.
    wait = (lambda: None) if extra == "100,000 bytes" else server.wait_until_sent
    found = two_calls(kind, way, base_url, wait, **(more if is_given else {}))
    assert found == ["mine", "mine"]
    assert (server.requests, server.connections) == (2, 2)


@both
def test_bytes_behind_an_answer_that_fills_a_read_are_nobodys_answer(
    serve: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The rest stays where it was received: in the socket, or in anyio's queue."""
    short = len(_chat("!" * 1_000)) - 1_000
    full = _chat("!" * (2_048 - short))
    monkeypatch.setattr(http11_connection, "READ_BYTES", 1_024)
    server, base_url = serve(full, _chat("mine"), _chat(LATER))
    assert len(full) == 2_048
    assert two_calls(kind, "whole", base_url, server.wait_until_sent)[1] == "mine"
    assert (server.requests, server.connections) == (2, 2)


@both
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "tls"])
def test_an_answer_alone_leaves_a_connection_for_the_next_call(
    serve: Any, kind: str, way: str, is_tls: bool
) -> None:
    made = WAYS[way][0]
    server, base_url = serve(made("mine"), made("mine"), b"", is_tls)
    assert two_calls(kind, way, base_url, lambda: None) == ["mine", "mine"]
    assert (server.requests, server.connections) == (2, 1)


@both
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "tls"])
def test_bytes_behind_an_answer_to_an_httpx2_client_are_nobodys_answer(
    serve: Any, kind: str, way: str, is_tls: bool
) -> None:
    httpx2 = pytest.importorskip("httpx2", reason="comes with langsmith, on some versions")
    made = WAYS[way][0]
    server, base_url = serve(made("mine"), made("mine"), made(LATER), is_tls)
    more = {"verify": tls._built[0]} if is_tls else PLAIN
    found = two_calls(kind, way, base_url, server.wait_until_sent, httpx2, **more)
    assert found == ["mine", "mine"]
    assert (server.requests, server.connections) == (2, 2)


@both
@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("is_given", [False, True], ids=["own", "given client"])
def test_bytes_that_come_while_a_connection_is_idle_are_nobodys_answer(
    serve: Any, kind: str, is_tls: bool, is_given: bool
) -> None:
    server, base_url = serve(_chat("mine"), _chat("mine"), None, is_tls)

    def send_more() -> None:
        if server.requests == 1:
            server.send_while_idle(_chat(LATER))

    more = {"verify": tls._built[0]} if is_tls else PLAIN
    found = two_calls(kind, "whole", base_url, send_more, **(more if is_given else {}))
    assert found == ["mine", "mine"]
    assert (server.requests, server.connections) == (2, 2)


@both
def test_bytes_behind_an_error_are_nobodys_answer(serve: Any, kind: str) -> None:
    refusal = _http(b'{"message": "no"}', b"401 Unauthorized")
    server, base_url = serve(refusal, _chat("mine"), _chat(LATER))

    def calls() -> str:
        own = Settings(api_key="sk-tenant-a", base_url=base_url, max_retries=0)
        other = Settings(api_key="sk-tenant-a", base_url=base_url)
        if kind == "sync":
            with pytest.raises(StatusError):
                Client(own).complete(HELLO)
            return _complete(Client(other))

        async def run() -> str:
            with pytest.raises(StatusError):
                await AsyncClient(own).complete(HELLO)
            return await _acomplete(AsyncClient(other))

        return asyncio.run(run())

    assert calls() == "mine"
    assert server.connections == 2


@both
@pytest.mark.filterwarnings("ignore::UserWarning")  # http:// to a host that is not this machine
def test_bytes_behind_an_answer_of_a_proxy_are_nobodys_answer(
    serve: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    server, _ = serve(_chat("mine"), _chat("mine"), _chat(LATER))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.port}")
    found = two_calls(kind, "whole", "http://elsewhere.invalid/v1", server.wait_until_sent)
    assert found == ["mine", "mine"]
    assert (server.requests, server.connections) == (2, 2)


@both
def test_a_connection_with_unread_bytes_is_closed(serve: Any, kind: str) -> None:
    server, base_url = serve(_chat("mine"), _chat("mine"), _chat(LATER))
    assert two_calls(kind, "whole", base_url, server.wait_until_sent) == ["mine", "mine"]
    assert server.first is not None
    wait_until(lambda: server.first is not None and server.first.fileno() < 0)


@both
@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "tls"])
def test_httpcore_and_anyio_have_the_names_that_show_unread_bytes(
    serve: Any, monkeypatch: pytest.MonkeyPatch, kind: str, is_tls: bool
) -> None:
    """Where they have others, each call opens a connection of its own: safe, but slow."""
    unknown = []

    def asked(connection: Any) -> bool:
        try:
            return has_buffered_bytes(connection)
        except AttributeError as exc:
            unknown.append(exc)
            raise

    monkeypatch.setattr(single_connection, "has_buffered_bytes", asked)
    _, base_url = serve(_chat("mine"), _chat("mine"), b"", is_tls)
    two_calls(kind, "whole", base_url, lambda: None)
    assert not unknown, (
        f"httpcore {httpcore.__version__} or anyio {version('anyio')} has other attributes than "
        f"aimlapi_core/_io/sockets/unread_bytes.py reads: {unknown[0]}"
    )


@both
async def test_httpx_has_the_names_that_lead_to_a_connection(emu: Emulator, kind: str) -> None:
    found = _found_sync(emu) if kind == "sync" else await _found_async(emu)
    assert found is not None, (
        f"httpx {httpx.__version__} or httpcore {httpcore.__version__} wraps streams by other "
        "attributes than aimlapi_core/_io/sockets/unread_bytes.py follows."
    )


def _found_sync(emu: Emulator) -> Any:
    with httpx.Client() as client, client.stream("GET", f"{emu.base_url}/models") as response:
        return _http11_connection(response.stream)


async def _found_async(emu: Emulator) -> Any:
    async with (
        httpx.AsyncClient() as client,
        client.stream("GET", f"{emu.base_url}/models") as response,
    ):
        return _http11_connection(response.stream)
