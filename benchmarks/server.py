"""A server that costs next to nothing: `python -m benchmarks.server`. It prints its port.

It reads no more of a request than its length and its path, and writes bytes that were made
before. What it answers stands in the path: `/kind=text,count=1000,delay_ms=50/v1/…`; see `Answer`.
Of an agent's requests it counts the results, of those for embeddings the texts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, cast

from benchmarks import payloads
from benchmarks.payloads import Kind

AnswerKind = Kind | Literal["agent", "embeddings"]
STREAM_MARKS = (b'"stream":true', b'"stream": true')
_EVENTS_AT_ONCE = 20


@dataclass(frozen=True)
class Answer:
    """What to answer: words or deltas by number, seconds of delay before the first byte.

    `paced` streams are written a few events at a time, in turn with the other connections. An
    `agent` gets `count` answers with two tool calls each before the text that ends it.
    """

    kind: AnswerKind = "text"
    count: int = 100
    delay_ms: int = 0
    paced: bool = False
    responses: bool = False

    @property
    def path(self) -> str:
        """The first member of the path that asks for this answer."""
        options = f"kind={self.kind},count={self.count},delay_ms={self.delay_ms}"
        return f"/{options},paced={int(self.paced)}"


@cache
def wanted(path: bytes) -> Answer:
    """The answer that a request's path asks for."""
    options = dict(part.split("=", 1) for part in path.decode().split("/")[1].split(","))
    return Answer(
        kind=options["kind"],  # type: ignore[arg-type]  # written by `path`
        count=int(options["count"]),
        delay_ms=int(options["delay_ms"]),
        paced=options["paced"] == "1",
        responses=path.endswith(b"/responses"),
    )


@cache
def whole(answer: Answer) -> bytes:
    """The bytes of an unstreamed answer, head included."""
    make = payloads.responses_whole if answer.responses else payloads.whole
    return _with_head(make(answer.count))


@cache
def agent_step(done: int, steps: int) -> bytes:
    """The answer after `done` steps of an agent, head included."""
    return _with_head(payloads.agent_step(done) if done < steps else payloads.whole(100))


@cache
def vectors(texts: int) -> bytes:
    """The vectors of `texts` texts, head included."""
    return _with_head(payloads.embeddings(texts))


def by_request(answer: Answer, body: bytes) -> bytes:
    """The bytes of an unstreamed answer to this body."""
    if answer.kind == "agent":
        return agent_step(body.count(b'"tool_call_id"') // 2, answer.count)
    if answer.kind == "embeddings":
        given = json.loads(body)["input"]
        return vectors(1 if isinstance(given, str) else len(given))
    return whole(answer)


def _with_head(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


@cache
def streamed(answer: Answer) -> list[bytes]:
    """The pieces of a stream: head first, then one HTTP chunk an event, as servers send them."""
    make = payloads.responses_events if answer.responses else payloads.chat_events
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    events = make(cast("Kind", answer.kind), answer.count)
    pieces = [head, *(b"%x\r\n%b\r\n" % (len(event), event) for event in events), b"0\r\n\r\n"]
    return pieces if answer.paced else [b"".join(pieces)]


class Connection(asyncio.Protocol):
    """One connection: requests in turn, each answered before the next is read."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._due = 0  # bytes of the request that is coming, once its head is there
        self._head = 0  # those of its head
        self._path = b""
        self._rest: Iterator[bytes] | None = None
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        """Take what came, and answer each request that is whole."""
        self._received += data
        while self._take():
            pass

    def _take(self) -> bool:
        """Answer a request that has come whole; False when there is none."""
        if not self._due:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = bytes(self._received[:end])
            self._path = head.split(b" ", 2)[1]
            _, found, rest = head.lower().partition(b"content-length:")
            self._head = end + 4
            self._due = self._head + (int(rest.split(b"\r\n", 1)[0]) if found else 0)
        if len(self._received) < self._due:
            return False
        is_stream = any(self._received.find(mark, 0, self._due) >= 0 for mark in STREAM_MARKS)
        body = bytes(self._received[self._head : self._due])
        del self._received[: self._due]
        self._due = 0
        self._answer(wanted(self._path), body, is_stream)
        return bool(self._received)

    def _answer(self, answer: Answer, body: bytes, is_stream: bool) -> None:
        pieces = streamed(answer) if is_stream else [by_request(answer, body)]
        self._rest = iter(pieces)
        if answer.delay_ms:
            self._loop.call_later(answer.delay_ms / 1000, self._write)
        else:
            self._write()

    def _write(self) -> None:
        if self._rest is None or self._paused or self._transport.is_closing():
            return
        pieces = [piece for _, piece in zip(range(_EVENTS_AT_ONCE), self._rest, strict=False)]
        if pieces:
            self._transport.write(b"".join(pieces))
            self._loop.call_soon(self._write)
        else:
            self._rest = None

    def pause_writing(self) -> None:
        """Wait: the other end reads more slowly than this one writes."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on."""
        self._paused = False
        self._write()


async def serve(context: ssl.SSLContext | None, told: Callable[[int], None]) -> None:
    """Serve on a free port of the loopback until the process ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=8192, ssl=context)
    told(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, valid for a day, and its key, made by the openssl program."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    made = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1"
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    subprocess.run(
        ["openssl", *made.split(), "-addext", names, "-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
    )
    return cert, key


@contextmanager
def running(*, tls: tuple[Path, Path] | None = None) -> Iterator[str]:
    """A server in a process of its own; gives its origin, such as `http://127.0.0.1:40001`."""
    command = [sys.executable, "-m", "benchmarks.server"]
    if tls:
        command += ["--cert", str(tls[0]), "--key", str(tls[1])]
    root = Path(__file__).parent.parent
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    context = None
    if arguments.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.cert, arguments.key)

    def told(port: int) -> None:
        print(port, flush=True)

    asyncio.run(serve(context, told))
    os._exit(0)


if __name__ == "__main__":
    main()
