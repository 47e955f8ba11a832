"""What a Python prompt shows: names on tab completion, signatures before the first object."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import pytest

from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding

PACKAGES = (
    "aimlapi_core",
    "aimlapi_emulator",
    "aimlapi_ray",
    "langchain_aimlapi",
    "llama_index_aimlapi",
)


@pytest.mark.parametrize("name", PACKAGES)
def test_dir_has_each_public_name_once(name: str) -> None:
    package = import_module(name)
    shown = package.__dir__()
    assert set(package.__all__) <= set(shown)
    assert len(shown) == len(set(shown))


@pytest.mark.parametrize("base", [AIMLAPI, AIMLAPIEmbedding])
def test_the_signature_is_the_constructors_before_the_first_object(base: type[Any]) -> None:
    class Polite(base):  # type: ignore[misc]  # a base that is a parameter
        def __init__(self, tone: str = "polite", **kwargs: Any) -> None:
            super().__init__(**kwargs)

    before = inspect.signature(Polite)
    assert next(iter(before.parameters)) == "tone"
    Polite()
    assert inspect.signature(Polite) == before
    assert next(iter(inspect.signature(base).parameters)) == "model"
