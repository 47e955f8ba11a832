"""Halves of characters end no run, but for those in the caller's own words."""

from __future__ import annotations

import warnings
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimlapi_core import (
    ChatRequest,
    Endpoint,
    File,
    InvalidRequestError,
    JsonSchema,
    Message,
    Refusal,
    ReplacedCharacterWarning,
    Text,
    Tool,
    ToolCall,
)
from aimlapi_core._json_reading import loads
from aimlapi_core._values import warn_once
from aimlapi_core._values.half_characters import join_half_characters, replace_half_characters
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_core._wire.json_encoding import encode_json

endpoints = pytest.mark.parametrize("endpoint", get_args(Endpoint))
HALF = "Let \ud835 be a set"
WHOLE = "Let \ufffd be a set"
USER = Message("user", (Text("hi"),))


@pytest.fixture(autouse=True)
def _warnings_not_yet_given() -> None:
    warn_once._warned.clear()


def sent(endpoint: Endpoint, *messages: Message, **more: Any) -> Any:
    request = ChatRequest("openai/gpt-5-2", messages, endpoint=endpoint, **more)
    return loads(encode_json(prepare_request(request, stream=False).body))


@endpoints
@pytest.mark.parametrize(
    "messages",
    [
        (Message("system", (Text(HALF),)), USER),
        (Message("developer", (Text(HALF),)), USER),
        (USER, Message("assistant", (Text(HALF),)), USER),
        (USER, Message("assistant", (Refusal(HALF),)), USER),
        (
            USER,
            Message("assistant", (ToolCall("c1", "f", f'{{"a": "{HALF}"}}'),)),
            Message("tool", (Text("1"),), tool_call_id="c1"),
        ),
        (
            USER,
            Message("assistant", (ToolCall("c1", "f", "{}"),)),
            Message("tool", (Text(HALF),), tool_call_id="c1"),
        ),
        (
            USER,
            Message("assistant", (ToolCall("c\ud835", "f", "{}"),)),
            Message("tool", (Text(WHOLE),), tool_call_id="c\ud835"),
        ),
    ],
    ids=["system", "developer", "text", "refusal", "arguments", "result", "id"],
)
def test_a_half_in_what_the_caller_did_not_write_is_replaced(
    messages: tuple[Message, ...], endpoint: Endpoint
) -> None:
    with pytest.warns(ReplacedCharacterWarning, match="half of a character") as caught:
        body = sent(endpoint, *messages)
    assert len(caught) == 1
    assert WHOLE in str(body)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sent(endpoint, *messages)


@endpoints
@pytest.mark.parametrize(
    ("message", "more", "says"),
    [
        (Message("user", (Text(HALF),)), {}, r"\[0\]\.content holds '.ud835', half of a char"),
        (
            USER,
            {"instructions": HALF, "unsupported_params": "send"},
            "instructions holds .*half of",
        ),
    ],
)
def test_a_half_in_the_callers_own_words_is_named(
    message: Message, more: dict[str, Any], says: str, endpoint: Endpoint
) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        sent(endpoint, message, **more)


def schema(**more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": {"type": "string", **more}}}


@endpoints
@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"tools": (Tool("f", schema(description=HALF)),)}, "The tool 'f', in .*a.description"),
        ({"tools": (Tool("f", schema(enum=["a", HALF])),)}, "The tool 'f', in .*a.enum"),
        ({"tools": (Tool("f", schema(default=HALF)),)}, "The tool 'f', in .*a.default"),
        ({"tools": (Tool("f", {"properties": {HALF: {}}}),)}, "The tool 'f', in .*properties"),
        ({"tools": (Tool("f", {}, description=HALF),)}, "The tool 'f', in .*description"),
        ({"tools": (Tool("f", {}), Tool("g", {}, HALF))}, "The tool 'g', in .*description"),
        ({"response_format": JsonSchema("f", schema(description=HALF))}, "description holds"),
    ],
)
def test_a_half_in_a_schema_is_replaced(
    more: dict[str, Any], says: str, endpoint: Endpoint
) -> None:
    """An MCP server's or a program's, which nobody can correct during a call."""
    with pytest.warns(ReplacedCharacterWarning, match=says):
        body = sent(endpoint, USER, **more)
    assert WHOLE in str(body)


@endpoints
def test_a_half_in_the_name_of_a_file_is_replaced(endpoint: Endpoint) -> None:
    """It comes from a directory or a web page, and no answer depends on it."""
    message = Message(
        "user", (Text("read"), File("data:application/pdf;base64,JVBERi0xLjQK", HALF))
    )
    with pytest.warns(ReplacedCharacterWarning, match="filename holds"):
        body = sent(endpoint, message)
    assert WHOLE in str(body)


@endpoints
def test_two_halves_are_one_character(endpoint: Endpoint) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        body = sent(endpoint, Message("user", (Text("a \ud83d\ude00"),)))
        history = (USER, Message("assistant", (Text("b \ud83d\ude00"),)), USER)
        body = [body, sent(endpoint, *history)]
    assert "a 😀" in str(body)
    assert "b 😀" in str(body)


@given(st.lists(st.sampled_from(["a", "é", "😀", "\ufeff", "\ud83d", "\ude00"]), max_size=8))
def test_any_text_can_be_sent_after_it(pieces: list[str]) -> None:
    text = "".join(pieces)
    replaced = replace_half_characters(text)
    replaced.encode()
    assert len(join_half_characters(text)) == len(replaced)
    if "\ud83d" not in pieces and "\ude00" not in pieces:
        assert replaced is text


def test_a_half_in_the_name_of_an_author_is_made_fit_as_blanks_are() -> None:
    named = Message("user", (Text("hi"),), name="Research \ud835 Agent")
    assert sent("chat", named)["messages"][0]["name"] == "Research_Agent"
