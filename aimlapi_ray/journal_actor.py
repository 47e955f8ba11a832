"""Ray actor that owns the journal during a run: all workers write through it, with group commit.

Requests that arrive during a commit are written together by the next one, so that the disk limits
the rate of commits, not of rows. A result is returned after its commit.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aimlapi_core.costs.totals import to_credits, to_usd
from aimlapi_core.errors import BudgetExceededError, UnknownCostError
from aimlapi_ray.journal import Journal, RowId, RowState, translate_sqlite_errors
from aimlapi_ray.report import JournalError, Progress, Report, Spend, TooManyFailedError

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of a run, and the error that ended it early, if any."""

    fatal_error: Exception | None
    report: Report
    progress: Progress


class JournalActor:
    """Holds the journal open from `open` to `close`, which returns the report.

    After a fatal error it begins no more attempts; open ones may still be completed.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        job: str,
        model: str,
        budget_usd: Decimal | float | str | None = None,
        max_failed: int | None = None,
    ) -> None:
        self._open = partial(Journal, path, job=job, model=model)
        self._ceiling = None if budget_usd is None else to_credits(budget_usd)
        self._max_failed = max_failed
        self._fatal_error: Exception | None = None
        self._pending: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def open(self, run: int | None = None) -> None:
        """Open the journal. Raises JournalError if a run later than `run` was begun.

        Not in `__init__`, whose errors Ray returns only as text.
        """
        self._journal = self._open()
        if run not in (None, self._journal.run):
            self._journal.close()
            raise JournalError(
                f"{self._journal.path}: another run has begun meanwhile; wait for its end."
            )

    async def finished_rows(self, ids: Iterable[RowId]) -> dict[RowId, RowState]:
        """The states of those rows that are already finished."""
        return await self._run_in_transaction(partial(self._journal.finished_rows, ids))

    async def begin(self, row_id: RowId) -> RowState:
        """Begin an attempt at a row; returns after the commit."""
        return await self._run_in_transaction(partial(self._begin, row_id))

    async def end(
        self,
        attempt: int,
        answer: str | None,
        error: str | None,
        spend: Spend,
        fatal_error: Exception | None = None,
    ) -> RowState:
        """Complete an attempt; returns after the commit. `fatal_error` ends the run."""
        return await self._run_in_transaction(
            partial(self._end, attempt, answer, error, spend, fatal_error)
        )

    async def progress(self) -> Progress:
        """The progress of the run."""
        return await self._run_in_transaction(self._journal.progress)

    async def close(self) -> RunResult:
        """Create the report and close the journal, which another run may then open."""
        try:
            return await self._run_in_transaction(self._run_result)
        finally:
            self._journal.close()

    def _run_result(self) -> RunResult:
        return RunResult(self._fatal_error, self._journal.report(), self._journal.progress())

    def _begin(self, row_id: RowId) -> RowState:
        self._fatal_error = self._fatal_error or self._over_budget()
        if self._fatal_error is not None:
            return RowState()
        state = self._journal.begin(row_id)
        self._fatal_error = self._too_many_failed(state.error)
        return state

    def _end(
        self,
        attempt: int,
        answer: str | None,
        error: str | None,
        spend: Spend,
        fatal_error: Exception | None,
    ) -> RowState:
        state = self._journal.end(attempt, answer, error, spend)
        self._fatal_error = self._fatal_error or fatal_error or self._too_many_failed(error)
        return state

    def _too_many_failed(self, error: str | None) -> Exception | None:
        failed = self._journal.totals.failed
        if self._max_failed is None or failed <= self._max_failed:
            return None
        return TooManyFailedError(f"{failed} rows have failed; the last: {error}")

    def _over_budget(self) -> Exception | None:
        totals = self._journal.totals
        spent, expected = totals.credits, totals.expected_credits
        if self._ceiling is None or (spent + expected < self._ceiling and not totals.unestimated):
            return None
        amounts = {
            "budget_usd": to_usd(self._ceiling),
            "spent_usd": to_usd(spent),
            "reserved_usd": to_usd(expected),
        }
        if totals.unestimated:
            return UnknownCostError(
                f"The budget of {amounts['budget_usd']:f} USD cannot be watched: what "
                f"{totals.unestimated} row(s) cost never came, and that of no other is known. Run "
                "a few rows without budget_usd first, or all of them.",
                **amounts,
            )
        return BudgetExceededError(
            f"The budget is reached: {amounts['spent_usd']:f} USD spent by all runs of this job "
            f"and {amounts['reserved_usd']:f} expected for {totals.unsettled} call(s) under "
            f"way or of unknown cost, of {amounts['budget_usd']:f}.",
            **amounts,
        )

    async def _run_in_transaction(self, work: Callable[[], R]) -> R:
        """Run `work` in the next transaction; returns its result after the commit."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._pending.append((work, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._commit_batches())
        return await future

    async def _commit_batches(self) -> None:
        while self._pending:
            batch, self._pending = self._pending, []
            try:
                results = await asyncio.to_thread(self._commit, [work for work, _ in batch])
            except Exception as exc:  # raised for each request of this commit
                results = [exc] * len(batch)
            for (_, future), result in zip(batch, results, strict=True):
                if isinstance(result, Exception):
                    # The worker's whole block fails with it.
                    self._fatal_error = self._fatal_error or result
                if future.done():  # its caller was cancelled
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    def _commit(self, works: list[Callable[[], Any]]) -> list[Any]:
        with translate_sqlite_errors(self._journal.path), self._journal.transaction():
            return [self._run_in_savepoint(work) for work in works]

    def _run_in_savepoint(self, work: Callable[[], Any]) -> Any:
        """The result of `work`, or its exception; it does not roll back the other requests."""
        try:
            with self._journal.savepoint():
                return work()
        except sqlite3.Error:  # of the file: the whole transaction fails
            raise
        except Exception as exc:
            return exc


def unwrap_ray_error(error: Exception) -> Exception:
    """The actor's own exception, from a RayTaskError's `cause`; else a JournalError."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, Exception):
        return cause
    loss = "did not answer" if isinstance(error, TimeoutError) else "was lost"
    return JournalError(
        f"The process that keeps the journal {loss}, and the run ends with it; what was written "
        "is kept. Run it again to go on."
    )
