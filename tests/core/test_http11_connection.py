"""Connections that speak HTTP/1.1 themselves: what they send, keep, close, refuse and hand over.

What is received is held against httpcore, byte by byte, in `tests/fuzz/test_http11.py`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

from aimlapi_core import Client
from aimlapi_core._io.connections import AsyncPooledClient, PooledClient
from aimlapi_core._io.sockets.http11_connection import AsyncHTTP11Connection, HTTP11Connection
from aimlapi_core._io.sockets.single_connection import AsyncSingleConnection, SingleConnection
from aimlapi_emulator import Emulator
from tests.core.test_client import HELLO, both, close_all, settings
from tests.core.test_unread_bytes import certificate as certificate  # a fixture
from tests.fuzz.test_http11 import ORIGIN, AsyncReceived, Received

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = OK + b"Content-Length: 5\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HOST, KEEP = (b"host", b"host"), (b"connection", b"keep-alive")


class Server:
    """Answers each request with the same bytes, and closes behind them if it is to."""

    def __init__(self, answer: list[bytes], *, closes: bool, tls: ssl.SSLContext | None) -> None:
        self._answer = answer
        self._closes = closes
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http{'s' * bool(tls)}://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self.protocol: str | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):
            if self._tls is not None:
                connection = tls = self._tls.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
                with suppress(ssl.SSLError):
                    tls.do_handshake()
                self.protocol = tls.selected_alpn_protocol()
            with connection:
                self._answer_all(connection)

    def _answer_all(self, connection: socket.socket) -> None:
        while received := connection.recv(65_536):
            while not received.endswith(b"{}"):
                received += connection.recv(65_536)
            for piece in self._answer:
                connection.sendall(piece)
            if self._closes:
                return

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers = []

    def started(answer: list[bytes], *, closes: bool = False, tls: Any = None) -> Server:
        servers.append(Server(answer, closes=closes, tls=tls))
        return servers[-1]

    yield started
    for server in servers:
        server.close()


def answers(kind: str, origin: str, context: ssl.SSLContext = CONTEXT) -> list[tuple[int, bytes]]:
    """What two requests in turn get."""
    how: Any = {"content": b"{}", "headers": {}, "timeout": httpx.Timeout(60)}
    found = []
    if kind == "sync":
        client = PooledClient(lambda: SingleConnection(context, 60.0))
        for _ in range(2):
            request = client.build_request("POST", origin, **how)
            response = client.send(request, stream=True, follow_redirects=False)
            found.append((response.status_code, response.read()))
        client.close()
        return found

    async def run() -> None:
        client = AsyncPooledClient(lambda: AsyncSingleConnection(context, 60.0))
        for _ in range(2):
            request = client.build_request("POST", origin, **how)
            response = await client.send(request, stream=True, follow_redirects=False)
            found.append((response.status_code, await response.aread()))
        await client.aclose()

    asyncio.run(run())
    return found


@both
@pytest.mark.parametrize(
    "answer",
    [
        [LENGTH],
        [bytes([byte]) for byte in LENGTH],
        [CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"],
        [CHUNKED, b"2\r\nhe", b"\r\n3\r\nll", b"o\r", b"\n0\r\n", b"\r\n"],
        [CHUNKED + b"5;name=value\r\nhello\r\n0\r\n\r\n"],
        [CHUNKED + b"5\r\nhello\r\n0\r\nTrailer: 1\r\n\r\n"],
        [b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH],
        [LENGTH.replace(b"\r\n", b"\n")],
    ],
    ids=["length", "bytes", "chunks", "pieces", "extension", "trailer", "100", "bare LF"],
)
def test_a_response_read_to_its_end_keeps_the_connection(
    serve: Callable[..., Server], kind: str, answer: list[bytes]
) -> None:
    server = serve(answer)
    assert answers(kind, server.origin) == [(200, b"hello")] * 2
    assert server.connections == 1


@both
@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"\r\nhello",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
    ],
    ids=["close", "to the end", "HTTP/1.0", "HTTP/1.0 to the end"],
)
def test_a_response_that_ends_the_connection_leaves_none(
    serve: Callable[..., Server], kind: str, answer: bytes
) -> None:
    server = serve([answer], closes=b"Length" not in answer)
    assert answers(kind, server.origin) == [(200, b"hello")] * 2
    assert server.connections == 2


@both
def test_tls_is_for_the_host_and_for_http_1_1(
    serve: Callable[..., Server], certificate: Path, kind: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    trusting = ssl.create_default_context(cafile=certificate)
    server = serve([LENGTH], tls=context)
    assert answers(kind, server.origin, trusting) == [(200, b"hello")] * 2
    assert (server.connections, server.protocol) == (1, "http/1.1")
    with pytest.raises(httpx.ConnectError, match="certificate"):
        answers(kind, server.origin.replace("127.0.0.1", "localhost"), trusting)


class Body:
    """The body of a request of both kinds."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> Any:
        for piece in self._pieces:
            yield piece


