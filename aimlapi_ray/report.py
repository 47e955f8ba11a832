"""What a run gives: its sums, and its errors. No Ray, no files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, field
from decimal import Decimal
from typing import Any

from aimlapi_core.costs.totals import Totals, format_table, sum_totals
from aimlapi_core.errors import AIMLAPIError


@dataclass(frozen=True, slots=True)
class Spend:
    """What calls cost. `by_model` is what was told; `unknown` counts the costs that never came.

    A call whose worker died is one of `unknown`: the service may bill it.
    """

    by_model: Mapping[str, Totals] = field(default_factory=dict)
    unknown: int = 0

    @property
    def total(self) -> Totals:
        """The sums over all models."""
        return sum_totals(self.by_model.values())

    @property
    def credits(self) -> int:
        """What the service stated, in credits."""
        return self.total.credits

    @property
    def usd(self) -> Decimal:
        """What the service stated, in dollars, exactly."""
        return self.total.usd

    def __str__(self) -> str:
        unknown = f" and {self.unknown:,} unknown" if self.unknown else ""
        return f"{self.usd:f} USD{unknown}"


@dataclass(frozen=True, slots=True)
class Tally:
    """What decides at each call whether a run goes on: sums that are too slow to make each time.

    `credits` is what all runs cost as far as it was told. Of the attempts of all runs the whole
    cost of `priced` is known, `unsure` are under way or of unknown cost; `unknown` of these have
    ended, or were lost in this run. `failed` counts this run's rows.
    """

    credits: int = 0
    priced: int = 0
    unsure: int = 0
    unknown: int = 0
    failed: int = 0

    def __add__(self, more: Tally) -> Tally:
        return Tally(*(a + b for a, b in zip(astuple(self), astuple(more), strict=True)))

    @property
    def expected_credits(self) -> int:
        """What the unsure attempts are expected to cost: each as much as the mean of the others."""
        return -(-self.credits * self.unsure // self.priced) if self.priced else 0

    @property
    def unwatched(self) -> int:
        """The attempts of unknown cost of which nothing can be expected: no cost is known yet."""
        return 0 if self.credits and self.priced else self.unknown


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `done` rows are answered, now or before; `cost` is this run's."""

    rows: int
    done: int
    failed: int
    cost: Spend

    def __str__(self) -> str:
        failed = f", {self.failed:,} failed" if self.failed else ""
        return f"{self.done:,} of {self.rows:,} rows answered{failed}, {self.cost}"


@dataclass(frozen=True, slots=True)
class Report:
    """A run's result. Every row is `answered`, `skipped`, in `failed`, or `not_asked`.

    `answered`: by this run. `skipped`: by an earlier one, so that they were not asked. `failed`:
    the error of each such row, by its id; the next run asks it again. `not_asked`: the run was
    ended before. `repeated`: rows begun again after they had been begun by a worker or driver
    that was lost; the service has seen at most so many rows twice. `cost` is this run's,
    `job_cost` that of all runs of the journal. `dataset` holds all columns and `answer` and
    `error`, of which one is None; it is None itself where none was made.
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
        """The rows that the run did not come to."""
        return self.rows - self.answered - self.skipped - len(self.failed)

    @property
    def calls(self) -> int:
        """The calls of this run whose end was told, failed ones too."""
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
    """A run ended before its last row: no funds, a wrong key, a budget. See `__cause__`.

    Calls under way were finished, and `report` says what was reached. The same call of
    `answer_rows` goes on where it ended.
    """

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*self.args, self.report)


class TooManyFailedError(AIMLAPIError):
    """More rows failed than `max_failed` allows; nothing is wrong with the rows not asked."""


class JournalError(AIMLAPIError):
    """A journal that cannot be used: of another job, in use, or no journal at all."""


class RowsError(AIMLAPIError, ValueError):
    """A data set whose rows cannot be told apart, or that has a column which is needed."""
