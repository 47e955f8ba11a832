"""The laws that hold for every answer, each run over every case."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aimlapi_core import (
    ChatRequest,
    Finished,
    Message,
    StreamCutError,
    StreamEvent,
    Text,
    TextDelta,
    ToolCallDelta,
)
from aimlapi_core._wire.endpoint import PreparedRequest, prepare_request
from tests.core.cases import CASES, RESPONSES_CASES, Case

ROOT = Path(__file__).parents[2]
ALL = (*CASES, *RESPONSES_CASES)
cases = pytest.mark.parametrize("case", ALL, ids=str)
chat_cases = pytest.mark.parametrize("case", CASES, ids=str)


def prepared_for(case: Case) -> PreparedRequest:
    request = ChatRequest(
        "openai/gpt-5-2",
        (Message("user", (Text("hi"),)),),
        n=case.n if case.n > 1 else None,
        endpoint=case.endpoint,
    )
    return prepare_request(request, stream=True)


def events_of(case: Case, pieces: list[bytes]) -> Iterator[StreamEvent]:
    reader = prepared_for(case).stream_reader()
    for piece in pieces:
        yield from reader.feed(piece)
    yield from reader.close()


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


@cases
def test_streamed_reply_equals_the_decoded_one(case: Case) -> None:
    *_, last = events_of(case, [case.sse()])
    assert isinstance(last, Finished)
    assert last.reply == prepared_for(case).decode(case.body, {})


@cases
@pytest.mark.parametrize(
    ("size", "newline"),
    [(1, "\n"), (3, "\n"), (7, "\r\n"), (1, "\r")],
    ids=["1-lf", "3-lf", "7-crlf", "1-cr"],
)
def test_pieces_give_the_same_events_as_the_whole(case: Case, size: int, newline: str) -> None:
    whole = list(events_of(case, [case.sse()]))
    assert list(events_of(case, cut(case.sse(newline=newline), size))) == whole


@cases
def test_deltas_add_up_to_the_reply(case: Case) -> None:
    *deltas, last = events_of(case, [case.sse()])
    assert isinstance(last, Finished)
    for choice in last.reply.choices:
        mine = [d for d in deltas if d.choice == choice.index]  # type: ignore[union-attr]  # no Finished before the last
        assert "".join(d.text for d in mine if isinstance(d, TextDelta)) == choice.text
        for index, call in enumerate(choice.tool_calls):
            pieces = [d for d in mine if isinstance(d, ToolCallDelta) and d.index == index]
            assert "".join(d.arguments for d in pieces) == call.arguments
            assert [d.id for d in pieces if d.id] == [call.id]
            assert [d.name for d in pieces if d.name] == [call.name]


@cases
def test_every_prefix_before_the_closing_event_raises(case: Case) -> None:
    for length in range(len(case.chunks) + 1):
        prefix = replace(case, chunks=case.chunks[:length]).sse(done=False)
        if length <= case.closing:
            with pytest.raises(StreamCutError) as caught:
                list(events_of(case, [prefix]))
            assert caught.value.partial is not None
        else:
            *_, last = events_of(case, [prefix])
            assert isinstance(last, Finished)


@cases
def test_every_prefix_in_bytes_is_the_answer_or_a_cut(case: Case) -> None:
    whole = next(reversed(list(events_of(case, [case.sse()]))))
    assert isinstance(whole, Finished)
    stream = case.sse(done=False)
    rng = random.Random(7)
    for length in sorted(rng.sample(range(len(stream)), min(200, len(stream)))):
        try:
            *_, last = events_of(case, [stream[:length]])
        except StreamCutError:
            continue
        assert isinstance(last, Finished)
        assert last.reply.choices == whole.reply.choices


@cases
def test_no_text_behind_done_is_taken_in(case: Case) -> None:
    more = b'data: {"choices":[{"index":0,"delta":{"content":"MORE"}}]}\n\ndata: {broken\n\n'
    assert list(events_of(case, [case.sse() + more])) == list(events_of(case, [case.sse()]))


LATE = {
    "text": {"content": "late"},
    "reasoning": {"reasoning": "late"},
    "refusal": {"refusal": "late"},
    "citation": {"annotations": [{"type": "url_citation", "url": "https://e.org"}]},
    "call": {"tool_calls": [{"index": 9, "id": "late", "function": {"name": "f"}}]},
}


@chat_cases
@pytest.mark.parametrize("late", LATE.values(), ids=LATE)
def test_what_follows_a_finish_reason_is_taken_in_and_only_done_closes(
    case: Case, late: dict[str, Any]
) -> None:
    row = {"choices": [{"index": 0, "delta": late}]}
    longer = replace(case, chunks=(*case.chunks, row))
    *_, whole = events_of(case, [case.sse()])
    *_, last = events_of(longer, [longer.sse()])
    assert isinstance(last, Finished)
    assert isinstance(whole, Finished)
    assert last.reply.choices[0] != whole.reply.choices[0]
    assert last.reply.choices[0].finish_reason == whole.reply.choices[0].finish_reason
    with pytest.raises(StreamCutError, match=r"no \[DONE\]"):
        list(events_of(longer, [longer.sse(done=False)]))


@chat_cases
def test_a_finish_reason_in_each_chunk_changes_nothing(case: Case) -> None:
    def with_reason(chunk: dict[str, Any]) -> dict[str, Any]:
        rows = [
            {**row, "finish_reason": case.body["choices"][row.get("index", 0)]["finish_reason"]}
            for row in chunk.get("choices") or ()
        ]
        return {**chunk, "choices": rows}

    said = replace(case, chunks=tuple(map(with_reason, case.chunks)))
    assert list(events_of(said, [said.sse()])) == list(events_of(case, [case.sse()]))


@cases
@pytest.mark.parametrize("size", [1, 10_000])
def test_usage_and_cost_behind_the_closing_event_are_those_of_the_answer(
    case: Case, size: int
) -> None:
    late = {name: value for name in ("usage", "meta") if (value := case.body.get(name))}
    nested = {"type": "response.billed", "response": late} if case.endpoint == "responses" else {}
    early = tuple(
        {**chunk, **({"response": bare(chunk["response"])} if "response" in chunk else {})}
        for chunk in map(bare, case.chunks)
    )
    rows = [nested] if nested else [{name: value} for name, value in late.items()]
    tail = "".join(f"data: {json.dumps(row)}\n\n" for row in rows).encode()
    reader = prepared_for(case).stream_reader()
    events: list[StreamEvent] = []
    for piece in cut(replace(case, chunks=early).sse() + tail, size):
        if reader.done:
            reader.feed_rest(piece)
        else:
            events += reader.feed(piece)
    assert isinstance(events[-1], Finished)
    assert reader.finished(events[-1].reply) == prepared_for(case).decode(case.body, {})


def bare(chunk: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in chunk.items() if key not in ("usage", "meta")}
