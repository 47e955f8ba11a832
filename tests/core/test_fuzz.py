"""Answers, streams, error bodies and schemas that anybody may have written.

Whatever comes, the only exceptions are this library's own. The examples below stay as a corpus of
what such runs once found.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aimlapi_core import (
    AIMLAPIError,
    ChatRequest,
    Finished,
    Message,
    StreamCutError,
    Text,
    drop_added_nulls,
    strict_schema,
)
from aimlapi_core._error_reading.responses import error_from_response
from aimlapi_core._wire.embeddings import decode as decode_embeddings
from aimlapi_core._wire.endpoint import PreparedRequest, prepare_request
from tests.core.cases import CASES, RESPONSES_CASES, Case

CHAT, RESPONSES = "openai/gpt-5-2", "openai/gpt-5-2-pro"
EVERY = (*CASES, *RESPONSES_CASES)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([1e400, float("nan"), -1.5, "", "null", "x", "stop", "nan", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=6,
)


def prepared(endpoint: str) -> PreparedRequest:
    model = CHAT if endpoint == "chat" else RESPONSES
    return prepare_request(ChatRequest(model, (Message("user", (Text("hi"),)),)), stream=True)


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    here = [at] if at else []
    if isinstance(value, dict):
        return here + [p for k, v in value.items() for p in paths(v, (*at, k))]
    if isinstance(value, list):
        return here + [p for i, v in enumerate(value) for p in paths(v, (*at, i))]
    return here


def put(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    """`value` with `new` at a place."""
    if not at:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = put(copy[at[0]], at[1:], new)
    return copy


@st.composite
def mutated(draw: st.DrawFn) -> tuple[Case, Any, list[Any]]:
    """A case, its whole body with one to three members replaced, and its chunks likewise."""
    case = draw(st.sampled_from(EVERY))
    body: Any = case.body
    chunks: Any = list(case.chunks)
    for _ in range(draw(st.integers(1, 3))):
        body = put(body, draw(st.sampled_from(paths(body) or [()])), draw(json_values))
        chunks = put(chunks, draw(st.sampled_from(paths(chunks) or [()])), draw(json_values))
    return case, body, chunks if isinstance(chunks, list) else [chunks]


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_mutated_answers_give_a_reply_or_our_own_error(found: tuple[Case, Any, list[Any]]) -> None:
    case, body, chunks = found
    with suppress(AIMLAPIError):
        prepared(case.endpoint).decode(body, {"x-aimlapi-credits-used": "nan"})
    reader = prepared(case.endpoint).stream_reader()
    stream = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    try:
        events = [*reader.feed(stream.encode()), *reader.close()]
    except AIMLAPIError:
        return
    assert isinstance(events[-1], Finished)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(EVERY), st.data())
def test_pieces_of_any_size_give_the_same_events(case: Case, data: st.DataObject) -> None:
    stream = case.sse(newline=data.draw(st.sampled_from(["\n", "\r\n", "\r"])))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=20)))
    whole, cut = prepared(case.endpoint).stream_reader(), prepared(case.endpoint).stream_reader()
    expected = [*whole.feed(stream), *whole.close()]
    got = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += list(cut.feed(stream[start:end]))
    assert [*got, *cut.close()] == expected


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(EVERY), st.data())
def test_any_beginning_of_a_stream_is_the_answer_or_an_error(
    case: Case, data: st.DataObject
) -> None:
    stream = case.sse(done=False)
    reader = prepared(case.endpoint).stream_reader()
    try:
        length = data.draw(st.integers(0, len(stream)))
        *_, last = [*reader.feed(stream[:length]), *reader.close()]
    except AIMLAPIError:
        return
    assert isinstance(last, Finished)
    assert all(choice.finish_reason for choice in last.reply.choices)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | json_values.map(lambda v: json.dumps(v).encode()))
@example(b"[" * 100_000)
@example(b'{"message": 5, "error": {"details": [{"path": null}], "code": []}}')
def test_any_error_body_gives_a_status_error(body: bytes) -> None:
    for status in (301, 400, 403, 429, 500):
        assert error_from_response(status, {"retry-after": "x"}, body).status_code == status


@settings(max_examples=200, deadline=None)
@given(json_values, json_values)
def test_any_schema_and_answer_do_no_harm(schema: Any, answer: Any) -> None:
    given_schema = schema if isinstance(schema, dict) else {"anyOf": [schema]}
    strict, reason = strict_schema({"type": "object", "properties": {"a": given_schema}})
    assert (strict is None) == bool(reason)
    drop_added_nulls(answer, given_schema)


@settings(max_examples=200, deadline=None)
@given(json_values, st.integers(0, 3))
def test_any_embeddings_body_gives_vectors_or_our_own_error(rows: Any, count: int) -> None:
    for payload in (rows, {"data": rows}, {"data": [{"embedding": rows, "index": 0}]}):
        try:
            assert len(decode_embeddings(payload, {}, count).vectors) == count
        except AIMLAPIError:
            continue


@pytest.mark.parametrize("frame", ["[" * 100_000, '{"a":' * 100_000])
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_frames_nested_too_deeply(endpoint: str, frame: str) -> None:
    reader = prepared(endpoint).stream_reader()
    with pytest.raises(AIMLAPIError):
        list(reader.feed(f"data: {frame}\n\n".encode()))


def test_nothing_at_all_is_a_cut() -> None:
    with pytest.raises(StreamCutError):
        list(prepared("chat").stream_reader().close())
