"""A call whose cost the service did not report, as a cost scope keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from aimlapi_core.account import LoggedCall
from aimlapi_core.costs.totals import Totals
from aimlapi_core.types import Usage


class CostScope(Protocol):
    """The subset of `CostLedger` that reconciliation uses through an unknown call."""

    @property
    def unknown(self) -> tuple[UnknownCall, ...]:
        """The calls whose cost was not reported."""

    def chain(self) -> Iterator[Any]:
        """This scope and its parents, each a `CostLedger`."""

    def add(self, model: str, more: Totals) -> None:
        """Add to the sums of a model."""

    def settle_call(self, call: UnknownCall, found: LoggedCall) -> None:
        """Replace an unknown call by the cost that the service's logs report."""

    def claim_inference(self, inference_id: str) -> None:
        """Exclude this inference from later log lookups."""

    def claimed_inferences(self) -> set[str]:
        """Inference ids of counted calls whose client request id is not unique."""


@dataclass(eq=False, slots=True)
class UnknownCall:
    """A call with unreported cost. `reason`: cut, lost, closed, stopped, unstated or unreadable.

    `usage` is None unless it was received. `estimated_credits` is its cost at the catalog's live
    prices, which `settle()` or a budget fetches; None until then.
    """

    model: str
    reason: str
    client_request_id: str
    inference_id: str | None
    usage: Usage | None
    estimated_credits: int | None
    began_s: float
    """On the clock of `time.monotonic`."""
    settings: Any
    """The settings of its client: the account that pays. Their repr holds no key."""
    has_unique_id: bool
    """Whether no other call can have its client request id."""
    ledger: CostScope
    """The innermost scope in which it was made."""

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
