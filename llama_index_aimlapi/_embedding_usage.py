"""Cumulative usage of the embedding calls of one object. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from aimlapi_core import EmbeddingReply


@dataclass(frozen=True, slots=True)
class TotalUsage:
    """Sums of the usage that the service reported; unreported usage adds nothing.

    `requests` are answered requests; `tokens` are counted by the service; 2,000,000 `credits`
    are one dollar.
    """

    requests: int = 0
    tokens: int = 0
    credits: int = 0
    usd: float = 0.0

    def add(self, reply: EmbeddingReply) -> TotalUsage:
        """These sums with one more reply added."""
        usage, cost = reply.usage, reply.cost
        return TotalUsage(
            requests=self.requests + len(reply.transports),
            tokens=self.tokens + (usage.total_tokens if usage else 0),
            credits=self.credits + ((cost.credits or 0) if cost else 0),
            usd=self.usd + ((cost.usd or 0.0) if cost else 0.0),
        )
