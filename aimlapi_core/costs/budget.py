"""Spending limit of a cost scope: rejects requests above it, and warns before."""

from __future__ import annotations

import warnings
from decimal import Decimal
from typing import Literal, TypeAlias

from aimlapi_core._values.plain import plain_number
from aimlapi_core.costs.totals import to_credits, to_usd
from aimlapi_core.errors import BudgetExceededError, ConfigurationError, UnknownCostError

OnUnknownCost: TypeAlias = Literal["estimate", "raise"]


class BudgetWarning(UserWarning):
    """A budget is used up to the share that was asked to be warned of."""


class Budget:
    """A limit in credits. Call `check` before each request. Not thread-safe: its scope locks."""

    def __init__(
        self,
        usd: Decimal | float | str,
        warn_at: float | None,
        on_unknown_cost: OnUnknownCost,
    ) -> None:
        if on_unknown_cost not in ("estimate", "raise"):
            raise ConfigurationError(
                f'on_unknown_cost must be "estimate" or "raise", not {on_unknown_cost!r}'
            )
        warn_at = plain_number(warn_at, "float")
        is_share = isinstance(warn_at, (int, float)) and not isinstance(warn_at, bool)
        if warn_at is not None and not (is_share and 0 < warn_at <= 1):
            raise ConfigurationError(f"warn_at must be above 0 and at most 1, not {warn_at!r}")
        self.ceiling = to_credits(usd)
        self.rejects_unknown_cost = on_unknown_cost == "raise"
        self._warn_at = warn_at
        self._warned = False

    def check(
        self, *, reported: int, estimated: int, reserved: int, in_flight: int, unpriced: int
    ) -> None:
        """Raise if the next request must not be sent. Amounts in credits, the others are counts.

        `unpriced`: the calls whose cost is neither reported nor estimated.
        """
        amounts = {
            "budget_usd": to_usd(self.ceiling),
            "spent_usd": to_usd(reported),
            "estimated_usd": to_usd(estimated),
            "reserved_usd": to_usd(reserved),
        }
        if unpriced:
            raise UnknownCostError(
                f"The budget of {amounts['budget_usd']:f} USD cannot be watched: what {unpriced} "
                "call(s) cost never came and is not in the service's logs yet. The request was "
                "not sent; call settle() on the scope a little later, and go on.",
                **amounts,
            )
        spent = reported + estimated
        if spent + reserved >= self.ceiling:
            raise BudgetExceededError(
                f"The budget is reached: {amounts['spent_usd']:f} USD spent, "
                f"{amounts['estimated_usd']:f} estimated and {amounts['reserved_usd']:f} expected "
                f"for {in_flight} request(s) under way, of {amounts['budget_usd']:f}. The request "
                "was not sent; go on in a scope with a larger budget_usd.",
                **amounts,
            )
        if self._warn_at is not None and spent >= self.ceiling * self._warn_at:
            self._warn(spent)

    def _warn(self, spent: int) -> None:
        # Before a request, not after: a warning that is turned into an error loses no answer.
        if not self._warned:
            self._warned = True
            message = f"{to_usd(spent):f} USD of the budget of {to_usd(self.ceiling):f} are spent."
            warnings.warn(message, BudgetWarning, stacklevel=2)
