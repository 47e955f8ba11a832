"""Core replies and events in, LlamaIndex responses out, by literals."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    ChatResponse,
    CitationBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from aimlapi_core import (
    ChatRequest,
    Choice,
    Cost,
    Finished,
    Message,
    ProviderItem,
    Reasoning,
    ReasoningDelta,
    Refusal,
    RefusalDelta,
    Reply,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Transport,
    Usage,
)
from llama_index_aimlapi._request.prepared import PreparedRequest
from llama_index_aimlapi._request.tools import ToolRef
from llama_index_aimlapi._response.messages import StreamAccumulator, to_completion, to_response

REQUEST = ChatRequest("m", (Message("user", (Text("x"),)),))
PREPARED = PreparedRequest(REQUEST)
USAGE = Usage(7, 5, 12, 2, 3, {"prompt_tokens": 7, "prompt_tokens_details": {"cached_tokens": 2}})
TOKEN = {
    "token": "Hi",
    "logprob": -0.5,
    "bytes": [72, 105],
    "top_logprobs": [{"token": "Hi", "logprob": -0.5}, {"token": "Ho", "logprob": -1.5}],
}


def reply(*parts: Any, finish: str = "stop", **others: Any) -> Reply:
    choice = Choice(0, parts, finish, others.pop("logprobs", None))
    return Reply("r1", "gpt-5.2", 1, (choice,), **{"usage": USAGE, **others})


def grown(*events: StreamEvent, prepared: PreparedRequest = PREPARED) -> list[ChatResponse]:
    accumulator = StreamAccumulator(prepared)
    return [item for event in events if (item := accumulator.feed(event)) is not None]


def test_a_whole_answer() -> None:
    cost = Cost(409, 0.0002045)
    transport = Transport(200, request_id="q1", inference_id="i1")
    response = to_response(reply(Text("Hi"), cost=cost, transport=transport), PREPARED)
    assert response.message.blocks == [TextBlock(text="Hi")]
    assert response.message.additional_kwargs == {}
    assert response.delta is None
    assert response.additional_kwargs == {
        "prompt_tokens": 7,
        "completion_tokens": 5,
        "total_tokens": 12,
        "cached_tokens": 2,
        "reasoning_tokens": 3,
        "cost": 0.0002045,
        "credits_used": 409,
        "finish_reason": "stop",
        "request_id": "q1",
        "inference_id": "i1",
        "response_id": "r1",
        "served_model": "gpt-5.2",
    }
    assert json.loads(json.dumps(response.raw)) == {
        "id": "r1",
        "model": "gpt-5.2",
        "created": 1,
        "endpoint": "chat",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi"},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": 7,
            "completion_tokens": 5,
            "total_tokens": 12,
            "prompt_tokens_details": {"cached_tokens": 2},
        },
        "meta": {"usage": {"credits_used": 409, "usd_spent": 0.0002045}},
    }


def test_raw_has_usage_even_when_none_came() -> None:
    response = to_response(reply(Text("Hi"), usage=None), PREPARED)
    assert response.raw["usage"] is None
    assert "prompt_tokens" not in response.additional_kwargs


def test_usage_of_the_responses_endpoint_has_the_common_names_too() -> None:
    usage = Usage(7, 5, 12, raw={"input_tokens": 7, "output_tokens": 5})
    counts = to_response(reply(usage=usage), PREPARED).raw["usage"]
    assert (counts["prompt_tokens"], counts["input_tokens"], counts["completion_tokens"]) == (
        7,
        7,
        5,
    )


def test_thinking_text_and_calls_stand_in_order() -> None:
    call = ToolCall("c1", "add", '{"a": 1}', "fc_1", {"extra_content": {"k": 1}})
    response = to_response(reply(Reasoning("hm", {"id": "rs"}), Text("So"), call), PREPARED)
    assert response.message.blocks == [
        ThinkingBlock(content="hm", num_tokens=3, additional_information={"aimlapi": {"id": "rs"}}),
        TextBlock(text="So"),
        ToolCallBlock(tool_call_id="c1", tool_name="add", tool_kwargs='{"a": 1}'),
    ]
    assert response.message.additional_kwargs == {
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "add", "arguments": '{"a": 1}'},
                "item_id": "fc_1",
                "extra": {"extra_content": {"k": 1}},
            }
        ]
    }


def test_a_call_alone_has_no_text_block_and_an_empty_answer_has_one() -> None:
    assert to_response(reply(ToolCall("c", "add", "")), PREPARED).message.content is None
    assert to_response(reply(), PREPARED).message.content == ""


def test_citations_become_blocks_and_leave_one_text_block() -> None:
    nested = {
        "type": "url_citation",
        "url_citation": {"url": "https://a", "title": "A", "start_index": 0, "end_index": 2},
    }
    flat = {"type": "url_citation", "url": "https://b", "start_index": 3, "end_index": 5}
    response = to_response(reply(Text("Hi Ho", (nested, flat, {"type": "other"}))), PREPARED)
    assert [type(block) for block in response.message.blocks] == [
        TextBlock,
        CitationBlock,
        CitationBlock,
    ]
    cited = response.message.blocks[2]
    assert isinstance(cited, CitationBlock)
    assert (cited.source, cited.title, cited.cited_content) == (
        "https://b",
        "https://b",
        TextBlock(text="Ho"),
    )
    assert response.raw["choices"][0]["message"]["annotations"] == [nested, flat, {"type": "other"}]


def test_a_refusal_is_shown_and_named() -> None:
    response = to_response(reply(Refusal("I cannot.")), PREPARED)
    assert response.message.content == "I cannot."
    assert response.message.additional_kwargs == {"refusal": "I cannot."}
    assert response.additional_kwargs["refusal"] == "I cannot."


def test_provider_items_are_kept() -> None:
    item = {"type": "web_search_call", "id": "ws"}
    response = to_response(reply(ProviderItem(item), Text("Hi")), PREPARED)
    assert response.message.additional_kwargs == {"provider_items": [item]}


def test_all_choices_are_in_raw() -> None:
    two = Reply("r", "m", 1, (Choice(0, (Text("a"),), "stop"), Choice(1, (Text("b"),), "stop")))
    response = to_response(two, PREPARED)
    assert response.message.content == "a"
    assert [c["message"]["content"] for c in response.raw["choices"]] == ["a", "b"]


def test_logprobs_give_the_chosen_token_first_and_once() -> None:
    response = to_response(reply(Text("Hi"), logprobs={"content": [TOKEN]}), PREPARED)
    assert response.logprobs is not None
    assert [[p.token for p in row] for row in response.logprobs] == [["Hi", "Ho"]]
    assert response.logprobs[0][0].bytes == [72, 105]


@pytest.mark.parametrize("odd", [None, True, 1, "x", [1], [None], {"a": 1}, 1e400], ids=repr)
def test_odd_logprobs_lose_no_answer(odd: Any) -> None:
    rows = [odd, {"token": odd, "logprob": odd, "bytes": odd, "top_logprobs": odd}]
    for content in (odd, rows, [{**TOKEN, "top_logprobs": rows}]):
        response = to_response(reply(Text("Hi"), logprobs={"content": content}), PREPARED)
        assert response.message.content == "Hi"


def test_a_stream_grows_and_ends_with_the_whole_answer() -> None:
    whole = reply(Reasoning("hm"), Text("Hi 你"), ToolCall("c", "add", '{"a":1}'))
    items = grown(
        ReasoningDelta("h"),
        ReasoningDelta("m"),
        TextDelta("Hi ", logprobs={"content": [TOKEN]}),
        TextDelta("other choice", choice=1),
        TextDelta("你"),
        ToolCallDelta(0, "c", "add"),
        ToolCallDelta(0, arguments='{"a"'),
        ToolCallDelta(0, arguments=":1}"),
        Finished(whole),
    )
    assert [item.delta for item in items] == ["", "", "Hi ", "你", "", "", "", ""]
    assert [item.additional_kwargs.get("thinking_delta") for item in items[:3]] == ["h", "m", None]
    assert [item.message.content for item in items[2:5]] == ["Hi ", "Hi 你", "Hi 你"]
    assert items[1].message.blocks == [ThinkingBlock(content="hm"), TextBlock(text="")]
    assert items[2].logprobs is not None
    calls = [item.message.additional_kwargs["tool_calls"][0]["function"] for item in items[4:7]]
    assert [call["arguments"] for call in calls] == ["", '{"a"', '{"a":1}']
    assert all(item.raw == {"usage": None} for item in items[:-1])
    unstreamed = to_response(whole, PREPARED)
    assert items[-1] == unstreamed.model_copy(update={"delta": ""})


def test_each_item_of_a_stream_is_its_own_value() -> None:
    items = grown(
        TextDelta("a"), ToolCallDelta(0, "c", "add", "{"), ToolCallDelta(0, arguments="}")
    )
    items[1].message.additional_kwargs["tool_calls"].clear()
    assert items[0].message.content == "a"
    assert items[2].message.additional_kwargs["tool_calls"]


def test_a_streamed_refusal_is_text() -> None:
    items = grown(
        RefusalDelta("I "), RefusalDelta("cannot."), Finished(reply(Refusal("I cannot.")))
    )
    assert "".join(item.delta or "" for item in items) == items[-1].message.content == "I cannot."


def test_a_refusal_before_the_text_is_given_out_behind_it() -> None:
    answer = reply(Text("Sorry."), Refusal("No."))
    items = grown(RefusalDelta("No."), TextDelta("Sorry."), Finished(answer))
    assert "".join(item.delta or "" for item in items) == items[-1].message.content == "Sorry.No."
    contents = [item.message.content or "" for item in items]
    assert all(after.startswith(before) for before, after in pairwise(contents))


@pytest.mark.parametrize("streamed", [False, True])
def test_only_one_call_is_used_where_one_was_allowed(
    streamed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    prepared = PreparedRequest(
        ChatRequest("m", REQUEST.messages, parallel_tool_calls=False), {"add": ToolRef("add")}
    )
    whole = reply(ToolCall("c1", "add", "{}"), ToolCall("c2", "add", "{}"))
    events = [ToolCallDelta(0, "c1", "add"), ToolCallDelta(1, "c2", "add"), Finished(whole)]
    items = grown(*events, prepared=prepared) if streamed else [to_response(whole, prepared)]
    assert all(len(item.message.additional_kwargs["tool_calls"]) == 1 for item in items)
    assert len(items[-1].raw["choices"][0]["message"]["tool_calls"]) == 2
    assert "2 tool calls" in caplog.text


@pytest.mark.parametrize("streamed", [False, True])
def test_calls_come_back_under_the_callers_names(streamed: bool) -> None:
    prepared = PreparedRequest(REQUEST, {"Gen_int__1": ToolRef("Gen[int]")})
    whole = reply(ToolCall("c", "Gen_int__1", "{}"))
    events = [ToolCallDelta(0, "c", "Gen_int__1"), Finished(whole)]
    items = grown(*events, prepared=prepared) if streamed else [to_response(whole, prepared)]
    for item in items:
        (block,) = item.message.blocks
        assert isinstance(block, ToolCallBlock)
        assert block.tool_name == "Gen[int]"
        assert item.message.additional_kwargs["tool_calls"][0]["function"]["name"] == "Gen[int]"


def test_nulls_that_strict_mode_added_are_taken_out_of_arguments() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}
    prepared = PreparedRequest(REQUEST, {"f": ToolRef("f", schema)})
    response = to_response(reply(ToolCall("c", "f", '{"a": 1, "b": null}')), prepared)
    block = response.message.blocks[0]
    assert isinstance(block, ToolCallBlock)
    assert block.tool_kwargs == '{"a": 1}'


def test_a_completion_carries_what_the_chat_response_does() -> None:
    response = to_response(reply(Refusal("No."), logprobs={"content": [TOKEN]}), PREPARED, delta="")
    completion = to_completion(response)
    assert (completion.text, completion.delta, completion.raw) == ("No.", "", response.raw)
    assert completion.additional_kwargs == {**response.additional_kwargs, "refusal": "No."}
    assert completion.logprobs == response.logprobs
