from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from llama_index.core import VectorStoreIndex

from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding
from tests.llama_index.towns import documents


@pytest.fixture
def make(emu: Emulator) -> Iterator[Callable[..., AIMLAPI]]:
    """A model that talks to the emulator, with the arguments of the call."""
    made: list[AIMLAPI] = []

    def make_one(**arguments: object) -> AIMLAPI:
        given = {"base_url": emu.base_url, "api_key": "sk-test", "max_retries": 0, **arguments}
        made.append(AIMLAPI(**given))  # type: ignore[arg-type]  # any argument, by its name
        return made[-1]

    yield make_one
    for llm in made:
        llm.close()


@pytest.fixture
def llm(make: Callable[..., AIMLAPI]) -> AIMLAPI:
    return make()


@pytest.fixture
def embedder(emu: Emulator) -> Iterator[Callable[..., AIMLAPIEmbedding]]:
    """An embedding model that talks to the emulator, with the arguments of the call."""
    made: list[AIMLAPIEmbedding] = []

    def make_one(**arguments: object) -> AIMLAPIEmbedding:
        given = {"base_url": emu.base_url, "api_key": "sk-test", "max_retries": 0, **arguments}
        made.append(AIMLAPIEmbedding(**given))  # type: ignore[arg-type]  # any argument, by name
        return made[-1]

    yield make_one
    for one in made:
        one.close()


@pytest.fixture
def index(embedder: Callable[..., AIMLAPIEmbedding]) -> VectorStoreIndex:
    """A vector index over the documents of `towns`."""
    return VectorStoreIndex.from_documents(documents(), embed_model=embedder())
