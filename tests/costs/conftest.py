from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aimlapi_core import AsyncClient, Client, Settings
from aimlapi_core._io import shared_connections
from aimlapi_emulator import Emulator


@pytest.fixture(autouse=True)
def _pools_of_its_own() -> Iterator[None]:
    """No connection that another test left idle, nor one left for another."""
    yield
    for pool in list(shared_connections._sync_clients.values()):
        pool.http.close()
    shared_connections._sync_clients.clear()


@pytest.fixture(params=["sync", "async"])
def how(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def client(emu: Emulator) -> Callable[..., Client]:
    """Makes clients that talk to the emulator, with these settings."""
    return lambda **more: Client(settings(emu, **more))


@pytest.fixture
def aclient(emu: Emulator) -> Callable[..., AsyncClient]:
    """Makes asynchronous clients that talk to the emulator, with these settings."""
    return lambda **more: AsyncClient(settings(emu, **more))


def settings(emu: Emulator, **more: Any) -> Settings:
    return Settings(**{"api_key": "sk-test-0000", "base_url": emu.base_url, **more})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without waiting."""
    monkeypatch.setattr("random.random", lambda: 0.0)
