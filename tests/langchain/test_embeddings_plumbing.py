"""`AIMLAPIEmbeddings` as an object: arguments, key, copies, serialization, life cycle."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import cloudpickle  # type: ignore[import-untyped]  # it has no stubs
import httpx
import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.load import dumps, loads
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests
from pydantic import SecretStr

import aimlapi_core
import langchain_aimlapi
from aimlapi_core import EmbeddingReply
from aimlapi_emulator import Emulator
from langchain_aimlapi import AIMLAPIEmbeddings
from langchain_aimlapi._request.constructor_types import EmbeddingArguments
from langchain_aimlapi._request.legacy_arguments import IGNORED_ARGUMENTS
from langchain_aimlapi.embeddings import ALIASES
from tests.langchain.calls import embedded

Make = Callable[..., AIMLAPIEmbeddings]
PLAIN = AIMLAPIEmbeddings(api_key="sk-secret-1234", dimensions=256)


class TestUnits(EmbeddingsUnitTests):
    """langchain-tests' unit suite."""

    @property
    def embeddings_class(self) -> type[Embeddings]:
        return AIMLAPIEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": "text-embedding-3-small"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"AIMLAPI_API_KEY": "test"}, {}, {"api_key": "test"}


class TestIntegration(EmbeddingsIntegrationTests):
    """langchain-tests' integration suite, against the emulator."""

    model_id = "text-embedding-3-small"

    @pytest.fixture(autouse=True)
    def _offline(self, emu: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AIMLAPI_API_KEY", "sk-test")
        monkeypatch.setenv("AIMLAPI_BASE_URL", emu.base_url)

    @property
    def embeddings_class(self) -> type[Embeddings]:
        return AIMLAPIEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": self.model_id}


class TestLarge(TestIntegration):
    model_id = "openai/text-embedding-3-large"


class TestVoyage(TestIntegration):
    model_id = "voyage-multilingual-2"


def test_the_typed_arguments_are_the_fields() -> None:
    names = set(EmbeddingArguments.__annotations__) - set(ALIASES) - IGNORED_ARGUMENTS
    assert names == set(AIMLAPIEmbeddings.model_fields)


def test_every_argument_is_an_attribute() -> None:
    arguments: Any = {
        "model": "voyage-2", "base_url": "https://host.example", "timeout": 3.5, "max_retries": 4,
        "default_headers": {"X-A": "1"}, "dimensions": 8, "batch_size": 9, "concurrent_batches": 2,
        "input_type": "document", "show_progress_bar": True, "skip_empty": True,
        "unsupported_params": "raise",
        "extra_body": {"b": 2}, "on_usage": print,
    }  # fmt: skip
    model = AIMLAPIEmbeddings(**arguments)
    assert {name: getattr(model, name) for name in arguments} == arguments
    assert model.model_name == "voyage-2"


def test_names_of_other_packages() -> None:
    given: Any = {"model_name": "voyage-2", "chunk_size": 7, "openai_api_key": "sk-1",
                  "openai_api_base": "https://host.example", "request_timeout": 3.5}  # fmt: skip
    model = AIMLAPIEmbeddings(**given)
    assert (model.model, model.batch_size, model.timeout) == ("voyage-2", 7, 3.5)
    assert model.base_url == "https://host.example"
    assert model.api_key == SecretStr("sk-1")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dimension": 8}, "did you mean 'dimensions'"),
        ({"chunksize": 8}, "did you mean 'chunk_size'"),
        ({"temperature": 1}, "Unknown argument 'temperature': it is an argument of ChatAIMLAPI"),
        ({"chunk_size": 8, "batch_size": 9}, "'batch_size' was given twice"),
        ({"base_url": "ftp://host"}, "base_url"),
        ({"timeout": -1}, "timeout"),
    ],
)
def test_what_cannot_work_is_said_at_once(given: Any, said: str) -> None:
    with pytest.raises(langchain_aimlapi.ConfigurationError, match=said):
        AIMLAPIEmbeddings(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"batch_size": 0},
        {"concurrent_batches": 0},
        {"dimensions": "many"},
        {"api_key": ["sk-secret-1234"]},
    ],
)
def test_wrong_values_are_refused_without_the_key(given: Any) -> None:
    with pytest.raises(langchain_aimlapi.ConfigurationError) as caught:
        AIMLAPIEmbeddings(**{"api_key": "sk-secret-1234", **given})
    assert "1234" not in str(caught.value)


