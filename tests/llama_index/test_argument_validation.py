"""What is refused before anything is sent, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.base.llms.types import ImageBlock, TextBlock
from llama_index.core.llms import ChatMessage, ChatResponse
from llama_index.core.tools import FunctionTool

from aimlapi_core import ConfigurationError, InvalidRequestError, Text
from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding
from tests.llama_index.ways import CHAT, COMPLETE, WITH_TOOLS, last

HELLO = [ChatMessage(content="Hello")]


def add(a: int, b: int) -> int:
    """The sum."""
    return a + b


class Marked(TextBlock):
    pass


@pytest.mark.parametrize("way", COMPLETE)
@pytest.mark.parametrize("prompt", [None, 12345])
async def test_a_prompt_that_is_no_text_is_refused_unsent(
    llm: AIMLAPI, emu: Emulator, way: str, prompt: Any
) -> None:
    with pytest.raises(InvalidRequestError, match="prompt is a string"):
        await last(llm, way, prompt)
    assert emu.requests == []


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
@pytest.mark.parametrize("content", [None, "", " \n"])
@pytest.mark.parametrize("way", CHAT)
async def test_a_blank_user_message_is_sent_as_it_is(
    make: Callable[..., AIMLAPI], emu: Emulator, way: str, content: str | None, endpoint: str
) -> None:
    """The API's documents do not refuse it."""
    llm = make(endpoint=endpoint)
    await last(llm, way, [*HELLO, ChatMessage(role="user", content=content)])
    (seen,) = emu.requests
    assert seen.problems == ()
    assert (seen.body.get("messages") or seen.body["input"])[-1]["content"] == (content or "")


@pytest.mark.parametrize("way", COMPLETE)
async def test_a_blank_prompt_is_sent_as_it_is(llm: AIMLAPI, emu: Emulator, way: str) -> None:
    await last(llm, way, " \n")
    assert emu.requests[0].body["messages"] == [{"role": "user", "content": " \n"}]


def test_an_image_alone_is_a_user_message(llm: AIMLAPI) -> None:
    image = ImageBlock(url="https://example.com/a.png")
    assert llm._prepare([ChatMessage(role="user", blocks=[image])], {}).request.messages


def test_a_subclass_of_a_block_is_such_a_block(llm: AIMLAPI) -> None:
    (message,) = llm._prepare([ChatMessage(blocks=[Marked(text="Hello")])], {}).request.messages
    assert message.parts == (Text("Hello"),)


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ({"max_tokens": 5}, {"max_completion_tokens": 9, "max_tokens": 9}),
        ({"reasoning_effort": "low"}, {"reasoning": {"effort": "high"}}),
        ({"temperature": 0.5}, {"temperature": 1}),
        ({"response_format": "json_object"}, {"response_format": {"type": "text"}, "text": {}}),
    ],
)
def test_a_calls_argument_beats_what_the_constructors_bodies_say(
    call: dict[str, Any], body: dict[str, Any]
) -> None:
    kept = {"user": "a"}
    for settings in (
        {"extra_body": {**body, **kept}},
        {"additional_kwargs": {"extra_body": {**body, **kept}}},
    ):
        assert AIMLAPI(**settings)._prepare(HELLO, call).request.extra_body == kept
        assert AIMLAPI(**settings)._prepare(HELLO, {}).request.extra_body == {**body, **kept}
    own = AIMLAPI()._prepare(HELLO, {**call, "extra_body": body}).request.extra_body
    assert own == body


@pytest.mark.parametrize("model", [AIMLAPI, AIMLAPIEmbedding])
@pytest.mark.parametrize("key", [["sk-secret"], 12345, {"key": "sk-secret"}])
def test_a_key_of_the_wrong_type_is_not_printed(model: Any, key: Any) -> None:
    with pytest.raises(ConfigurationError, match="api_key is a string") as caught:
        model(api_key=key)
    assert "secret" not in str(caught.value)
    assert "12345" not in str(caught.value)


def test_a_header_of_the_wrong_type_is_not_printed() -> None:
    with pytest.raises(ValueError, match="default_headers") as caught:
        AIMLAPI(default_headers={"authorization": ["sk-secret"]})  # type: ignore[dict-item]  # so
    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["Authorization", "x-api-key", "X-Auth", "x-token", "Cookie"])
