"""Programs for the older langchain-aimlapi and for ChatOpenAI run with another import."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_core.embeddings import Embeddings

import langchain_aimlapi
from aimlapi_emulator import Emulator
from langchain_aimlapi import AimlapiEmbeddings, ChatAIMLAPI, ChatAimlapi, ConfigurationError
from langchain_aimlapi._request.legacy_arguments import (
    HINTS,
    IGNORED_ARGUMENTS,
    REMOVED_NAMES,
    migration_hint,
)
from tests.langchain.calls import embedded, invoke, stream


def test_the_older_names_are_the_same_classes() -> None:
    from langchain_aimlapi.chat_models import ChatAimlapi as FromModule
    from langchain_aimlapi.embeddings import AimlapiEmbeddings as OthersFromModule

    assert ChatAimlapi is FromModule is ChatAIMLAPI
    assert AimlapiEmbeddings is OthersFromModule is langchain_aimlapi.AIMLAPIEmbeddings


@pytest.mark.parametrize("name", REMOVED_NAMES)
def test_a_class_that_is_gone_says_what_to_use(name: str) -> None:
    with pytest.raises(ImportError, match=f"{name} of the older distribution") as caught:
        exec(f"from langchain_aimlapi import {name}")
    assert REMOVED_NAMES[name] in str(caught.value)
    assert not hasattr(langchain_aimlapi, "NeverThere")


def test_arguments_of_the_older_chat_model(how: str, emu: Emulator) -> None:
    model = ChatAimlapi(
        model_name="openai/gpt-5-2", aimlapi_api_key="sk-old-1111",
        aimlapi_api_base=f"{emu.base_url}/", temperature=0.3, max_tokens=20, top_p=0.9, n=1,
        seed=4, streaming=False, stream_usage=True, request_timeout=30, max_retries=1,
        default_headers={"X-App": "mine"}, model_kwargs={}, reasoning_effort="low",
    )  # fmt: skip
    assert invoke(how, model, "hi").text
    assert stream(how, model, "hi")[-1].usage_metadata
    assert emu.requests[0].headers["authorization"].endswith("1111")
    assert emu.requests[0].headers["x-app"] == "mine"
    assert emu.requests[0].body["temperature"] == 0.3
    assert [seen.problems for seen in emu.requests if seen.problems] == []


def test_arguments_of_the_older_embeddings(how: str, emu: Emulator) -> None:
    with pytest.warns(UserWarning, match="allowed_special, embedding_ctx_length had no effect"):
        model = AimlapiEmbeddings(
            model="text-embedding-3-small", aimlapi_api_key="sk-old-1111",
            aimlapi_api_base=emu.base_url, dimensions=8, chunk_size=1000, max_retries=0,
            request_timeout=30, show_progress_bar=False, model_kwargs={}, skip_empty=True,
            embedding_ctx_length=4096, allowed_special=set(),
        )  # fmt: skip
    assert isinstance(model, Embeddings)
    assert [len(v) for v in embedded(how, model, ["a", "", "b"])] == [8, 8]
    assert len(embedded(how, model, "a")) == 8
    assert emu.requests[0].body["input"] == ["a", "b"]


def test_the_older_variable_for_the_url_is_read(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIMLAPI_API_KEY", "sk-env")
    monkeypatch.setenv("AIMLAPI_API_BASE", emu.base_url)
    assert ChatAimlapi(max_retries=0).invoke("hi").text
    monkeypatch.setenv("AIMLAPI_BASE_URL", "https://newer.example/v1")
    assert ChatAimlapi().base_url == "https://newer.example/v1"


def test_arguments_of_chat_openai(how: str, emu: Emulator) -> None:
    model = ChatAIMLAPI(
        model_name="openai/gpt-5-2", openai_api_key="sk-x", openai_api_base=emu.base_url,
        request_timeout=(5, 30), max_completion_tokens=64, use_responses_api=True,
        reasoning={"effort": "low", "summary": "auto"}, max_retries=0,
    )  # fmt: skip
    assert model.timeout == httpx.Timeout(30, connect=5)
    assert invoke(how, model, "hi").text
    assert emu.requests[-1].path == "/v1/responses"
    assert emu.requests[-1].body["max_output_tokens"] == 64
    assert emu.requests[-1].body["reasoning"] == {"effort": "low", "summary": "auto"}


NONES = "max_retries default_headers extra_body model_kwargs streaming stream_usage".split()


def test_none_means_the_default() -> None:
    given: Any = dict.fromkeys(NONES)
    made, plain = ChatAIMLAPI(**given), ChatAIMLAPI()
    assert [getattr(made, name) for name in NONES] == [getattr(plain, name) for name in NONES]
    nothing: Any = {"model": None}
    with pytest.raises(ConfigurationError, match="model"):
        ChatAIMLAPI(**nothing)


def test_the_time_out_is_finite_unless_asked_otherwise() -> None:
    assert ChatAIMLAPI()._settings({}).timeout == 600
    assert ChatAIMLAPI(timeout=None)._settings({}).timeout is None


@pytest.mark.parametrize("name", sorted(HINTS.keys() - IGNORED_ARGUMENTS))
@pytest.mark.parametrize("made", [ChatAIMLAPI, AimlapiEmbeddings])
def test_an_argument_without_its_like_says_what_to_do(made: Callable[..., Any], name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        made(**{name: 1})
    assert str(caught.value) == f"Unknown argument {name!r}: {migration_hint(name)}"


def test_no_argument_of_ours_is_called_foreign() -> None:
    ours = {*ChatAIMLAPI.model_fields, *AimlapiEmbeddings.model_fields}
    assert ours.isdisjoint(IGNORED_ARGUMENTS)
    assert not ours & HINTS.keys()


def test_no_variable_of_openai_is_read(emu: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROXY", "OPENAI_API_BASE"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/openai-1234")
    ChatAIMLAPI(api_key="sk-x", base_url=emu.base_url, max_retries=0).invoke("hi")
    sent = emu.requests[-1]
    assert "openai-1234" not in str(sent.headers) + str(sent.body)


def test_the_new_names_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AimlapiEmbeddings(api_key="x", skip_empty=False)
        ChatAimlapi(api_key="x")