@pytest.mark.parametrize("key", ["sk-1111", SecretStr("sk-1111"), lambda: SecretStr("sk-1111")])
def test_ways_to_give_the_key(key: Any, how: str, emu: Emulator, embeddings: Make) -> None:
    embedded(how, embeddings(api_key=key), "hi")
    assert emu.requests[-1].headers["authorization"] == "Bearer ...1111"


@pytest.mark.parametrize("name", ["AIMLAPI_API_KEY", "AIML_API_KEY"])
def test_the_key_from_the_environment(
    name: str, emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "sk-2222")
    monkeypatch.setenv("AIMLAPI_BASE_URL", emu.base_url)
    model = AIMLAPIEmbeddings()
    model.embed_query("hi")
    assert model.api_key == SecretStr("sk-2222")
    assert emu.requests[-1].headers["authorization"] == "Bearer ...2222"


def test_without_a_key_the_first_call_raises(how: str, emu: Emulator, embeddings: Make) -> None:
    with pytest.raises(langchain_aimlapi.MissingKeyError):
        embedded(how, embeddings(api_key=None), "hi")
    assert emu.requests == []


def test_a_changed_attribute_is_used(emu: Emulator, embeddings: Make) -> None:
    model = embeddings()
    model.embed_query("hi")
    model.dimensions = 8
    assert len(model.embed_query("hi")) == 8
    model.api_key = None
    with pytest.raises(aimlapi_core.MissingKeyError):
        model.embed_query("hi")


@pytest.mark.parametrize(
    "copied",
    [
        lambda m: pickle.loads(pickle.dumps(m)),
        lambda m: cloudpickle.loads(cloudpickle.dumps(m)),
        copy.copy,
        copy.deepcopy,
        lambda m: m.model_copy(),
        lambda m: m.model_copy(deep=True),
    ],
)
def test_copies_work_after_calls(copied: Any, embeddings: Make) -> None:
    model = embeddings(dimensions=8)
    embedded("sync", model, "hi")
    embedded("async", model, "hi")
    twin = copied(model)
    assert twin._clients is not model._clients
    model.close()
    assert twin.dimensions == 8
    assert embedded("async", twin, "hi") == twin.embed_query("hi") == model.embed_query("hi")


class Meter:
    """A caller's tally, with a lock, which cannot be copied."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.tokens = 0

    def add(self, reply: EmbeddingReply) -> None:
        with self.lock:
            self.tokens += reply.usage.total_tokens if reply.usage else 0

    def key(self) -> str:
        with self.lock:
            return "sk-3333"


def test_what_the_caller_handed_in_is_shared_by_copies(emu: Emulator, embeddings: Make) -> None:
    meter = Meter()
    with httpx.Client(headers={"X-Mine": "yes"}) as http:
        model = embeddings(http_client=http, on_usage=meter.add, api_key=meter.key)
        for one in (model, copy.deepcopy(model), model.model_copy()):
            assert one.http_client is http
            one.embed_query("hi")
            assert emu.requests[-1].headers["x-mine"] == "yes"
            assert emu.requests[-1].headers["authorization"] == "Bearer ...3333"
    assert meter.tokens == 3


def test_an_async_client_of_the_callers_is_used(emu: Emulator, embeddings: Make) -> None:
    async def use() -> None:
        async with httpx.AsyncClient(headers={"X-Mine": "yes"}) as http:
            await embeddings(http_async_client=http).aembed_query("hi")

    asyncio.run(use())
    assert emu.requests[-1].headers["x-mine"] == "yes"


def test_closing_is_not_the_end() -> None:
    async def use(model: AIMLAPIEmbeddings) -> None:
        async with model:
            await model.aembed_query("hi")
        assert await model.aembed_query("hi")
        await model.aclose()

    with Emulator() as emu:
        model = AIMLAPIEmbeddings(api_key="sk-test", base_url=emu.base_url)
        with model:
            model.embed_query("hi")
        assert model.embed_query("hi")
        model.close()
        asyncio.run(use(model))
        assert emu.connections == 4


def test_the_key_is_shown_nowhere() -> None:
    for text in (repr(PLAIN), str(PLAIN), dumps(PLAIN), str(PLAIN.to_json())):
        assert "1234" not in text
        assert "256" in text


def test_dumps_and_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIMLAPI_API_KEY", "sk-secret-1234")
    revived = loads(
        dumps(PLAIN),
        valid_namespaces=["langchain_aimlapi"],
        allowed_objects=[AIMLAPIEmbeddings],
        secrets_from_env=True,
    )
    assert revived.model_dump() == PLAIN.model_dump()
    assert revived.api_key.get_secret_value() == "sk-secret-1234"