def test_a_header_that_may_be_a_secret_is_refused_in_calls(llm: AIMLAPI, name: str) -> None:
    with pytest.raises(InvalidRequestError, match="use default_headers") as caught:
        llm.chat(HELLO, extra_headers={name: "sk-secret"})
    assert "sk-secret" not in str(caught.value)
    assert llm._prepare(HELLO, {"extra_headers": {"Idempotency-Key": "1"}}).request.extra_headers


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"extra_headers": {"x": "y"}}, "use default_headers"),
        ({"temprature": 1}, "Did you mean 'temperature'"),
        ({"tool_choise": "auto"}, "Did you mean 'tool_choice'"),
        ({"api_key": "sk-secret"}, "argument of the constructor"),
    ],
)
@pytest.mark.parametrize("where", ["additional_kwargs", "model_kwargs"])
def test_names_that_are_surely_not_meant_are_refused(
    where: str, extra: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        AIMLAPI(**{where: extra})  # type: ignore[arg-type]  # any argument, by its name


def test_members_of_the_wire_are_no_misspellings() -> None:
    names = (
        "user metadata service_tier verbosity logit_bias frequency_penalty presence_penalty top_k "
        "modalities prediction prompt conversation max_tool_calls safety_identifier reasoning "
        "prompt_cache_key web_search_options provider models functions text thinking "
        "max_completion_tokens max_output_tokens min_p repetition_penalty"
    ).split()
    extra = dict.fromkeys(names, 1)
    assert AIMLAPI(additional_kwargs=extra).additional_kwargs == extra
    assert AIMLAPI(extra_body={"temprature": 1}).extra_body == {"temprature": 1}


@pytest.mark.parametrize(
    "call",
    [
        {"stop": 5},
        {"stop": [1]},
        {"include": 5},
        {"tools": 5},
        {"tools": {"name": "f"}},
        {"client_request_id": 5},
        {"logprobs": "yes"},
        {"parallel_tool_calls": "yes"},
        {"max_tokens": "many"},
        {"max_tokens": 0},
        {"extra_body": 5},
        {"model": 5},
        {"model": ["openai/gpt-5-2"]},
        {"endpoint": ["chat"]},
    ],
)
def test_an_argument_of_the_wrong_type_is_named(llm: AIMLAPI, call: dict[str, Any]) -> None:
    (name,) = call
    with pytest.raises(InvalidRequestError, match=f"^{name} is "):
        llm.chat(HELLO, **call)


@pytest.mark.parametrize("way", WITH_TOOLS)
@pytest.mark.parametrize(
    ("tools", "more", "said"),
    [
        ([add], {}, r"FunctionTool\.from_defaults"),
        (FunctionTool.from_defaults(add), {}, "tools is a list"),
        ([], {"tool_required": True}, "no tools"),
    ],
)
async def test_what_is_no_list_of_tools_is_refused(
    llm: AIMLAPI, way: str, tools: Any, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        await last(llm, way, tools, user_msg="Hello", **more)


@pytest.mark.parametrize("settings", [{"model": ""}, {"context_window": 0}, {"context_window": -1}])
def test_a_model_or_window_that_is_none_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"model is|context_window is"):
        AIMLAPI(**settings)


def test_the_names_of_other_packages_are_led_to_ours(llm: AIMLAPI) -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'max_tokens'"):
        AIMLAPI(max_completion_tokens=5)  # type: ignore[arg-type]  # the wrong name is the test
    with pytest.raises(InvalidRequestError, match="Did you mean 'max_tokens'"):
        llm.chat(HELLO, max_output_tokens=5)


def test_calls_of_the_older_list_are_read(llm: AIMLAPI) -> None:
    rows = [{"id": "c1", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}]
    message = ChatMessage(role="assistant", additional_kwargs={"tool_calls": rows})
    (call,) = llm.get_tool_calls_from_response(ChatResponse(message=message))
    assert (call.tool_id, call.tool_name, call.tool_kwargs) == ("c1", "add", {"a": 1, "b": 2})


@pytest.mark.parametrize("method", ["get_query_embedding", "get_text_embedding"])
async def test_one_empty_text_has_no_place(
    embedder: Callable[..., AIMLAPIEmbedding], method: str
) -> None:
    with pytest.raises(InvalidRequestError, match="The text is empty"):
        getattr(embedder(), method)("")
    with pytest.raises(InvalidRequestError, match="The text is empty"):
        await getattr(embedder(), f"a{method}")("")


def test_an_image_block_without_an_image_is_one_that_cannot_be_read(llm: AIMLAPI) -> None:
    with pytest.raises(InvalidRequestError, match="The image block cannot be read"):
        llm.chat([ChatMessage(blocks=[ImageBlock()])])
