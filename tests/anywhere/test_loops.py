"""One object in event loops one after another, in threads with loops of their own, and after the
server closed its idle connections: each call is one request."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from aimlapi_emulator import Emulator
from tests.anywhere.objects import ASYNC, ASYNC_NAMES, NAMES, SAID, SYNC, ause, make, use

THREADS = 6


@pytest.mark.parametrize("name", ASYNC_NAMES)
def test_event_loops_one_after_another(emu: Emulator, name: str) -> None:
    thing = make(name, emu.base_url)
    for _ in range(4):
        asyncio.run(ause(thing))
    assert len(emu.requests) == 4 * len(ASYNC[name])


@pytest.mark.parametrize("name", ASYNC_NAMES)
def test_many_threads_each_with_a_loop_of_its_own(emu: Emulator, name: str) -> None:
    """All loops are open at once, and each runs calls side by side."""
    thing = make(name, emu.base_url)
    together = threading.Barrier(THREADS)

    async def calls() -> None:
        await ause(thing)
        await asyncio.to_thread(together.wait)
        await asyncio.gather(*(ause(thing) for _ in range(3)))

    with ThreadPoolExecutor(THREADS) as threads:
        for run in [threads.submit(asyncio.run, calls()) for _ in range(THREADS)]:
            run.result()
    assert len(emu.requests) == THREADS * 4 * len(ASYNC[name])


@pytest.mark.parametrize("name", NAMES)
def test_threads_that_call_in_every_way(emu: Emulator, name: str) -> None:
    thing = make(name, emu.base_url)
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(use, [thing] * THREADS * 2))
    assert len(emu.requests) == 2 * THREADS * (len(SYNC.get(name, ())) + len(ASYNC.get(name, ())))


CHAT = {"choices": [{"message": {"content": SAID}, "finish_reason": "stop"}]}
VECTORS = {"data": [{"index": 0, "embedding": [0.5] * 8}]}


class ClosingServer:
    """Answers one request a connection, then closes it without having said so."""

    def __init__(self) -> None:
        self.requests = 0
        self.closed = threading.Semaphore(0)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:  # the test is over
                return
            with peer, peer.makefile("rb") as lines:
                head = iter(lines.readline, b"\r\n")
                path = next(head, b"").split(b" ")
                if len(path) < 2:
                    continue
                fields = dict(line.lower().split(b":", 1) for line in head)
                lines.read(int(fields[b"content-length"]))
                self.requests += 1
                body = json.dumps(VECTORS if b"embeddings" in path[1] else CHAT).encode()
                size = b"Content-Length: %d\r\n\r\n" % len(body)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + size + body)
                peer.shutdown(socket.SHUT_RDWR)
            self.closed.release()


@contextmanager
def closing_server() -> Iterator[tuple[ClosingServer, str]]:
    server = ClosingServer()
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.serve, args=(listener,))
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.parametrize("name", SYNC)
def test_idle_connections_that_the_server_closed_are_not_used_again(name: str) -> None:
    with closing_server() as (server, url):
        thing = make(name, url)
        for made in range(1, 4):
            for way in SYNC[name].values():
                assert way(thing)
                assert server.closed.acquire()
            assert server.requests == made * len(SYNC[name])
        thing.close()


@pytest.mark.parametrize("name", ASYNC_NAMES)
def test_idle_connections_of_a_loop_that_the_server_closed_are_not_used_again(name: str) -> None:
    with closing_server() as (server, url):
        thing: Any = make(name, url)

        async def calls() -> None:
            for _ in range(3):
                for way in ASYNC[name].values():
                    assert await way(thing)
                    assert await asyncio.to_thread(server.closed.acquire)
            await thing.aclose()

        asyncio.run(calls())
        assert server.requests == 3 * len(ASYNC[name])
