from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
)
from langchain_core.messages import HumanMessage, ToolMessage
from pydantic import SecretStr

import aimlapi_core
import langchain_aimlapi
from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI
from tests.core.cases import message, response, responses_case
from tests.fuzz.answers import Answer, served
from tests.langchain.calls import bodies, call, events, invoke, stream, total, until_error

Make = Callable[..., ChatAIMLAPI]
COMPARED = (
    "content",
    "additional_kwargs",
    "tool_calls",
    "invalid_tool_calls",
    "usage_metadata",
)
# Facts of one exchange, different for each.
EXCHANGE = ("id", "created", "request_id", "inference_id", "client_request_id")


def facts(message: Any) -> dict[str, Any]:
    calls = [{**call, "id": None} for call in message.tool_calls]
    metadata = {k: v for k, v in message.response_metadata.items() if k not in EXCHANGE}
    compared = {name: getattr(message, name) for name in COMPARED}
    return {**compared, "tool_calls": calls, "response_metadata": metadata}


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.mark.parametrize(
    ("prompt", "tools"),
    [
        ("hi", []),
        ("héllo wörld 你好 🙂", []),
        ("add 3 and 4", [add]),
        ('[[fault reasoning="let me see"]] hi', []),
        ('[[fault refusal="I will not"]] hi', []),
        ("[[fault empty=true]] hi", []),
        ("[[fault usage=missing]] hi", []),
        ("[[fault cost_metadata=false]] hi", []),
        ("[[fault usage=cumulative]] hi", []),
    ],
)
def test_four_ways_give_one_message(how: str, chat: Make, prompt: str, tools: list[Any]) -> None:
    model: Any = chat(reasoning_effort="low").bind_tools(tools) if tools else chat()
    one = facts(invoke("sync", model, prompt))
    assert facts(call(how, True, model, prompt)) == one
    assert facts(invoke(how, model, prompt)) == one


def test_usage_and_cost_come_once_in_a_stream(how: str, chat: Make) -> None:
    chunks = stream(how, chat(), "hi")
    assert sum(chunk.usage_metadata is not None for chunk in chunks) == 1
    for key in ("model_name", "cost", "credits_used", "finish_reason", "request_id"):
        assert sum(key in chunk.response_metadata for chunk in chunks) == 1, key
    assert [chunk.chunk_position for chunk in chunks if chunk.chunk_position] == ["last"]
    assert chunks[-1].chunk_position == "last"


def test_stream_usage_can_be_switched_off(emu: Emulator, chat: Make) -> None:
    model = chat(stream_usage=False)
    assert total(model.stream("hi")).usage_metadata is None
    assert "stream_options" not in emu.requests[-1].body
    assert total(model.stream("hi", stream_usage=True)).usage_metadata is not None


def test_v1_output_holds_blocks(how: str, chat: Make) -> None:
    model: Any = chat(output_version="v1").bind_tools([add])
    for streaming in (False, True):
        message = call(how, streaming, model, "add 3 and 4")
        assert [block["type"] for block in message.content] == ["tool_call"]
        assert message.content[0]["args"] == {"a": 3, "b": 4}
    message = call(how, True, chat(output_version="v1"), '[[fault reasoning="so"]] hi')
    assert [block["type"] for block in message.content_blocks] == ["reasoning", "text"]


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_what_the_service_ran_twice_is_two_blocks(how: str, version: str) -> None:
    runs = [{"id": f"ws_{n}", "type": "web_search_call", "status": "completed"} for n in "ab"]
    case = responses_case("two searches", response(*runs, message("Found.")))
    model = ChatAIMLAPI(
        model="openai/gpt-5-2-codex",
        output_version=version,
        **served(Answer(case.body, (case.sse(),))),
    )
    for streaming in (False, True):
        answer = call(how, streaming, model, "hi")
        blocks = [b["value"] for b in answer.content_blocks if b["type"] == "non_standard"]
        assert blocks == runs
        assert answer.text == "Found."


@pytest.mark.parametrize("reason", ["length", "content_filter"])
@pytest.mark.parametrize("streaming", [False, True])
def test_cut_calls_are_invalid(
    how: str, streaming: bool, reason: str, emu: Emulator, chat: Make
) -> None:
    emu.faults.append(Fault(finish_reason=reason))
    message = call(how, streaming, chat().bind_tools([add]), "add 3 and 4")
    assert message.tool_calls == []
    assert len(message.invalid_tool_calls) == 1


