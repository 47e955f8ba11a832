"""What runs on the cluster: one model object, which several rows ask at once."""

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
from aimlapi_ray.checks import storable
from aimlapi_ray.journal import Turn
from aimlapi_ray.report import Spend

M = TypeVar("M")
Row: TypeAlias = dict[str, Any]
Ask: TypeAlias = Callable[[M, Row], Awaitable[str]]

_CLOSE_WITHIN_S = 5.0


class NoTextError(TypeError):
    """What `ask` gave is no str. It would be so for each row, after each was paid for."""


_ENDING = (
    AuthenticationError,
    ConfigurationError,
    InsufficientFundsError,
    NoTextError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
)
"""Errors that every other row would meet too. A budget inside `ask` is that row's own."""


class Worker(Generic[M]):
    """A map function of Ray Data: a table in, the table with `answer` and `error` out.

    May be called by several threads: all rows share one event loop, the model object and
    `concurrency` slots. Ray drops it at the end of a run, and the model is closed then.
    """

    def __init__(
        self, model: M, ask: Ask[M], keeper: Any, *, id_column: str, concurrency: int
    ) -> None:
        self._model = model
        self._ask = ask
        self._keeper = keeper
        self._id_column = id_column
        self._slots = asyncio.Semaphore(concurrency)
        self._ended = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_serve, args=(self._loop,), daemon=True)
        self._thread.start()

    def __call__(self, table: Any) -> Any:
        """The rows of a pyarrow table, asked."""
        import pyarrow as pa

        turns = self._run(self._turns(table.to_pylist()))
        for name in ("answer", "error"):
            values = pa.array([getattr(turn, name) for turn in turns], pa.string())
            table = table.append_column(name, values)
        return table

    def __del__(self) -> None:
        with suppress(Exception):  # the process ends, and its sockets with it
            self._run(self._close(), _CLOSE_WITHIN_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_WITHIN_S)
        if not self._loop.is_running():
            self._loop.close()

    async def _close(self) -> None:
        close = getattr(self._model, "aclose", None)
        if close is not None:
            await close()
        await self._loop.shutdown_asyncgens()  # they hold what other models share with this one
        await asyncio.sleep(0)  # a socket is closed in the loop's next round

    def _run(self, work: Any, within_s: float | None = None) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(within_s)

    async def _turns(self, rows: list[Row]) -> list[Turn]:
        ended = await self._keeper.ended.remote([row[self._id_column] for row in rows])
        return await asyncio.gather(
            *(self._turn(row, ended.get(row[self._id_column])) for row in rows)
        )

    async def _turn(self, row: Row, turn: Turn | None) -> Turn:
        if turn is not None:
            return turn
        async with self._slots:
            turn = Turn() if self._ended else await self._begun(row)
            if turn.attempt is not None:
                return await self._asked(turn.attempt, row)
        if turn == Turn():
            self._ended = True
            return Turn(error="not asked: the run had ended")
        return turn

    async def _begun(self, row: Row) -> Turn:
        turn: Turn = await self._keeper.begin.remote(row[self._id_column])
        return turn

    async def _asked(self, attempt: int, row: Row) -> Turn:
        with track_costs() as costs:
            answer, failed = await self._answer(row)
        error = None if failed is None else storable(f"{type(failed).__name__}: {failed}")
        spend = Spend(costs.by_model, len(costs.unknown))
        turn: Turn = await self._keeper.end.remote(attempt, answer, error, spend, _ending(failed))
        return turn

    async def _answer(self, row: Row) -> tuple[str | None, BaseException | None]:
        """The answer, or the row's own error: that is told, and the run goes on."""
        try:
            return storable(_checked(await self._ask(self._model, row))), None
        except GeneratorExit:
            raise
        except BaseException as exc:
            if isinstance(exc, asyncio.CancelledError) and _is_cancelled():
                raise
            return None, exc.with_traceback(None)  # its frames would keep the worker alive


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    """Run until `loop.stop()`. Not a method: the thread would keep its worker alive."""
    while True:
        try:
            return loop.run_forever()
        except (SystemExit, KeyboardInterrupt):
            # asyncio lets these two of a task end the loop as well. Who awaits the task has them
            # too, and the other rows go on.
            continue


def _is_cancelled() -> bool:
    """Whether the task of the row is cancelled, and not only something that it awaits."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _ending(failed: BaseException | None) -> Exception | None:
    """The error that ends the run, which may stand in a group, as those of a TaskGroup do."""
    if isinstance(failed, BaseExceptionGroup):
        return next(filter(None, map(_ending, failed.exceptions)), None)
    return failed if isinstance(failed, _ENDING) else None


def _checked(answer: Any) -> str:
    if not isinstance(answer, str):
        raise NoTextError(
            f"ask must give the answer as str, not {type(answer).__name__}: take .text of a "
            "message, or model_dump_json() of a structured answer."
        )
    return answer
