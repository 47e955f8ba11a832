"""A server between a program and the service: `Recorder` passes calls on, `Replayer` answers.

One thread a connection, on loopback. Requests with an `Origin` or a foreign `Host` are refused, so
that no web page can spend the user's money through it.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from aimlapi_emulator.endpoints import error_bodies
from aimlapi_emulator.recording.cassettes import Exchange, describe_nearest, read, write

_LOCAL_NAMES = ("127.0.0.1", "localhost", "::1")
# What a request to the service does not take over: the hop's own, and whose call it is.
_NOT_PASSED = frozenset(
    "host connection keep-alive proxy-connection transfer-encoding te trailer upgrade expect "
    "content-length accept-encoding authorization proxy-authorization x-api-key api-key cookie "
    "openai-organization openai-project".split()
)
_NOT_RETURNED = frozenset("connection keep-alive transfer-encoding trailer upgrade".split())
_STOP_WITHIN_S = 10.0
_TIMEOUT = httpx.Timeout(600, connect=30)
_KEPT_PATHS = re.compile(r"(?:/v1)?/(?:chat/completions|responses|embeddings|models)(?:\?.*)?")


class Call(BaseHTTPRequestHandler):
    """One connection: reads requests, and writes answers in pieces."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Middle

    def handle_call(self) -> None:
        """Read the request and have the server answer it."""
        content = self._read_body()
        name = urlsplit(f"//{self.headers.get('host', '')}").hostname
        if self.headers.get("origin") or name not in (*_LOCAL_NAMES, self.server.server_name):
            self.refuse(403, "Requests of web pages and to other hosts are refused.")
            return
        with self.server.answering():
            try:
                self.server.answer(self, content)
            except (ConnectionError, TimeoutError):
                self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_call

    def _read_body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def begin(
        self, status: int, reason: str, headers: Iterable[tuple[str, str]], size: int | None
    ) -> None:
        """Send the head; without an announced size the body is chunked."""
        self._chunked = size is None
        self.send_response_only(status, reason)
        for name, value in headers:
            self.send_header(name, value)
        framing = (
            ("transfer-encoding", "chunked") if size is None else ("content-length", str(size))
        )
        self.send_header(*framing)
        self.end_headers()

    def piece(self, data: bytes) -> None:
        """Send a piece of the body."""
        if data:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def finish_answer(self, end: str) -> None:
        """End the answer as it ended: `complete`, or the connection `closed` or `reset`."""
        if end == "complete":
            self.wfile.write(b"0\r\n\r\n" if self._chunked else b"")
            return
        self.close_connection = True
        if end == "reset":
            linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()

    def refuse(self, status: int, message: str) -> None:
        """Send an error in the service's shape."""
        body = error_bodies.dump(error_bodies.problem(status, message, self.path, "recorder", []))
        self.begin(status, "", [("content-type", error_bodies.PROBLEM_TYPE)], len(body))
        self.piece(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the servers have a log of their own."""


class Middle(ThreadingHTTPServer):
    """What recorder and replayer share. A context manager; `start` and `stop` as the emulator."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        patterns: Iterable[str] = (),
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.secrets = [re.compile(pattern.encode()) for pattern in patterns]
        self.log = log
        self.lock = threading.Lock()
        self._ended = threading.Condition(self.lock)
        self._open = 0
        self.host, self.port = host, port
        super().__init__((host, port), Call, bind_and_activate=False)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def server_bind(self) -> None:
        """Bind without looking the host's name up, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((self.host, self.port))
        self.server_name, self.port = self.socket.getsockname()[:2]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Only a connection ends by an error."""
        self.log(f"a connection failed: {sys.exc_info()[1]!r}")

    @property
    def base_url(self) -> str:
        """The base URL for a client."""
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host
        return f"http://{host}:{self.port}/v1"

    def start(self) -> Self:
        """Listen, and serve in a thread. Raises OSError when the address is taken."""
        self.server_bind()
        self.server_activate()
        self._thread.start()
        return self

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Entered while a request is answered; `stop` waits for these."""
        with self.lock:
            self._open += 1
        try:
            yield
        finally:
            with self.lock:
                self._open -= 1
                self._ended.notify_all()

    def stop(self) -> None:
        """Stop serving, once open answers have ended; at most ten seconds later."""
        if self._thread.is_alive():
            self.shutdown()
        with self.lock:
            self._ended.wait_for(lambda: not self._open, _STOP_WITHIN_S)
        self.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def answer(self, call: Call, content: bytes) -> None:
        """Answer a request."""
        raise NotImplementedError


class Recorder(Middle):
    """Passes calls on to the service with the user's key; `keep` gets each exchange when it ends.

    Exchanges are numbered in the order of their requests. Calls of the account, and requests that
    got no answer at all, are not kept.
    """

    def __init__(
        self, upstream: str, key: str, keep: Callable[[int, Exchange], None], **given: Any
    ) -> None:
        super().__init__(**given)
        self.secrets.append(re.compile(re.escape(key.encode())))
        self._upstream = upstream.rstrip("/").removesuffix("/v1")
        self._key = key
        self._keep = keep
        self._count = 0
        self._client = httpx.Client(timeout=_TIMEOUT)

    def stop(self) -> None:
        """Stop serving and close the connections to the service."""
        super().stop()
        self._client.close()

    def answer(self, call: Call, content: bytes) -> None:
        """Pass a call on, its answer back piece by piece, and keep both."""
        kept = _KEPT_PATHS.fullmatch(call.path)
        with self.lock:
            self._count += 1 if kept else 0
            number = self._count
        headers = {n: v for n, v in call.headers.items() if n.lower() not in _NOT_PASSED}
        headers |= {"accept-encoding": "identity", "authorization": f"Bearer {self._key}"}
        url = f"{self._upstream}{call.path}"
        try:
            with self._client.stream(
                call.command, url, headers=headers, content=content
            ) as response:
                exchange = self._pass_back(call, content, response)
        except httpx.ConnectError as exc:
            self.log(f"{url}: {exc}")
            call.refuse(502, f"The recorder cannot reach {self._upstream}: {exc}")
            return
        except httpx.HTTPError as exc:
            self.log(f"{call.command} {call.path}: no answer came ({exc}); nothing is kept")
            call.finish_answer("reset" if isinstance(exc, httpx.ReadError) else "closed")
            return
        if kept:
            self._keep(number, exchange.redacted(self.secrets))
        self.log(f"{exchange.status} {call.command} {call.path} {exchange.end}")

    def _pass_back(self, call: Call, content: bytes, response: httpx.Response) -> Exchange:
        announced = response.headers.get("content-length")
        size = int(announced) if announced is not None else None
        returned = [
            (n, v) for n, v in response.headers.multi_items()
            if n not in _NOT_RETURNED and n != "content-length"
        ]  # fmt: skip
        pieces: list[bytes] = []
        delays: list[float] = []
        end, last = "complete", time.monotonic()
        client = _Quiet(call)
        client.send(call.begin, response.status_code, response.reason_phrase, returned, size)
        try:
            for data in response.iter_raw():
                delays.append(time.monotonic() - last)
                last = time.monotonic()
                pieces.append(data)
                client.send(call.piece, data)
        except httpx.HTTPError as exc:
            end = "reset" if isinstance(exc, httpx.ReadError) else "closed"
        client.send(call.finish_answer, end)
        return Exchange(
            call.command,
            call.path,
            content,
            response.status_code,
            response.reason_phrase,
            dict(response.headers),
            tuple(pieces),
            tuple(delays),
            end,
            size is not None,
            size or 0,
        )


class _Quiet:
    """Sends to a client until it leaves: the service's answer is kept to its end all the same."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._is_there = True

    def send(self, write: Callable[..., None], *given: Any) -> None:
        """Call a method of the connection, if the client is still there."""
        if self._is_there:
            try:
                write(*given)
            except OSError:
                self._is_there = False
                self._call.close_connection = True


class Replayer(Middle):
    """Answers from cassettes. The same request again gets the next answer, at last the last one.

    Raises:
        ValueError: for a folder without cassettes, or a file that is none.
    """

    def __init__(self, folder: Path, *, with_delays: bool = False, **given: Any) -> None:
        self._recorded = [one for path in sorted(folder.glob("*.y*ml")) for one in read(path)]
        if not self._recorded:
            raise ValueError(f"{folder} holds no cassettes")
        super().__init__(**given)
        self._with_delays = with_delays
        self._answers: Mapping[Any, list[Exchange]] = defaultdict(list)
        for one in self._recorded:
            self._answers[one.key].append(one)

    def answer(self, call: Call, content: bytes) -> None:
        """Answer as it was answered, or say what was recorded that is nearest."""
        asked = Exchange(call.command, call.path, content, 0, "", {}, ()).redacted(self.secrets)
        with self.lock:
            answers = self._answers.get(asked.key, [])
            found = answers.pop(0) if len(answers) > 1 else answers[0] if answers else None
        if found is None:
            nearest = describe_nearest(asked, self._recorded)
            message = f"No recorded request matches this {call.command} {call.path}: {nearest}."
            self.log(message)
            call.refuse(400, message)
            return
        self.log(f"{found.status} {call.command} {call.path} from {found.name}")
        size = found.size if found.is_sized else None
        call.begin(found.status, found.reason, found.headers.items(), size)
        for at, piece in enumerate(found.pieces):
            if self._with_delays:
                time.sleep(found.delays_s[at] if at < len(found.delays_s) else 0)
            call.piece(piece)
        call.finish_answer(found.end)


def keep_in(folder: Path) -> Callable[[int, Exchange], None]:
    """Writes each exchange to a cassette of its own. Raises ValueError if the folder has some."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.glob("*.y*ml")):
        raise ValueError(f"{folder} holds cassettes already: record into another, or remove them")

    def keep(number: int, exchange: Exchange) -> None:
        word = exchange.target.partition("?")[0].rstrip("/").rsplit("/", 1)[-1]
        write(folder / f"{number:04d}-{word}.yaml", [exchange])

    return keep
