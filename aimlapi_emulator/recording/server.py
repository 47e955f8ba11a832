"""A server between a program and the service, which a recorder and a replayer are made of.

One thread a connection, on loopback. Requests with an `Origin` or a foreign `Host` are refused, so
that no web page can spend the user's money through it.
"""

from __future__ import annotations

import re
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Self

from aimlapi_emulator.endpoints import error_bodies
from aimlapi_emulator.server import origin

_STOP_WITHIN_S = 10.0
_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Call(BaseHTTPRequestHandler):
    """One connection: reads requests, and writes answers in pieces, also when its client left."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: RecordingServer

    def handle_call(self) -> None:
        """Read the request and have the server answer it; `stop` waits for these."""
        content = self._read_body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        if why := origin.why_refused(headers, self.server.host):
            self.refuse(403, why)
            return
        with self.server.ended:
            self.server.open_calls += 1
        try:
            self.server.answer(self, content)
        finally:
            with self.server.ended:
                self.server.open_calls -= 1
                self.server.ended.notify_all()

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

    def _write(self, data: bytes) -> None:
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    def begin(
        self, status: int, reason: str, headers: Iterable[tuple[str, str]], size: int | None
    ) -> None:
        """Send the head; without an announced size the body is chunked."""
        self._is_chunked = size is None
        framing = "transfer-encoding: chunked" if size is None else f"content-length: {size}"
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{n}: {v}" for n, v in headers), framing]
        self._write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def piece(self, data: bytes) -> None:
        """Send a piece of the body."""
        if data:
            self._write(b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data)

    def finish_answer(self, end: str) -> None:
        """End the answer as it ended: `complete`, or the connection `closed` or `reset`."""
        if end == "complete":
            self._write(b"0\r\n\r\n" if self._is_chunked else b"")
            return
        self.close_connection = True
        if end == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            self.connection.close()

    def refuse(self, status: int, message: str) -> None:
        """Send an error in the service's shape."""
        body = error_bodies.dump(error_bodies.problem(status, message, self.path, "recorder", []))
        self.begin(status, "", [("content-type", error_bodies.PROBLEM_TYPE)], len(body))
        self.piece(body)


class RecordingServer(ThreadingTCPServer):
    """What recorder and replayer share. A context manager; `start` and `stop` as the emulator."""

    daemon_threads = True
    request_queue_size = 512
    allow_reuse_address = sys.platform != "win32"

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        patterns: Iterable[str] = (),
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.host, self.port, self.log = host, port, log
        self.secrets = [re.compile(pattern.encode()) for pattern in patterns]
        self.ended = threading.Condition()
        self.open_calls = 0
        super().__init__((host, port), Call, bind_and_activate=False)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Only a connection ends by an error."""
        self.log(f"a connection failed: {sys.exc_info()[1]!r}")

    @property
    def base_url(self) -> str:
        """The base URL for a client."""
        return f"http://{'127.0.0.1' if self.host == '0.0.0.0' else self.host}:{self.port}/v1"

    def start(self) -> Self:
        """Listen, and serve in a thread. Raises OSError when the address is taken."""
        self.server_bind()
        self.port = self.server_address[1]
        self.server_activate()
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving, once open answers have ended; at most ten seconds later."""
        if self._thread.is_alive():
            self.shutdown()
        with self.ended:
            self.ended.wait_for(lambda: not self.open_calls, _STOP_WITHIN_S)
        self.server_close()

    __enter__ = start

    def __exit__(self, *given: object) -> None:
        self.stop()

    def answer(self, call: Call, content: bytes) -> None:
        """Answer a request."""
        raise NotImplementedError
