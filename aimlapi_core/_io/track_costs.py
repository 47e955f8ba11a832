"""`track_costs()`: a scope that can ask the service for the costs that never came."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal

from aimlapi_core._io.client import AsyncClient, Client
from aimlapi_core.costs.budget import OnUnknownCost
from aimlapi_core.costs.ledger import CostLedger
from aimlapi_core.costs.reconciliation import (
    LookupSteps,
    fetch_logs,
    fetch_prices,
    group_by_account,
)
from aimlapi_core.costs.unknown_call import UnknownCall

# A charge may stand in the logs only a while after the answer [D request-tracing-and-cost].
ASK_AGAIN_S = 1.0


class Costs(CostLedger):
    """What the calls made inside it cost; see `track_costs`."""

    def settle(self, *, within_s: float = 0.0) -> tuple[UnknownCall, ...]:
        """Look the unknown calls up in the service's logs; gives those that are still unknown.

        Asks once, or for `within_s` seconds until all are found. What is found is added to the
        totals, here and in the scopes around. Those that are not, and whose usage came, get an
        estimate by live prices. Raises AIMLAPIError when the logs cannot be asked.
        """
        deadline_s = time.monotonic() + within_s
        while True:
            for calls in group_by_account(self.unknown):
                with Client(calls[0].settings) as client:
                    client.answer(self._lookup(calls))
            if not self.unknown or time.monotonic() + ASK_AGAIN_S > deadline_s:
                return self.unknown
            time.sleep(ASK_AGAIN_S)

    async def asettle(self, *, within_s: float = 0.0) -> tuple[UnknownCall, ...]:
        """`settle`, asynchronously."""
        deadline_s = time.monotonic() + within_s
        while True:
            for calls in group_by_account(self.unknown):
                async with AsyncClient(calls[0].settings) as client:
                    await client.answer(self._lookup(calls))
            if not self.unknown or time.monotonic() + ASK_AGAIN_S > deadline_s:
                return self.unknown
            await asyncio.sleep(ASK_AGAIN_S)

    def _lookup(self, calls: list[UnknownCall]) -> LookupSteps:
        yield from fetch_logs(calls, time.monotonic())
        yield from fetch_prices(self)


def track_costs(
    *,
    budget_usd: Decimal | float | str | None = None,
    warn_at: float | None = 0.8,
    on_unknown_cost: OnUnknownCost = "estimate",
) -> Costs:
    """A scope for `with`: it counts what every call inside it costs, in any framework.

    Threads and tasks of the frameworks are counted too; for a thread of your own see `wrap`.
    Scopes may be nested: each counts all that happens inside it.

    `budget_usd`: once that much is spent, the next request, a repetition too, is not sent and
    BudgetExceededError is raised. What requests under way at that moment cost may exceed it.
    `warn_at`: the share at which a BudgetWarning is given, None for none. `on_unknown_cost`:
    "estimate" counts a call whose cost the service did not state at the live prices of its
    tokens; "raise" refuses the next request instead. Either way a call of which neither cost nor
    usage came is first looked up in the logs, and UnknownCostError is raised if it is not there.
    """
    return Costs(budget_usd=budget_usd, warn_at=warn_at, on_unknown_cost=on_unknown_cost)