def request(*headers: tuple[bytes, bytes], body: Any = None, **more: Any) -> httpcore.Request:
    given = {"method": "POST", "url": "http://host/v1/chat", "content": body or Body(b"{}"), **more}
    return httpcore.Request(headers=headers or PLAIN, **given)


PLAIN = (HOST, KEEP, (b"content-length", b"2"), (b"x-title", b"\xc3\xa9 a\tb"), (b"empty", b""))


class Recording:
    """As `Received`, with what is written, and the time-outs."""

    stream: type[Received] = Received

    def __init__(
        self, *pieces: bytes, error: Exception | None = None, reset: Exception | None = None
    ) -> None:
        self.written: list[bytes] = []
        self.timeouts: list[Any] = []
        self.is_closed = False
        self._error, self._reset = error, reset
        self._received = Received(list(pieces))

    def write(self, data: bytes, timeout: Any = None) -> None:
        self.timeouts.append(timeout)
        if self._error is not None:
            raise self._error
        self.written.append(data)

    def read(self, max_bytes: int, timeout: Any = None) -> bytes:
        self.timeouts.append(timeout)
        if self._reset is not None:
            raise self._reset
        return self._received.received(max_bytes)

    def close(self) -> None:
        self.is_closed = True

    def get_extra_info(self, name: str) -> Any:
        return None


class AsyncRecording(AsyncReceived):
    """As `Recording`."""

    def __init__(self, inner: Recording) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: Any = None) -> Any:  # noqa: ASYNC109  # httpcore's
        return self._inner.read(max_bytes, timeout)

    async def write(self, data: bytes, timeout: Any = None) -> Any:  # noqa: ASYNC109
        self._inner.write(data, timeout)

    async def aclose(self) -> None:
        self._inner.close()

    def get_extra_info(self, name: str) -> Any:
        return None


def exchange(
    kind: str, recording: Recording, sent: httpcore.Request, *, by_httpcore: bool = False
) -> tuple[int, bytes, bool]:
    """Status, body, and whether the connection can be used again."""
    if kind == "sync":
        stream: Any = recording
        connection: Any = (
            httpcore.HTTP11Connection(ORIGIN, stream)
            if by_httpcore
            else HTTP11Connection(ORIGIN, CONTEXT, 5.0)
        )
        if not by_httpcore:
            connection.network_stream = stream
        response = connection.handle_request(sent)
        body = response.read()
        response.close()
        return response.status, body, connection.is_available()

    async def run() -> tuple[int, bytes, bool]:
        stream: Any = AsyncRecording(recording)
        connection: Any = (
            httpcore.AsyncHTTP11Connection(ORIGIN, stream)
            if by_httpcore
            else AsyncHTTP11Connection(ORIGIN, CONTEXT, 5.0)
        )
        if not by_httpcore:
            connection.network_stream = stream
        response = await connection.handle_async_request(sent)
        body = await response.aread()
        await response.aclose()
        return response.status, body, connection.is_available()

    return asyncio.run(run())


