"""Who keeps the journal while a run is under way: one process that all workers ask.

Whatever comes while a commit is under way goes into the next one together, so that the pace is
the disk's only for each commit and not for each row. An answer is given after the commit.
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
from aimlapi_ray.journal import Journal, RowId, Turn, explained
from aimlapi_ray.report import JournalError, Progress, Report, Spend, TooManyFailedError

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Closed:
    """What a run came to, and what ended it early: None where nothing did."""

    ending: Exception | None
    report: Report
    progress: Progress


class Keeper:
    """The one that has the journal open, from `open` to `close`, which gives the report.

    After a reason to end the run it gives no turn any more; what is under way may still end.
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
        self._ending: Exception | None = None
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def open(self, run: int | None = None) -> None:
        """Open the journal, in which `run` was begun: no other may have begun since.

        Not done in `__init__`: Ray gives an error of that back as a text alone.
        """
        self._journal = self._open()
        if run not in (None, self._journal.run):
            self._journal.close()
            raise JournalError(
                f"{self._journal.path}: another run has begun meanwhile; wait for its end."
            )

    async def ended(self, ids: Iterable[RowId]) -> dict[RowId, Turn]:
        """The turns of those rows that need not be asked any more."""
        return await self._written(partial(self._journal.ended, ids))

    async def begin(self, row_id: RowId) -> Turn:
        """The turn of a row that is to be asked now; it stands in the journal."""
        return await self._written(partial(self._begin, row_id))

    async def end(
        self,
        attempt: int,
        answer: str | None,
        error: str | None,
        spend: Spend,
        ending: Exception | None = None,
    ) -> Turn:
        """An attempt's end, which stands in the journal. `ending`: an error that ends the run."""
        return await self._written(partial(self._end, attempt, answer, error, spend, ending))

    async def progress(self) -> Progress:
        """How far the run is."""
        return await self._written(self._journal.progress)

    async def close(self) -> Closed:
        """Close the journal. The report is made before: another run may open it at once."""
        try:
            return await self._written(self._closed)
        finally:
            self._journal.close()

    def _closed(self) -> Closed:
        return Closed(self._ending, self._journal.report(), self._journal.progress())

    def _begin(self, row_id: RowId) -> Turn:
        self._ending = self._ending or self._over_budget()
        if self._ending is not None:
            return Turn()
        turn = self._journal.begin(row_id)
        self._ending = self._too_many(turn.error)
        return turn

    def _end(
        self,
        attempt: int,
        answer: str | None,
        error: str | None,
        spend: Spend,
        ending: Exception | None,
    ) -> Turn:
        turn = self._journal.end(attempt, answer, error, spend)
        self._ending = self._ending or ending or self._too_many(error)
        return turn

    def _too_many(self, error: str | None) -> Exception | None:
        failed = self._journal.tally.failed
        if self._max_failed is None or failed <= self._max_failed:
            return None
        return TooManyFailedError(f"{failed} rows have failed; the last: {error}")

    def _over_budget(self) -> Exception | None:
        tally = self._journal.tally
        spent, expected = tally.credits, tally.expected_credits
        if self._ceiling is None or (spent + expected < self._ceiling and not tally.unwatched):
            return None
        amounts = {
            "budget_usd": to_usd(self._ceiling),
            "spent_usd": to_usd(spent),
            "reserved_usd": to_usd(expected),
        }
        if tally.unwatched:
            return UnknownCostError(
                f"The budget of {amounts['budget_usd']:f} USD cannot be watched: what "
                f"{tally.unwatched} row(s) cost never came, and that of no other is known. Run a "
                "few rows without budget_usd first, or all of them.",
                **amounts,
            )
        return BudgetExceededError(
            f"The budget is reached: {amounts['spent_usd']:f} USD spent by all runs of this job "
            f"and {amounts['reserved_usd']:f} expected for {tally.unsure} call(s) under "
            f"way or of unknown cost, of {amounts['budget_usd']:f}.",
            **amounts,
        )

    async def _written(self, work: Callable[[], R]) -> R:
        """The result of `work`, once what it wrote is on the disk."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await future

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                results = await asyncio.to_thread(self._commit, [work for work, _ in batch])
            except Exception as exc:  # told to each that waits for this commit
                results = [exc] * len(batch)
            for (_, future), result in zip(batch, results, strict=True):
                if isinstance(result, Exception):
                    self._ending = self._ending or result  # the worker's whole call fails by it
                if future.done():  # its caller has gone
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    def _commit(self, works: list[Callable[[], Any]]) -> list[Any]:
        with explained(self._journal.path), self._journal.transaction():
            return [self._result(work) for work in works]

    def _result(self, work: Callable[[], Any]) -> Any:
        """What `work` gives, or its own error, by which no other loses what it wrote."""
        try:
            with self._journal.apart():
                return work()
        except sqlite3.Error:  # the file's: nothing of this commit is sure
            raise
        except Exception as exc:
            return exc


def said_by_keeper(error: Exception) -> Exception:
    """What a failed call to the keeper's process came from, in its own words where it had any.

    `error` is Ray's: its own words are a RayTaskError's `cause`.
    """
    cause = getattr(error, "cause", None)
    if isinstance(cause, Exception):
        return cause
    loss = "did not answer" if isinstance(error, TimeoutError) else "was lost"
    return JournalError(
        f"The process that keeps the journal {loss}, and the run ends with it; what was written "
        "is kept. Run it again to go on."
    )
