"""The events of a streamed response, in the upstream's order, each with a sequence number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from aimlapi_emulator.endpoints import error_bodies
from aimlapi_emulator.endpoints.responses_format import ModelResponse, response_object
from aimlapi_emulator.endpoints.sse import Payload
from aimlapi_emulator.faults.fault import Fault
from aimlapi_emulator.text.words import tokenize

_ARGUMENTS_PIECE_SIZE = 6
Event = dict[str, Any]


def render_stream(response: ModelResponse) -> Iterator[Event]:
    """The events of a response, from `response.created` to the final one."""
    events = _events(response)
    events = _single_deltas(events) if response.fault.single_delta else events
    for number, event in enumerate(events):
        yield {**event, "sequence_number": number}


def _events(response: ModelResponse) -> Iterator[Event]:
    started = response_object(response, "in_progress", [])
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    for index, item in enumerate(response.output):
        yield from _item(item, index)
    closing = response_object(response, response.status, response.output)
    yield {"type": f"response.{response.status}", "response": closing}


def _single_deltas(events: Iterable[Event]) -> Iterator[Event]:
    """The events with consecutive deltas of a text merged."""
    for kind, group in groupby(events, key=lambda event: event["type"]):
        first, *rest = group
        if kind.endswith(("text.delta", "refusal.delta")):
            yield {**first, "delta": "".join(event["delta"] for event in (first, *rest))}
        else:
            yield from (first, *rest)


def _item(item: Mapping[str, Any], index: int) -> Iterator[Event]:
    place = {"item_id": item["id"], "output_index": index}
    added, inside = _ITEM_EVENTS[item["type"]]
    started = {**item, **added}
    yield {"type": "response.output_item.added", "output_index": index, "item": started}
    yield from inside(item, place)
    yield {"type": "response.output_item.done", "output_index": index, "item": dict(item)}


def _message(item: Mapping[str, Any], place: Event) -> Iterator[Event]:
    for number, part in enumerate(item["content"]):
        where = {**place, "content_index": number}
        yield from (_refusal if part["type"] == "refusal" else _text)(part, where)


def _text(part: Mapping[str, Any], where: Event) -> Iterator[Event]:
    empty = {**part, "text": "", "annotations": []}
    yield {"type": "response.content_part.added", **where, "part": empty}
    for piece in tokenize(part["text"]):
        yield {"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []}
    for number, annotation in enumerate(part["annotations"]):
        yield {
            "type": "response.output_text.annotation.added",
            **where,
            "annotation_index": number,
            "annotation": annotation,
        }
    yield {"type": "response.output_text.done", **where, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **where, "part": dict(part)}


def _refusal(part: Mapping[str, Any], where: Event) -> Iterator[Event]:
    yield {"type": "response.content_part.added", **where, "part": {**part, "refusal": ""}}
    for piece in tokenize(part["refusal"]):
        yield {"type": "response.refusal.delta", **where, "delta": piece}
    yield {"type": "response.refusal.done", **where, "refusal": part["refusal"]}
    yield {"type": "response.content_part.done", **where, "part": dict(part)}


def _arguments(kind: str) -> Callable[[Mapping[str, Any], Event], Iterator[Event]]:
    def inside(item: Mapping[str, Any], place: Event) -> Iterator[Event]:
        text = item["arguments"]
        for start in range(0, len(text), _ARGUMENTS_PIECE_SIZE):
            piece = text[start : start + _ARGUMENTS_PIECE_SIZE]
            yield {"type": f"response.{kind}.delta", **place, "delta": piece}
        yield {"type": f"response.{kind}.done", **place, "arguments": text}

    return inside


def _reasoning(item: Mapping[str, Any], place: Event) -> Iterator[Event]:
    for number, part in enumerate(item["summary"]):
        where = {**place, "summary_index": number}
        empty = {**part, "text": ""}
        yield {"type": "response.reasoning_summary_part.added", **where, "part": empty}
        for piece in tokenize(part["text"]):
            yield {"type": "response.reasoning_summary_text.delta", **where, "delta": piece}
        done = {**where, "text": part["text"]}
        yield {"type": "response.reasoning_summary_text.done", **done}
        yield {"type": "response.reasoning_summary_part.done", **where, "part": dict(part)}


def _web_search(item: Mapping[str, Any], place: Event) -> Iterator[Event]:
    for state in ("in_progress", "searching", "completed"):
        yield {"type": f"response.web_search_call.{state}", **place}


def _mcp_list(item: Mapping[str, Any], place: Event) -> Iterator[Event]:
    yield {"type": "response.mcp_list_tools.in_progress", **place}
    yield {"type": "response.mcp_list_tools.completed", **place}


def _mcp_call(item: Mapping[str, Any], place: Event) -> Iterator[Event]:
    yield {"type": "response.mcp_call.in_progress", **place}
    yield from _arguments("mcp_call_arguments")(item, place)
    yield {"type": "response.mcp_call.completed", **place}


# By item type: members that are empty in `output_item.added`, and the events inside the item.
_ITEM_EVENTS: dict[str, tuple[Event, Callable[[Mapping[str, Any], Event], Iterator[Event]]]] = {
    "message": ({"status": "in_progress", "content": []}, _message),
    "function_call": (
        {"status": "in_progress", "arguments": ""},
        _arguments("function_call_arguments"),
    ),
    "reasoning": ({"summary": []}, _reasoning),
    "web_search_call": ({"status": "in_progress"}, _web_search),
    "mcp_list_tools": ({"tools": []}, _mcp_list),
    "mcp_call": ({"arguments": "", "output": None}, _mcp_call),
}


def stream_error(
    response: ModelResponse, other: Callable[[Fault, int], tuple[str | None, Payload]]
) -> Callable[[Fault, int], tuple[str | None, Payload]]:
    """Makes the in-stream errors of this endpoint, and those that it shares with chat."""

    def make(fault: Fault, before: int) -> tuple[str | None, Payload]:
        message = fault.message or error_bodies.default_message(500)
        if fault.error_event == "error":
            flat = {"type": "error", "code": "server_error", "message": message, "param": None}
            return "error", {**flat, "sequence_number": before}
        if fault.error_event == "response.failed":
            failed = response_object(response, "failed", [])
            failed["error"] = {"code": "server_error", "message": message}
            event = {"type": "response.failed", "response": failed, "sequence_number": before}
            return "response.failed", event
        return other(fault, before)

    return make
