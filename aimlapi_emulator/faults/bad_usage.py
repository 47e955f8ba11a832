"""Corrupts the `usage` of an answer for `Fault.usage`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_Counts = Mapping[str, Any]


def corrupt_usage(usage: _Counts, form: str) -> dict[str, Any]:
    """The counts in the form that `Fault.usage` names; unchanged for the other forms."""
    make = _FORMS.get(form)
    return dict(usage) if make is None else make(usage)


def _each(change: Callable[[int], Any]) -> Callable[[_Counts], dict[str, Any]]:
    """Changes every count, also those inside the details."""

    def made(usage: _Counts) -> dict[str, Any]:
        return {name: one(value) for name, value in usage.items()}

    def one(value: Any) -> Any:
        if isinstance(value, Mapping):
            return made(value)
        return change(value) if isinstance(value, int) else value

    return made


def _partial(usage: _Counts) -> dict[str, Any]:
    name = next(iter(usage))  # the prompt's count is first on each endpoint
    return {name: usage[name]}


def _wrong_sum(usage: _Counts) -> dict[str, Any]:
    return {**usage, "total_tokens": 2 * usage["total_tokens"] + 1}


_FORMS: Mapping[str, Callable[[_Counts], dict[str, Any]]] = {
    "negative": _each(lambda count: -count - 1),
    "strings": _each(str),
    "partial": _partial,
    "wrong_sum": _wrong_sum,
}
