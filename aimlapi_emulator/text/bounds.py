"""Bounds on the work for one request, so that none freezes the emulator or fills the memory.

They are the emulator's own and not the service's; what exceeds one is refused by name with a 400.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MAX_CPU_S = 1.0
"""CPU time of one answer; code that loops over what a caller sent calls `check_cpu`."""
MAX_VALUES = 20_000
"""Values in an instance of a schema."""
MAX_PROMPT = 4_000_000
"""Characters of all texts of a conversation: more than a million tokens."""
MAX_TOKENS = 400_000
"""Tokens of a conversation that is answered by rules."""
MAX_TEXT = 100_000
"""Characters of a text that a schema asks for."""
MAX_TOTAL_TEXT = 4_000_000
"""Characters of all texts in an instance."""

_OF_THREAD = threading.local()


class BoundError(Exception):
    """A request that asks for more work than the emulator does for one; the message says which."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def limited_cpu() -> Iterator[None]:
    """Within it `check_cpu` raises once this thread has used `MAX_CPU_S`; the outermost counts."""
    if getattr(_OF_THREAD, "end", None) is not None:
        yield
        return
    _OF_THREAD.end = time.thread_time() + MAX_CPU_S
    try:
        yield
    finally:
        _OF_THREAD.end = None


def check_cpu() -> None:
    """Raise BoundError when the time of `limited_cpu` is used up."""
    end = getattr(_OF_THREAD, "end", None)
    if end is not None and time.thread_time() > end:
        raise BoundError(
            f"This request takes more than {MAX_CPU_S:g} s to answer by rules: make its schema or "
            "text smaller, or script the answer with `when()`"
        )


def forget_oldest(kept: dict[Any, Any], most: int) -> None:
    """Remove what was added first, until no more than `most` are left."""
    while len(kept) > most:
        del kept[next(iter(kept))]


def check_size(asked: float, most: int, what: str) -> None:
    """Raise BoundError for more than `most`; `what` names the schema's keyword and the unit."""
    if asked > most:
        raise BoundError(f"{what}: the emulator takes at most {most:,}, not {asked:,}")
