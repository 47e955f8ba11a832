"""Copies, pickles, dicts, JSON, metadata: before and after the first call."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
import socket
import ssl
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import cloudpickle
import httpx
import pytest
from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.prompts import PromptTemplate
from pydantic import SecretStr

from aimlapi_core import MODELS, ConfigurationError
from aimlapi_core._values import warn_once
from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding
from llama_index_aimlapi._llm_base import DEFAULT_CONTEXT_WINDOW

Make = Callable[..., AIMLAPI]
HELLO = [ChatMessage(content="Hello")]
KEY = "sk-very-secret"
COPIES: dict[str, Callable[[AIMLAPI], AIMLAPI]] = {
    "pickle": lambda llm: pickle.loads(pickle.dumps(llm)),
    "cloudpickle": lambda llm: cloudpickle.loads(cloudpickle.dumps(llm)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "model_copy": lambda llm: llm.model_copy(),
    "deep_model_copy": lambda llm: llm.model_copy(deep=True),
    "dict": lambda llm: AIMLAPI.from_dict(llm.to_dict(), api_key=llm.api_key),
    "json": lambda llm: AIMLAPI.from_json(llm.to_json(), api_key=llm.api_key),
}


@pytest.mark.parametrize("called", [False, True])
@pytest.mark.parametrize("how", COPIES)
def test_a_copy_works_as_the_original_does(
    make: Make, emu: Emulator, how: str, called: bool
) -> None:
    llm = make(temperature=0.2, stop=["END"], extra_body={"seed": 7}, context_window=9000)
    if called:
        llm.chat(HELLO)
        asyncio.run(llm.achat(HELLO))
    before = dict(llm.__dict__)
    other = COPIES[how](llm)
    assert llm.__dict__ == before
    assert other._clients is not llm._clients
    assert other._clients._sync is other._clients._async is None
    assert other.to_dict() == llm.to_dict()
    assert other.api_key == "sk-test"
    other.chat(HELLO)
    body = emu.requests[-1].body
    assert (body["temperature"], body["seed"]) == (0.2, 7)
    other.close()


def test_headers_and_key_travel_in_pickles_alone() -> None:
    llm = AIMLAPI(api_key=KEY, default_headers={"x-team": "secret-team"})
    other = pickle.loads(pickle.dumps(llm))
    assert (other.api_key, other.default_headers) == (KEY, {"x-team": "secret-team"})


@pytest.mark.parametrize("key", [KEY, SecretStr(KEY), lambda: KEY])
def test_the_key_is_in_nothing_that_is_shown(key: Any) -> None:
    llm = AIMLAPI(api_key=key, default_headers={"authorization": f"Bearer {KEY}"})
    shown = [repr(llm), str(llm), llm.to_json(), json.dumps(llm.to_payload()), str(llm.to_dict())]
    shown += [repr(llm._settings()), str(llm.model_dump()), llm.model_dump_json()]
    assert not [text for text in shown if KEY in text]


def test_the_repr_shows_the_model_and_what_was_set() -> None:
    llm = AIMLAPI(api_key=KEY, temperature=0.2, system_prompt="Be brief.")
    assert (
        repr(llm) == "AIMLAPI(system_prompt='Be brief.', model='openai/gpt-5-2', temperature=0.2)"
    )
    model = AIMLAPIEmbedding("some-model", api_key=KEY, dimensions=8, embed_batch_size=10)
    shown = "model_name='some-model', embed_batch_size=10, dimensions=8"
    assert repr(model) == f"AIMLAPIEmbedding({shown})"


def test_a_timeout_object_survives_json() -> None:
    llm = AIMLAPI(timeout=httpx.Timeout(30, connect=3))
    assert AIMLAPI.from_json(llm.to_json()).timeout == httpx.Timeout(30, connect=3)


@pytest.mark.parametrize("wrong", [{"connect": 3}, {"total": 30}])
@pytest.mark.parametrize("cls", [AIMLAPI, AIMLAPIEmbedding])
def test_a_timeout_that_is_none_is_refused(cls: Any, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="timeout"):
        cls(timeout=wrong)


def test_a_client_that_was_handed_in_is_shared_by_copies_and_not_pickled() -> None:
    with httpx.Client() as http:
        llm = AIMLAPI(http_client=http)
        assert copy.deepcopy(llm).http_client is http
        with pytest.raises(TypeError, match="http_client"):
            pickle.dumps(llm)


def test_observers_that_cannot_travel_are_left_behind_and_the_original_keeps_them() -> None:
    class Unpicklable(TokenCountingHandler):
        def __reduce__(self) -> Any:
            raise TypeError("holds a lock")

    manager = CallbackManager([Unpicklable()])
    llm = AIMLAPI(callback_manager=manager, api_key=KEY)
    other = pickle.loads(pickle.dumps(llm))
    assert llm.callback_manager is manager
    assert other.callback_manager.handlers == []
    assert copy.deepcopy(llm).callback_manager is manager


def test_every_field_of_the_base_classes_is_an_argument() -> None:
    llm = AIMLAPI()
    fields = {name: getattr(llm, name) for name in type(llm).model_fields}
    assert AIMLAPI(**fields).to_dict() == llm.to_dict()
    empty = dict.fromkeys(fields.keys() - {"timeout"})  # where None means none
    assert AIMLAPI(**empty).to_dict() == llm.to_dict()


@pytest.mark.parametrize("model", MODELS)
def test_metadata_is_the_tables(model: str) -> None:
    metadata = AIMLAPI(model=model).metadata
    assert metadata.context_window == (MODELS[model].input_limit or DEFAULT_CONTEXT_WINDOW)
    assert metadata.is_function_calling_model is MODELS[model].tools
    assert metadata.is_chat_model is True
    assert (metadata.model_name, metadata.num_output) == (model, -1)


def test_context_window_and_num_output_can_be_set() -> None:
    metadata = AIMLAPI(context_window=1000, max_tokens=50).metadata
    assert (metadata.context_window, metadata.num_output) == (1000, 50)


@pytest.mark.parametrize(("output", "room"), [(1_000, 272_000), (200_000, 200_000)])
def test_prompts_have_the_room_that_input_and_output_leave(output: int, room: int) -> None:
    """272,000 tokens of input, unless the output takes more than the other 128,000."""
    metadata = AIMLAPI(max_tokens=output).metadata
    assert metadata.context_window - metadata.num_output == room


def test_an_unknown_model_warns_once_and_has_a_window(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "aimlapi"):
        windows = [AIMLAPI(model="some/unknown").metadata.context_window for _ in range(3)]
    assert windows == [128_000] * 3
    assert caplog.text.count("some/unknown") == 1


def test_making_an_object_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("opened")

    for place, name in ((socket, "socket"), (ssl, "SSLContext"), (httpx, "Client")):
        monkeypatch.setattr(place, name, refuse)
    monkeypatch.setattr("builtins.open", refuse)
    llm = AIMLAPI(model="openai/gpt-5-2", api_key=KEY)
    assert llm.metadata.context_window
    llm.close()


def test_a_closed_object_can_be_used_again(make: Make, emu: Emulator) -> None:
    with make() as llm:
        llm.chat(HELLO)
    llm.close()
    llm.chat(HELLO)

    async def twice() -> None:
        for _ in range(2):
            async with llm:
                await llm.achat(HELLO)

    asyncio.run(twice())
    assert len(emu.requests) == 4


def test_settings_are_enough_for_an_application(
    make: Make,
    embedder: Callable[..., AIMLAPIEmbedding],
    emu: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("_llm", "_embed_model"):
        monkeypatch.setattr(Settings, name, None)
    Settings.llm = llm = make(temperature=0.1)
    Settings.embed_model = embed_model = embedder()
    assert Settings.llm is llm
    assert Settings.embed_model is embed_model
    index = VectorStoreIndex.from_documents([Document(text="The Aare flows through Bern.")])
    question = "Which river flows through Bern?"
    assert "Aare" in str(index.as_query_engine().query(question))
    memory = ChatMemoryBuffer.from_defaults(token_limit=9000)  # the default one leaves SQLite open
    assert "Aare" in str(index.as_chat_engine("context", memory=memory).chat(question))
    assert {seen.path for seen in emu.requests} == {"/v1/embeddings", "/v1/chat/completions"}
    assert all(seen.problems == () for seen in emu.requests)


def test_without_llamaindex_the_import_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['llama_index'] = None; sys.modules['llama_index.core'] = None\n"
        "try:\n    import llama_index_aimlapi\n"
        "except ImportError as exc:\n    print(exc)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pip install 'aimlapi-integrations[llama-index]'" in done.stdout, done.stderr


@pytest.mark.parametrize("kind", [AIMLAPI, AIMLAPIEmbedding])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"timeout": httpx.Timeout(5)},
        {"timeout": None},
        {"extra_body": {"a": 1}, "max_retries": 7},
    ],
)
def test_pydantics_own_dump_is_read_back(kind: Any, settings: dict[str, Any]) -> None:
    """As `from_dict(to_dict())`, which LlamaIndex uses; the key stays out of all of them."""
    made = kind(api_key=KEY, **settings)
    copies = [
        kind.model_validate(made.model_dump()),
        kind.model_validate(made.model_dump(mode="json")),
        kind.model_validate_json(made.model_dump_json()),
        kind(**made.model_dump()),
    ]
    for again in copies:
        assert again.to_dict() == made.to_dict()
        assert again.api_key is None
    with pytest.raises(ConfigurationError, match="class_name"):
        kind(class_name="OpenAI")


PROMPTS: dict[str, Any] = {
    "completion_to_prompt": lambda text: text.upper(),
    "messages_to_prompt": lambda messages: str(messages),
    "query_wrapper_prompt": PromptTemplate(
        "{query_str}", function_mappings={"query_str": lambda **given: "x"}
    ),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_a_lambda_in_a_prompt_stays_behind_and_is_reported(name: str) -> None:
    warn_once._warned.clear()
    llm = AIMLAPI(seed=3, **{name: PROMPTS[name]})
    with pytest.warns(UserWarning, match=f"{name} of AIMLAPI cannot be pickled.*def in a module"):
        pickled = pickle.dumps(llm)
    again = pickle.loads(pickled)
    assert again.seed == 3
    assert getattr(again, name) == getattr(AIMLAPI(), name)
    assert getattr(llm, name) is PROMPTS[name]  # the object itself keeps it
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.dumps(llm)
        assert type(getattr(cloudpickle.loads(cloudpickle.dumps(llm)), name)) is type(PROMPTS[name])


def test_cloudpickle_takes_lambdas_along() -> None:
    llm = AIMLAPI(api_key=lambda: KEY, completion_to_prompt=lambda text: text.upper())
    again = cloudpickle.loads(cloudpickle.dumps(llm))
    assert again.completion_to_prompt("a") == "A"
    assert again.api_key() == KEY


def test_a_key_function_without_a_pickle_is_named() -> None:
    with pytest.raises(TypeError, match="api_key is a function that cannot be pickled"):
        pickle.dumps(AIMLAPI(api_key=lambda: KEY))
