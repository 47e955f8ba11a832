"""Who keeps the journal while a run is under way: one process that all workers ask.

Whatever comes while a commit is under way goes into the next one together, so that the pace is
the disk's only for each commit and not for each row. An answer is given after the commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aimlapi_core.errors import BudgetExceededError
from aimlapi_core.totals import to_credits, to_usd
from aimlapi_ray.journal import Journal, RowId, Turn, explained
from aimlapi_ray.report import Progress, Spend, TooManyFailedError

R = TypeVar("R")


class Keeper:
    """The one that has the journal open. Ask it until `close`, which says why a run ended early.

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
        self._journal = Journal(path, job=job, model=model)
        self._ceiling = None if budget_usd is None else to_credits(budget_usd)
        self._max_failed = max_failed
        self._failed = 0
        self._ending: Exception | None = None
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self._writer: asyncio.Task[None] | None = None

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

    async def close(self) -> Exception | None:
        """Close the journal; gives what ended the run early."""
        await self._written(self._journal.progress)
        self._journal.close()
        return self._ending

    def _begin(self, row_id: RowId) -> Turn:
        self._ending = self._ending or self._over_budget()
        return self._journal.begin(row_id) if self._ending is None else Turn()

    def _end(
        self,
        attempt: int,
        answer: str | None,
        error: str | None,
        spend: Spend,
        ending: Exception | None,
    ) -> Turn:
        self._failed += answer is None
        self._ending = self._ending or ending or self._too_many(error)
        return self._journal.end(attempt, answer, error, spend)

    def _too_many(self, error: str | None) -> Exception | None:
        if self._max_failed is None or self._failed <= self._max_failed:
            return None
        return TooManyFailedError(f"{self._failed} rows have failed; the last: {error}")

    def _over_budget(self) -> Exception | None:
        spent, expected = self._journal.spent_credits, self._journal.expected_credits
        if self._ceiling is None or spent + expected < self._ceiling:
            return None
        amounts = {
            "budget_usd": to_usd(self._ceiling),
            "spent_usd": to_usd(spent),
            "reserved_usd": to_usd(expected),
        }
        return BudgetExceededError(
            f"The budget is reached: {amounts['spent_usd']:f} USD spent by all runs of this job "
            f"and {amounts['reserved_usd']:f} expected for {self._journal.unsure} call(s) under "
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
                self._ending = self._ending or exc
                results = [exc] * len(batch)
            for (_, future), result in zip(batch, results, strict=True):
                if future.done():  # its caller has gone
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    def _commit(self, works: list[Callable[[], Any]]) -> list[Any]:
        with explained(self._journal.path), self._journal.transaction():
            return [work() for work in works]
