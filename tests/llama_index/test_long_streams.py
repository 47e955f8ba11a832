"""What a stream costs: the same for each chunk, however long the answer is by then.

Counted are the calls that our code makes or takes, not seconds. LlamaIndex wants the whole message
in each item: that one text, and reading it where it is JSON, are all that grows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import pytest
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

import aimlapi_core
import llama_index_aimlapi
from llama_index_aimlapi import AIMLAPI
from tests.llama_index.ways import items

OURS = tuple(str(Path(p.__file__).parent) for p in (aimlapi_core, llama_index_aimlapi))
HELLO = [ChatMessage(content="Hello")]


class Note(BaseModel):
    text: str


def note(text: str) -> str:
    """Note a text."""
    return text


TOOL = FunctionTool.from_defaults(note)
# What a stream on each endpoint brings for one delta of each kind, and the answer as a whole.
CHAT_DELTAS: dict[str, Callable[[str], Any]] = {
    "text": lambda piece: {"content": piece},
    "reasoning": lambda piece: {"reasoning_content": piece},
    "call": lambda piece: {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]},
}
RESPONSES_DELTAS = {
    "text": "response.output_text.delta",
    "reasoning": "response.reasoning_summary_text.delta",
    "call": "response.function_call_arguments.delta",
}


def chat_stream(kind: str, pieces: list[str]) -> Iterator[Any]:
    def chunk(delta: Any, finish: str | None = None) -> Any:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [choice]}  # fmt: skip

    head = {"index": 0, "id": "c1", "type": "function", "function": {"name": "note"}}
    yield chunk({"role": "assistant", **({"tool_calls": [head]} if kind == "call" else {})})
    for piece in pieces:
        yield chunk(CHAT_DELTAS[kind](piece))
    yield chunk({}, "tool_calls" if kind == "call" else "stop")


def responses_stream(kind: str, pieces: list[str]) -> Iterator[Any]:
    whole = "".join(pieces)
    output = {
        "text": {"type": "message", "id": "i", "role": "assistant", "status": "completed",
                 "content": [{"type": "output_text", "text": whole, "annotations": []}]},
        "reasoning": {"type": "reasoning", "id": "i",
                      "summary": [{"type": "summary_text", "text": whole}]},
        "call": {"type": "function_call", "id": "i", "call_id": "c1", "name": "note",
                 "arguments": whole, "status": "completed"},
    }[kind]  # fmt: skip
    answer = {"id": "r", "object": "response", "created_at": 1, "model": "m", "output": [output]}
    place = {"output_index": 0, "item_id": "i"}
    yield {"type": "response.created", "response": {**answer, "output": []}}
    added = {**output, "arguments": ""} if kind == "call" else output | {"content": []}
    yield {"type": "response.output_item.added", **place, "item": added}
    for piece in pieces:
        yield {"type": RESPONSES_DELTAS[kind], **place, "content_index": 0, "summary_index": 0,
               "delta": piece}  # fmt: skip
    yield {"type": "response.completed", "response": {**answer, "status": "completed"}}


STREAMS = {"chat": chat_stream, "responses": responses_stream}


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that comes event by event."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
        self._events.append(b"data: [DONE]\n\n")

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._events)

    async def __aiter__(self) -> Any:
        for event in self._events:
            yield event


def model(endpoint: str, kind: str, pieces: list[str]) -> AIMLAPI:
    def answer(request: httpx.Request) -> httpx.Response:
        head = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=head, stream=Pieces(STREAMS[endpoint](kind, pieces)))

    transport = httpx.MockTransport(answer)
    return AIMLAPI(
        endpoint=endpoint,  # type: ignore[arg-type]  # a parameter of the test
        api_key="sk-x",
        http_client=httpx.Client(transport=transport),
        http_async_client=httpx.AsyncClient(transport=transport),
    )


class Counter:
    """Counts the calls of our functions, and those that our functions make into C."""

    calls = 0

    def __call__(self, frame: FrameType, event: str, arg: Any) -> None:
        if event in ("call", "c_call") and frame.f_code.co_filename.startswith(OURS):
            self.calls += 1


async def calls(endpoint: str, kind: str, way: str, chunks: int) -> int:
    """How many calls a stream of so many chunks costs."""
    opening, closing = ('{"text": "', '"}') if kind == "call" or "structured" in way else ("", "")
    llm = model(endpoint, kind, [opening, *["word "] * (chunks - 2), closing])
    counter = Counter()
    arguments: Any = ("Hello",) if "complete" in way else (HELLO,)
    if "structured" in way:
        arguments = (Note, PromptTemplate("A note."))
    sys.setprofile(counter)
    try:
        came = await items(llm, way, *arguments, **({"tools": [TOOL]} if kind == "call" else {}))
        if kind == "call":
            for item in came:  # what an agent does with each item
                llm.get_tool_calls_from_response(item, error_on_no_tool_call=False)
    finally:
        sys.setprofile(None)
    assert len(came) >= chunks - 2
    llm.http_client.close()
    await llm.http_async_client.aclose()
    return counter.calls


@pytest.mark.parametrize("endpoint", STREAMS)
@pytest.mark.parametrize(
    ("kind", "way"),
    [
        *[(kind, way) for kind in CHAT_DELTAS for way in ("stream_chat", "astream_chat")],
        ("text", "stream_complete"),
        ("text", "stream_structured_predict"),
    ],
)
async def test_each_chunk_of_a_stream_costs_as_many_calls(
    endpoint: str, kind: str, way: str
) -> None:
    await calls(endpoint, kind, way, 10)  # what is made once is made
    short, middle, long = [await calls(endpoint, kind, way, chunks) for chunks in (50, 100, 200)]
    assert long - middle == pytest.approx(2 * (middle - short), rel=0.01)
    assert middle > short
