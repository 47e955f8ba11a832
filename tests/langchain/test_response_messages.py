from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.messages.content import KNOWN_BLOCK_TYPES
from langchain_core.outputs import ChatGenerationChunk

from aimlapi_core import (
    Choice,
    CitationDelta,
    Cost,
    Finished,
    ProviderItem,
    Reasoning,
    ReasoningDelta,
    Refusal,
    RefusalDelta,
    Reply,
    StreamCutError,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Transport,
    Usage,
)
from langchain_aimlapi._response.empty_output import exhausted_reasoning_message
from langchain_aimlapi._response.messages import (
    chunks_on_stream_error,
    to_chat_result,
    to_chunks,
)
from langchain_aimlapi._response.metadata import combine_llm_outputs
from tests.fuzz.laws import json_values
from tests.langchain.calls import total

MODEL = "openai/gpt-5-2"
REFUSAL = {"type": "refusal", "refusal": "but no"}
USAGE = Usage(10, 20, 30, cached_tokens=4, reasoning_tokens=5)
CITATION = {
    "type": "url_citation",
    "url_citation": {"url": "https://host.example", "title": "t", "start_index": 0, "end_index": 2},
}


def reply(*parts: Any, finish_reason: str = "stop", extra: Any = None, **members: Any) -> Reply:
    return Reply(
        id="chatcmpl-1",
        model="gpt-5.2-2025-12-11",
        created=1,
        choices=(Choice(0, parts, finish_reason, extra=extra or {}),),
        usage=USAGE,
        cost=Cost(409, 0.0002045),
        transport=Transport(200, request_id="req", inference_id="inf"),
        **members,
    )


def invoked(answer: Reply) -> AIMessage:
    message = to_chat_result(answer, MODEL).generations[0].message
    assert isinstance(message, AIMessage)
    return message


def streamed(answer: Reply, *events: StreamEvent, usage: bool = True) -> AIMessageChunk:
    chunks: list[Any] = [
        chunk.message
        for event in (*events, Finished(answer))
        for chunk in to_chunks(event, MODEL, usage=usage)
    ]
    whole = total(chunks)
    assert isinstance(whole, AIMessageChunk)
    assert chunks[-1].chunk_position == "last"
    return whole


EVERYTHING = (
    reply(
        Reasoning("hm mm"),
        Text("hi", (CITATION,)),
        Refusal("but no"),
        ToolCall("c1", "add", '{"a": 1}'),
        ProviderItem({"type": "web_search_call", "id": "w1"}),
        finish_reason="tool_calls",
        extra={"audio": None},
    ),
    (
        ReasoningDelta("hm"),
        ReasoningDelta(" mm"),
        TextDelta("h"),
        TextDelta("i"),
        CitationDelta(CITATION),
        RefusalDelta("but "),
        RefusalDelta("no"),
        ToolCallDelta(0, "c1", "add"),
        ToolCallDelta(0, arguments='{"a":'),
        ToolCallDelta(0, arguments=" 1}"),
    ),
)


def sources(*names: str) -> tuple[dict[str, Any], ...]:
    """Citations of files at one place: their `index` is a place in the text."""
    return tuple({"type": "file_citation", "index": 5, "file_id": name} for name in names)


@pytest.mark.parametrize("cited", [sources("A", "B"), sources("A", "A"), (*sources("A"), CITATION)])
@pytest.mark.parametrize("text", ["Text.", ""])
def test_each_citation_is_kept(cited: tuple[Any, ...], text: str) -> None:
    answer = reply(Text(text, cited))
    events = [TextDelta(piece) for piece in text] + [CitationDelta(one) for one in cited]
    one, other = invoked(answer), streamed(answer, *events)
    assert one.additional_kwargs["annotations"] == list(cited)
    assert other.additional_kwargs["annotations"] == list(cited)
    (block,) = one.content_blocks
    (same,) = other.content_blocks
    assert {**same, "index": None} == {**block, "index": None}


