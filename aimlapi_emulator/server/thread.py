"""An asyncio server in a thread of its own: starts, stops, accepts connections."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import threading
from types import TracebackType
from typing import Self

from aimlapi_emulator.server.origin import is_loopback

_STOP_WITHIN_S = 5.0
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # a wildcard address cannot be connected to
_LOG = logging.getLogger("aimlapi_emulator")


class ServerThread:
    """A server in one daemon thread. `start` and `stop` it as often as needed, on the same port."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def _serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer the requests of a connection until it ends; the caller closes it."""
        raise NotImplementedError

    @property
    def base_url(self) -> str:
        """The base URL for a client."""
        host = _REACHED_AT.get(self.host, self.host)
        host = f"[{host}]" if ":" in host else host
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
        """Listen; returns when connections are accepted. Does nothing if it is running."""
        if self._thread is not None and self._thread.is_alive():
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

    def _receive_pending(self) -> None:
        """Return when requests whose bytes have arrived are recorded in `requests`."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None or thread is threading.current_thread():
            return
        done = threading.Event()

        def next_iteration(left: int) -> None:
            if left:
                loop.call_soon(next_iteration, left - 1)
            else:
                done.set()

        # From an accepted connection to its entry in `requests` a loop needs about six iterations.
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(next_iteration, 12)
            done.wait(_STOP_WITHIN_S if thread.is_alive() else 0)

    def _run(self, ready: threading.Event, failed: list[BaseException]) -> None:
        # A signal that is delivered to this thread, as after Ctrl-Z, would not wake the main
        # thread, which alone runs Python's handlers.
        if sys.platform != "win32":
            ours = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
            signal.pthread_sigmask(signal.SIG_BLOCK, ours)
        try:
            asyncio.run(self._serve(ready))
        except BaseException as exc:  # re-raised by `start` in its own thread
            if ready.is_set():
                raise
            failed.append(exc)
        finally:
            self._loop = None
            ready.set()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        if not is_loopback(self.host):
            _LOG.warning("The emulator listens on %s: other machines can reach it.", self.host)
        server = await asyncio.start_server(self._accept, self.host, self.port, backlog=2048)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        try:
            await self._stopping.wait()
        finally:
            # A connection that is just being accepted when the server closes would never be closed.
            for _ in range(12):
                await asyncio.sleep(0)
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve_connection(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
