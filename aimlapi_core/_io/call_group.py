"""The concurrent requests of one embed call: the first failure stops the others."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextvars import ContextVar
from typing import Generic, TypeVar

from aimlapi_core._io.http_call import HTTPCall

R = TypeVar("R")
HTTPCallT = TypeVar("HTTPCallT", bound=HTTPCall)

# The group of a caller that makes several embed calls at once: `llama_index_aimlapi` does.
outer_group: ContextVar[CallGroup | None] = ContextVar("outer_group", default=None)

# How long the requests in flight have to end after a failure: their answers are paid for. Then
# their sockets are shut down, and they have the same time again.
GRACE_S = 0.3

# A wait without end cannot be interrupted on Windows.
_INTERRUPTIBLE_S = 0.5


class CallGroup:
    """Requests that are stopped together: enter it around each, so that its failure stops all."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._calls: list[HTTPCall] = []
        self._failures: list[BaseException] = []

    def added(self, call: HTTPCallT) -> HTTPCallT:
        """Add a call and return it."""
        call.stopped = self._stopped
        self._calls.append(call)
        if self._failures:
            call.cancel()
        return call

    def __enter__(self) -> CallGroup:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self.stop(error)

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    def ended(self, call: HTTPCall) -> None:
        """A call has ended, and was reported."""
        self._calls.remove(call)

    def stop(self, failure: BaseException) -> BaseException:
        """Cancel the requests not yet sent; returns the first failure."""
        self._failures.append(failure)
        self._stopped.set()
        for call in list(self._calls):
            call.cancel()
        return self._failures[0]

    def abort(self) -> None:
        """Shut down the sockets of the requests in flight."""
        for call in list(self._calls):
            call.abort()

    def abandon(self) -> None:
        """Report what has not ended yet as of unknown cost: no caller waits for it any more."""
        for call in list(self._calls):
            call.finish(CancelledError("Another request of the call failed."))


class Threads(Generic[R]):
    """Runs tasks in daemon threads, so that the process can end whatever they wait for."""

    def __init__(self, tasks: Sequence[Callable[[], R]], count: int) -> None:
        self._count = len(tasks)
        self._tasks = deque(enumerate(tasks))
        self._results: queue.SimpleQueue[tuple[int, R | BaseException]] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"aimlapi-embed-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        while self._tasks:
            try:
                index, task = self._tasks.popleft()
            except IndexError:  # another thread took the last one
                return
            try:
                self._results.put((index, task()))
            except BaseException as error:
                self._results.put((index, error))

    def results(self) -> Iterator[tuple[int, R]]:
        """The index of each task and its result, as they end. Raises the first failure."""
        for _ in range(self._count):
            index, result = self._next_result()
            if isinstance(result, BaseException):
                raise result
            yield index, result

    def _next_result(self) -> tuple[int, R | BaseException]:
        while True:
            try:
                return self._results.get(timeout=_INTERRUPTIBLE_S)
            except queue.Empty:
                continue

    def end(self, group: CallGroup, *, grace_s: float) -> None:
        """Begin no more tasks, and end those that run, whose calls are of `group`."""
        self._tasks.clear()
        try:
            self._join(grace_s)
        finally:
            group.abort()
        self._join(GRACE_S)
        group.abandon()

    def _join(self, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))


def start_tasks(works: Iterable[Callable[[], Awaitable[R]]], count: int) -> list[asyncio.Task[R]]:
    """Tasks of which `count` run at once; the first that fails cancels the others.

    It does so before its turn is another's, which would send a request that nobody wants.
    """
    free = asyncio.Semaphore(count)

    async def run(work: Callable[[], Awaitable[R]]) -> R:
        async with free:
            try:
                return await work()
            except BaseException:
                for task in tasks:
                    task.cancel()
                raise

    tasks = [asyncio.ensure_future(run(work)) for work in works]
    return tasks
