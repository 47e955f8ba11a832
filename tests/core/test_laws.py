"""The laws that hold for every answer, each run over every case."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aimlapi_core import (
    ChatRequest,
    Finished,
    Message,
    StreamCutError,
    StreamError,
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
def test_what_follows_done_is_ignored(case: Case) -> None:
    more = b'data: {"choices":[{"index":0,"delta":{"content":"MORE"}}]}\n\ndata: {broken\n\n'
    assert list(events_of(case, [case.sse() + more])) == list(events_of(case, [case.sse()]))


@chat_cases
def test_text_after_the_finish_reason_raises(case: Case) -> None:
    late = b'data: {"choices":[{"index":0,"delta":{"content":"late"}}]}\n\n'
    with pytest.raises(StreamError, match="after its finish reason"):
        list(events_of(case, [case.sse(done=False) + late]))
