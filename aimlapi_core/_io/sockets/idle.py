"""When idle connections are looked for: by a daemon thread, or by a timer of an event loop.

Both exist only while there are connections.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context

# What closing a socket may raise; the others are closed nevertheless.
_FAILURES = (OSError, RuntimeError)


class IdleThread:
    """A daemon thread that calls `close_idle` again and again, until nothing is left.

    `close_idle` returns the seconds until its next call; None if there are no connections.
    """

    def __init__(self, close_idle: Callable[[], float | None]) -> None:
        self._close_idle = close_idle
        self._is_running = False
        self._lock = threading.Lock()

    def ensure_running(self) -> None:
        """Start it unless it runs. Call it when there is a connection, or is to be one."""
        if self._is_running:
            return
        with self._lock:
            if not self._is_running:
                self._start()

    def _start(self) -> None:
        try:
            self._is_running = True
            thread = threading.Thread(target=self._run, name="aimlapi-idle", daemon=True)
            Context().run(thread.start)  # it outlives the caller's context
        except BaseException as error:
            self._is_running = False
            if not isinstance(error, RuntimeError):
                raise
            # Too many threads, or the interpreter ends: calls go on without it.

    def _run(self) -> None:
        while True:
            delay_s = self._close_idle()
            if delay_s is None:
                # A call that begins now either is seen below, or sees the flag.
                self._is_running = False
                delay_s = self._close_idle()
                if delay_s is None:
                    return
                with self._lock:
                    if self._is_running:
                        return
                    self._is_running = True
            time.sleep(delay_s)


class IdleTimer:
    """Calls `close_idle` in the running event loop again and again, until it returns None."""

    def __init__(self, close_idle: Callable[[], Awaitable[float | None]], delay_s: float) -> None:
        self._close_idle = close_idle
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._start(delay_s)

    def _start(self, delay_s: float) -> None:
        # Without the caller's context, which would live as long as the timer.
        self._loop.call_later(delay_s, self._run, context=Context())

    def _run(self) -> None:
        self._task = self._loop.create_task(self._close())

    async def _close(self) -> None:
        with suppress(*_FAILURES):
            delay_s = await self._close_idle()
            if delay_s is not None:
                self._start(delay_s)
