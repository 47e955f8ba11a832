"""An emulator for each test, so that no connection to it is older than the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aimlapi_emulator import Emulator


@pytest.fixture
def emu() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running
