"""A server between a program and the service, which a recorder and a replayer are made of.

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
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from aimlapi_emulator.endpoints import error_bodies
from aimlapi_emulator.server import origin

_STOP_WITHIN_S = 10.0


class Call(BaseHTTPRequestHandler):
    """One connection: reads requests, and writes answers in pieces."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: RecordingServer

    def handle_call(self) -> None:
        """Read the request and have the server answer it."""
        content = self._read_body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        if why := origin.why_refused(headers, self.server.server_name):
            self.refuse(403, why)
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


class RecordingServer(ThreadingHTTPServer):
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
