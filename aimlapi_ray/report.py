"""The report of a run, its progress and costs, and the errors of this package. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, field
from decimal import Decimal
from typing import Any

from aimlapi_core.costs.totals import Totals, format_table, sum_totals
from aimlapi_core.errors import AIMLAPIError


@dataclass(frozen=True, slots=True)
class Spend:
    """The cost of calls. `by_model`: reported costs; `unknown`: number of unreported ones.

    A call whose worker died counts as `unknown`: the service may bill it.
    """

    by_model: Mapping[str, Totals] = field(default_factory=dict)
    unknown: int = 0

    @property
    def total(self) -> Totals:
        """The sums over all models."""
        return sum_totals(self.by_model.values())

    @property
    def credits(self) -> int:
        """The reported cost in credits."""
        return self.total.credits

    @property
    def usd(self) -> Decimal:
        """The reported cost in dollars, exact."""
        return self.total.usd

    def __str__(self) -> str:
        unknown = f" and {self.unknown:,} unknown" if self.unknown else ""
        return f"{self.usd:f} USD{unknown}"


@dataclass(frozen=True, slots=True)
class RunningTotals:
    """Sums that are checked before each attempt, kept up to date rather than queried.

    `credits` is the reported cost of all runs. Of the attempts of all runs, `settled` have a known
    cost, `unsettled` are open or have an unknown cost; `unknown` of these are completed, or were
    lost in this run. `failed` counts this run's rows.
    """

    credits: int = 0
    settled: int = 0
    unsettled: int = 0
    unknown: int = 0
    failed: int = 0

    def __add__(self, more: RunningTotals) -> RunningTotals:
        return RunningTotals(*(a + b for a, b in zip(astuple(self), astuple(more), strict=True)))

    @property
    def expected_credits(self) -> int:
        """The expected cost of the unsettled attempts, at the mean cost of the settled ones."""
        return -(-self.credits * self.unsettled // self.settled) if self.settled else 0

    @property
    def unestimated(self) -> int:
        """The attempts of unknown cost, while there is no known cost to estimate them by."""
        return 0 if self.credits and self.settled else self.unknown


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a run. `done` rows have an answer, of this or an earlier run."""

    rows: int
    done: int
    failed: int
    cost: Spend

    def __str__(self) -> str:
        failed = f", {self.failed:,} failed" if self.failed else ""
        return f"{self.done:,} of {self.rows:,} rows answered{failed}, {self.cost}"


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run. Every row is `answered`, `skipped`, in `failed`, or `not_asked`.

    `answered`: by this run. `skipped`: answered by an earlier run. `failed`: the errors by row id;
    the next run retries these rows. `not_asked`: the run ended before. `repeated`: rows attempted
    again after the worker or driver of an attempt was lost; the service has received at most this
    many rows twice. `cost` is this run's, `job_cost` that of all runs of the journal. `dataset` has
    all columns plus `answer` and `error`, of which one is None; it is None if there was no data.
    """

    job: str
    rows: int
    answered: int
    skipped: int
    failed: Mapping[Any, str]
    repeated: int
    cost: Spend
    job_cost: Spend
    dataset: Any = None

    @property
    def not_asked(self) -> int:
        """The rows that this run did not attempt."""
        return self.rows - self.answered - self.skipped - len(self.failed)

    @property
    def calls(self) -> int:
        """The completed calls of this run, including failed ones."""
        return self.cost.total.calls

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield (
            f"{self.job}: {self.rows:,} rows: {self.answered:,} answered, {self.skipped:,} "
            f"answered before, {len(self.failed):,} failed, {self.not_asked:,} not asked"
        )
        if self.repeated:
            yield f"Asked again, as a worker or driver was lost: {self.repeated:,} rows"
        for row, error in list(self.failed.items())[:3]:
            yield f"Failed: {row!r}: {error}"
        yield format_table(self.cost.by_model)
        if self.cost.unknown:
            yield f"Cost unknown, and not in the total: {self.cost.unknown:,} calls"
        yield f"All runs of this job: {self.job_cost}"


class RunEndedError(AIMLAPIError):
    """A run ended early: no funds, an invalid key, a budget. See `__cause__`.

    Calls in flight were finished; `report` is the result so far. The same call of `answer_rows`
    resumes the job.
    """

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*self.args, self.report)


class TooManyFailedError(AIMLAPIError):
    """More rows failed than `max_failed` allows."""


class JournalError(AIMLAPIError):
    """A journal that cannot be used: of another job, locked, or not a journal file."""


class DatasetError(AIMLAPIError, ValueError):
    """A data set without unique row ids, or with a column named as one of the output columns."""
