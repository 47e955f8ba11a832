"""The work for a delta does not grow with the calls before it: counted, as Python calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from aimlapi_core._wire.chat_stream import ChatAccumulator
from aimlapi_core._wire.responses_stream import ResponseAccumulator
from aimlapi_core._wire.stream_reader import Accumulator
from aimlapi_core.types import StreamEvent, ToolCallDelta
from langchain_aimlapi._response.messages import to_chunks
from llama_index_aimlapi._response.messages import StreamAccumulator
from tests.perf.counting import Counted

FEW, MANY, DELTAS = 2, 100, 20
NAMES = frozenset({"look_up", "look_up_all"})  # the beginning of another: it is held at first


def _chat(call: int, piece: str | None) -> dict[str, Any]:
    begun = {"id": f"call_{call}", "function": {"name": "look_up", "arguments": ""}}
    row = begun if piece is None else {"function": {"arguments": piece}}
    return {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": call, **row}]}}]}


def _responses(call: int, piece: str | None) -> dict[str, Any]:
    place = {"output_index": call, "item_id": f"item_{call}"}
    if piece is None:
        item = {
            "id": f"item_{call}",
            "type": "function_call",
            "call_id": f"call_{call}",
            "name": "look_up",
            "arguments": "",
        }
        return {"type": "response.output_item.added", **place, "item": item}
    return {"type": "response.function_call_arguments.delta", **place, "delta": piece}


ENDPOINTS: dict[str, tuple[Callable[[], Accumulator], Callable[[int, str | None], Any]]] = {
    "chat": (lambda: ChatAccumulator(tool_names=NAMES), _chat),
    "responses": (ResponseAccumulator, _responses),
}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_core_s_work_for_a_delta_is_the_same_behind_many_calls(endpoint: str) -> None:
    make, frame = ENDPOINTS[endpoint]

    def work(calls: int) -> int:
        accumulator = make()
        for call in range(calls):
            accumulator.feed("", json.dumps(frame(call, None)))
            accumulator.feed("", json.dumps(frame(call, '{"x": 1}')))
        with Counted() as found:
            for _ in range(DELTAS):
                accumulator.feed("", json.dumps(frame(calls - 1, " ")))
        return found.all

    assert work(MANY) <= work(FEW)


PREPARED: Any = SimpleNamespace(request=SimpleNamespace(parallel_tool_calls=None), tool_refs={})
CONVERTERS: dict[str, Callable[[], Callable[[StreamEvent], Any]]] = {
    "LangChain": lambda: lambda event: to_chunks(event, "openai/gpt-5-2", usage=True),
    "LlamaIndex": lambda: StreamAccumulator(PREPARED).feed,
}


@pytest.mark.parametrize("framework", CONVERTERS)
def test_an_adapter_s_work_for_a_delta_is_the_same_behind_many_calls(framework: str) -> None:
    def work(calls: int) -> int:
        convert = CONVERTERS[framework]()
        for call in range(calls):
            convert(ToolCallDelta(call, f"call_{call}", "look_up", '{"x":'))
        with Counted() as found:
            for _ in range(DELTAS):
                convert(ToolCallDelta(calls - 1, arguments=" 1"))
        return found.all

    assert work(MANY) <= work(FEW)
