"""Simulated latency: time to first token, tokens per second, jitter."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Self

# Events with a delta of text, reasoning or arguments: on Responses and on chat completions.
_HAS_TOKENS = re.compile(
    rb'"delta":(?:"|\{(?:"content":"[^"]|"refusal":"|"reasoning|"tool_calls"))', re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Latency:
    """A latency profile; the default answers at once. Raises ValueError for impossible numbers.

    A whole answer takes `first_token_s` and its tokens' time; a stream spreads the same time over
    its events. Tokens are those of the answer without its reasoning. Answers without any, as
    embeddings, take `first_token_s`; errors come at once.
    """

    first_token_s: float = 0.0
    """Seconds before the first token; the response's head comes no earlier."""
    tokens_per_second: float | None = None
    """Pace of the tokens; None sends them at once."""
    jitter: float = 0.0
    """Each wait is drawn from (1 - jitter) to (1 + jitter) times its length: 0 to 1."""
    seed: int = 0
    """Waits are the same from run to run, request by request; another seed draws others."""

    def __post_init__(self) -> None:
        if not 0 <= self.first_token_s < math.inf:
            raise ValueError(f"first_token_s={self.first_token_s!r}: it takes 0 or more seconds")
        if self.tokens_per_second is not None and not self.tokens_per_second > 0:
            raise ValueError(f"tokens_per_second={self.tokens_per_second!r}: it takes more than 0")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter={self.jitter!r}: it takes 0 to 1")

    def of_request(self, number: int) -> Self:
        """The same profile, seeded for one request."""
        return replace(self, seed=Random(f"{self.seed} {number}").getrandbits(64))

    def before_s(self, tokens: int = 0) -> float:
        """Seconds before the head of a response with this many tokens at once."""
        return self._with_jitter([self.first_token_s + self._token_time_s(tokens)])[0]

    def gaps_s(self, pieces: Sequence[bytes], tokens: int) -> list[float]:
        """Seconds before each piece of a stream: a token's time passes after its piece.

        If no piece is recognized as having tokens, as when a fault splits events, all count.
        """
        if not self.tokens_per_second:
            return [0.0] * len(pieces)
        has_tokens = [_HAS_TOKENS.search(piece) is not None for piece in pieces]
        if not any(has_tokens):
            has_tokens = [True] * len(pieces)
        each = self._token_time_s(tokens or sum(has_tokens)) / max(1, sum(has_tokens))
        return self._with_jitter([0.0, *(each * one for one in has_tokens)])[: len(pieces)]

    def _token_time_s(self, tokens: int) -> float:
        return tokens / self.tokens_per_second if self.tokens_per_second else 0.0

    def _with_jitter(self, waits: list[float]) -> list[float]:
        if not self.jitter:
            return waits
        draw = Random(self.seed).uniform
        return [wait * draw(1 - self.jitter, 1 + self.jitter) for wait in waits]


NO_LATENCY = Latency()
