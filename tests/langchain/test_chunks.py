"""The chunks of a stream are what LangChain's own classes make, and share nothing."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from aimlapi_core import ReasoningDelta, RefusalDelta, StreamEvent, TextDelta, ToolCallDelta
from langchain_aimlapi._response.messages import to_chunks

METADATA = {"model_provider": "aimlapi"}
CALL = {"name": "f", "args": "{}", "id": "call_1", "index": 0, "type": "tool_call_chunk"}
EVENTS: dict[str, tuple[StreamEvent, dict[str, object]]] = {
    "text": (TextDelta("Grüße 🌍", 0), {"content": "Grüße 🌍"}),
    "reasoning": (
        ReasoningDelta("hm", 0),
        {"content": "", "additional_kwargs": {"reasoning_content": "hm"}},
    ),
    "refusal": (RefusalDelta("no", 0), {"content": "", "additional_kwargs": {"refusal": "no"}}),
    "tool call": (
        ToolCallDelta(0, "call_1", "f", "{}", 0),
        {"content": "", "tool_call_chunks": [CALL]},
    ),
}


@pytest.mark.parametrize("kind", EVENTS)
def test_a_chunk_is_what_the_class_makes(kind: str) -> None:
    event, members = EVENTS[kind]
    (made,) = to_chunks(event, "m", usage=True)
    message = AIMessageChunk(response_metadata=METADATA, **members)  # type: ignore[arg-type]  # members of one kind
    wanted = ChatGenerationChunk(message=message)
    assert made == wanted
    assert made.__dict__ == wanted.__dict__
    assert made.message.__dict__ == message.__dict__
    assert made.message.model_dump() == message.model_dump()
    assert (made + made).message == (wanted + wanted).message


def test_two_chunks_share_nothing_that_can_change() -> None:
    first, second = (to_chunks(TextDelta("x", 0), "m", usage=True)[0].message for _ in range(2))
    first.id = "run-1"
    first.response_metadata["a"] = 1
    first.additional_kwargs["b"] = 2
    assert second.__dict__ == AIMessageChunk(content="x", response_metadata=METADATA).__dict__