def test_every_argument_reaches_the_wire(emu: Emulator, chat: Make) -> None:
    chat(
        temperature=0.2,
        top_p=0.5,
        max_tokens=50,
        n=1,
        seed=7,
        logprobs=True,
        top_logprobs=2,
        reasoning_effort="low",
    ).invoke("hi")
    assert emu.requests[-1].body == {
        "model": "openai/gpt-5-2",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0.2,
        "top_p": 0.5,
        "max_tokens": 50,
        "n": 1,
        "seed": 7,
        "logprobs": True,
        "top_logprobs": 2,
        "reasoning_effort": "low",
    }


def test_arguments_of_a_call_win(how: str, emu: Emulator, chat: Make) -> None:
    model = chat(temperature=0.2, max_tokens=50, reasoning={"effort": "low"})
    invoke(
        how, model, "hi", model="openai/gpt-5-2-chat-latest", temperature=None, max_tokens=60,
        reasoning_effort=None, seed=3, client_request_id="req-1", extra_headers={"X-Mine": "1"},
    )  # fmt: skip
    assert emu.requests[-1].body == {
        "model": "openai/gpt-5-2-chat-latest",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 60,
        "seed": 3,
    }
    assert emu.requests[-1].headers["x-client-request-id"] == "req-1"
    assert emu.requests[-1].headers["x-mine"] == "1"


def test_a_call_may_override_how_the_service_is_reached(how: str, emu: Emulator) -> None:
    model = ChatAIMLAPI(api_key="sk-wrong-1111", base_url="http://127.0.0.1:9/v1", max_retries=0)
    invoke(how, model, "hi", base_url=emu.base_url, api_key=SecretStr("sk-right-2222"))
    assert emu.requests[-1].headers["authorization"].endswith("2222")


def test_extra_body_and_model_kwargs(emu: Emulator, chat: Make) -> None:
    model = chat(
        seed=5, model_kwargs={"banana": 1}, extra_body={"apple": 2}, unsupported_params="send"
    )
    choice = {"index": 0, "message": {"content": "x"}, "finish_reason": "stop"}
    emu.enqueue_response(
        {"id": "x", "choices": [choice]}
    )  # the strict schema refuses unknown members
    model.invoke("hi", extra_body={"cherry": 3})
    body = emu.requests[-1].body
    assert {k: body[k] for k in ("seed", "banana", "apple", "cherry")} == {
        "seed": 5,
        "banana": 1,
        "apple": 2,
        "cherry": 3,
    }


@pytest.mark.parametrize(
    ("alias", "name", "value"),
    [
        ("model_name", "model", "openai/gpt-5-2-chat-latest"),
        ("max_completion_tokens", "max_tokens", 12),
        ("openai_api_base", "base_url", "https://host.example/v1"),
        ("request_timeout", "timeout", 12.5),
    ],
)
def test_names_of_other_packages(alias: str, name: str, value: Any) -> None:
    arguments: Any = {alias: value}
    assert getattr(ChatAIMLAPI(**arguments), name) == value
    with pytest.raises(aimlapi_core.ConfigurationError, match="given twice"):
        ChatAIMLAPI(**arguments, **{name: value})


def test_use_responses_api_is_the_endpoint() -> None:
    assert ChatAIMLAPI(use_responses_api=True).endpoint == "responses"
    assert ChatAIMLAPI(use_responses_api=False).endpoint == "chat"
    assert ChatAIMLAPI(use_responses_api=None).endpoint == "auto"


def test_misspelt_argument_gets_the_nearest_and_no_key_is_shown() -> None:
    arguments: Any = {"temprature": 1, "api_key": "sk-secret"}
    with pytest.raises(aimlapi_core.ConfigurationError) as caught:
        ChatAIMLAPI(**arguments)
    assert "'temprature': did you mean 'temperature'?" in str(caught.value)
    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [{"temperature": "hot", "api_key": "sk-secret"}, {"api_key": ["sk-secret"]}],
)
def test_an_argument_of_the_wrong_type_shows_no_key(arguments: Any) -> None:
    with pytest.raises(langchain_aimlapi.ConfigurationError, match=next(iter(arguments))) as caught:
        ChatAIMLAPI(**arguments)
    assert "sk-secret" not in str(caught.value)


def test_misspelt_argument_of_a_call_is_an_error(how: str, emu: Emulator, chat: Make) -> None:
    for streaming in (False, True):
        with pytest.raises(aimlapi_core.InvalidRequestError, match=r"'temperature'.*extra_body"):
            call(how, streaming, chat(), "hi", temprature=1)
    assert emu.requests == []