REQUESTS: dict[str, Callable[[], httpcore.Request]] = {
    "plain": request,
    "GET": lambda: request(HOST, (b"content-length", b"0"), method="GET", body=Body(b"")),
    "GET without a length": lambda: request(HOST, method="GET", body=Body(b"")),
    "pieces": lambda: request(HOST, (b"content-length", b"6"), body=Body(b"ab", b"cd", b"ef")),
    "large": lambda: request(HOST, (b"content-length", b"99999"), body=Body(b"a" * 99_999)),
    "close": lambda: request(*PLAIN, (b"Connection", b"close")),
    "expect": lambda: request(*PLAIN, (b"expect", b"100-continue")),
    "upgrade": lambda: request(*PLAIN, (b"upgrade", b"websocket")),
    "chunks": lambda: request(HOST, (b"Transfer-Encoding", b"chunked"), body=Body(b"ab", b"cd")),
    "HEAD": lambda: request(HOST, method="HEAD", body=Body(b"")),
    "host last": lambda: request(*PLAIN[1:], HOST),
    "two lengths": lambda: request(*PLAIN, (b"Content-Length", b"2")),
}


@both
@pytest.mark.parametrize("name", REQUESTS)
def test_what_is_sent_is_what_httpcore_sends(kind: str, name: str) -> None:
    ours, theirs = Recording(LENGTH), Recording(LENGTH)
    found = exchange(kind, ours, REQUESTS[name]())
    expected = exchange(kind, theirs, REQUESTS[name](), by_httpcore=True)
    assert found[:2] == expected[:2]
    assert b"".join(ours.written) == b"".join(theirs.written)
    plain = name in ("plain", "GET", "GET without a length", "pieces", "large")
    assert found[2] is plain  # httpcore keeps some of the others, which are not sent by calls


REFUSED: dict[str, Callable[[], httpcore.Request]] = {
    "line in a value": lambda: request(*PLAIN, (b"x", b"a\r\nx-injected: b")),
    "line at the end": lambda: request(*PLAIN, (b"x", b"a\r\n")),
    "head in a value": lambda: request(*PLAIN, (b"x", b"a\r\n\r\n")),
    "LF": lambda: request(*PLAIN, (b"x", b"a\nb")),
    "CR": lambda: request(*PLAIN, (b"x", b"a\rb")),
    "NUL": lambda: request(*PLAIN, (b"x", b"a\0b")),
    "space": lambda: request(*PLAIN, (b"x", b" a")),
    "line in a name": lambda: request(*PLAIN, (b"x: a\r\ny", b"b")),
    "colon in a name": lambda: request(*PLAIN, (b"x: a", b"b")),
    "no name": lambda: request(*PLAIN, (b"", b"b")),
    "space in a name": lambda: request(*PLAIN, (b"x y", b"b")),
    "target": lambda: request(url=httpcore.URL(scheme="http", host="host", target="/a b")),
    "line in the target": lambda: request(
        url=httpcore.URL(scheme="http", host="host", target="/ HTTP/1.1\r\nx: y\r\nz: ")
    ),
    "method": lambda: request(method="GET /"),
    "no host": lambda: request(*PLAIN[1:]),
    "a length in a name": lambda: request(HOST, (b"content-length: 2\r\nx", b"a")),
    "host in the method": lambda: request(
        *PLAIN[1:], method="GET / HTTP/1.1\r\nhost: other\r\nx: POST"
    ),
    "line in the method": lambda: request(method="GET / HTTP/1.1\r\nx: y\r\n\r\nPOST"),
    "two hosts": lambda: request(*PLAIN, HOST),
    "lengths": lambda: request(*PLAIN, (b"Content-Length", b"3")),
}


@both
@pytest.mark.parametrize("name", REFUSED)
def test_what_must_not_be_sent_is_refused_before_a_byte(kind: str, name: str) -> None:
    recording = Recording(LENGTH)
    with pytest.raises(httpcore.LocalProtocolError):
        exchange(kind, recording, REFUSED[name]())
    assert (recording.written, recording.is_closed) == ([], True)


