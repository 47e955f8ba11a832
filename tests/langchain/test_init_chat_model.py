from __future__ import annotations

from typing import Any

import pytest
from langchain.chat_models import base, init_chat_model
from langchain.embeddings import base as embeddings
from langchain.embeddings import init_embeddings

from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI, ConfigurationError, register


def test_init_chat_model_knows_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_BUILTIN_PROVIDERS", dict(base._BUILTIN_PROVIDERS))
    for _ in range(2):
        register()
    model: Any = init_chat_model("aimlapi:openai/gpt-5-2", temperature=0.5, api_key="sk-test")
    assert isinstance(model, ChatAIMLAPI)
    assert (model.model, model.temperature) == ("openai/gpt-5-2", 0.5)


def test_init_embeddings_knows_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_BUILTIN_PROVIDERS", dict(base._BUILTIN_PROVIDERS))
    table = getattr(embeddings, "_BUILTIN_PROVIDERS", None)
    if not isinstance(table, dict) or not isinstance(table.get("openai"), tuple):
        pytest.skip("this langchain keeps its embedding providers in another way")
    monkeypatch.setattr(embeddings, "_BUILTIN_PROVIDERS", dict(table))
    register()
    model: Any = init_embeddings("aimlapi:text-embedding-3-small", api_key="sk-test")
    assert isinstance(model, AIMLAPIEmbeddings)
    assert model.model == "text-embedding-3-small"


def test_another_table_of_embeddings_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_BUILTIN_PROVIDERS", dict(base._BUILTIN_PROVIDERS))
    monkeypatch.setattr(embeddings, "_BUILTIN_PROVIDERS", {"openai": "langchain_openai"})
    register()
    assert embeddings._BUILTIN_PROVIDERS == {"openai": "langchain_openai"}


@pytest.mark.parametrize("table", [None, {}, {"openai": ("langchain_openai", "ChatOpenAI")}])
def test_a_moved_table_is_told(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_BUILTIN_PROVIDERS", table)
    with pytest.raises(ConfigurationError, match="write ChatAIMLAPI"):
        register()
