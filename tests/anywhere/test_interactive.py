"""What a Python prompt shows on tab completion."""

from __future__ import annotations

from importlib import import_module

import pytest

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
