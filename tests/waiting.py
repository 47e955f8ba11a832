"""Waiting for what another thread or process makes true, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

# It decides no result: what tests wait for takes milliseconds, in a few of them the start of a
# process. It only turns a wait in vain into a failure that names its line, before the bound of
# pyproject.toml ends the process.
LONG_S = 300.0


def wait_until(holds: Callable[[], object]) -> None:
    """Return once it holds. Raises AssertionError when it never does."""
    deadline_s = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < deadline_s, f"did not come true within {LONG_S:g} seconds"
        time.sleep(0.005)
