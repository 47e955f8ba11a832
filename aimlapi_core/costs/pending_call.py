"""A call in progress, recorded in the cost scope in which it began."""

from __future__ import annotations

from aimlapi_core.costs.call_cost import CallCost
from aimlapi_core.costs.ledger import CostLedger
from aimlapi_core.costs.totals import Totals, usage_totals
from aimlapi_core.costs.unknown_call import UnknownCall


class PendingCall:
    """One call in progress: `begin_request` before each request, one `end` or `end_unknown`."""

    def __init__(self, ledger: CostLedger, model: str) -> None:
        self.ledger = ledger
        self._model = model
        self._reservations: list[tuple[CostLedger, int]] = []
        self._requests = 0
        self._ended = False

    def begin_request(self) -> None:
        """Reserve its expected cost. Raises BudgetExceededError if it must not be sent."""
        self._reservations = self.ledger.reserve(self._model)
        self._requests += 1

    def end_request(self, inference_id: str | None = None) -> None:
        """Release the reservation of a failed, unbilled request before its retry.

        `inference_id`: given if the client request id is not unique.
        """
        self.ledger.release(self._reservations)
        self._reservations = []
        if inference_id is not None:
            self.ledger.claim_inference(inference_id)

    @property
    def is_open(self) -> bool:
        """Whether a request was sent and the end of the call is not recorded yet."""
        return self._requests > 0 and not self._ended

    def end(self, cost: CallCost, *, inference_id: str | None = None) -> None:
        """Record the end and the cost. `inference_id`: if the client request id is not unique."""
        self._close(cost, inference_id)

    def end_unknown(self, call: UnknownCall) -> None:
        """Record the end of a call whose cost is unknown."""
        with self.ledger._lock:  # reservation and unknown cost change in one step
            self._close(call.call_cost, None)
            self.ledger.add_unknown(call)

    def _close(self, cost: CallCost, inference_id: str | None) -> None:
        self._ended = True
        credits = cost.credits or 0
        more = usage_totals(cost.usage) + Totals(
            calls=1,
            retries=self._requests - 1,
            failed=int(cost.failed),
            billed_calls=int(credits > 0),
            credits=credits,
        )
        with self.ledger._lock:
            self.end_request(inference_id)
            self.ledger.add_call(cost, more)