def test_a_refusal_without_words_is_no_block() -> None:
    loaded = AIMessage(
        "Yes.",
        additional_kwargs={"refusal": ""},
        response_metadata={"model_provider": "aimlapi"},
    )
    assert loaded.content_blocks == [{"type": "text", "text": "Yes."}]


def test_streamed_and_invoked_answers_are_the_same_message() -> None:
    answer, events = EVERYTHING
    one, other = invoked(answer), streamed(answer, *events)
    for name in (
        "content",
        "additional_kwargs",
        "response_metadata",
        "tool_calls",
        "invalid_tool_calls",
        "usage_metadata",
        "content_blocks",
    ):
        assert getattr(one, name) == getattr(other, name), name


def test_metadata() -> None:
    choice_extra = {"native_finish_reason": "completed"}
    answer = reply(Text("hi"), extra=choice_extra, endpoint="chat")
    answer = replace(answer, extra={"service_tier": "default", "unknown": 1})
    assert "native_finish_reason" not in invoked(answer).additional_kwargs
    assert invoked(answer).response_metadata == {
        "service_tier": "default",
        "native_finish_reason": "completed",
        "model_provider": "aimlapi",
        "model_name": MODEL,
        "served_model": "gpt-5.2-2025-12-11",
        "finish_reason": "stop",
        "id": "chatcmpl-1",
        "created": 1,
        "request_id": "req",
        "inference_id": "inf",
        "token_usage": {
            "prompt_tokens": 10,
            "completion_tokens": 20,
            "total_tokens": 30,
            "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 5},
        },
        "cost": 0.0002045,
        "credits_used": 409,
    }


def test_usage_names_cached_and_reasoning_tokens() -> None:
    assert invoked(reply(Text("hi"))).usage_metadata == {
        "input_tokens": 10,
        "output_tokens": 20,
        "total_tokens": 30,
        "input_token_details": {"cache_read": 4},
        "output_token_details": {"reasoning": 5},
    }


def test_usage_can_be_switched_off_in_streams() -> None:
    message = streamed(reply(Text("hi")), usage=False)
    assert message.usage_metadata is None
    assert "token_usage" not in message.response_metadata


def test_content_blocks_in_order() -> None:
    assert invoked(EVERYTHING[0]).content_blocks == [
        {"type": "reasoning", "reasoning": "hm mm"},
        {
            "type": "text",
            "text": "hi",
            "annotations": [
                {
                    "type": "citation",
                    "url": "https://host.example",
                    "title": "t",
                    "start_index": 0,
                    "end_index": 2,
                }
            ],
        },
        REFUSAL if "refusal" in KNOWN_BLOCK_TYPES else {"type": "non_standard", "value": REFUSAL},
        {"type": "tool_call", "id": "c1", "name": "add", "args": {"a": 1}},
        {"type": "non_standard", "value": {"type": "web_search_call", "id": "w1"}},
    ]


def test_opaque_data_is_kept_for_the_next_turn() -> None:
    message = invoked(
        reply(Reasoning("hm", {"id": "r1"}), ToolCall("c1", "f", "{}", "fc_1", {"x": 1}))
    )
    assert message.additional_kwargs["reasoning_details"] == [{"id": "r1"}]
    assert message.additional_kwargs["tool_call_extras"] == {
        "c1": {"item_id": "fc_1", "extra": {"x": 1}}
    }


@pytest.mark.parametrize("reason", ["length", "content_filter", "stop", "tool_calls"])
@pytest.mark.parametrize(
    "arguments",
    [
        '{"a": 1',
        '{"a": "x',
        '{"a": "x\\',
        '{"a": [1, {"b": "',
        "{",
        '{"a": 1} and',
        "[1]",
        '{"a": NaN}',
        '{"a": 1, "a": 2}',
        '{"a": 1}{"a": 2}',
        '"a"',
    ],
)
def test_broken_arguments_never_make_a_valid_call(arguments: str, reason: str) -> None:
    answer = reply(ToolCall("c1", "f", arguments), finish_reason=reason)
    for message in (
        invoked(answer),
        streamed(answer, ToolCallDelta(0, "c1", "f"), ToolCallDelta(0, arguments=arguments)),
    ):
        assert message.tool_calls == []
        (cut,) = message.invalid_tool_calls
        assert (cut["id"], cut["name"]) == ("c1", "f")
        assert (cut["args"] or "").startswith(arguments)
        assert message.additional_kwargs["invalid_arguments"] == {"c1": arguments}


