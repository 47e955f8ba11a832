"""A call in progress, recorded in the cost scope in which it began."""

from __future__ import annotations

from aimlapi_core.costs.ledger import Ledger
from aimlapi_core.costs.totals import Totals, totals_of
from aimlapi_core.costs.unknown_call import UnknownCall
from aimlapi_core.types import Usage


class OpenCall:
    """One call under way, in the scope where it began: begin each request, end the call once."""

    def __init__(self, ledger: Ledger, model: str) -> None:
        self.ledger = ledger
        self._model = model
        self._held: list[tuple[Ledger, int]] = []
        self._requests = 0
        self._ended = False

    def begin_request(self) -> None:
        """Before each request. Raises BudgetExceededError when it may not go out."""
        self._held = self.ledger.reserve(self._model)
        self._requests += 1

    def end_request(self, inference_id: str | None = None) -> None:
        """A request that failed, and is billed nothing, before it is repeated.

        `inference_id`: of a call without an id of its own.
        """
        self.ledger.release(self._held)
        self._held = []
        if inference_id is not None:
            self.ledger.account_for(inference_id)

    @property
    def is_open(self) -> bool:
        """Whether something was sent whose end was not told yet."""
        return self._requests > 0 and not self._ended

    def end(
        self,
        credits: int,
        usage: Usage | None = None,
        *,
        failed: bool = False,
        inference_id: str | None = None,
    ) -> None:
        """The call's end, its cost known. `inference_id`: of a call without an id of its own."""
        self._close(credits, usage, failed, inference_id)

    def end_unknown(self, call: UnknownCall, *, failed: bool) -> None:
        """The call's end, its cost unknown."""
        with self.ledger._lock:  # the hold and the doubt change hands at once
            self._close(0, call.usage, failed, None)
            self.ledger.add_unknown(call)

    def _close(
        self, credits: int, usage: Usage | None, failed: bool, inference_id: str | None
    ) -> None:
        self._ended = True
        more = totals_of(usage) + Totals(
            calls=1,
            retries=self._requests - 1,
            failed=int(failed),
            priced=int(credits > 0),
            credits=credits,
        )
        with self.ledger._lock:
            self.end_request(inference_id)
            self.ledger.add(self._model, more)
