"""langchain-tests' integration suite against the emulator, every flag on that the model has."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.integration_tests import chat_models as suite

from aimlapi_core import model_info
from aimlapi_emulator import Emulator
from langchain_aimlapi import ChatAIMLAPI

MEDIA = Path(__file__).parent.parent / "media"
_FILES = {"png": "gradient.png", "pdf": "dummy.pdf", "wav": "tone.wav"}


def _local(url: str, **_: Any) -> types.SimpleNamespace:
    """What the suite would download, from the files of this repository."""
    kind = next(kind for kind in _FILES if url.rstrip("/").lower().endswith(kind))
    return types.SimpleNamespace(content=(MEDIA / _FILES[kind]).read_bytes())


class TestGPT52(ChatModelIntegrationTests):
    model_id = "openai/gpt-5-2"
    other_id = "openai/gpt-5-2-chat-latest"

    @pytest.fixture(autouse=True)
    def _offline(self, emu: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("AIMLAPI_API_KEY", "sk-test")
        monkeypatch.setenv("AIMLAPI_BASE_URL", emu.base_url)
        monkeypatch.setattr(suite, "httpx", types.SimpleNamespace(get=_local))
        yield
        assert [seen.problems for seen in emu.requests if seen.problems] == []

    @property
    def _takes_images(self) -> bool:
        info = model_info(self.model_id)
        return info is not None and info.endpoints[0] in info.images

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatAIMLAPI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.model_id}

    @property
    def model_override_value(self) -> str:
        return self.other_id

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return self._takes_images

    @property
    def supports_image_urls(self) -> bool:
        return self._takes_images

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return self._takes_images

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supported_usage_metadata_details(
        self,
    ) -> dict[
        Literal["invoke", "stream"],
        list[
            Literal[
                "audio_input",
                "audio_output",
                "reasoning_output",
                "cache_read_input",
                "cache_creation_input",
            ]
        ],
    ]:
        info = model_info(self.model_id)
        details: list[Any] = ["cache_read_input"]
        if info is not None and info.reasoning_efforts:
            details.append("reasoning_output")
        return {"invoke": details, "stream": details}

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> Any:
        model = ChatAIMLAPI(model=self.model_id, reasoning_effort="high")
        return _whole(model, "Explain why the sky is blue.", stream)

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> Any:
        model = ChatAIMLAPI(model=self.model_id)
        prompt = "A long beginning that the service can keep. " * 400
        model.invoke(prompt)
        return _whole(model, prompt, stream)


class TestChatLatest(TestGPT52):
    model_id = "openai/gpt-5-2-chat-latest"
    other_id = "openai/gpt-5-2"


class TestPro(TestGPT52):
    """Answers on the Responses endpoint only."""

    model_id = "openai/gpt-5-2-pro"
    other_id = "openai/gpt-5-2"


class TestCodex(TestGPT52):
    """Answers on the Responses endpoint only."""

    model_id = "openai/gpt-5-2-codex"
    other_id = "openai/gpt-5-2"


class TestDottedChat(TestGPT52):
    model_id = "openai/gpt-5.2-chat"
    other_id = "openai/gpt-5-2"


class TestDottedPro(TestGPT52):
    """Another model than TestPro's: it answers on chat completions."""

    model_id = "openai/gpt-5.2-pro"
    other_id = "openai/gpt-5-2"


def _whole(model: ChatAIMLAPI, prompt: str, stream: bool) -> Any:
    if not stream:
        return model.invoke(prompt)
    whole: Any = None
    for chunk in model.stream(prompt):
        whole = chunk if whole is None else whole + chunk
    return whole
