"""One emulator and one HTTP client per test."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from aimlapi_emulator import Emulator
from tests.emulator.asking import KEY, Asker


@pytest.fixture
def emu() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def live() -> Iterator[Emulator]:
    with Emulator(schema="live") as running:
        yield running


@pytest.fixture
def ask(emu: Emulator) -> Iterator[Asker]:
    with httpx.Client(base_url=emu.base_url, headers=KEY, timeout=None, verify=False) as client:
        yield Asker(client)


@pytest.fixture(params=["strict", "live"])
def ask_either(request: pytest.FixtureRequest) -> Iterator[Asker]:
    with (
        Emulator(schema=request.param) as emu,
        httpx.Client(base_url=emu.base_url, headers=KEY, timeout=None, verify=False) as client,
    ):
        yield Asker(client)


@pytest.fixture
def ask_live(live: Emulator) -> Iterator[Asker]:
    with httpx.Client(base_url=live.base_url, headers=KEY, timeout=None, verify=False) as client:
        yield Asker(client)
