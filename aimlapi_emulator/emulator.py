"""The emulator as a value: start, point a client at `base_url`, look at `seen`, stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from .exchange import Outgoing, Reply, Request, State
from .faults import Fault
from .faults_unfired import unfired
from .ledger import Ledger
from .server import Connection, bug
from .service import handle

_STOP_WITHIN_S = 5.0
_LOG = logging.getLogger("aimlapi_emulator")


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One complete request, as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Lower-case names; of `authorization` only the scheme and the last four characters."""
    body: Any
    """Parsed JSON, or bytes that were none."""
    connection: int
    """1 for the first connection that the emulator accepted, and so on, whatever is cleared."""
    problems: tuple[str, ...]
    """What the strict schema says of the body; empty when it is valid."""
    status: int
    """What was answered; 0 when a fault dropped the connection instead."""
    unfired: tuple[str, ...] = ()
    """Fields of the request's fault that found nothing to act on, e.g. a cut behind the end."""


class Emulator:
    """A local server that behaves as the documented API.

    Use it as a context manager, or `start` and `stop` it; it runs in one daemon thread. It may be
    started again after a stop, on the same port.

    Args:
        port: 0 takes a free one.
        host: the address to listen on.
        schema: `strict` judges requests by the narrowest published schemas, `live` by the newer,
            looser specification, which drops unknown keys as the real service does.
        tokens_per_second: pace of streams; None sends them at once.

    Raises:
        OSError: from `start`, when the address is taken.
    """

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        schema: str = "strict",
        *,
        tokens_per_second: float | None = None,
    ) -> None:
        if schema not in ("strict", "live"):
            raise ValueError(f"schema must be 'strict' or 'live', not {schema!r}")
        self.host = host
        self.port = port
        self.schema = schema
        self.tokens_per_second = tokens_per_second
        self.seen: list[SeenRequest] = []
        self.faults: list[Fault | None] = []
        self.connections = 0
        self.open_connections = 0
        self.peak_connections = 0
        self._accepted = 0
        self._clears = 0
        self._state = State(live=schema == "live")
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        state = "running" if self._thread else "stopped"
        return f"Emulator({self.host}:{self.port}, schema={self.schema!r}, {state})"

    @property
    def ledger(self) -> Ledger:
        """What every request cost; the balance and the logs are views of it."""
        return self._state.ledger

    @property
    def base_url(self) -> str:
        """What a client takes as its base url."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/v1"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Listen; returns when connections are accepted. Nothing happens when it runs already."""
        if self._thread is not None:
            return self
        ready = threading.Event()
        failed: list[BaseException] = []
        thread = threading.Thread(
            target=self._run, args=(ready, failed), name="aimlapi-emulator", daemon=True
        )
        thread.start()
        ready.wait()
        if failed:
            thread.join(_STOP_WITHIN_S)
            raise failed[0]
        self._thread = thread
        return self

    def stop(self) -> None:
        """Close every connection and end the thread; returns within seconds."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
        thread.join(_STOP_WITHIN_S)

    def clear(self) -> None:
        """Forget requests, faults, replies, counters and stored responses; ids go on.

        Connections that are open already are counted no more, so that one emulator can serve
        many tests.
        """
        self.seen.clear()
        self.faults.clear()
        self._clears += 1
        self.connections = self.open_connections = self.peak_connections = 0
        self._state.clear()

    def reply_with(self, reply: Reply) -> None:
        """Script the answer to a coming POST; several are given in order.

        Args:
            reply: str is the text of an ordinary answer; dict a JSON body, bytes a raw one, and
                list[str] the data of each event of a stream, all three sent as they are (status
                200) without judging the request.
        """
        self._state.replies.append(reply)

    def next_fault(self) -> Fault | None:
        """The fault that was queued for the POST that has just begun."""
        try:
            fault = self.faults.pop(0)
        except IndexError:
            return None
        if fault is None or isinstance(fault, Fault):
            return fault
        return Fault(status=500, message=f"Emulator.faults holds {fault!r}, which is no Fault")

    def respond(self, request: Request, connection: int, fault: Fault | None) -> Outgoing:
        """The answer to a complete request, which is noted in `seen`."""
        try:
            out = handle(request, self._state, fault)
        except Exception as exc:  # a fault of ours is answered as one, and the server goes on
            out = bug(request, exc)
        status = 0 if out.fault.drop is not None else out.status
        idle = unfired(out, request.path)
        if idle:
            _LOG.warning("%s did nothing to the answer of %s", ", ".join(idle), request.path)
        self._note(request, connection, out.parsed, out.problems, status, idle)
        return out

    def note_dropped(self, request: Request, connection: int) -> None:
        """Note a complete request that a fault leaves without an answer."""
        out = handle(request, State(live=self._state.live), None)
        self._note(request, connection, out.parsed, out.problems, 0)

    def _note(
        self,
        request: Request,
        connection: int,
        body: Any,
        problems: tuple[str, ...],
        status: int,
        idle: tuple[str, ...] = (),
    ) -> None:
        headers = dict(request.headers)
        if "authorization" in headers:
            scheme, _, key = headers["authorization"].partition(" ")
            headers["authorization"] = f"{scheme} ...{key[-4:]}"
        content = request.content if body is None and request.content else body
        seen = SeenRequest(
            request.method, request.target, headers, content, connection, problems, status, idle
        )
        self.seen.append(seen)

    def _run(self, ready: threading.Event, failed: list[BaseException]) -> None:
        try:
            asyncio.run(self._serve(ready))
        except BaseException as exc:  # `start` raises in its own thread what ended this one
            if ready.is_set():
                raise
            failed.append(exc)
        finally:
            self._loop = None
            ready.set()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = await asyncio.start_server(self._accept, self.host, self.port, backlog=2048)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        try:
            await self._stopping.wait()
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clears = self._clears
        self._accepted += 1
        self.connections += 1
        self.open_connections += 1
        self.peak_connections = max(self.peak_connections, self.open_connections)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await Connection(self, self._accepted, reader, writer).serve()
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            if clears == self._clears:
                self.open_connections -= 1
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
