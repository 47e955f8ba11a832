"""One emulator for the session, forgotten before each test; a model class that talks to it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aimlapi_emulator import Emulator
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI

ENVIRONMENT = ("AIMLAPI_API_KEY", "AIML_API_KEY", "AIMLAPI_BASE_URL")


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def emu(emulator: Emulator) -> Emulator:
    emulator.clear()
    return emulator


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def chat(emu: Emulator) -> Callable[..., ChatAIMLAPI]:
    """Makes models that talk to the emulator and do not repeat calls."""
    return functools.partial(ChatAIMLAPI, api_key="sk-test", base_url=emu.base_url, max_retries=0)


@pytest.fixture
def embeddings(emu: Emulator) -> Callable[..., AIMLAPIEmbeddings]:
    """Makes embedding models that talk to the emulator and do not repeat requests."""
    return functools.partial(
        AIMLAPIEmbeddings, api_key="sk-test", base_url=emu.base_url, max_retries=0
    )


@pytest.fixture(params=["sync", "async"])
def how(request: pytest.FixtureRequest) -> Any:
    return request.param
