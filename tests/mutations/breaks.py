"""A one-line break of the code: the promise that it breaks, and the tests that must notice it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Break:
    """Replace `old`, which stands in `file` once, by `new`; the tests in `tests` then fail."""

    promise: str
    file: str
    old: str
    new: str
    tests: str
