"""Numbers and mappings of other types, in constructors and calls."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from aimlapi_core import ConfigurationError, InvalidRequestError
from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding
from tests.llama_index.ways import COMPLETE, last

np = pytest.importorskip("numpy")

Make = Callable[..., AIMLAPI]
MakeEmbedding = Callable[..., AIMLAPIEmbedding]

NUMBERS = [
    ("temperature", np.float64(0.5), 0.5),
    ("temperature", Decimal("0.5"), 0.5),
    ("seed", np.int64(3), 3),
    ("max_tokens", np.int64(50), 50),
    ("max_tokens", np.float64(50), 50),
    ("logprobs", np.bool_(True), True),
]


@pytest.mark.half("name", "place", "way")
@pytest.mark.parametrize("way", COMPLETE)
@pytest.mark.parametrize("place", ["call", "constructor", "additional_kwargs"])
@pytest.mark.parametrize(("name", "value", "sent"), NUMBERS)
def test_numbers_of_other_types_work(
    way: str, place: str, name: str, value: Any, sent: Any, emu: Emulator, make: Make
) -> None:
    given = {name: value}
    settings = {"call": {}, "constructor": given, "additional_kwargs": {place: given}}[place]
    asyncio.run(last(make(**settings), way, "hi", **(given if place == "call" else {})))
    assert emu.requests[-1].body[name] == sent


@pytest.mark.parametrize("way", COMPLETE)
@pytest.mark.parametrize("name", ["temperature", "max_tokens", "n", "seed", "top_logprobs"])
@pytest.mark.parametrize("value", [True, np.bool_(False), "1", np.array([1, 2]), [1]], ids=repr)
def test_what_is_no_number_is_named_in_calls(
    way: str, name: str, value: Any, emu: Emulator, make: Make
) -> None:
    with pytest.raises(InvalidRequestError, match=name):
        asyncio.run(last(make(), way, "hi", **{name: value}))
    assert emu.requests == []


@pytest.mark.parametrize("value", [True, np.bool_(True)])
@pytest.mark.parametrize(
    "name", ["temperature", "max_tokens", "n", "timeout", "max_retries", "context_window"]
)
def test_booleans_are_no_numbers(name: str, value: Any, make: Make) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} is a number, not True"):
        make(**{name: value})


@pytest.mark.parametrize("way", COMPLETE)
@pytest.mark.parametrize("name", ["extra_body", "additional_kwargs"])
def test_frozen_mappings_work(way: str, name: str, emu: Emulator, make: Make) -> None:
    frozen = MappingProxyType({"logit_bias": MappingProxyType({"5": np.float64(0.5)})})
    llm = make(model="openai/gpt-5.2-chat", **{name: frozen})
    for one in (llm, copy.deepcopy(llm), pickle.loads(pickle.dumps(llm))):
        asyncio.run(last(one, way, "hi"))
        assert emu.requests[-1].body["logit_bias"] == {"5": 0.5}
    assert "0.5" in llm.to_json()


@pytest.mark.parametrize("way", COMPLETE)
def test_a_mapping_that_holds_itself_is_named(way: str, emu: Emulator, make: Make) -> None:
    circle: dict[str, Any] = {}
    circle["metadata"] = circle
    for name in ("extra_body", "additional_kwargs"):
        with pytest.raises(ConfigurationError, match=f"{name} cannot be written"):
            make(**{name: circle})
    with pytest.raises(InvalidRequestError, match="JSON"):
        asyncio.run(last(make(), way, "hi", extra_body=circle))
    assert emu.requests == []


def test_embeddings_take_them_too(emu: Emulator, embedder: MakeEmbedding) -> None:
    embed_model = embedder(dimensions=np.int64(64), embed_batch_size=np.int64(1))
    vectors = embed_model.get_text_embedding_batch(["a", "b"])
    assert [len(vector) for vector in vectors] == [64, 64]
    assert len(emu.requests) == 2
    with pytest.raises(ConfigurationError, match="dimensions is a number"):
        embedder(dimensions=True)
