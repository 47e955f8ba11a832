"""The last event of a Responses stream against what was streamed before it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from aimlapi_core import (
    AIMLAPIError,
    ChatRequest,
    CitationDelta,
    Finished,
    Message,
    StreamFailedError,
    Text,
)
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_core.types import TextDelta
from tests.core.cases import (
    CITATION,
    RESPONSES_CASES,
    Case,
    function_call,
    message,
    reasoning,
    response,
    responses_case,
)
from tests.core.test_laws import events_of, prepared_for

CALL = function_call("call_a", "read_file", '{"path": "a"}')
TEXT = message("Hello there")


def without(item: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != name}


def with_last(streamed: dict[str, Any], *last: dict[str, Any], end: str) -> Case:
    """The events of one item, and a last event that holds others."""
    case = responses_case("item", response(streamed, status=end), end=end)
    whole = response(*last, status=end)
    return replace(case, chunks=(*case.chunks[:-1], {"type": f"response.{end}", "response": whole}))


@pytest.mark.parametrize("end", ["completed", "incomplete"])
@pytest.mark.parametrize(
    ("item", "member", "value"),
    [
        (TEXT, "type", "output_message"),
        (TEXT, "type", "function_call"),
        (CALL, "type", "custom_tool_call"),
        (CALL, "name", "delete_file"),
        (CALL, "call_id", "call_b"),
    ],
)
@pytest.mark.parametrize("has_id", [True, False])
def test_another_type_name_or_call_id_than_was_streamed_raises(
    item: dict[str, Any], member: str, value: str, end: str, has_id: bool
) -> None:
    item = item if has_id else without(item, "id")
    case = with_last(item, {**item, member: value}, end=end)
    with pytest.raises(StreamFailedError) as caught:
        list(events_of(case, [case.sse()]))
    assert caught.value.partial is not None
    assert caught.value.partial.choices[0].parts


@pytest.mark.parametrize("member", ["type", "name", "call_id"])
def test_an_item_that_ends_as_another_raises(member: str) -> None:
    case = responses_case("call", response(CALL))
    chunks = tuple(
        {**chunk, "item": {**chunk["item"], member: "other"}}
        if chunk["type"] == "response.output_item.done"
        else chunk
        for chunk in case.chunks
    )
    with pytest.raises(StreamFailedError, match=f"{member} 'other'"):
        list(events_of(replace(case, chunks=chunks), [replace(case, chunks=chunks).sse()]))


@pytest.mark.parametrize("member", ["name", "call_id", "type"])
def test_a_call_that_lost_its_name_id_or_type_at_the_end_raises(member: str) -> None:
    case = with_last(CALL, without(CALL, member), end="completed")
    why = "without a type" if member == "type" else "not what its last event holds"
    with pytest.raises(StreamFailedError, match=why):
        list(events_of(case, [case.sse()]))


def test_a_message_of_an_unknown_type_is_its_text() -> None:
    item = {**message("Hello there"), "type": "output_message"}
    case = responses_case("other type", response(item))
    *deltas, last = events_of(case, [case.sse()])
    assert isinstance(last, Finished)
    assert "".join(e.text for e in deltas if isinstance(e, TextDelta)) == "Hello there"
    assert last.reply.choices[0].text == "Hello there"
    assert last.reply == prepared_for(case).decode(case.body, {})


@pytest.mark.parametrize("member", ["summary", "content"])
@pytest.mark.parametrize("typed", ["in deltas and at the end", "in deltas alone"])
def test_reasoning_goes_back_with_its_type(member: str, typed: str) -> None:
    kind = {"summary": "summary_text", "content": "reasoning_text"}[member]
    part = {"type": kind, "text": "think"}
    item = {**reasoning(encrypted_content="gAAA"), "summary": [], member: [part]}
    case = responses_case("reasoning", response(item, message("4")))
    events = []
    for event in case.chunks:
        if event["type"].startswith("response.output_text.") and event["item_id"] == "rs_1":
            event = {**event, "type": event["type"].replace("output_text", "reasoning_text")}
        if event["type"] == "response.output_item.done" and typed == "in deltas alone":
            event = {**event, "item": without(event["item"], member)}
        if event["type"] == "response.completed":
            event = {**event, "response": {**event["response"], "output": []}}
        events.append(event)
    case = replace(case, chunks=tuple(events))
    *_, last = events_of(case, [case.sse()])
    assert isinstance(last, Finished)
    history = Message("assistant", last.reply.choices[0].parts)
    request = ChatRequest("openai/gpt-5-2-codex", (Message("user", (Text("hi"),)), history))
    (sent,) = [
        row for row in prepare_request(request, stream=False).body["input"] if "summary" in row
    ]
    assert sent[member] == [part]


@pytest.mark.parametrize("last_event", ["has them", "is empty"])
def test_a_source_cited_twice_is_cited_twice_in_a_stream(last_event: str) -> None:
    part = {"type": "output_text", "text": "See E.", "annotations": [CITATION, CITATION]}
    case = responses_case("cited twice", response(message(part)))
    chunks = list(case.chunks)
    added = [at for at, chunk in enumerate(chunks) if chunk["type"].endswith("annotation.added")]
    for index, at in enumerate(added):
        chunks[at] = {**chunks[at], "annotation_index": index}
    if last_event == "is empty":
        chunks[-1] = {**chunks[-1], "response": {**chunks[-1]["response"], "output": []}}
    case = replace(case, chunks=tuple(chunks))
    *deltas, last = events_of(case, [case.sse()])
    assert isinstance(last, Finished)
    assert last.reply.choices[0].citations == (CITATION, CITATION)
    assert [e.citation for e in deltas if isinstance(e, CitationDelta)] == [CITATION, CITATION]


def test_an_empty_part_of_reasoning_separates_nothing() -> None:
    case = responses_case("empty part", response(reasoning("", "Second.")))
    *_, last = events_of(case, [case.sse()])
    assert isinstance(last, Finished)
    assert last.reply.choices[0].reasoning == "Second."
    assert last.reply == prepared_for(case).decode(case.body, {})


@pytest.mark.parametrize("case", RESPONSES_CASES, ids=str)
def test_items_whose_ids_change_in_each_event_are_one_each(case: Case) -> None:
    """As a proxy for GitHub Copilot sends them; the place in the output is then what tells them."""

    def renamed(value: Any, at: int) -> Any:
        if isinstance(value, list):
            return [renamed(one, at) for one in value]
        if not isinstance(value, dict):
            return value
        changed = {key: renamed(one, at) for key, one in value.items()}
        is_item = "type" in value and not value["type"].startswith("response.")
        for key in ("item_id", "id") if is_item else ("item_id",):
            if value.get(key):
                changed[key] = f"{value[key]}_{at}"
        return changed

    chunks = tuple(renamed(chunk, at) for at, chunk in enumerate(case.chunks))
    whole = replace(case, chunks=chunks, body=chunks[-1]["response"])
    *deltas, last = events_of(whole, [whole.sse()])
    assert isinstance(last, Finished)
    assert last.reply == prepared_for(whole).decode(whole.body, {})
    text = "".join(e.text for e in deltas if isinstance(e, TextDelta))
    assert text == last.reply.choices[0].text


@pytest.mark.parametrize("kind", [[], ["function_call"], {"a": 1}, 5])
def test_a_type_of_another_json_type_is_no_raw_error(kind: Any) -> None:
    item = {"type": kind, "id": "i1", "call_id": "c1", "name": "f", "arguments": "{}"}
    response = {"id": "r1", "object": "response", "status": "completed", "output": [item]}
    request = ChatRequest(
        "openai/gpt-5-2-pro", (Message("user", (Text("hi"),)),), endpoint="responses"
    )
    with suppress(AIMLAPIError):
        prepare_request(request, stream=False).decode(response, {})
    reader = prepare_request(request, stream=True).stream_reader()
    events = [
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response},
    ]
    with suppress(AIMLAPIError):
        list(reader.feed("".join(f"data: {json.dumps(e)}\n\n" for e in events).encode()))
