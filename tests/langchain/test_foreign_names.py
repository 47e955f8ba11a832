"""Names of other packages' arguments work, or the error says what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aimlapi_emulator import Emulator
from langchain_aimlapi import ChatAIMLAPI, ConfigurationError, InvalidRequestError
from tests.langchain.calls import call, stream

Make = Callable[..., ChatAIMLAPI]


@pytest.mark.parametrize("include", [True, False, None])
@pytest.mark.parametrize("place", ["call", "bind", "constructor", "model_kwargs"])
def test_stream_options_are_stream_usage(
    how: str, place: str, include: bool | None, emu: Emulator, chat: Make
) -> None:
    """As ChatOpenAI's users write it; without streaming nothing of it is sent."""
    given: dict[str, Any] = {"stream_options": {"include_usage": include}}
    if include is None:
        given = {"stream_options": None}
    settings = {"constructor": given, "model_kwargs": {"model_kwargs": given}}.get(place, {})
    model: Any = chat(**settings)
    runnable = model.bind(**given) if place == "bind" else model
    more = given if place == "call" else {}
    chunks = stream(how, runnable, "hi", **more)
    sent = emu.requests[-1].body.get("stream_options")
    assert sent == (None if include is False else {"include_usage": True})
    assert any(chunk.usage_metadata for chunk in chunks) is (include is not False)
    call(how, False, runnable, "hi", **more)
    assert "stream_options" not in emu.requests[-1].body


@pytest.mark.parametrize("wrong", [{"include_obfuscation": True}, True, {"include_usage": 1}])
def test_other_stream_options_say_what_to_do(wrong: Any, chat: Make) -> None:
    with pytest.raises(ConfigurationError, match=r"stream_usage.*extra_body"):
        chat(stream_options=wrong)
    with pytest.raises(InvalidRequestError, match=r"stream_usage.*extra_body"):
        chat().invoke("hi", stream_options=wrong)
    with pytest.raises(ConfigurationError, match="'stream_usage' was given twice"):
        chat(stream_usage=True, stream_options={"include_usage": True})


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("default_query", "http_client=httpx.Client"),
        ("extra_query", "http_client=httpx.Client"),
        ("functions", "bind_tools"),
        ("function_call", "bind_tools"),
        ("messages", "first argument"),
        ("background", "stream the answer"),
        ("prompt_cache_retention", "extra_body="),
        ("conversation", "extra_body="),
        ("api_version", "leave it out"),
        ("headers", "default_headers"),
    ],
)
def test_other_names_say_what_to_write(name: str, says: str, chat: Make) -> None:
    for use in (lambda: chat(**{name: 1}), lambda: chat().bind(**{name: 1})):
        with pytest.raises((ConfigurationError, InvalidRequestError), match=says) as caught:
            use()
        assert "known are" not in str(caught.value)
        assert "all the same" not in str(caught.value)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("place", ["call", "bound", "structured", "bind", "batch"])
@pytest.mark.parametrize("name", ["metadata", "tags", "callbacks", "run_name", "run_id"])
def test_members_of_a_runs_config_as_arguments_say_where_they_belong(
    name: str, place: str, streaming: bool, how: str, emu: Emulator, chat: Make
) -> None:
    """LangChain's own answer to `invoke("hi", tags=[…])` is a TypeError about its insides."""
    model, given = chat(), {name: ["a"]}
    schema = {"title": "T", "type": "object", "properties": {"a": {"type": "string"}}}
    calls: dict[str, Callable[[], Any]] = {
        "call": lambda: call(how, streaming, model, "hi", **given),
        "bound": lambda: call(how, streaming, model.bind(stop=["x"]), "hi", **given),
        "structured": lambda: call(
            how, streaming, model.with_structured_output(schema), "hi", **given
        ),
        "bind": lambda: model.bind(**given),
        "batch": lambda: model.batch(["hi"], **given),
    }
    own = "extra_body" if name == "metadata" else "with_config"
    with pytest.raises(InvalidRequestError, match=rf"config={{'{name}': …}}.*{own}"):
        calls[place]()
    assert emu.requests == []


@pytest.mark.parametrize("streaming", [False, True])
def test_what_the_error_leads_to_works(
    streaming: bool, how: str, emu: Emulator, chat: Make
) -> None:
    config = {"metadata": {"a": 1}, "tags": ["a"], "run_name": "one", "callbacks": []}
    assert call(how, streaming, chat(), "hi", config=config).text
    assert call(how, streaming, chat().with_config(config), "hi", stop=["x"]).text
