"""What the embedding calls of one object have used. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from aimlapi_core import EmbeddingReply


@dataclass(frozen=True, slots=True)
class TotalUsage:
    """Sums over answers, as the service told them: what it did not tell adds nothing.

    `requests` are answered requests; `tokens` are counted by the service; 2,000,000 `credits`
    are one dollar.
    """

    requests: int = 0
    tokens: int = 0
    credits: int = 0
    usd: float = 0.0

    def plus(self, reply: EmbeddingReply) -> TotalUsage:
        """The sums with one more reply in them."""
        usage, cost = reply.usage, reply.cost
        return TotalUsage(
            requests=self.requests + len(reply.transports),
            tokens=self.tokens + (usage.total_tokens if usage else 0),
            credits=self.credits + ((cost.credits or 0) if cost else 0),
            usd=self.usd + ((cost.usd or 0.0) if cost else 0.0),
        )
