"""Decimal arithmetic that does not depend on the program's `decimal` context. Pure.

A program may set fewer digits, another rounding, or traps (`Inexact`), also in the default context
that new ones are made of: so every part of this one is given.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

EXACT = Context(
    prec=60,
    rounding=ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow],
)

_MAX_EXPONENT = 30  # of an amount or a price that means anything


def parse_decimal(value: object) -> Decimal | None:
    """A number, or its text, as the decimal that is written; None for anything else.

    NaN, infinities and numbers of 10**31 and more, or as small, are nothing else than that.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        found = Decimal(str(value))  # the shortest repr of a float restores what was written
    except (InvalidOperation, ValueError):  # ValueError: an int of thousands of digits
        return None
    return found if found.is_finite() and abs(found.adjusted()) <= _MAX_EXPONENT else None


def round_half_even(value: Decimal) -> int:
    """The nearest integer."""
    return int(value.to_integral_value(ROUND_HALF_EVEN, EXACT))
