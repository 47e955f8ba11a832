"""Token counts, under the names of either endpoint."""

from __future__ import annotations

from typing import Any, NamedTuple

from aimlapi_core._json_reading import as_int, as_mapping
from aimlapi_core.types import Usage


class Names(NamedTuple):
    """What an endpoint calls the counts of what was sent and of what it gave, and their details."""

    sent: str
    got: str

    def read(self, wire: Any) -> Usage | None:
        """The counts; None where there are none."""
        wire = as_mapping(wire)
        sent, got = _count(wire.get(self.sent)), _count(wire.get(self.got))
        total = _count(wire.get("total_tokens"))
        if sent is None and got is None and total is None:
            return None
        if got is None and total is not None:
            got = max(0, total - (sent or 0))
        inside, outside = (as_mapping(wire.get(f"{name}_details")) for name in self)
        return Usage(
            input_tokens=sent or 0,
            output_tokens=got or 0,
            total_tokens=(sent or 0) + (got or 0) if total is None else total,
            cached_tokens=_count(inside.get("cached_tokens")),
            reasoning_tokens=_count(outside.get("reasoning_tokens")),
            raw=wire,
        )


def _count(value: Any) -> int | None:
    """A count; None for what is none, negative numbers too: sums must not run backwards."""
    found = as_int(value)
    return None if found is None or found < 0 else found


CHAT = Names("prompt_tokens", "completion_tokens")  # embeddings use the first of them too

# The documents' one sample of `openai/gpt-5-2-pro` counts credits here instead of tokens
# (docs gpt-5.2-pro.md, state 4c307a9f); nothing in an answer tells the two apart, so they are
# passed on as they come.
RESPONSES = Names("input_tokens", "output_tokens")