@pytest.mark.parametrize("arguments", ['{"a": "\n"}', '{"a": "b\tc"}'])
def test_raw_control_characters_in_strings_are_read(arguments: str) -> None:
    answer = reply(ToolCall("c1", "f", arguments), finish_reason="tool_calls")
    for message in (
        invoked(answer),
        streamed(answer, ToolCallDelta(0, "c1", "f"), ToolCallDelta(0, arguments=arguments)),
    ):
        assert [call["args"] for call in message.tool_calls] == [
            json.loads(arguments, strict=False)
        ]
        assert "invalid_arguments" not in message.additional_kwargs


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_call_cut_before_its_arguments_is_invalid(reason: str) -> None:
    answer = reply(ToolCall("c1", "f", ""), finish_reason=reason)
    for message in (invoked(answer), streamed(answer, ToolCallDelta(0, "c1", "f"))):
        assert message.tool_calls == []
        assert len(message.invalid_tool_calls) == 1


def test_whole_arguments_stay_valid_though_the_answer_was_cut() -> None:
    answer = reply(ToolCall("c1", "f", '{"a": 1}'), finish_reason="length")
    events = (ToolCallDelta(0, "c1", "f"), ToolCallDelta(0, arguments='{"a": 1}'))
    for message in (invoked(answer), streamed(answer, *events)):
        assert [call["args"] for call in message.tool_calls] == [{"a": 1}]


def test_a_call_without_arguments_has_none() -> None:
    answer = reply(ToolCall("c1", "f", ""), finish_reason="tool_calls")
    for message in (invoked(answer), streamed(answer, ToolCallDelta(0, "c1", "f"))):
        assert [call["args"] for call in message.tool_calls] == [{}]