@pytest.mark.parametrize(
    "arguments", [{"base_url": "ftp://x"}, {"timeout": -1}, {"max_retries": -1}]
)
def test_settings_that_cannot_work_are_refused_at_once(arguments: Any) -> None:
    with pytest.raises(langchain_aimlapi.ConfigurationError):
        ChatAIMLAPI(**arguments)


def test_missing_key_is_named_before_anything_is_sent(how: str, emu: Emulator) -> None:
    with pytest.raises(aimlapi_core.MissingKeyError, match="AIMLAPI_API_KEY") as caught:
        invoke(how, ChatAIMLAPI(base_url=emu.base_url), "hi")
    assert isinstance(caught.value, ModelAuthenticationError)
    assert emu.requests == []


@pytest.mark.parametrize("name", ["AIMLAPI_API_KEY", "AIML_API_KEY"])
def test_the_environment_gives_key_and_url(
    name: str, emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = ChatAIMLAPI(max_retries=0)
    monkeypatch.setenv(name, "sk-env-7777")
    monkeypatch.setenv("AIMLAPI_BASE_URL", emu.base_url)
    for model in (late, ChatAIMLAPI()):
        model.invoke("hi")
        assert emu.requests[-1].headers["authorization"].endswith("7777")


def test_a_function_gives_the_key_for_each_call(emu: Emulator, chat: Make) -> None:
    keys = iter(["sk-one-1111", "sk-two-2222"])
    model = chat(api_key=lambda: SecretStr(next(keys)))
    for _ in range(2):
        model.invoke("hi")
    assert [s.headers["authorization"][-4:] for s in emu.requests] == ["1111", "2222"]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([], "no messages"),
        ([ToolMessage("3", tool_call_id="c9")], "results of tools only"),
        ([HumanMessage([{"type": "image", "url": "data:image/tiff;base64,AAAA"}])], "unsupported"),
    ],
)
def test_bad_requests_are_refused_before_anything_is_sent(
    how: str, streaming: bool, messages: Any, says: str, emu: Emulator, chat: Make
) -> None:
    with pytest.raises(langchain_aimlapi.InvalidRequestError, match=says) as caught:
        call(how, streaming, chat(), messages)
    assert isinstance(caught.value, ModelInvalidRequestError)
    assert emu.requests == []


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("fault", "core", "lc", "retryable"),
    [
        (Fault(status=400), aimlapi_core.BadRequestError, ModelInvalidRequestError, False),
        (
            Fault(status=400, message="maximum context length is 400000 tokens"),
            aimlapi_core.ContextTooLongError,
            ContextOverflowError,
            False,
        ),
        (
            Fault(status=500, shape="legacy", message="400 prompt is too long"),
            aimlapi_core.ContextTooLongError,
            ContextOverflowError,
            False,
        ),
        (Fault(status=401), aimlapi_core.AuthenticationError, ModelAuthenticationError, False),
        (Fault(status=403), aimlapi_core.InsufficientFundsError, ModelPermissionDeniedError, False),
        (
            Fault(status=403, message="This key may not do this"),
            aimlapi_core.PermissionDeniedError,
            ModelPermissionDeniedError,
            False,
        ),
        (Fault(status=404), aimlapi_core.NotFoundError, ModelNotFoundError, False),
        (
            Fault(status=429, message="Too Many Requests"),
            aimlapi_core.RateLimitError,
            ModelRateLimitError,
            True,
        ),
        (
            Fault(status=429, message="Free-tier limit: used up"),
            aimlapi_core.QuotaExceededError,
            ModelRateLimitError,
            False,
        ),
        (Fault(status=500), aimlapi_core.ServerError, ModelAPIError, True),
        (Fault(drop="after_read"), aimlapi_core.ConnectionLostError, ModelConnectionError, False),
        (
            Fault(raw_body=b"<html>hello</html>", content_type="text/html"),
            aimlapi_core.UnexpectedReplyError,
            ModelAPIError,
            False,
        ),
    ],
)
def test_errors_are_of_both_families(
    how: str,
    streaming: bool,
    fault: Fault,
    core: type[Exception],
    lc: type[ModelError],
    retryable: bool,
    emu: Emulator,
    chat: Make,
) -> None:
    emu.faults.append(fault)
    with pytest.raises(core) as caught:
        call(how, streaming, chat(), "hi")
    assert isinstance(caught.value, lc)
    assert isinstance(caught.value, getattr(langchain_aimlapi, core.__name__))
    assert caught.value.is_retryable is retryable
    assert isinstance(caught.value.__cause__, core)
    assert len(emu.requests) == 1


