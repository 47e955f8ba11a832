"""Bad input is named before anything is sent."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from aimlapi_core import (
    BuiltinTool,
    ChatRequest,
    File,
    Image,
    InvalidRequestError,
    Message,
    NamedTool,
    Text,
    Tool,
    UnknownModelWarning,
    UnsupportedParameterError,
    UnsupportedParameterWarning,
)
from aimlapi_core._values import warn_once
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_core._wire.json_encoding import encode_json

USER = Message("user", (Text("hi"),))
PNG = Image("data:image/png;base64,iVBORw0K")


def sent(*messages: Message, model: str = "openai/gpt-5-2", **more: Any) -> dict[str, Any]:
    return prepare_request(ChatRequest(model, messages, **more), stream=False).body


@pytest.fixture(autouse=True)
def _warnings_not_yet_given() -> None:
    warn_once._warned.clear()


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ((), "no messages"),
        ((Message("robot", (Text("x"),)),), "'robot'.*known are system"),  # type: ignore[arg-type]  # the fault under test
        ((Message("user", (Image("data:image/tiff;base64,AA"),)),), "unsupported kind.*png, jpeg"),
        ((Message("user", (Image("C:\\cat.png"),)),), "unsupported kind"),
        ((Message("user", (Image("data:image/png;base64,"),)),), "unsupported kind"),
        ((Message("user", (File("data:text/plain;base64,AA"),)),), "give a PDF"),
        ((Message("system", (PNG,)),), "system.*only user messages"),
    ],
)
def test_bad_messages_are_named(messages: tuple[Message, ...], says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        sent(*messages)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"temperature": 2.1}, "temperature must be a number from 0 to 2, not 2.1"),
        ({"temperature": True}, "temperature must be a number"),
        ({"top_p": 0}, "top_p must be a number from 0.01 to 1"),
        ({"seed": 0}, "seed must be an integer at least 1"),
        ({"seed": 1.5}, "seed must be an integer"),
        ({"n": 0}, "n must be"),
        ({"max_output_tokens": 0}, "must be an integer at least 1"),
        ({"top_logprobs": 21}, "from 0 to 20"),
        ({"reasoning_effort": ("low",)}, "none, low, medium, high"),
        (
            {"reasoning_effort": "xhigh", "unsupported_params": "raise"},
            "none, low, medium, high.*'xhigh'",
        ),
        ({"client_request_id": "a b"}, "client_request_id"),
        ({"stop": ("",)}, "empty string"),
        ({"tools": (Tool("", {}),)}, "tool name ''"),
        ({"tools": (Tool("f", {}), Tool("f", {}))}, "Two tools"),
        ({"tools": tuple(Tool(f"f{i}", {}) for i in range(129))}, "limit is 128"),
        ({"tools": (Tool("f", {}),), "tool_choice": NamedTool("g")}, r"'g'; the tools are \['f'\]"),
        ({"tool_choice": "required"}, "without any tools"),
        ({"tools": (BuiltinTool({"type": "mcp"}),)}, "'mcp'.*responses"),
        ({"endpoint": "batch"}, "endpoint must be"),
        ({"unsupported_params": "drop"}, "unsupported_params must be"),
        ({"model": ""}, "model must be"),
        ({"model": "openai/gpt-5-2-pro", "endpoint": "chat"}, "responses endpoint only"),
        ({"model": "openai/gpt-5-2", "extra_body": {}, "n": "2"}, "n must be"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(more: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        sent(USER, **more)


def test_an_effort_that_a_model_does_not_have_is_left_out_with_a_warning() -> None:
    model = "openai/gpt-5-2"
    with pytest.warns(UnsupportedParameterWarning, match="none, low, medium, high.*'xhigh'"):
        assert "reasoning_effort" not in sent(USER, model=model, reasoning_effort="xhigh")
    body = sent(USER, model=model, reasoning_effort="xhigh", unsupported_params="send")
    assert body["reasoning_effort"] == "xhigh"


def test_what_a_model_does_not_take_is_left_out_with_one_warning() -> None:
    chat_latest = {
        "model": "openai/gpt-5-2-chat-latest",
        "temperature": 0.5,
        "reasoning_effort": "low",
    }
    with pytest.warns(UnsupportedParameterWarning) as caught:
        body = sent(USER, **chat_latest)
    assert set(body) == {"model", "messages"}
    said = sorted(str(w.message).split(" was left out")[0] for w in caught)
    assert said == ["'reasoning_effort'", "'temperature'"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sent(USER, **chat_latest)


def test_raise_and_send_modes() -> None:
    chat_latest = {"model": "openai/gpt-5-2-chat-latest", "temperature": 5}
    with pytest.raises(UnsupportedParameterError, match="'temperature'"):
        sent(USER, unsupported_params="raise", **chat_latest)
    assert sent(USER, unsupported_params="send", **chat_latest)["temperature"] == 5


def test_unset_parameters_never_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sent(USER, model="openai/gpt-5-2-chat-latest", n=1)


def test_unknown_models_get_everything() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        body = sent(USER, model="acme/new", temperature=3, seed=0, stop=("X",))
    assert (body["temperature"], body["seed"], body["stop"]) == (3, 0, ["X"])


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("gpt-5-2", "openai/gpt-5-2"),
        ("openai/gpt-5.2", "openai/gpt-5-2"),
        ("gpt-5.2", "openai/gpt-5-2"),
        ("OpenAI/GPT-5-2-chat-latest", "openai/gpt-5-2-chat-latest"),
    ],
)
def test_a_near_miss_of_an_id_warns_once_with_the_nearest(given: str, meant: str) -> None:
    with pytest.warns(UnknownModelWarning, match=meant + "'"):
        sent(USER, model=given)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sent(USER, model=given)


def test_top_logprobs_brings_logprobs_with_it() -> None:
    assert sent(USER, top_logprobs=2)["logprobs"] is True


def test_images_are_refused_where_the_model_takes_none() -> None:
    with pytest.raises(InvalidRequestError, match="takes no images"):
        sent(Message("user", (PNG,)), model="openai/gpt-5-2-codex")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("a\ud800", r"x\.y\[0\] holds '.ud800', half of a character"),
        (float("nan"), r"x\.y\[0\] is nan"),
        ({1}, r"x\.y\[0\] is of type set"),
    ],
    ids=repr,
)
def test_what_is_no_json_is_named_by_its_place(value: Any, says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        encode_json({"x": {"y": [value]}})


def test_a_circle_is_no_json() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(InvalidRequestError, match="JSON"):
        encode_json({"x": circle})
