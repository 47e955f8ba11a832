"""What one call cost, as a cost scope lists it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aimlapi_core.costs.totals import to_usd
from aimlapi_core.types import Usage


@dataclass(slots=True)
class CallCost:
    """One call of a scope. `credits` is None while its cost is unknown; `settle()` fills it in.

    `usage` is None where none was received. `requests` counts the retries too. `failed`: whether
    the call raised. Both ids are those of its last request.
    """

    model: str
    endpoint: str
    ended_at: float
    """Unix time, in seconds."""
    duration_s: float
    requests: int
    failed: bool
    credits: int | None
    usage: Usage | None
    client_request_id: str
    inference_id: str | None

    @property
    def usd(self) -> Decimal | None:
        """The cost in dollars, exact; None while it is unknown."""
        return None if self.credits is None else to_usd(self.credits)

    def to_dict(self) -> dict[str, Any]:
        """The call as JSON values; `usd` is a float. Token counts are None without a usage."""
        usage = self.usage
        return {
            "model": self.model,
            "endpoint": self.endpoint,
            "ended_at": self.ended_at,
            "duration_s": self.duration_s,
            "requests": self.requests,
            "failed": self.failed,
            "credits": self.credits,
            "usd": None if self.usd is None else float(self.usd),
            "input_tokens": usage.input_tokens if usage else None,
            "output_tokens": usage.output_tokens if usage else None,
            "client_request_id": self.client_request_id,
            "inference_id": self.inference_id,
        }
