"""langchain-tests' unit suite."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.load import load
from langchain_tests.unit_tests import ChatModelUnitTests
from langchain_tests.unit_tests import chat_models as suite

from langchain_aimlapi import ChatAIMLAPI


def _load(dumped: Any, **options: Any) -> Any:
    return load(dumped, **{**options, "allowed_objects": [ChatAIMLAPI]})


class TestChatAIMLAPI(ChatModelUnitTests):
    @pytest.fixture(autouse=True)
    def _loadable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The suite loads with `allowed_objects="all"`: the classes of a closed table in
        langchain-core, none of a third party's. A user names the class, as here.
        """
        monkeypatch.setattr(suite, "load", _load)

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatAIMLAPI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "openai/gpt-5-2"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"AIMLAPI_API_KEY": "test"}, {}, {"api_key": "test"}
