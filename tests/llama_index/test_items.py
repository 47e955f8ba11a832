"""The items of a stream are what LlamaIndex's own classes make, and share nothing."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ContentBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from aimlapi_core import ChatRequest, ReasoningDelta, StreamEvent, TextDelta, ToolCallDelta
from llama_index_aimlapi._request.prepared import PreparedRequest
from llama_index_aimlapi._response.messages import StreamAccumulator

PREPARED = PreparedRequest(ChatRequest("m", ()))
FUNCTION = {"name": "f", "arguments": "{}"}
CASES: dict[str, tuple[StreamEvent, list[ContentBlock], str, dict[str, Any], dict[str, Any]]] = {
    "text": (TextDelta("Grüße", 0), [TextBlock(text="Grüße")], "Grüße", {}, {}),
    "reasoning": (
        ReasoningDelta("hm", 0),
        [ThinkingBlock(content="hm"), TextBlock(text="")],
        "",
        {},
        {"thinking_delta": "hm"},
    ),
    "tool call": (
        ToolCallDelta(0, "call_1", "f", "{}", 0),
        [ToolCallBlock(tool_call_id="call_1", tool_name="f", tool_kwargs="{}")],
        "",
        {"tool_calls": [{"id": "call_1", "type": "function", "function": FUNCTION}]},
        {},
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_an_item_is_what_the_classes_make(kind: str) -> None:
    event, blocks, delta, kwargs, marks = CASES[kind]
    made = StreamAccumulator(PREPARED).feed(event)
    message = ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks, additional_kwargs=kwargs)
    wanted = ChatResponse(
        message=message,
        raw={"usage": None},
        delta=delta,
        logprobs=None,
        additional_kwargs={"is_partial": True, **marks},
    )
    assert made == wanted
    assert made.model_dump() == wanted.model_dump()
    assert made.model_fields_set == wanted.model_fields_set
    assert made.message.model_fields_set == message.model_fields_set
    assert made.message.content == message.content


def test_two_items_share_nothing_that_can_change() -> None:
    accumulator = StreamAccumulator(PREPARED)
    first, second = (accumulator.feed(TextDelta("x", 0)) for _ in range(2))
    assert first is not None
    assert second is not None
    first.message.blocks.append(TextBlock(text="y"))
    first.message.additional_kwargs["a"] = 1
    first.additional_kwargs["b"] = 2
    first.raw["c"] = 3
    assert second.message.content == "xx"
    assert second.message.additional_kwargs == {}
    assert second.additional_kwargs == {"is_partial": True}
    assert second.raw == {"usage": None}
