"""The arguments of a tool call: what is an object, what is none, and that streams agree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimlapi_core import ChatRequest, Finished, Message, Text, ToolCallDelta, loads_arguments
from aimlapi_core._json_reading import ArgumentsStart, without_placeholders
from aimlapi_core._wire.endpoint import PreparedRequest, prepare_request
from tests.core.cases import Case

NO_ARGUMENTS = ("", " ", "\n\t", "null", " null\n", "{}", "{ }", "{}{}", "\ufeff", "\ufeff{}")
OBJECTS = {
    '{"a": "Łódź"}': {"a": "Łódź"},
    '{"text": "a\nb\tc\x00"}': {"text": "a\nb\tc\x00"},
    '{}{"a": 1}': {"a": 1},
    '{ }\n{} {"a": 1}': {"a": 1},
    'null{"a": 1}': {"a": 1},
    '\ufeff {"a": 1}': {"a": 1},
    '{"a": {"b": 1}, "c": [{"b": 1}, {"b": 2}]}': {"a": {"b": 1}, "c": [{"b": 1}, {"b": 2}]},
    '{"a": "NaN"}': {"a": "NaN"},
    '{"a": 1e300}': {"a": 1e300},
}
INVALID = {
    '{"a": 1': "delimiter",
    "[1]": "an array",
    '""': "a string",
    '"{\\"a\\": 1}"': "a string",
    "12": "a number",
    "true": "a boolean",
    "nullable": "Extra data",
    "{'a': 1}": "double quotes",
    '{"a": 1,}': "property name|trailing comma",
    '{"a": 1}{}': "Extra data",
    '{"a": 1} {"a": 2}': "Extra data",
    "{}[1]": "Extra data",
    '{"a": NaN}': "NaN is not a JSON number",
    '{"a": [-Infinity]}': "-Infinity is not a JSON number",
    '{"a": 1e999}': "too large",
    '{"a": 1, "a": 2}': "'a' appears twice",
    '{"a": [{"b": 1, "b": 1}]}': "'b' appears twice",
    '{"a": ' + "[" * 100_000: "nested too deeply",
}


@pytest.mark.parametrize("text", NO_ARGUMENTS)
def test_no_arguments_in_any_spelling_are_an_empty_object(text: str) -> None:
    assert loads_arguments(text) == {}


@pytest.mark.parametrize("text", OBJECTS)
def test_an_object_is_read(text: str) -> None:
    assert loads_arguments(text) == OBJECTS[text]


@pytest.mark.parametrize("text", INVALID, ids=lambda text: text[:30])
def test_what_is_no_object_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(ValueError, match=INVALID[text]):
        loads_arguments(text)


PIECES = ("{}", "{", "}", "null", "n", " ", "\n", "\ufeff", '"a"', ":1", "[1]", '{"a": 1}', "x")


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_deltas_add_up_to_the_arguments_of_the_whole_answer(pieces: list[str]) -> None:
    start: ArgumentsStart | None = ArgumentsStart()
    total = ""
    for piece in pieces:
        given_out = piece if start is None else start.feed(piece)
        start = None if given_out else start
        total += given_out
    total += start.text() if start else ""
    assert total == without_placeholders("".join(pieces))


def _prepared(endpoint: Any, *, stream: bool) -> PreparedRequest:
    request = ChatRequest("openai/gpt-5-2", (Message("user", (Text("hi"),)),), endpoint=endpoint)
    return prepare_request(request, stream=stream)


def chat_case(pieces: list[str], finish_reason: str = "tool_calls") -> Case:
    call = {"id": "c1", "type": "function", "function": {"name": "now", "arguments": ""}}
    whole = {**call, "function": {"name": "now", "arguments": "".join(pieces)}}
    message = {"role": "assistant", "content": None, "tool_calls": [whole]}
    deltas = [{"index": 0, **call}, *({"index": 0, "function": {"arguments": p}} for p in pieces)]
    rows = [{"index": 0, "delta": {"tool_calls": [delta]}} for delta in deltas]
    end = {"index": 0, "delta": {}, "finish_reason": finish_reason}
    return Case(
        "call",
        {"choices": [{"index": 0, "message": message, "finish_reason": finish_reason}]},
        tuple({"choices": [row]} for row in [*rows, end]),
    )


def responses_case(pieces: list[str]) -> Case:
    head = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "now"}
    item = {**head, "arguments": "".join(pieces)}
    response = {"id": "r", "status": "completed", "output": [item]}
    kind = "response.function_call_arguments.delta"
    added = {"type": "response.output_item.added", "output_index": 0}
    return Case(
        "call",
        response,
        (
            {**added, "item": {**head, "arguments": ""}},
            *({"type": kind, "output_index": 0, "item_id": "fc_1", "delta": p} for p in pieces),
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": response},
        ),
        endpoint="responses",
    )


@pytest.mark.parametrize("make", [chat_case, responses_case])
@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([" "], ""),
        (["nu", "ll"], ""),
        (["{", "}"], "{}"),
        (["{}", '{"a"', ": 1}"], '{"a": 1}'),
        (["{", "}", "{", '"a": 1}'], '{"a": 1}'),
        (['{"a": ', "\n", "tru"], '{"a": \ntru'),
    ],
)
def test_whole_and_streamed_calls_have_the_same_arguments(
    make: Any, pieces: list[str], expected: str
) -> None:
    case = make(pieces)
    whole = _prepared(case.endpoint, stream=False).decode(case.body, {})
    reader = _prepared(case.endpoint, stream=True).stream_reader()
    events = [*reader.feed(case.sse(done=case.endpoint == "chat")), *reader.close()]
    deltas = [event.arguments for event in events if isinstance(event, ToolCallDelta)]
    last = events[-1]
    assert isinstance(last, Finished)
    assert "".join(deltas) == expected
    assert [call.arguments for call in whole.choices[0].tool_calls] == [expected]
    assert last.reply.choices == whole.choices


def test_the_part_of_a_cut_stream_has_what_was_held() -> None:
    case = chat_case(["{"])
    reader = _prepared("chat", stream=True).stream_reader()
    list(reader.feed(Case("cut", {}, case.chunks[:2]).sse(done=False)))
    with pytest.raises(Exception, match="ended before") as caught:
        list(reader.close())
    partial: Any = caught.value.partial
    assert [call.arguments for call in partial.choices[0].tool_calls] == ["{"]
