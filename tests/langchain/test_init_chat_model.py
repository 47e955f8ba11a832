from __future__ import annotations

from typing import Any

import pytest
from langchain.chat_models import base, init_chat_model

from langchain_aimlapi import ChatAIMLAPI, ConfigurationError, register


def test_init_chat_model_knows_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_BUILTIN_PROVIDERS", dict(base._BUILTIN_PROVIDERS))
    for _ in range(2):
        register()
    model: Any = init_chat_model("aimlapi:openai/gpt-5-2", temperature=0.5, api_key="sk-test")
    assert isinstance(model, ChatAIMLAPI)
    assert (model.model, model.temperature) == ("openai/gpt-5-2", 0.5)


@pytest.mark.parametrize("table", [None, {}, {"openai": ("langchain_openai", "ChatOpenAI")}])
def test_a_moved_table_is_told(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_BUILTIN_PROVIDERS", table)
    with pytest.raises(ConfigurationError, match="write ChatAIMLAPI"):
        register()
