"""What a cost scope shows of its ledger: sums, calls, tables. No I/O."""

from __future__ import annotations

import functools
import html
import inspect
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, ParamSpec, Self, TypeVar, cast

from aimlapi_core.costs.budget import OnUnknownCost
from aimlapi_core.costs.call_cost import CallCost
from aimlapi_core.costs.ledger import CostLedger
from aimlapi_core.costs.totals import (
    Totals,
    describe_details,
    format_table,
    sum_totals,
    table_rows,
    to_usd,
)
from aimlapi_core.costs.unknown_call import UnknownCall
from aimlapi_core.errors import ConfigurationError

P = ParamSpec("P")
R = TypeVar("R")


class CostReport:
    """A cost scope: enter it once with `with`, read it at any time, also after its end.

    May be shared by threads and tasks. Calls that began inside it report to it even when they
    end after it.
    """

    def __init__(
        self,
        *,
        budget_usd: Decimal | float | str | None = None,
        warn_at: float | None = 0.8,
        on_unknown_cost: OnUnknownCost = "estimate",
    ) -> None:
        self._ledger = CostLedger(
            budget_usd=budget_usd, warn_at=warn_at, on_unknown_cost=on_unknown_cost
        )

    def __enter__(self) -> Self:
        self._ledger.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._ledger.close()

    @property
    def total(self) -> Totals:
        """The sums over all models."""
        return self._ledger.total

    @property
    def by_model(self) -> dict[str, Totals]:
        """The sums of each model, by the requested id."""
        return self._ledger.by_model

    @property
    def calls(self) -> tuple[CallCost, ...]:
        """The calls that ended, in that order: the last 1,000 of them; the sums have all."""
        return self._ledger.calls

    @property
    def credits(self) -> int:
        """The reported cost so far, in credits."""
        return self._ledger.credits

    @property
    def usd(self) -> Decimal:
        """The reported cost so far, in dollars, exact."""
        return to_usd(self.credits)

    @property
    def unknown(self) -> tuple[UnknownCall, ...]:
        """The calls whose cost was not reported; `settle()` looks them up."""
        return self._ledger.unknown

    @property
    def estimated_credits(self) -> int:
        """The estimated cost of those `unknown` calls that have one; not part of `credits`."""
        return self._ledger.estimated_credits

    @property
    def estimated_usd(self) -> Decimal:
        """`estimated_credits` in dollars; not part of `usd`."""
        return to_usd(self.estimated_credits)

    @property
    def in_flight(self) -> int:
        """The number of requests in flight."""
        return self._ledger.in_flight

    @property
    def budget_usd(self) -> Decimal | None:
        """The budget in dollars; None if there is none."""
        return self._ledger.budget_usd

    def set_budget(self, usd: Decimal | float | str | None) -> None:
        """Replace the budget; None removes it."""
        self._ledger.set_budget(usd)

    def wrap(self, function: Callable[P, R]) -> Callable[P, R]:
        """`function`, with this scope open while it runs: for threads that inherit no context.

        `threading.Thread` and `ThreadPoolExecutor` inherit none, but for Python 3.14's
        `-X thread_inherit_context`. Raises ConfigurationError for a function that yields.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise ConfigurationError(
                f"{function!r} yields, and works after it has returned: wrap a function that "
                "calls it and reads all it gives."
            )
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self._ledger.innermost():
                    return await function(*args, **kwargs)

            return cast("Callable[P, R]", awaited)

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            with self._ledger.innermost():
                return function(*args, **kwargs)

        return called

    def to_dict(self) -> dict[str, Any]:
        """All figures as JSON values: `total`, `by_model`, `calls` and the scope's own.

        Amounts in dollars are floats here; `credits` are whole. `calls` are the last 1,000.
        """
        by_model, calls, budget = self.by_model, self.calls, self.budget_usd
        return {
            "total": sum_totals(by_model.values()).to_dict(),
            "by_model": {model: totals.to_dict() for model, totals in by_model.items()},
            "calls": [call.to_dict() for call in calls],
            "unknown": len(self.unknown),
            "estimated_usd": float(self.estimated_usd),
            "budget_usd": None if budget is None else float(budget),
        }

    def __repr__(self) -> str:
        total = self.total
        parts = [f"calls={total.calls}", f"usd={total.usd:f}"]
        if self.unknown:
            parts.append(f"unknown={len(self.unknown)}")
        if self.budget_usd is not None:
            parts.append(f"budget_usd={self.budget_usd:f}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def __str__(self) -> str:
        return "\n".join([format_table(self.by_model), *self._remarks()])

    def _repr_html_(self) -> str:
        """The table in a notebook."""
        head, *rows = table_rows(self.by_model)
        lines = [
            "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"
            for tag, cells in [("th", head), *(("td", row) for row in rows)]
        ]
        details = describe_details(self.total)
        remarks = [details, *self._remarks()] if details else list(self._remarks())
        below = "".join(f"<p>{html.escape(remark)}</p>" for remark in remarks)
        return f"<table>{''.join(lines)}</table>{below}"

    def _remarks(self) -> Iterator[str]:
        unknown = self.unknown
        if unknown:
            reasons = ", ".join(dict.fromkeys(call.reason for call in unknown))
            count = f"{len(unknown)} ({reasons})"
            yield f"Cost unknown, and not in the total: {count}; settle() looks it up."
        if self.estimated_credits:
            yield f"Estimated for them by live prices: {self.estimated_usd:.7f} USD."
        if self.budget_usd is not None:
            budget = f"{self.budget_usd:f} USD"
            yield f"Budget: {budget}; calls under way when it is spent may exceed it."