@both
@pytest.mark.parametrize("size", ["1", "3"])
def test_a_body_of_another_length_is_refused(kind: str, size: str) -> None:
    recording = Recording(LENGTH)
    with pytest.raises(httpcore.LocalProtocolError, match="declared Content-Length"):
        exchange(kind, recording, request(HOST, (b"content-length", size.encode())))
    assert (recording.written, recording.is_closed) == ([], True)


@both
def test_a_small_body_is_written_with_the_head_and_a_large_one_is_not_copied(kind: str) -> None:
    small, large = Recording(LENGTH), Recording(LENGTH)
    exchange(kind, small, request())
    assert len(small.written) == 1
    body = b"a" * 100_000
    exchange(kind, large, request(HOST, (b"content-length", b"100000"), body=Body(body)))
    assert large.written[1] is body


@both
def test_a_response_is_read_though_the_request_could_not_be_written_whole(kind: str) -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"
    recording = Recording(refusal, error=httpcore.WriteError("broken pipe"))
    assert exchange(kind, recording, request()) == (413, b"no", False)
    assert recording.is_closed


@both
@pytest.mark.parametrize(
    ("received", "reset"),
    [([], None), ([b"nonsense\r\n\r\n"], None), ([], httpcore.ReadError("reset"))],
    ids=["end", "bad", "reset"],
)
def test_a_request_that_was_written_in_part_and_has_no_response_is_a_write_error(
    kind: str, received: list[bytes], reset: Exception | None
) -> None:
    recording = Recording(*received, error=httpcore.WriteError("broken pipe"), reset=reset)
    with pytest.raises(httpcore.WriteError, match="broken pipe"):
        exchange(kind, recording, request())
    assert recording.is_closed


@both
@pytest.mark.parametrize("error", [httpcore.WriteTimeout, KeyboardInterrupt, OSError])
def test_other_failures_to_write_close_the_connection(kind: str, error: Any) -> None:
    recording = Recording(LENGTH, error=error())
    with pytest.raises(error):
        exchange(kind, recording, request())
    assert recording.is_closed


@both
def test_each_read_and_write_has_its_time_out(kind: str) -> None:
    recording = Recording(LENGTH[:-2], LENGTH[-2:])
    extensions = {"timeout": {"write": 1.5, "read": 2.5}}
    assert exchange(kind, recording, request(extensions=extensions)) == (200, b"hello", True)
    assert recording.timeouts == [1.5, 2.5, 2.5]


def test_a_connection_serves_one_request_at_a_time() -> None:
    connection = HTTP11Connection(ORIGIN, CONTEXT, 5.0)
    stream: Any = Recording(LENGTH)
    connection.network_stream = stream
    response = connection.handle_request(request())
    for _ in range(2):
        with pytest.raises(httpcore.ConnectionNotAvailable):
            connection.handle_request(request())
        assert (connection.is_available(), connection.is_closed()) == (False, False)
    response.close()  # unread
    assert connection.is_closed()


@both
def test_a_trace_hears_the_steps_that_httpcore_reports(kind: str) -> None:
    def traced(*, by_httpcore: bool) -> list[str]:
        steps: list[str] = []

        def hear(name: str, info: Any) -> None:
            steps.append(name)

        async def ahear(name: str, info: Any) -> None:
            steps.append(name)

        extensions = {"trace": hear if kind == "sync" else ahear}
        found = exchange(
            kind, Recording(LENGTH), request(extensions=extensions), by_httpcore=by_httpcore
        )
        assert found[:2] == (200, b"hello")
        return steps

    assert traced(by_httpcore=False) == traced(by_httpcore=True) != []


def test_the_log_of_httpcore_is_kept(emu: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    close_all()
    with Client(settings(emu)) as client:
        client.complete(HELLO)
        assert not [record for record in caplog.records if record.name.startswith("httpcore")]
        close_all()
        with caplog.at_level(logging.DEBUG, "httpcore"):
            client.complete(HELLO)
    assert {"httpcore.connection", "httpcore.http11"} <= {one.name for one in caplog.records}
