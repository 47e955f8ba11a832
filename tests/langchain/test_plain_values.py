"""Numbers and mappings of other types, in constructors, calls and bindings."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache

from aimlapi_emulator import Emulator
from langchain_aimlapi import (
    AIMLAPIEmbeddings,
    ChatAIMLAPI,
    ConfigurationError,
    InvalidRequestError,
)
from tests.langchain.calls import call

np = pytest.importorskip("numpy")

Make = Callable[..., ChatAIMLAPI]
MakeEmbeddings = Callable[..., AIMLAPIEmbeddings]

NUMBERS = [
    ("temperature", np.float64(0.5), 0.5),
    ("temperature", Decimal("0.5"), 0.5),
    ("seed", np.int64(3), 3),
    ("max_tokens", np.int64(50), 50),
    ("max_tokens", np.float64(50), 50),
    ("n", np.int64(1), 1),
    ("logprobs", np.bool_(True), True),
]


@pytest.mark.half("how", "name", "place", "streaming")
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("place", ["call", "bind", "constructor"])
@pytest.mark.parametrize(("name", "value", "sent"), NUMBERS)
def test_numbers_of_other_types_work(
    how: str,
    streaming: bool,
    place: str,
    name: str,
    value: Any,
    sent: Any,
    emu: Emulator,
    chat: Make,
) -> None:
    """Out of a row of pandas, say."""
    given = {name: value}
    model = chat(**given) if place == "constructor" else chat()
    runnable = model.bind(**given) if place == "bind" else model
    call(how, streaming, runnable, "hi", **(given if place == "call" else {}))
    assert emu.requests[-1].body[name] == sent


@pytest.mark.parametrize("name", ["timeout", "max_retries", "max_concurrency"])
def test_numbers_of_other_types_work_in_settings(name: str, emu: Emulator, chat: Make) -> None:
    chat().invoke("hi", **{name: np.int64(5)})
    chat(**{"max_retries": 0, name: Decimal(5)}).invoke("hi")
    assert len(emu.requests) == 2


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("name", ["temperature", "max_tokens", "n", "seed", "top_logprobs"])
@pytest.mark.parametrize("value", [True, np.bool_(False), "1", np.array([1, 2]), [1]], ids=repr)
def test_what_is_no_number_is_named_in_calls(
    how: str, streaming: bool, name: str, value: Any, emu: Emulator, chat: Make
) -> None:
    with pytest.raises(InvalidRequestError, match=name):
        call(how, streaming, chat(), "hi", **{name: value})
    assert emu.requests == []


@pytest.mark.parametrize("value", [np.bool_(True), True])
@pytest.mark.parametrize("name", ["temperature", "max_tokens", "timeout", "max_retries"])
def test_booleans_are_no_numbers(name: str, value: Any, chat: Make) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} takes a number, not True"):
        chat(**{name: value})


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("name", ["extra_body", "model_kwargs"])
def test_frozen_mappings_work(
    how: str, streaming: bool, name: str, emu: Emulator, chat: Make
) -> None:
    frozen = MappingProxyType({"logit_bias": MappingProxyType({"5": np.float64(0.5)})})
    model = chat(model="openai/gpt-5.2-chat", **{name: frozen})
    for one in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        call(how, streaming, one, "hi")
        assert emu.requests[-1].body["logit_bias"] == {"5": 0.5}
    plain = chat(model="openai/gpt-5.2-chat", cache=InMemoryCache())
    call(how, streaming, plain.bind(**{name: frozen}), "hi")
    assert emu.requests[-1].body["logit_bias"] == {"5": 0.5}


def held_by_itself() -> dict[str, Any]:
    circle: dict[str, Any] = {}
    circle["metadata"] = MappingProxyType(circle)
    return circle


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("name", ["extra_body", "model_kwargs"])
def test_a_mapping_that_holds_itself_is_named(
    how: str, streaming: bool, name: str, emu: Emulator, chat: Make
) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} cannot be written"):
        chat(**{name: held_by_itself()})
    with pytest.raises(InvalidRequestError, match="JSON"):
        call(how, streaming, chat(cache=InMemoryCache()), "hi", **{name: held_by_itself()})
    model = chat()
    setattr(model, name, held_by_itself())
    with pytest.raises(InvalidRequestError, match="JSON"):
        call(how, streaming, model, "hi")
    assert emu.requests == []


def test_values_that_cannot_be_compared_are_refused_each_time(chat: Make) -> None:
    model = chat(extra_body={"x": np.array([1, 2])})
    for _ in range(2):
        with pytest.raises(InvalidRequestError, match="x is of type ndarray"):
            model.invoke("hi")


def test_embeddings_take_them_too(emu: Emulator, embeddings: MakeEmbeddings) -> None:
    made = embeddings(
        dimensions=np.int64(64),
        batch_size=np.float64(1),
        default_headers=MappingProxyType({"X-A": "b"}),
    )
    again = pickle.loads(pickle.dumps(made))
    assert [len(vector) for vector in again.embed_documents(["a", "b"])] == [64, 64]
    assert len(emu.requests) == 2
    with pytest.raises(ConfigurationError, match="dimensions takes a number"):
        embeddings(dimensions=True)


def test_several_answers_are_not_streamed_whatever_the_type_of_their_number(
    how: str, emu: Emulator, chat: Make
) -> None:
    for n in (2, np.int64(2), Decimal(2)):
        with pytest.raises(InvalidRequestError, match="n=2 cannot be streamed"):
            call(how, True, chat(), "hi", n=n)
    assert emu.requests == []
