"""Parses token usage and the reported cost of a response.

Cost: headers first, then the body, else None. Source: the vendor's page
docs/capabilities/request-tracing-and-cost.md, state 2026-08-21: `x-aimlapi-credits-used` and
`x-aimlapi-usd-spent` on unstreamed JSON responses, `meta.usage` in bodies and in the last chunk of
a stream; 1 USD is 2,000,000 credits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from aimlapi_core._json_reading import as_float, as_int, as_mapping, nonempty_str
from aimlapi_core.types import Cost, Endpoint, Serving, Usage

CREDITS_PER_USD = 2_000_000

_MAX_USD = 1_000_000
MAX_CREDITS = _MAX_USD * CREDITS_PER_USD
"""No call costs more: a larger one was not reported. Sums of calls stay far below 2**63."""

_MAX_TOKENS = 10**12  # likewise


class UsageFields(NamedTuple):
    """An endpoint's names for the counts of input and output tokens."""

    input: str
    output: str

    def parse(self, wire: Any) -> Usage | None:
        """The usage of a response; None if it has no counts."""
        if wire is None:
            return None
        wire = wire if type(wire) is dict else as_mapping(wire)
        input_details = wire.get(f"{self.input}_details")
        output_details = wire.get(f"{self.output}_details")
        if type(input_details) is not dict:
            input_details = as_mapping(input_details)
        if type(output_details) is not dict:
            output_details = as_mapping(output_details)
        input_tokens, output_tokens, total, cached, written, reasoning = _counts(
            wire.get(self.input),
            wire.get(self.output),
            wire.get("total_tokens"),
            input_details.get("cached_tokens"),
            input_details.get("cache_write_tokens"),
            output_details.get("reasoning_tokens"),
        )
        if input_tokens is None and output_tokens is None and total is None:
            return None
        if output_tokens is None and total is not None:
            output_tokens = max(0, total - (input_tokens or 0))
        return Usage(
            input_tokens=input_tokens or 0,
            output_tokens=output_tokens or 0,
            total_tokens=(input_tokens or 0) + (output_tokens or 0) if total is None else total,
            cached_tokens=cached,
            reasoning_tokens=reasoning,
            raw=wire,
            cache_write_tokens=written,
        )


CHAT_USAGE = UsageFields("prompt_tokens", "completion_tokens")  # embeddings have the first too

# The documents' one sample of `openai/gpt-5-2-pro` has credits here instead of tokens (docs
# gpt-5.2-pro.md, state 4c307a9f). Nothing in a response distinguishes them, so they are unchanged.
RESPONSES_USAGE = UsageFields("input_tokens", "output_tokens")

USAGE_FIELDS: Mapping[Endpoint, UsageFields] = {"chat": CHAT_USAGE, "responses": RESPONSES_USAGE}


def parse_cost(headers: Mapping[str, str], meta: Any) -> Cost | None:
    """The cost that a response reports, None if it reports none.

    `headers` in lower case; `meta` is the body's member of that name, of any type.
    """
    body = as_mapping(as_mapping(meta).get("usage"))
    credits = _amount(MAX_CREDITS, headers.get("x-aimlapi-credits-used"), body.get("credits_used"))
    usd = _amount(_MAX_USD, headers.get("x-aimlapi-usd-spent"), body.get("usd_spent"))
    if credits is None and usd is None:
        return None
    if usd is None and credits is not None:  # older responses report credits only
        usd = credits / CREDITS_PER_USD
    return Cost(credits=None if credits is None else round(credits), usd=usd)


_ONLY_COST = frozenset({"usage"})


def parse_serving(headers: Mapping[str, str], meta: Any) -> Serving | None:
    """Who answered; None if a response does not say. Arguments as of `parse_cost`.

    [D the vendor's page of `liquid/d1-router`, commit 42154be3, sample of 2026-10-05].
    """
    body = meta if isinstance(meta, dict) else {}
    in_headers = "x-aimlapi-model" in headers or "x-aimlapi-provider" in headers
    if body.keys() <= _ONLY_COST and not in_headers:
        return None  # nearly every answer
    model = nonempty_str(body.get("model")) or nonempty_str(headers.get("x-aimlapi-model"))
    provider = nonempty_str(body.get("provider")) or nonempty_str(headers.get("x-aimlapi-provider"))
    metrics = as_mapping(body.get("metrics"))
    return Serving(model, provider, metrics) if model or provider or metrics else None


def _counts(*given: Any) -> list[int | None]:
    """Counts; None for anything else and for negative numbers, so that sums cannot decrease."""
    counts: list[int | None] = []
    for value in given:
        found = value if type(value) is int else None if value is None else as_int(value)
        counts.append(None if found is None or not 0 <= found <= _MAX_TOKENS else found)
    return counts


def _amount(most: float, *given: Any) -> float | None:
    """The first number from 0 to `most`; None if none is, as no call has such a cost."""
    for value in given:
        found = None if value is None else as_float(value)
        if found is not None and 0 <= found <= most:
            return found
    return None
