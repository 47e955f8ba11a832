"""A call whose cost never came, as a scope of costs keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from aimlapi_core.account import LoggedCall
from aimlapi_core.costs.totals import Totals
from aimlapi_core.types import Usage


class CostScope(Protocol):
    """What an unknown call needs of the scope that it belongs to, which is a `Ledger`."""

    @property
    def unknown(self) -> tuple[UnknownCall, ...]:
        """The calls whose cost never came."""

    def chain(self) -> Iterator[Any]:
        """This scope and those around it, each a `Ledger`."""

    def add(self, model: str, more: Totals) -> None:
        """Add to the sums of a model."""

    def resolve(self, call: UnknownCall, found: LoggedCall) -> None:
        """Settle a call by the service's logs."""

    def account_for(self, inference_id: str) -> None:
        """Remember that this inference belongs to a call that is known."""

    def accounted(self) -> set[str]:
        """The inferences of known calls whose client request id others may have too."""


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
    ledger: CostScope
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
