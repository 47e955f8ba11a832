"""Copies, pickles, dicts, JSON, keys and life cycle of the embedding class."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import cloudpickle
import httpx
import pytest
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.storage.kvstore import SimpleKVStore
from pydantic import SecretStr

from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPIEmbedding, TotalUsage

Make = Callable[..., AIMLAPIEmbedding]
KEY = "sk-very-secret"
COPIES: dict[str, Callable[[AIMLAPIEmbedding], AIMLAPIEmbedding]] = {
    "pickle": lambda one: pickle.loads(pickle.dumps(one)),
    "cloudpickle": lambda one: cloudpickle.loads(cloudpickle.dumps(one)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "model_copy": lambda one: one.model_copy(),
    "deep_model_copy": lambda one: one.model_copy(deep=True),
    "dict": lambda one: AIMLAPIEmbedding.from_dict(one.to_dict(), api_key=one.api_key),
    "json": lambda one: AIMLAPIEmbedding.from_json(one.to_json(), api_key=one.api_key),
}


@pytest.mark.parametrize("called", [False, True])
@pytest.mark.parametrize("how", COPIES)
def test_a_copy_works_as_the_original_does(
    embedder: Make, emu: Emulator, how: str, called: bool
) -> None:
    model = embedder(
        model="text-embedding-3-large", dimensions=64, embed_batch_size=3, concurrent_batches=2
    )
    if called:
        model.get_text_embedding("a")
        asyncio.run(model.aget_text_embedding("b"))
    before, used = dict(model.__dict__), model.total_usage
    other = COPIES[how](model)
    assert (model.__dict__, model.total_usage) == (before, used)
    assert other._clients is not model._clients
    assert other._clients._sync is other._clients._async is None
    assert other.to_dict() == model.to_dict()
    assert other.api_key == "sk-test"
    assert other.total_usage == TotalUsage()
    vectors = other.get_text_embedding_batch(list("abcdefg"))
    assert [len(vector) for vector in vectors] == [64] * 7
    assert other.total_usage.requests == 3
    assert model.total_usage == used
    other.close()


@pytest.mark.parametrize("key", [KEY, SecretStr(KEY), lambda: KEY])
def test_the_key_is_in_nothing_that_is_shown(key: Any) -> None:
    model = AIMLAPIEmbedding(api_key=key, default_headers={"authorization": f"Bearer {KEY}"})
    shown = [repr(model), str(model), model.to_json(), json.dumps(model.to_payload())]
    shown += [str(model.to_dict()), str(model.model_dump()), model.model_dump_json()]
    assert not [text for text in shown if KEY in text]


@pytest.mark.parametrize("key", ["sk-test", SecretStr("sk-test"), lambda: "sk-test", None])
def test_every_kind_of_key_is_sent(
    embedder: Make, emu: Emulator, key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = embedder(api_key=key)
    monkeypatch.setenv("AIMLAPI_API_KEY", "sk-test")  # after the object was made
    model.get_text_embedding("Hello")
    assert emu.requests[-1].headers["authorization"].endswith("test")


def test_headers_and_key_travel_in_pickles_alone() -> None:
    model = AIMLAPIEmbedding(api_key=KEY, default_headers={"x-team": "secret-team"})
    other = pickle.loads(pickle.dumps(model))
    assert (other.api_key, other.default_headers) == (KEY, {"x-team": "secret-team"})


def test_a_cache_is_shared_by_copies_and_no_part_of_dicts() -> None:
    cache = SimpleKVStore()
    model = AIMLAPIEmbedding(embeddings_cache=cache)
    assert copy.deepcopy(model).embeddings_cache is cache
    assert model.to_dict() == AIMLAPIEmbedding().to_dict()
    assert "embeddings_cache" not in model.to_json()
    assert isinstance(pickle.loads(pickle.dumps(model)).embeddings_cache, SimpleKVStore)


def test_what_cannot_travel_is_left_behind_and_the_original_keeps_it() -> None:
    class Locked(SimpleKVStore):
        def __init__(self) -> None:
            super().__init__()
            self.lock = Lock()

    class Unpicklable(TokenCountingHandler):
        def __reduce__(self) -> Any:
            raise TypeError("holds a lock")

    cache, manager = Locked(), CallbackManager([Unpicklable()])
    model = AIMLAPIEmbedding(embeddings_cache=cache, callback_manager=manager)
    other = pickle.loads(pickle.dumps(model))
    assert (other.embeddings_cache, other.callback_manager.handlers) == (None, [])
    assert model.embeddings_cache is copy.deepcopy(model).embeddings_cache is cache
    assert model.callback_manager is manager


def test_a_timeout_object_survives_json() -> None:
    model = AIMLAPIEmbedding(timeout=httpx.Timeout(30, connect=3))
    other = AIMLAPIEmbedding.from_json(model.to_json())
    assert other.timeout == httpx.Timeout(30, connect=3)


def test_every_field_of_the_base_classes_is_an_argument() -> None:
    model = AIMLAPIEmbedding()
    fields = {name: getattr(model, name) for name in type(model).model_fields}
    assert AIMLAPIEmbedding(**fields).to_dict() == model.to_dict()
    empty = dict.fromkeys(fields.keys() - {"timeout"})  # where None means none
    assert AIMLAPIEmbedding(**empty).to_dict() == model.to_dict()


def test_making_an_object_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("opened")

    for place, name in ((socket, "socket"), (ssl, "SSLContext"), (httpx, "Client")):
        monkeypatch.setattr(place, name, refuse)
    monkeypatch.setattr("builtins.open", refuse)
    model = AIMLAPIEmbedding("text-embedding-3-large", api_key=KEY)
    assert model.to_payload()
    model.close()


def test_a_closed_object_can_be_used_again(embedder: Make, emu: Emulator) -> None:
    with embedder() as model:
        model.get_text_embedding("a")
    assert emu.open_connections <= 1
    model.close()
    model.get_text_embedding("a")

    async def twice() -> None:
        for _ in range(2):
            async with model:
                await model.aget_text_embedding("a")

    asyncio.run(twice())
    assert len(emu.requests) == 4


def test_a_setting_that_is_changed_counts_from_the_next_call(embedder: Make, emu: Emulator) -> None:
    model = embedder()
    model.get_text_embedding("a")
    model.api_key, model.dimensions = "sk-other", 8
    model.get_text_embedding("a")
    assert emu.requests[-1].headers["authorization"].endswith("ther")
    assert emu.requests[-1].body["dimensions"] == 8


def test_one_object_serves_two_event_loops_and_many_threads(embedder: Make, emu: Emulator) -> None:
    model = embedder(dimensions=8)
    first = asyncio.run(model.aget_text_embedding("same"))
    assert asyncio.run(model.aget_text_embedding("same")) == first
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(model.get_text_embedding, ["same"] * 24))
    assert found == [first] * 24
    assert model.total_usage.requests == len(emu.requests) == 26
