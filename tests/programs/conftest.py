"""An emulator as the command starts it, and models that talk to it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from aimlapi_emulator import Emulator
from langchain_aimlapi import ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI


@pytest.fixture
def emu() -> Iterator[Emulator]:
    with Emulator(schema="live", tools="eager") as running:
        yield running


@pytest.fixture
def chat(emu: Emulator) -> ChatAIMLAPI:
    return ChatAIMLAPI(api_key="any", base_url=emu.base_url, max_retries=0)


@pytest.fixture
def make(emu: Emulator) -> Iterator[Callable[..., AIMLAPI]]:
    made: list[AIMLAPI] = []

    def make_one(**arguments: Any) -> AIMLAPI:
        made.append(AIMLAPI(api_key="any", base_url=emu.base_url, max_retries=0, **arguments))
        return made[-1]

    yield make_one
    for llm in made:
        llm.close()


@pytest.fixture
def say(emu: Emulator) -> Callable[..., str]:
    """The text that answers messages, without any framework."""
    return functools.partial(_say, emu.base_url)


def _say(base_url: str, user: str, system: str = "", **body: Any) -> str:
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": user})
    answer = httpx.post(
        f"{base_url}/chat/completions",
        json={"model": "openai/gpt-5-2", "messages": messages, **body},
        headers={"authorization": "Bearer any"},
        timeout=None,
        verify=False,
    )
    return str(answer.json()["choices"][0]["message"]["content"])
