"""Arguments and schemas that cannot work, and secrets in them: said at once, never shown."""

from __future__ import annotations

import asyncio
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NotRequired

import httpx
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.load import dumps, loads
from langchain_core.messages import HumanMessage
from langchain_core.runnables import ConfigurableField
from pydantic import BaseModel, SecretStr
from typing_extensions import TypedDict

from aimlapi_emulator import Emulator
from langchain_aimlapi import (
    AIMLAPIEmbeddings,
    ChatAIMLAPI,
    ConfigurationError,
    InvalidRequestError,
    MissingKeyError,
)
from langchain_aimlapi._request.build import ALIASES
from langchain_aimlapi._request.json_schemas import json_schema
from tests.langchain.calls import call, embedded, invoke

Make = Callable[..., ChatAIMLAPI]
MODEL = ChatAIMLAPI(api_key="sk-secret-1234")


class Answer(BaseModel):
    value: int


class Colour(Enum):
    RED = "red"


class Partial(TypedDict):
    """A person."""

    name: str
    age: NotRequired[int]


class Tree(TypedDict):
    """A tree."""

    children: list[Tree]


@dataclass
class Basket:
    items: list[str] = field(default_factory=list)


async def _key() -> SecretStr:
    return SecretStr("sk-async-7777")


async def _no_key() -> None:
    return None


async def _number() -> int:
    return 5


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (lambda: None, MissingKeyError),
        (lambda: 5, ConfigurationError),
        (_no_key, MissingKeyError),
        (_number, ConfigurationError),
    ],
)
def test_a_key_function_without_a_string(
    source: Any, error: Any, how: str, chat: Make, embeddings: Any, monkeypatch: Any
) -> None:
    monkeypatch.delenv("AIMLAPI_API_KEY", raising=False)
    monkeypatch.delenv("AIML_API_KEY", raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if how == "sync" and asyncio.iscoroutinefunction(source):
            error = ConfigurationError
        with pytest.raises(error):
            invoke(how, chat(api_key=source), "hi")
        with pytest.raises(error):
            embedded(how, embeddings(api_key=source), "hi")


@pytest.mark.parametrize("streaming", [False, True])
def test_an_async_key_function_works_in_async_calls(
    streaming: bool, emu: Emulator, chat: Make, embeddings: Any
) -> None:
    for model in (chat(api_key=_key), chat().bind(api_key=_key)):
        call("async", streaming, model, "hi")
        assert emu.requests[-1].headers["authorization"].endswith("7777")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ConfigurationError, match="asynchronous call"):
                call("sync", streaming, model, "hi")
    embedded("async", embeddings(api_key=_key), "hi")
    assert emu.requests[-1].headers["authorization"].endswith("7777")


@pytest.mark.parametrize(
    "use",
    [
        lambda m: m.bind(api_key="sk-plain"),
        lambda m: m.bind_tools([], openai_api_key="sk-plain"),
        lambda m: m.invoke("hi", api_key="sk-plain"),
    ],
)
def test_a_call_takes_no_plain_key(use: Any) -> None:
    with pytest.raises(InvalidRequestError, match="SecretStr") as caught:
        use(MODEL)
    assert "sk-plain" not in str(caught.value)


def test_a_bound_secret_key_is_used_and_hidden(how: str, emu: Emulator, chat: Make) -> None:
    bound = chat().bind(api_key=SecretStr("sk-other-5555"))
    invoke(how, bound, "hi")
    assert emu.requests[-1].headers["authorization"].endswith("5555")
    assert "5555" not in repr(bound) + dumps(bound)


def test_headers_of_a_call_are_in_no_cache_key(emu: Emulator, chat: Make) -> None:
    cache = InMemoryCache()
    chat(cache=cache).invoke("hi", extra_headers={"X-Token": "tok-777"})
    assert "tok-777" not in repr(list(cache._cache))
    params = MODEL._get_invocation_params(default_headers={"X-Token": "tok-777"})
    assert "tok-777" not in repr(params)


