"""A call whose cost the service did not report, as a cost scope keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from aimlapi_core.account import LoggedCall
from aimlapi_core.costs.call_cost import CallCost
from aimlapi_core.costs.totals import Totals
from aimlapi_core.types import Usage


class CostScope(Protocol):
    """The subset of `CostLedger` that reconciliation uses through an unknown call."""

    @property
    def unknown(self) -> tuple[UnknownCall, ...]:
        """The calls whose cost was not reported."""

    @property
    def routed(self) -> tuple[UnknownCall, ...]:
        """The calls of a router whose choice was not found yet."""

    def chain(self) -> Iterator[Any]:
        """This scope and its parents, each a `CostLedger`."""

    def add(self, model: str, more: Totals) -> None:
        """Add to the sums of a model."""

    def settle_call(self, call: UnknownCall, found: LoggedCall) -> None:
        """Replace an unknown call by the cost that the service's logs report."""

    def add_routed(self, call: UnknownCall) -> None:
        """Keep a call of a router for `settle_routed`."""

    def settle_routed(self, call: UnknownCall, found: Iterable[LoggedCall]) -> None:
        """Add what a router's choice of a model cost."""

    def claim_inference(self, inference_id: str) -> None:
        """Exclude this inference from later log lookups."""

    def claimed_inferences(self) -> set[str]:
        """Inference ids of counted calls whose client request id is not unique."""


@dataclass(eq=False, slots=True)
class UnknownCall:
    """A call with unreported cost. `reason`: cut, lost, closed, stopped, unstated or unreadable.

    Or one of a router, of which only the answer's cost was reported: `reason` routed.

    `estimated_credits` is its cost at the catalog's live prices, which `settle()` or a budget
    fetches; None until then.
    """

    call_cost: CallCost
    """The call as the scope lists it; its `credits` are None until they are found."""
    reason: str
    began_s: float
    """On the clock of `time.monotonic`."""
    settings: Any
    """The settings of its client: the account that pays. Their repr holds no key."""
    has_unique_id: bool
    """Whether no other call can have its client request id."""
    ledger: CostScope
    """The innermost scope in which it was made."""
    is_routed: bool = False
    """Whether a router answers it, so that the choice of a model is a billed request beside it."""
    estimated_credits: int | None = None

    @property
    def model(self) -> str:
        """The requested id."""
        return self.call_cost.model

    @property
    def client_request_id(self) -> str:
        """The id that the last request carried."""
        return self.call_cost.client_request_id

    @property
    def inference_id(self) -> str | None:
        """The service's id of the call; None unless it was received."""
        return self.call_cost.inference_id

    @property
    def usage(self) -> Usage | None:
        """The tokens; None unless they were received."""
        return self.call_cost.usage

    @property
    def account(self) -> tuple[object, ...]:
        """A hashable identity of the account and of how it is reached."""
        settings = self.settings
        key = settings.api_key if isinstance(settings.api_key, str) else id(settings.api_key)
        return settings.base_url, key, id(settings.http_client), id(settings.http_async_client)

    def __repr__(self) -> str:
        return (
            f"UnknownCall(model={self.model!r}, reason={self.reason!r}, inference_id="
            f"{self.inference_id!r}, client_request_id={self.client_request_id!r})"
        )
