"""Settings and call arguments in, ChatRequest out."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.llms import ChatMessage
from pydantic import BaseModel

from aimlapi_core import (
    ChatRequest,
    ConfigurationError,
    InvalidRequestError,
    JsonSchema,
    Message,
    OpenSchemaWarning,
    Text,
)
from llama_index_aimlapi import AIMLAPI
from llama_index_aimlapi._request.build import to_response_format
from llama_index_aimlapi._request.legacy_arguments import OPENAI_LIKE_ONLY

HELLO = [ChatMessage(content="Hello")]
PLAIN = {"model": "openai/gpt-5-2", "messages": (Message("user", (Text("Hello"),)),)}
ALL = {
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 100,
    "n": 2,
    "seed": 7,
    "logprobs": True,
    "top_logprobs": 3,
    "stop": ["END"],
    "stream_usage": False,
    "reasoning_effort": "low",
    "reasoning_summary": "auto",
    "instructions": "Be brief.",
    "previous_response_id": "resp_1",
    "store": True,
    "truncation": "auto",
    "include": ["reasoning.encrypted_content"],
    "endpoint": "responses",
    "unsupported_params": "raise",
    "extra_body": {"provider": "x"},
}
FILLED = {
    **{k: v for k, v in ALL.items() if k not in ("max_tokens", "stop", "include")},
    "max_output_tokens": 100,
    "stop": ("END",),
    "include": ("reasoning.encrypted_content",),
}


def request(settings: dict[str, Any], call: dict[str, Any]) -> ChatRequest:
    return AIMLAPI(**settings)._prepare(HELLO, call).request


def test_nothing_is_sent_that_was_not_set() -> None:
    assert request({}, {}) == ChatRequest(**PLAIN)


def test_none_means_not_given() -> None:
    nothing = dict.fromkeys([*ALL, "tools", "tool_choice", "response_format"])
    assert request({"temperature": 0.5}, nothing) == ChatRequest(**PLAIN, temperature=0.5)


@pytest.mark.parametrize("where", ["constructor", "call", "additional_kwargs", "model_kwargs"])
def test_every_setting_is_taken(where: str) -> None:
    expected = ChatRequest(**{**PLAIN, **FILLED})
    if where == "call":
        assert request({}, ALL) == expected
    elif where == "constructor":
        assert request(ALL, {}) == expected
    else:
        assert request({where: ALL}, {}) == expected


def test_each_setting_is_readable_by_its_name() -> None:
    llm = AIMLAPI(**ALL, api_base="http://localhost", model_kwargs={"user": "x"})
    assert {name: getattr(llm, name) for name in ALL} == ALL
    assert llm.base_url == llm.api_base == "http://localhost"
    assert llm.model_kwargs == llm.additional_kwargs == {"user": "x"}


def test_a_call_beats_a_setting_beats_a_default() -> None:
    settings = {"temperature": 0.1, "max_tokens": 100, "endpoint": "responses"}
    call = {"temperature": 0.9, "max_tokens": 5, "endpoint": "auto", "model": "openai/gpt-5-2-pro"}
    expected = ChatRequest(
        **{**PLAIN, "model": "openai/gpt-5-2-pro"}, temperature=0.9, max_output_tokens=5
    )
    assert request(settings, call) == expected
    assert request({"additional_kwargs": settings}, call) == expected


def test_members_without_a_name_here_go_into_the_body() -> None:
    settings = {"additional_kwargs": {"user": "a", "x": 1}, "extra_body": {"x": 2, "y": 2}}
    assert request(settings, {"extra_body": {"y": 3}}).extra_body == {"user": "a", "x": 2, "y": 3}


@pytest.mark.parametrize("value", ["END", ["END"], ("END",)])
def test_stop_is_one_text_or_several(value: Any) -> None:
    assert request({"stop": value}, {}).stop == request({}, {"stop": value}).stop == ("END",)


def test_tool_arguments_without_tools_are_not_sent() -> None:
    call = {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True}
    assert request({}, call) == ChatRequest(**PLAIN)
    with pytest.raises(InvalidRequestError, match="no tools"):
        request({}, {"tool_choice": "required"})


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("temprature", "temperature"),
        ("max_token", "max_tokens"),
        ("apikey", "api_key"),
        ("api_bas", "api_base"),
        ("model_name", "model"),
        ("request_timeout", "timeout"),
        ("async_http_client", "http_async_client"),
        ("tool_choise", None),
    ],
)
def test_misspelt_constructor_argument_names_the_right_one(name: str, right: str | None) -> None:
    with pytest.raises(ConfigurationError, match=f"no argument '{name}'") as caught:
        AIMLAPI(**{name: 1})
    assert (f"Did you mean '{right}'?" in str(caught.value)) is (right is not None)


@pytest.mark.parametrize("name", sorted(OPENAI_LIKE_ONLY))
def test_what_openai_like_is_told_is_left_out(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no argument '{name}'.*leave it out"):
        AIMLAPI(**{name: True})
    assert name not in AIMLAPI.model_fields


@pytest.mark.parametrize(("name", "right"), [("temprature", "temperature"), ("tool", "tools")])
def test_misspelt_call_argument_names_the_right_one(name: str, right: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"Did you mean '{right}'"):
        request({}, {name: 1})


def test_a_subclass_may_have_fields_of_its_own() -> None:
    class Mine(AIMLAPI):
        team: str = "a"

    assert Mine(team="b", seed=3).team == "b"
    with pytest.raises(ConfigurationError, match="Did you mean 'team'"):
        Mine(teem="b")


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "not a url"},
        {"timeout": 0},
        {"max_retries": -1},
        {"base_url": "http://a", "api_base": "http://b"},
        {"model_kwargs": {"a": 1}, "additional_kwargs": {"a": 2}},
        {"temperature": 0.1, "additional_kwargs": {"temperature": 0.2}},
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        AIMLAPI(**settings)


class City(BaseModel):
    name: str


CLOSED = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("json_object", "json_object"),
        ({"type": "json_object"}, "json_object"),
        (City, JsonSchema("City", City.model_json_schema())),
        (
            {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": CLOSED, "strict": True, "description": "d"},
            },
            JsonSchema("n", CLOSED, True, "d"),
        ),
        ({"type": "json_schema", "name": "n", "schema": {}}, JsonSchema("n", {})),
    ],
)
def test_response_formats(value: Any, expected: Any) -> None:
    assert to_response_format(value) == expected


@pytest.mark.parametrize("form", ["nested", "flat"])
def test_a_format_that_cannot_be_strict_is_sent_open_with_the_reason(form: str) -> None:
    pair = {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "string"}}
    schema = {**CLOSED, "properties": {"pair": pair}, "required": ["pair"]}
    inner = {"name": f"{form}_pair", "schema": schema, "strict": True}
    value = {"json_schema": inner} if form == "nested" else inner
    with pytest.warns(OpenSchemaWarning, match="'prefixItems'"):
        found = to_response_format({"type": "json_schema", **value})
    assert found == JsonSchema(f"{form}_pair", schema, False)


def test_a_strict_format_is_closed_unless_that_would_add_nulls() -> None:
    def made(schema: dict[str, Any]) -> Any:
        inner = {"name": "town", "schema": schema, "strict": True}
        return to_response_format({"type": "json_schema", "json_schema": inner})

    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    assert made(schema) == JsonSchema("town", {**schema, "additionalProperties": False}, True)
    optional = {**schema, "required": []}
    with pytest.warns(OpenSchemaWarning, match="'name' is optional and does not allow null"):
        assert made(optional) == JsonSchema("town", optional, False)


@pytest.mark.parametrize("value", ["xml", {"type": "json_schema"}, 3])
def test_what_is_no_response_format_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequestError, match="response_format"):
        to_response_format(value)
