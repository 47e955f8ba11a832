"""Cost and token totals in whole credits, conversion to USD, and their text table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import ROUND_FLOOR, Decimal

from aimlapi_core._values.exact_decimal import EXACT, parse_decimal, round_half_even
from aimlapi_core._values.plain import plain_scalar
from aimlapi_core._wire.usage import CREDITS_PER_USD
from aimlapi_core.errors import ConfigurationError
from aimlapi_core.types import Cost, Usage


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over calls. `credits` is the reported cost; no field includes estimates.

    `calls` are those that were sent, each embedding batch counted separately; `retries` their
    repeated requests; `failed` the calls that ended in an error; `billed_calls` those whose cost
    is known and above 0. `cached_tokens` and `cache_write_tokens` are part of `input_tokens`,
    `reasoning_tokens` part of `output_tokens`. A `cache_hit` is an answer from the framework's
    cache: no call, no cost.
    """

    calls: int = 0
    retries: int = 0
    failed: int = 0
    billed_calls: int = 0
    cache_hits: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    credits: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, name) + getattr(other, name) for name in _NAMES))

    @property
    def usd(self) -> Decimal:
        """The credits in dollars, exact."""
        return to_usd(self.credits)

    def to_dict(self) -> dict[str, int | float]:
        """The fields, and `usd` as a float."""
        return {**{name: getattr(self, name) for name in _NAMES}, "usd": float(self.usd)}


_NAMES = tuple(field.name for field in fields(Totals))


def sum_totals(totals: Iterable[Totals]) -> Totals:
    """The sum of several totals."""
    total = Totals()
    for one in tuple(totals):
        total += one
    return total


def usage_totals(usage: Usage | None) -> Totals:
    """The token counts of one call; zeros for None."""
    if usage is None:
        return Totals()
    return Totals(
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cached_tokens or 0,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens or 0,
        cache_write_tokens=usage.cache_write_tokens or 0,
    )


def to_usd(credits: int) -> Decimal:
    """Convert credits to dollars, exact."""
    return EXACT.divide(Decimal(credits), CREDITS_PER_USD)


def to_credits(usd: Decimal | float | str) -> int:
    """Convert dollars to whole credits, rounded down. Raises ConfigurationError if invalid."""
    amount = parse_decimal(usd if isinstance(usd, Decimal) else plain_scalar(usd))
    if amount is None or amount < 0:
        raise ConfigurationError(f"An amount in USD must be a number of 0 or more, not {usd!r}.")
    return int(EXACT.multiply(amount, CREDITS_PER_USD).to_integral_value(ROUND_FLOOR, EXACT))


def reported_credits(cost: Cost) -> int:
    """A reported cost in whole credits, converted from USD if it has no credits."""
    if cost.credits is not None:
        return cost.credits
    return round_half_even(EXACT.multiply(Decimal(repr(cost.usd)), CREDITS_PER_USD))


_COLUMNS = (
    ("calls", "calls"),
    ("failed", "failed"),
    ("input", "input_tokens"),
    ("output", "output_tokens"),
)
_DETAILS = (
    ("retries", "retries"),
    ("answers from a cache", "cache_hits"),
    ("cached input tokens", "cached_tokens"),
    ("input tokens written to the cache", "cache_write_tokens"),
    ("reasoning tokens", "reasoning_tokens"),
)
_WIDTH = 79
_GAP = "  "


def table_rows(by_model: Mapping[str, Totals]) -> list[list[str]]:
    """The cells of a table: its head, one row per model, the total."""
    names = {**by_model, "total": sum_totals(by_model.values())}
    rows = [["model", *(head for head, _ in _COLUMNS), "USD"]]
    for name, totals in names.items():
        cells = [f"{getattr(totals, field):,}" for _, field in _COLUMNS]
        rows.append([name, *cells, f"{totals.usd:.7f}"])
    return rows


def describe_details(total: Totals) -> str:
    """What the table has no columns for, in one line; empty if there is nothing of it."""
    figures = [(getattr(total, field), words) for words, field in _DETAILS]
    parts = [f"{figure:,} {words}" for figure, words in figures if figure]
    return f"Among them: {', '.join(parts)}." if parts else ""


def format_table(by_model: Mapping[str, Totals]) -> str:
    """Format totals as a text table: one line per model, then the total, then the details.

    It fits 79 columns: long model ids are shortened in their middle.
    """
    rows = table_rows(by_model)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room = _WIDTH - sum(widths[1:]) - len(_GAP) * (len(widths) - 1)
    widths[0] = min(widths[0], max(room, len("model")))
    lines = [
        _GAP.join(
            [
                _shorten(row[0], widths[0]).ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    ]
    details = describe_details(sum_totals(by_model.values()))
    return "\n".join([*lines, details] if details else lines)


def _shorten(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"
