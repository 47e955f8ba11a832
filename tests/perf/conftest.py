from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import server


@pytest.fixture(scope="session")
def origin() -> Iterator[str]:
    """The benchmarks' server, in a process of its own."""
    with server.running() as found:
        yield found
