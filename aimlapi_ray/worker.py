"""Ray Data map worker: answers rows concurrently with one model object."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Generic, TypeAlias, TypeVar

from aimlapi_core import (
    AuthenticationError,
    ConfigurationError,
    InsufficientFundsError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    track_costs,
)
from aimlapi_ray.checks import without_surrogates
from aimlapi_ray.journal import RowState
from aimlapi_ray.report import Spend

M = TypeVar("M")
Row: TypeAlias = dict[str, Any]
AnswerFunction: TypeAlias = Callable[[M, Row], Awaitable[str]]

_CLOSE_WITHIN_S = 5.0


class NoTextError(TypeError):
    """`ask` returned no str. Fatal: it would do so for every row, each of which is billed."""


_FATAL_ERRORS = (
    AuthenticationError,
    ConfigurationError,
    InsufficientFundsError,
    NoTextError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
)
"""Errors that every other row would raise too. A budget inside `ask` affects only its row."""


class Worker(Generic[M]):
    """Callable for `map_batches`: returns the table with the columns `answer` and `error` added.

    May be called by several threads: all rows share one event loop, the model object and
    `concurrency` slots. Ray deletes it at the end of a run, which closes the model.
    """

    def __init__(
        self, model: M, ask: AnswerFunction[M], journal: Any, *, id_column: str, concurrency: int
    ) -> None:
        self._model = model
        self._ask = ask
        self._journal = journal
        self._id_column = id_column
        self._slots = asyncio.Semaphore(concurrency)
        self._run_ended = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_run_loop, args=(self._loop,), daemon=True)
        self._thread.start()

    def __call__(self, table: Any) -> Any:
        """Answer the rows of a pyarrow table."""
        import pyarrow as pa

        states = self._run(self._process_rows(table.to_pylist()))
        for name in ("answer", "error"):
            values = pa.array([getattr(state, name) for state in states], pa.string())
            table = table.append_column(name, values)
        return table

    def __del__(self) -> None:
        with suppress(Exception):  # the process exits and closes its sockets
            self._run(self._close(), _CLOSE_WITHIN_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_WITHIN_S)
        if not self._loop.is_running():
            self._loop.close()

    async def _close(self) -> None:
        close = getattr(self._model, "aclose", None)
        if close is not None:
            await close()
        await self._loop.shutdown_asyncgens()  # they close what other models share with this one
        await asyncio.sleep(0)  # a socket is closed in the loop's next iteration

    def _run(self, work: Any, within_s: float | None = None) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(within_s)

    async def _process_rows(self, rows: list[Row]) -> list[RowState]:
        finished = await self._journal.finished_rows.remote([row[self._id_column] for row in rows])
        return await asyncio.gather(
            *(self._process_row(row, finished.get(row[self._id_column])) for row in rows)
        )

    async def _process_row(self, row: Row, state: RowState | None) -> RowState:
        if state is not None:
            return state
        async with self._slots:
            state = RowState() if self._run_ended else await self._begin_row(row)
            if state.attempt is not None:
                return await self._run_attempt(state.attempt, row)
        if state == RowState():
            self._run_ended = True
            return RowState(error="not asked: the run had ended")
        return state

    async def _begin_row(self, row: Row) -> RowState:
        state: RowState = await self._journal.begin.remote(row[self._id_column])
        return state

    async def _run_attempt(self, attempt: int, row: Row) -> RowState:
        with track_costs() as costs:
            answer, exc = await self._answer(row)
        error = None if exc is None else without_surrogates(f"{type(exc).__name__}: {exc}")
        spend = Spend(costs.by_model, len(costs.unknown))
        state: RowState = await self._journal.end.remote(
            attempt, answer, error, spend, _fatal_error(exc)
        )
        return state

    async def _answer(self, row: Row) -> tuple[str | None, BaseException | None]:
        """The answer, or the row's exception, which does not end the run."""
        try:
            return without_surrogates(_require_str(await self._ask(self._model, row))), None
        except GeneratorExit:
            raise
        except BaseException as exc:
            if isinstance(exc, asyncio.CancelledError) and _is_cancelled():
                raise
            return None, exc.with_traceback(None)  # its frames reference the worker


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Run until `loop.stop()`. Not a method: the thread would reference its worker."""
    while True:
        try:
            return loop.run_forever()
        except (SystemExit, KeyboardInterrupt):
            # asyncio also raises these two out of the loop when a task raises them. The awaiter of
            # the task gets them too, and the other rows continue.
            continue


def _is_cancelled() -> bool:
    """Whether the row's own task is cancelled, not only something that it awaits."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _fatal_error(exc: BaseException | None) -> Exception | None:
    """The error that ends the run: `exc`, or one inside an exception group, as of a TaskGroup."""
    if isinstance(exc, BaseExceptionGroup):
        return next(filter(None, map(_fatal_error, exc.exceptions)), None)
    return exc if isinstance(exc, _FATAL_ERRORS) else None


def _require_str(answer: Any) -> str:
    if not isinstance(answer, str):
        raise NoTextError(
            f"ask must give the answer as str, not {type(answer).__name__}: take .text of a "
            "message, or model_dump_json() of a structured answer."
        )
    return answer