def sums(pieces: list[Any]) -> list[Any]:
    """The chunks added up in each way that langchain-core has, as v1 content too."""
    halves = (total(pieces[: len(pieces) // 2 or 1]), total(pieces[len(pieces) // 2 or 1 :]))
    v1 = [
        piece.model_copy(
            update={
                "content": piece.content_blocks,
                "response_metadata": {**piece.response_metadata, "output_version": "v1"},
            }
        )
        for piece in pieces
    ]
    whole = generate_from_stream(ChatGenerationChunk(message=piece) for piece in pieces)
    return [
        total(pieces),
        add_ai_message_chunks(*pieces),
        total(halves),
        total(v1),
        message_chunk_to_message(total(pieces)),
        whole.generations[0].message,
    ]


@given(
    st.dictionaries(st.text(max_size=3), json_values, min_size=1, max_size=3),
    st.sampled_from([None, 1]),
    st.booleans(),
    st.sampled_from(["length", "content_filter", "tool_calls"]),
    st.data(),
)
@settings(max_examples=200, deadline=None)
def test_no_prefix_of_arguments_becomes_a_valid_call(
    arguments: dict[str, Any], indent: int | None, ascii_only: bool, reason: str, data: Any
) -> None:
    whole = json.dumps(arguments, indent=indent, ensure_ascii=ascii_only)
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]
    middle = data.draw(st.integers(0, len(cut)))
    events = (
        ToolCallDelta(0, "c1", "f", cut[:middle]),
        ToolCallDelta(0, arguments=cut[middle:]),
        Finished(reply(ToolCall("c1", "f", cut), finish_reason=reason)),
    )
    chunks = [chunk for event in events for chunk in to_chunks(event, MODEL, usage=True)]
    for message in sums([chunk.message for chunk in chunks]):
        assert (message.tool_calls, len(message.invalid_tool_calls)) == ([], 1)
        assert message.invalid_tool_calls[0]["args"].startswith(cut)


# One for each innermost bracket and each state of a string.
CUT_ARGUMENTS = (
    '{"orders": [{"name": "a", "ids": [1, 2',
    '{"orders": [{"name": "a", "ids": [1, 2]',
    '{"orders": [{"name": "a", "ids": [[[',
    '{"a": {"b": {',
    '{"a": ["b]}',
    '{"a": ["b\\',
    '{"a": ["b\\u00',
    '{"a": [{"b]',
    '{"a": 1, "b":',
    "{",
    " ",
    "",
    # What some servers send before the arguments themselves.
    "{}",
    "{ }\n",
    "null",
)


@pytest.mark.parametrize("cut", CUT_ARGUMENTS)
def test_cut_arguments_are_an_invalid_call_in_a_broken_stream(cut: str) -> None:
    partial = reply(ToolCall("c1", "f", cut), finish_reason=None)
    before = [
        chunk.message for chunk in to_chunks(ToolCallDelta(0, "c1", "f", cut), MODEL, usage=True)
    ]
    after = [
        chunk.message for chunk in chunks_on_stream_error(StreamCutError("cut", partial=partial))
    ]
    for message in sums([*before, *after]):
        assert (message.tool_calls, len(message.invalid_tool_calls)) == ([], 1)


def test_parallel_calls_merge_by_index() -> None:
    calls = [ToolCall(f"c{i}", "f", json.dumps({"i": i})) for i in range(2)]
    message = streamed(
        reply(*calls, finish_reason="tool_calls"),
        ToolCallDelta(0, "c0", "f"),
        ToolCallDelta(1, "c1", "f"),
        ToolCallDelta(0, arguments='{"i": 0}'),
        ToolCallDelta(1, arguments='{"i": 1}'),
    )
    assert [(c["id"], c["args"]) for c in message.tool_calls] == [
        ("c0", {"i": 0}),
        ("c1", {"i": 1}),
    ]


def test_money_and_usage_stand_on_the_first_of_several_answers() -> None:
    first = reply(Text("a"))
    answer = Reply(
        first.id,
        first.model,
        1,
        (*first.choices, Choice(1, (Text("b"),), "stop")),
        USAGE,
        first.cost,
    )
    result = to_chat_result(answer, MODEL)
    messages = [generation.message for generation in result.generations]
    assert [m.content for m in messages] == ["a", "b"]
    assert [getattr(m, "usage_metadata") is None for m in messages] == [False, True]  # noqa: B009  # AIMessage only
    assert ["cost" in m.response_metadata for m in messages] == [True, False]
    assert set(result.llm_output or {}) <= set(messages[0].response_metadata)


def test_logprobs_come_once() -> None:
    logprobs = {"content": [{"token": "hi", "logprob": -0.1}]}
    answer = Reply("i", "m", 1, (Choice(0, (Text("hi"),), "stop", logprobs),))
    event = TextDelta("hi", logprobs=logprobs)
    for message in (invoked(answer), streamed(answer, event)):
        assert message.response_metadata["logprobs"] == logprobs


def test_a_batch_adds_its_money_and_tokens_up() -> None:
    details = {"cached_tokens": 2}
    usage = {"total_tokens": 3, "prompt_tokens_details": details}
    one = {"model_name": "a", "cost": 0.5, "credits_used": 2, "token_usage": usage}
    other = {**one, "token_usage": {"total_tokens": 4}}
    assert combine_llm_outputs([one, None, one, other]) == {
        "model_name": "a",
        "cost": 1.5,
        "credits_used": 6,
        "token_usage": {"total_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4}},
    }
    assert usage == {"total_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}}


def test_an_answer_eaten_by_reasoning_is_explained() -> None:
    assert "max_tokens" in (exhausted_reasoning_message(reply(finish_reason="length")) or "")
    assert exhausted_reasoning_message(reply(Text("x"), finish_reason="length")) is None
    assert exhausted_reasoning_message(reply(finish_reason="stop")) is None
