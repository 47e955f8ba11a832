"""`inspect.signature` of the model classes, which notebooks and help pages show."""

from __future__ import annotations

import inspect
from typing import Any, Literal, get_args

import pytest

from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from langchain_aimlapi._request.constructor_types import Arguments, EmbeddingArguments

CLASSES = pytest.mark.parametrize("cls", [ChatAIMLAPI, AIMLAPIEmbeddings])


@CLASSES
def test_each_field_is_an_argument_with_its_default(cls: Any) -> None:
    shown = inspect.signature(cls).parameters
    assert set(shown) == set(cls.model_fields)
    for name, parameter in shown.items():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        has_factory = cls.model_fields[name].default_factory is not None
        assert parameter.default == (None if has_factory else cls.model_fields[name].default)


@CLASSES
def test_the_arguments_are_in_the_order_of_their_list(cls: Any) -> None:
    listed = (Arguments if cls is ChatAIMLAPI else EmbeddingArguments).__annotations__
    shown = list(inspect.signature(cls).parameters)
    assert shown == [name for name in listed if name in shown]
    assert shown[:3] == ["model", "api_key", "base_url"]


@CLASSES
def test_it_stays_when_the_class_is_built(cls: Any) -> None:
    class Own(cls):  # type: ignore[misc]
        """Not built before its first object."""

    before = inspect.signature(Own)
    Own()
    assert inspect.signature(Own) == before
    Own.model_rebuild(force=True)
    assert inspect.signature(Own) == before == inspect.signature(cls)


def test_an_argument_shows_the_documented_values() -> None:
    shown = inspect.signature(ChatAIMLAPI).parameters
    efforts = get_args(shown["reasoning_effort"].annotation)[0]
    assert efforts == Literal["none", "minimal", "low", "medium", "high", "xhigh"]
    assert shown["endpoint"].annotation == Literal["auto", "chat", "responses"]


class WithField(ChatAIMLAPI):
    region: str = "eu"


class WithRest(ChatAIMLAPI):
    def __init__(self, model: str, **rest: Any) -> None:
        super().__init__(model=model, **rest)


class WithoutRest(ChatAIMLAPI):
    def __init__(self, region: str) -> None:
        super().__init__(model=f"openai/{region}")


def test_subclasses_show_what_they_take() -> None:
    ours = list(inspect.signature(ChatAIMLAPI).parameters)
    assert list(inspect.signature(WithField).parameters) == [*ours, "region"]
    with_rest = inspect.signature(WithRest).parameters
    assert list(with_rest) == ours
    assert with_rest["model"].default is inspect.Parameter.empty
    assert list(inspect.signature(WithoutRest).parameters) == ["region"]
    WithoutRest(region="gpt-5-2")
    assert list(inspect.signature(WithoutRest).parameters) == ["region"]


def test_names_are_found_where_a_class_is_rebuilt() -> None:
    class Later:
        """Not defined where the class is."""

    class Own(ChatAIMLAPI):
        later: Later | None = None

    assert Own.model_rebuild(force=True)
    assert Own(later=Later()).later is not None
