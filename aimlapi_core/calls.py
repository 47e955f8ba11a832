"""One call, as a scope of costs sees it: while it is under way, and when its cost never came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aimlapi_core.totals import Totals, totals_of
from aimlapi_core.types import Usage

if TYPE_CHECKING:
    from aimlapi_core.tracking import Ledger


@dataclass(eq=False, slots=True)
class UnknownCall:
    """A call whose cost never came. `why`: cut, lost, closed, stopped, unstated or unreadable.

    `usage` is what came of it, mostly None. `estimated_credits` is an estimate of it by the
    catalogue's live prices, which `settle()` or a budget asks for; None as long as there is none.
    """

    model: str
    why: str
    client_request_id: str
    inference_id: str | None
    usage: Usage | None
    estimated_credits: int | None
    began_s: float
    """On the clock of `time.monotonic`."""
    settings: Any
    """How to reach the account that pays; its repr holds no key."""
    has_own_id: bool
    """Whether its client request id was made for it alone."""
    ledger: Ledger
    """The innermost scope that it belongs to."""

    @property
    def account(self) -> tuple[object, ...]:
        """What tells the accounts of calls apart, and the ways to them."""
        way = self.settings
        key = way.api_key if isinstance(way.api_key, str) else id(way.api_key)
        return way.base_url, key, id(way.http_client), id(way.http_async_client)

    def __repr__(self) -> str:
        return (
            f"UnknownCall(model={self.model!r}, why={self.why!r}, inference_id="
            f"{self.inference_id!r}, client_request_id={self.client_request_id!r})"
        )


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
