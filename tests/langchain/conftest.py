"""Models that talk to the emulator."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from aimlapi_emulator import Emulator
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI


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


@pytest.fixture(autouse=True)
def _no_older_url_in_the_air(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the URL that the older distribution read, of whoever runs it."""
    monkeypatch.delenv("AIMLAPI_API_BASE", raising=False)