def test_a_status_error_shows_its_answer_and_no_key(emu: Emulator, chat: Make) -> None:
    emu.faults.append(Fault(status=400, headers={"Set-Cookie": "session=1"}))
    with pytest.raises(langchain_aimlapi.BadRequestError) as caught:
        chat(api_key="sk-secret-9999").invoke("hi")
    assert caught.value.response.status_code == 400
    assert caught.value.response.json()["status"] == 400
    assert "set-cookie" not in caught.value.response.headers
    assert caught.value.request_id
    assert "9999" not in str(caught.value)


def test_a_cut_stream_is_an_error_with_what_came(how: str, emu: Emulator, chat: Make) -> None:
    emu.faults.append(Fault(cut_after_events=3))
    with pytest.raises(aimlapi_core.StreamCutError) as caught:
        stream(how, chat(), "say something long enough to be cut")
    assert isinstance(caught.value, ModelConnectionError)
    assert caught.value.partial is not None


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_a_call_in_a_broken_stream_is_never_valid(
    how: str, endpoint: str, emu: Emulator, chat: Make
) -> None:
    model = chat(endpoint=endpoint).bind_tools([add])
    cut_calls = 0
    for position in range(1, 8):
        emu.faults[:] = [Fault(cut_after_events=position)]
        chunks, error = until_error(how, model, "add 3 and 4")
        if isinstance(error, langchain_aimlapi.StreamCutError) and chunks:
            message = total(chunks)
            assert [c["args"] for c in message.tool_calls] in ([], [{"a": 3, "b": 4}])
            cut_calls += len(message.invalid_tool_calls)
    assert cut_calls


def test_a_failure_inside_a_stream_is_an_error(how: str, emu: Emulator, chat: Make) -> None:
    emu.faults.append(Fault(error_event="legacy"))
    with pytest.raises(aimlapi_core.StreamFailedError) as caught:
        stream(how, chat(), "say something long enough")
    assert isinstance(caught.value, ModelAPIError)


def test_several_answers_come_from_generate(chat: Make) -> None:
    result = chat(n=3).generate([[HumanMessage("hi")]])
    assert len(result.generations[0]) == 3


def test_several_answers_cannot_be_streamed(how: str, emu: Emulator, chat: Make) -> None:
    with pytest.raises(langchain_aimlapi.InvalidRequestError, match="n=2 cannot be streamed"):
        stream(how, chat(n=2), "hi")
    assert emu.requests == []


def test_stop_sequences_cut(how: str, chat: Make) -> None:
    for streaming in (False, True):
        message = call(how, streaming, chat(stop="said"), "hi")
        assert message.content == "You "
        assert message.response_metadata["finish_reason"] == "stop"
        assert call(how, streaming, chat(stop="said"), "hi", stop=[]).content != "You "


def test_an_early_end_closes_the_stream(how: str, emu: Emulator, chat: Make) -> None:
    emu.faults.append(Fault(delay_between_s=0.05))
    if how == "sync":
        next(iter(chat().stream("a few words to say")))
        return

    async def first() -> None:
        chunks: Any = chat().astream("a few words to say")
        await anext(chunks)
        await chunks.aclose()

    asyncio.run(first())


def test_one_object_works_in_several_event_loops(emu: Emulator, chat: Make) -> None:
    model = chat()
    for _ in range(2):
        asyncio.run(model.ainvoke("hi"))
    assert len(emu.requests) == 2


def test_a_batch_keeps_its_order(how: str, emu: Emulator, chat: Make) -> None:
    model = chat()
    prompts: list[Any] = [f"number {i}" for i in range(5)]
    answers = model.batch(prompts) if how == "sync" else asyncio.run(model.abatch(prompts))
    assert [str(i) in str(answer.content) for i, answer in enumerate(answers)] == [True] * 5
    assert len(bodies(emu.requests)) == 5


@pytest.mark.parametrize("way", ["invoke", "stream", "events"])
def test_an_empty_answer_eaten_by_reasoning_warns(
    how: str, way: str, emu: Emulator, chat: Make
) -> None:
    usage = {
        "prompt_tokens": 1,
        "completion_tokens": 64,
        "total_tokens": 65,
        "completion_tokens_details": {"reasoning_tokens": 64},
    }
    choice = {"index": 0, "message": {"role": "assistant"}, "finish_reason": "length"}
    emu.enqueue_response({"id": "x", "choices": [choice], "usage": usage})
    asked = events if way == "events" else invoke if way == "invoke" else stream
    with pytest.warns(UserWarning, match="Raise max_tokens"):
        asked(how, chat(max_tokens=64), "hi")