@pytest.mark.parametrize("made", [MODEL, AIMLAPIEmbeddings(api_key="sk-secret-1234")])
def test_a_changed_key_is_hidden(made: Any) -> None:
    copied = made.model_copy(update={"api_key": "sk-P"})
    changed = made.model_copy()
    changed.api_key = "sk-P"
    for one in (copied, changed):
        assert "sk-P" not in repr(one)
        assert one._settings({}).resolved_key() == "sk-P"


@pytest.mark.parametrize("name", ["model", "endpoint", "timeout", "api_key", "streaming", *ALIASES])
def test_model_kwargs_refuse_arguments(name: str, chat: Make) -> None:
    with pytest.raises(ConfigurationError, match="pass it directly"):
        ChatAIMLAPI(model_kwargs={name: "x"})
    with pytest.raises(ConfigurationError, match="pass it directly"):
        chat().invoke("hi", model_kwargs={name: "x"})


def test_model_kwargs_take_what_only_calls_have(emu: Emulator, chat: Make) -> None:
    chat(model_kwargs={"response_format": "json_object"}).invoke("hi, as json")
    assert emu.requests[-1].body["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"timeout": True}, "timeout"),
        ({"max_tokens": True}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"endpoint": "chatty"}, "endpoint"),
        ({"use_responses_api": "yes"}, "use_responses_api"),
        ({"reasoning": "high"}, "reasoning"),
        ({"timeout": {"reed": 1}}, "timeout"),
    ],
)
def test_the_constructor_names_the_argument(given: Any, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        ChatAIMLAPI(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"stop": 5},
        {"stop": [1, 2]},
        {"reasoning": "high"},
        {"include": "abc"},
        {"tools": "foo"},
        {"tool_choice": 5},
        {"extra_body": "x"},
        {"max_tokens": True},
        {"use_responses_api": "yes"},
    ],
)
def test_a_call_names_the_argument(given: Any, chat: Make) -> None:
    with pytest.raises(InvalidRequestError, match=next(iter(given))):
        chat().invoke("hi", **given)


@pytest.mark.parametrize("tools", [Answer, "foo", {"type": "function"}])
def test_bind_tools_takes_a_list(tools: Any) -> None:
    with pytest.raises(InvalidRequestError, match="tools takes a list"):
        MODEL.bind_tools(tools)


def test_bind_tools_says_what_a_tool_is() -> None:
    wrong: Any = ["foo"]
    with pytest.raises(InvalidRequestError, match="A tool is a function"):
        MODEL.bind_tools(wrong)


def test_a_choice_against_the_plan_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="tool_choice itself"):
        MODEL.with_structured_output(Answer, method="function_calling", tool_choice="auto")


def test_embedding_nothing_is_refused(how: str, embeddings: Any) -> None:
    with pytest.raises(InvalidRequestError, match="NoneType"):
        embedded(how, embeddings(), None)


@pytest.mark.parametrize("schema", [int | str, list[int], Answer(value=1), Colour, int, "x"])
def test_what_is_no_schema_is_refused(schema: Any) -> None:
    with pytest.raises(InvalidRequestError, match="A schema is a class"):
        MODEL.with_structured_output(schema)


def test_typed_dicts_that_langchain_cannot_convert() -> None:
    assert json_schema(Partial)["required"] == ["name"]
    assert "Tree" in str(json_schema(Tree))


def test_a_response_format_is_a_schema() -> None:
    inner = {"name": "thing", "schema": {"type": "object", "properties": {"a": {}}}}
    assert json_schema({"type": "json_schema", "json_schema": inner})["title"] == "thing"


def test_a_default_factory_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MODEL.with_structured_output(Basket)


