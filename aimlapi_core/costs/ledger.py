"""Cost ledger: nested scopes that add up what calls cost, with budgets. No clock, no network.

Each call looks the innermost open scope up at its start and reports to it; the scope adds
everything to its parents too. Amounts are whole credits, so totals
are exact. A cost that the service did not report is never filled in: the call is listed in
`unknown`, and its estimate is kept separately.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import cast

from aimlapi_core.account import CatalogModel, LoggedCall, Prices
from aimlapi_core.costs.budget import Budget, OnUnknownCost
from aimlapi_core.costs.call_cost import CallCost
from aimlapi_core.costs.nested_scope import NestedScope, innermost_scope
from aimlapi_core.costs.totals import Totals, sum_totals, to_usd
from aimlapi_core.costs.unknown_call import UnknownCall

# So many calls are listed: a scope that stays open for days is not to fill the memory.
_KEPT_CALLS = 1000


def current_ledger() -> CostLedger | None:
    """The innermost open scope of the current context; None if there is none."""
    return cast("CostLedger | None", innermost_scope())


def note_cache_hit(model: str) -> None:
    """Count an answer from a framework's cache, at no cost."""
    ledger = current_ledger()
    if ledger is not None:
        ledger.add(model, Totals(cache_hits=1))


class CostLedger(NestedScope):
    """The sums, calls and budget of one cost scope; users read them through a `CostReport`."""

    def __init__(
        self,
        *,
        budget_usd: Decimal | float | str | None = None,
        warn_at: float | None = 0.8,
        on_unknown_cost: OnUnknownCost = "estimate",
    ) -> None:
        super().__init__()
        self._make_budget = partial(Budget, warn_at=warn_at, on_unknown_cost=on_unknown_cost)
        self._budget: Budget | None = self._make_budget(0)  # validates the other two arguments
        self.set_budget(budget_usd)
        self._by_model: dict[str, Totals] = {}
        self._calls: deque[CallCost] = deque(maxlen=_KEPT_CALLS)
        self._unknown: dict[UnknownCall, None] = {}
        self._routed: dict[UnknownCall, None] = {}
        self._estimated = 0
        self._unestimated = 0
        self._reserved = 0
        self._in_flight = 0
        self._prices: dict[str, Prices | None] = {}
        self._claimed_inferences: set[str] = set()

    def open(self) -> None:
        """Make this the innermost scope. Raises ConfigurationError the second time."""
        super().open()
        if self._parent is not None:
            self._prices = self._parent._prices

    @property
    def total(self) -> Totals:
        """The sums over all models."""
        with self._lock:
            return sum_totals(self._by_model.values())

    @property
    def by_model(self) -> dict[str, Totals]:
        """The sums of each model, by the requested id."""
        with self._lock:
            return dict(self._by_model)

    @property
    def calls(self) -> tuple[CallCost, ...]:
        """The calls that ended, in that order; the newest of many."""
        with self._lock:
            return tuple(self._calls)

    @property
    def credits(self) -> int:
        """The reported cost so far, in credits."""
        return self.total.credits

    @property
    def unknown(self) -> tuple[UnknownCall, ...]:
        """The calls whose cost was not reported; `settle()` looks them up."""
        with self._lock:
            return tuple(self._unknown)

    @property
    def estimated_credits(self) -> int:
        """The estimated cost of those `unknown` calls that have one; not part of `credits`."""
        with self._lock:
            return self._estimated

    @property
    def in_flight(self) -> int:
        """The number of requests in flight."""
        with self._lock:
            return self._in_flight

    @property
    def budget_usd(self) -> Decimal | None:
        """The budget in dollars; None if there is none."""
        return None if self._budget is None else to_usd(self._budget.ceiling)

    def set_budget(self, usd: Decimal | float | str | None) -> None:
        """Replace the budget; None removes it."""
        self._budget = None if usd is None else self._make_budget(usd)

    def add(self, model: str, more: Totals) -> None:
        """Add to the sums of a model, here and in the parent scopes."""
        with self._lock:
            for ledger in self.chain():
                ledger._add(model, more)

    def add_call(self, call: CallCost, more: Totals) -> None:
        """Add a call that ended, here and in the parent scopes."""
        with self._lock:
            self.add(call.model, more)
            for ledger in self.chain():
                ledger._calls.append(call)

    def _add(self, model: str, more: Totals) -> None:
        while True:
            before = self._by_model.get(model)
            after = more if before is None else before + more
            if self._by_model.get(model) is before:  # else a garbage-collected stream added to it
                self._by_model[model] = after
                return

    def reserve(self, model: str) -> list[tuple[CostLedger, int]]:
        """Reserve the expected cost of a request in this scope and its parents.

        Expected is the mean cost of the model's calls so far, 0 before the first. Raises
        BudgetExceededError or UnknownCostError if the request must not be sent. May issue
        BudgetWarning.
        """
        with self._lock:
            for ledger in self.chain():
                ledger._check()
            reservations = [(ledger, ledger._expected_credits(model)) for ledger in self.chain()]
            for ledger, credits in reservations:
                ledger._reserved += credits
                ledger._in_flight += 1
        return reservations

    def release(self, reservations: Iterable[tuple[CostLedger, int]]) -> None:
        """Release what `reserve` returned."""
        with self._lock:
            for ledger, credits in reservations:
                ledger._reserved -= credits
                ledger._in_flight -= 1

    def _expected_credits(self, model: str) -> int:
        so_far = self._by_model.get(model)
        return -(-so_far.credits // so_far.billed_calls) if so_far and so_far.billed_calls else 0

    def rejects_unknown_cost(self) -> bool:
        """Whether the budget accepts no estimate for an unreported cost."""
        return self._budget is not None and self._budget.rejects_unknown_cost

    def unpriced_calls(self) -> list[UnknownCall]:
        """The calls whose cost the budget must know before the next request."""
        if self._budget is None or not self._unknown:
            return []
        rejects = self._budget.rejects_unknown_cost
        return [call for call in self.unknown if rejects or call.estimated_credits is None]

    def _check(self) -> None:
        if self._budget is not None:
            rejects = self._budget.rejects_unknown_cost
            self._budget.check(
                reported=self.credits,
                estimated=self._estimated,
                reserved=self._reserved,
                in_flight=self._in_flight,
                unpriced=len(self._unknown) if rejects else self._unestimated,
            )

    def add_unknown(self, call: UnknownCall) -> None:
        """Add a call whose cost was not reported, here and in the parent scopes."""
        with self._lock:
            for ledger in self.chain():
                ledger._unknown[call] = None
                ledger._unestimated += 1
            self._estimate(call)

    @property
    def routed(self) -> tuple[UnknownCall, ...]:
        """The calls of a router whose choice, a billed request of its own, was not found yet."""
        with self._lock:
            return tuple(self._routed)

    def add_routed(self, call: UnknownCall) -> None:
        """Keep a call of a router, here and in the parent scopes, for `settle_routed`.

        The newest of many.
        """
        with self._lock:
            for ledger in self.chain():
                ledger._routed[call] = None
                if len(ledger._routed) > _KEPT_CALLS:
                    del ledger._routed[next(iter(ledger._routed))]

    def settle_routed(self, call: UnknownCall, found: Iterable[LoggedCall]) -> None:
        """Add what the service's logs say that a router's choice of a model cost."""
        with self._lock:
            if call not in call.ledger.routed:  # settled concurrently
                return
            for ledger in call.ledger.chain():
                ledger._routed.pop(call, None)
            for row in found:
                more = Totals(
                    input_tokens=row.input_tokens,
                    output_tokens=row.output_tokens,
                    credits=row.credits,
                )
                call.ledger.add(row.model or call.model, more)

    def _estimate(self, call: UnknownCall) -> None:
        """Estimate the cost of a call, if its price and its usage are known."""
        prices = self._prices.get(call.model)
        if call.estimated_credits is not None or call.usage is None or prices is None:
            return
        call.estimated_credits = prices.credits_for(
            call.usage.input_tokens, call.usage.output_tokens
        )
        if call.estimated_credits is not None:
            for ledger in call.ledger.chain():
                ledger._estimated += call.estimated_credits
                ledger._unestimated -= 1

    def estimate(self) -> None:
        """Estimate the costs of all unknown calls whose price and usage are known."""
        with self._lock:
            for call in tuple(self._unknown):
                self._estimate(call)

    def has_price(self, model: str) -> bool:
        """Whether a model's price was looked up, found or not."""
        return model in self._prices

    def set_prices(self, model: str, offered: Iterable[CatalogModel]) -> None:
        """Store a model's live prices, from catalog rows that may include other models."""
        own = (row.prices for row in offered if model in (row.id, *row.aliases))
        with self._lock:
            self._prices[model] = next((prices for prices in own if prices), None)

    def settle_call(self, call: UnknownCall, found: LoggedCall) -> None:
        """Replace an unknown call by the cost that the service's logs report."""
        tokens = Totals()
        if call.usage is None:
            tokens = Totals(input_tokens=found.input_tokens, output_tokens=found.output_tokens)
        with self._lock:
            if call not in call.ledger.unknown:  # settled concurrently
                return
            for ledger in call.ledger.chain():
                del ledger._unknown[call]
                if call.estimated_credits is None:
                    ledger._unestimated -= 1
                else:
                    ledger._estimated -= call.estimated_credits
            call.call_cost.credits = found.credits
            more = Totals(credits=found.credits, billed_calls=int(found.credits > 0))
            call.ledger.add(call.model, more + tokens)
            if not call.has_unique_id and found.inference_id:
                call.ledger.claim_inference(found.inference_id)
            if call.is_routed:
                call.call_cost.inference_id = found.inference_id
                call.ledger.add_routed(call)

    def claim_inference(self, inference_id: str) -> None:
        """Exclude this inference from later log lookups: its call is already counted."""
        with self._lock:
            self.claimed_inferences().add(inference_id)

    def claimed_inferences(self) -> set[str]:
        """Inference ids of counted calls whose client request id is not unique."""
        *_, outermost = self.chain()
        return outermost._claimed_inferences

    def has_budget(self) -> bool:
        """Whether this scope or a parent has a budget."""
        return any(ledger._budget is not None for ledger in self.chain())
