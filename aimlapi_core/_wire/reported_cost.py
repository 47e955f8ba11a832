"""What a call cost, as the service says it: headers first, then the body, else None.

Source: the vendor's page docs/capabilities/request-tracing-and-cost.md, state 2026-08-21:
`x-aimlapi-credits-used` and `x-aimlapi-usd-spent` on whole JSON answers, `meta.usage` in
bodies and in the last chunk of a stream; 1 USD is 2,000,000 credits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aimlapi_core._json_reading import as_float, as_mapping
from aimlapi_core.types import Cost

CREDITS_PER_USD = 2_000_000


def parse_cost(headers: Mapping[str, str], meta: Any) -> Cost | None:
    """The cost that an answer states; None where it states none.

    `headers` in lower case; `meta` is the body's member of that name, whatever it holds.
    """
    body = as_mapping(as_mapping(meta).get("usage"))
    credits = _amount(headers.get("x-aimlapi-credits-used"))
    credits = _amount(body.get("credits_used")) if credits is None else credits
    usd = _amount(headers.get("x-aimlapi-usd-spent"))
    usd = _amount(body.get("usd_spent")) if usd is None else usd
    if credits is None and usd is None:
        return None
    if usd is None and credits is not None:  # older answers state credits alone
        usd = credits / CREDITS_PER_USD
    return Cost(credits=None if credits is None else round(credits), usd=usd)


def _amount(value: Any) -> float | None:
    """A number of 0 or more; None for anything else: no call earns money."""
    found = as_float(value)
    return found if found is not None and found >= 0 else None