def test_the_profile_follows_the_model() -> None:
    model = ChatAIMLAPI(model="openai/gpt-5-2", api_key="sk-x")
    pro = ChatAIMLAPI(model="openai/gpt-5-2-pro", api_key="sk-x").profile
    copied = model.model_copy(update={"model": "openai/gpt-5-2-pro"})
    chosen: Any = model.configurable_fields(model=ConfigurableField("m"))
    configured, _ = chosen.prepare({"configurable": {"m": "openai/gpt-5-2-pro"}})
    assert configured.profile == pro
    model.model = "openai/gpt-5-2-pro"
    assert copied.profile == model.profile == pro != MODEL.profile


def test_a_given_profile_stays() -> None:
    model = ChatAIMLAPI(profile={"max_input_tokens": 5})
    model.model = "openai/gpt-5-2-pro"
    assert model.profile == {"max_input_tokens": 5}


def test_an_odd_block_is_counted_flatly() -> None:
    audio = HumanMessage(["hi", {"type": "audio", "base64": "AAAA", "mime_type": "audio/wav"}])
    assert MODEL.get_num_tokens_from_messages([audio]) > 85


def test_blank_variables_count_as_unset(monkeypatch: Any) -> None:
    monkeypatch.setenv("AIMLAPI_API_KEY", "  ")
    monkeypatch.setenv("AIML_API_KEY", " sk-second ")
    monkeypatch.setenv("AIMLAPI_BASE_URL", " ")
    model = ChatAIMLAPI()
    assert model._settings({}).resolved_key() == "sk-second"
    assert model.base_url is None


@pytest.mark.parametrize("timeout", [httpx.Timeout(5, read=None), httpx.Timeout(3), 2.5])
def test_a_timeout_survives_dumps(timeout: Any) -> None:
    text = dumps(ChatAIMLAPI(api_key="sk-x", timeout=timeout))
    assert "not_implemented" not in text
    allowed: Any = {"allowed_objects": [ChatAIMLAPI], "secrets_map": {"AIMLAPI_API_KEY": "sk-x"}}
    loaded = loads(text, valid_namespaces=["langchain_aimlapi"], **allowed)
    assert loaded.timeout == timeout


def test_unknown_arguments_show_no_internals() -> None:
    with pytest.raises(InvalidRequestError, match="known are") as caught:
        MODEL.invoke("hi", zzzzzz=1)
    assert "structured_output_format" not in str(caught.value)
    with pytest.raises(InvalidRequestError, match="twice") as caught:
        MODEL.invoke("hi", max_tokens=1, max_completion_tokens=2)
    assert "extra_body" not in str(caught.value)


def _shown(error: BaseException | None) -> Iterator[str]:
    """The locals of our own frames in a crash, as a report of it shows them."""
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_globals.get("__name__") != __name__:
                yield from map(repr, frame.f_locals.values())
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("make", [ChatAIMLAPI, AIMLAPIEmbeddings])
@pytest.mark.parametrize("name", ["api_key", "openai_api_key", "aimlapi_api_key"])
@pytest.mark.parametrize(
    "wrong", [{"timeout": -1}, {"timeout": "x"}, {"max_retries": True}, {"temprature": 1}]
)
def test_no_crash_of_a_constructor_shows_the_key(make: Any, name: str, wrong: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(**{name: "sk-secret-1234"}, **wrong)
    assert "1234" not in "".join(_shown(caught.value))


def test_no_crash_of_a_call_shows_the_key(how: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        invoke(how, MODEL, "hi", timeout=-1)
    assert "1234" not in "".join(_shown(caught.value))


@pytest.mark.parametrize(
    "name", ["api_key", "base_url", "max_retries", "default_headers", "http_client"]
)
def test_none_in_a_call_means_the_objects(name: str, emu: Emulator, chat: Make) -> None:
    given: Any = {name: None}
    assert chat(default_headers={"X-Mine": "1"}).invoke("hi", **given).content
    assert emu.requests[-1].headers["x-mine"] == "1"


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_model_is_no_model(nothing: Any, chat: Make) -> None:
    model = chat()
    with pytest.raises(InvalidRequestError, match="model"):
        model.invoke("hi", model="")
    model.model = nothing
    with pytest.raises(InvalidRequestError, match="model"):
        model.invoke("hi")
