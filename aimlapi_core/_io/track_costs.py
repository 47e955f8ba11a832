"""`track_costs()`: a cost scope that can look up unreported costs in the service's logs."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal

from aimlapi_core._io.client import AsyncClient, Client
from aimlapi_core.costs.budget import OnUnknownCost
from aimlapi_core.costs.reconciliation import (
    LookupSteps,
    fetch_choices,
    fetch_logs,
    fetch_prices,
    group_by_account,
)
from aimlapi_core.costs.report import CostReport
from aimlapi_core.costs.unknown_call import UnknownCall

# A call may be listed in the logs only some time after its response [D request-tracing-and-cost].
POLL_INTERVAL_S = 1.0


class Costs(CostReport):
    """The cost of the calls made inside the scope; see `track_costs`."""

    def settle(self, *, within_s: float = 0.0) -> tuple[UnknownCall, ...]:
        """Look up the unknown calls in the service's logs; returns those still unknown.

        Once, or repeatedly for `within_s` seconds until all are found. Found costs are added to
        the totals, here and in the parent scopes. Calls that are not found, but whose usage is
        known, get an estimate at live prices. Raises AIMLAPIError if the lookup fails.

        The choice of a router (`liquid/d1-router`), which is a billed request of its own, is looked
        up too, and added under the model that chose.
        """
        deadline_s = time.monotonic() + within_s
        while True:
            for calls in group_by_account(self._open_calls()):
                with Client(calls[0].settings) as client:
                    client.run_lookups(self._lookup(calls))
            if not self._open_calls() or time.monotonic() + POLL_INTERVAL_S > deadline_s:
                return self.unknown
            time.sleep(POLL_INTERVAL_S)

    async def asettle(self, *, within_s: float = 0.0) -> tuple[UnknownCall, ...]:
        """`settle`, asynchronously."""
        deadline_s = time.monotonic() + within_s
        while True:
            for calls in group_by_account(self._open_calls()):
                async with AsyncClient(calls[0].settings) as client:
                    await client.run_lookups(self._lookup(calls))
            if not self._open_calls() or time.monotonic() + POLL_INTERVAL_S > deadline_s:
                return self.unknown
            await asyncio.sleep(POLL_INTERVAL_S)

    def _lookup(self, calls: list[UnknownCall]) -> LookupSteps:
        routed = frozenset(self._ledger.routed)
        unknown = [call for call in calls if call not in routed]
        yield from fetch_logs(unknown, time.monotonic())
        routed = frozenset(self._ledger.routed)  # with those that were found now
        yield from fetch_choices([call for call in calls if call in routed], time.monotonic())
        yield from fetch_prices(self._ledger)

    def _open_calls(self) -> tuple[UnknownCall, ...]:
        return (*self.unknown, *self._ledger.routed)


def track_costs(
    *,
    budget_usd: Decimal | float | str | None = None,
    warn_at: float | None = 0.8,
    on_unknown_cost: OnUnknownCost = "estimate",
) -> Costs:
    """A cost scope for `with`: it counts the cost of every call inside it, in any framework.

    Threads and tasks of the frameworks are included; for your own threads see `wrap`. Scopes may
    be nested: each counts everything inside it.

    `budget_usd`: once it is spent, the next request, also a retry, is not sent, and
    BudgetExceededError is raised. Requests in flight at that moment may exceed it. `warn_at`: the
    fraction of it at which BudgetWarning is issued, None for never. `on_unknown_cost`: "estimate"
    counts a call without a reported cost at the live prices of its tokens; "raise" rejects the
    next request instead. Either way a call with neither cost nor usage is first looked up in the
    logs, and UnknownCostError is raised if it is not listed.
    """
    return Costs(budget_usd=budget_usd, warn_at=warn_at, on_unknown_cost=on_unknown_cost)
