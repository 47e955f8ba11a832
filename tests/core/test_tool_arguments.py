"""The arguments of a tool call: what is an object, what is none, and that streams agree."""

from __future__ import annotations

import json
import warnings
from collections import deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, RootModel, SecretStr

from aimlapi_core import (
    ChatRequest,
    Finished,
    HistoryWarning,
    Message,
    Text,
    Tool,
    ToolCallDelta,
    dumps_arguments,
    loads_arguments,
)
from aimlapi_core._json_reading import ArgumentsStart, without_placeholders
from aimlapi_core._values import warn_once
from aimlapi_core._wire.endpoint import PreparedRequest, prepare_request
from tests.core.cases import Case

np = pytest.importorskip("numpy", reason="comes with the frameworks")

NO_ARGUMENTS = ("", " ", "\n\t", "null", " null\n", "{}", "{ }", "\ufeff{}", "\ufeffnull")
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
    "{}{}": "Extra data",
    "{} {}": "Extra data",
    "{}null": "Extra data",
    "null{}": "Extra data",
    "null null": "Extra data",
    "{}\ufeff{}": "Extra data",
    "\ufeff": "BOM",
    " \ufeff\n": "Expecting value",
    "\ufeff[1]": "BOM",
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
@example(["{", "}", '{"a": 1}'])
@example(["n", "ull"])
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


def named_calls(deltas: list[dict[str, Any]], offered: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The calls of a stream as its events give them, which must be those of its reply."""
    tools = tuple(Tool(name, {}) for name in offered)
    message = Message("user", (Text("hi"),))
    request = ChatRequest("openai/gpt-5-2", (message,), tools=tools)
    reader = prepare_request(request, stream=True).stream_reader()
    rows: list[dict[str, Any]] = [{"index": 0, "delta": {"tool_calls": [d]}} for d in deltas]
    rows.append({"index": 0, "delta": {}, "finish_reason": "tool_calls"})
    stream = Case("names", {}, tuple({"choices": [row]} for row in rows))
    events = [*reader.feed(stream.sse()), *reader.close()]
    found: dict[int, list[str]] = {}
    for event in events:
        if isinstance(event, ToolCallDelta):
            call = found.setdefault(event.index, ["", "", ""])
            assert event.name or call[1], "a call begins with its name"
            pieces = (event.id or "", event.name or "", event.arguments)
            found[event.index] = [old + new for old, new in zip(call, pieces, strict=True)]
    last = events[-1]
    assert isinstance(last, Finished)
    calls = [(call.id, call.name, call.arguments) for call in last.reply.choices[0].tool_calls]
    assert calls == [tuple(call) for call in found.values()]
    return [call[1:] for call in calls]


def delta(name: str | None = None, arguments: str = "", **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": name} if name else {})}
    return {"index": 0, "type": "function", "function": function, **more}


@pytest.mark.parametrize(
    ("deltas", "offered", "expected"),
    [
        ([("get_", ""), ("weather", ""), (None, "{}")], ("get_weather",), "get_weather"),
        ([("get_", ""), ("wea", ""), ("ther", "{}")], ("get_weather",), "get_weather"),
        ([("get_", "{"), ("weather", "}")], ("get_weather",), "get_weather"),
        ([("get_", ""), ("weather", "{}")], ("get_", "get_weather"), "get_weather"),
        ([("get_", ""), (None, "{}")], ("get_", "get_weather"), "get_"),
        ([("search", ""), ("search", "{"), ("search", "}")], ("search", "search_all"), "search"),
        ([("search", "{}")], ("search", "search_all"), "search"),
        ([("search", "")], ("search", "search_all"), "search"),
        ([("now", ""), ("now", "{}")], ("now",), "now"),
        ([("get_", ""), ("weather", "{}")], ("get_time",), "get_"),
        ([("get_", ""), ("weather", "{}")], (), "get_"),
        ([("unknown", ""), (None, "{}")], ("now",), "unknown"),
    ],
)
@pytest.mark.parametrize("indexed", [True, False])
def test_a_name_in_pieces_is_the_offered_tools(
    deltas: list[tuple[str | None, str]], offered: tuple[str, ...], expected: str, indexed: bool
) -> None:
    rows = [delta(name, arguments) for name, arguments in deltas]
    rows[0]["id"] = "c1"
    if not indexed:  # a name without an index that is no further piece begins another call
        rows = [{k: v for k, v in row.items() if k != "index"} for row in rows]
    calls = named_calls(rows, offered)
    assert calls[0][0] == expected
    if indexed:
        assert len(calls) == 1
        assert calls[0][1] in ("{}", "")


def decoded(call: dict[str, Any]) -> tuple[str, str]:
    """Name and arguments of a call of an unstreamed chat answer."""
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    (found,) = _prepared("chat", stream=False).decode(body, {}).choices[0].tool_calls
    return found.name, found.arguments


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("text", ["rm -rf", '{"a": "é\\n"}', "{}", "", "null", "[1]", '"a"\n'])
def test_a_custom_tool_calls_text_is_never_the_arguments_of_a_function(
    text: str, streamed: bool
) -> None:
    """Whatever it holds: it is sent to the framework as one JSON string."""
    call = {"id": "c1", "type": "custom", "custom": {"name": "sh", "input": text}}
    if streamed:
        pieces = [{"index": 0, "custom": {"input": character}} for character in text]
        head = {"index": 0, **call, "custom": {"name": "sh", "input": ""}}
        ((name, written),) = named_calls([head, *pieces], ())
    else:
        name, written = decoded(call)
    assert (name, json.loads(written)) == ("sh", text)
    with pytest.raises(ValueError, match="a string"):
        loads_arguments(written)


@pytest.mark.parametrize("arguments", [{"a": [1]}, [], [1], 5, True, "x", {}, None], ids=repr)
def test_arguments_sent_as_json_are_their_text(arguments: Any) -> None:
    """An object is taken; anything else is no object, rather than no arguments."""
    expected = "{}" if arguments == {} else ""
    if arguments:
        expected = arguments if isinstance(arguments, str) else json.dumps(arguments)
    elif arguments == []:
        expected = "[]"
    call = {"id": "c1", "type": "function", "function": {"name": "now", "arguments": arguments}}
    assert decoded(call) == ("now", expected)
    assert named_calls([{"index": 0, **call}], ()) == [("now", expected)]
    item = {"type": "function_call", "id": "fc", "call_id": "c1", "name": "now"}
    response = {"id": "r", "status": "completed", "output": [{**item, "arguments": arguments}]}
    reply = _prepared("responses", stream=False).decode(response, {})
    assert reply.choices[0].tool_calls[0].arguments == expected


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int = 1
    next: Any = None


class Order(BaseModel):
    key: SecretStr = SecretStr("secret")
    number: int = Field(2, alias="no")


class Silent:
    """Its own code raises wherever it is looked at."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("2.5"), "2.5"),
        ("NaN and Infinity", '"NaN and Infinity"'),
        (date(2020, 1, 2), '"2020-01-02"'),
        (datetime(2020, 1, 2, 3, tzinfo=UTC), '"2020-01-02T03:00:00+00:00"'),
        (timedelta(hours=1), '"PT1H"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (PurePosixPath("/a"), '"/a"'),
        (MappingProxyType({"a": 1}), '{"a": 1}'),
        (b"abc", '"abc"'),
        (bytearray(b"\xff"), '"/w=="'),
        ({"b", "a"}, '["a", "b"]'),
        (frozenset({1, "a"}), '["a", 1]'),
        (deque([1, b"a"]), '[1, "a"]'),
        ({1: 2}.keys(), "[1]"),
        (np.array([[1, 2]]), "[[1, 2]]"),
        ({(1, "a"): 1}, '{"[1, \\"a\\"]": 1}'),
        ({b"a": 1, "a": 2}, '{"a": 1, "a (str)": 2}'),
        ({None: 1, True: 2, 3: b"", Colour.RED: 4}, '{"null": 1, "true": 2, "3": "", "red": 4}'),
        (Colour.RED, '"red"'),
        (Point(2, Point()), '{"x": 2, "next": {"x": 1, "next": null}}'),
        (Order(no=3), '{"key": "**********", "no": 3}'),
        (RootModel[list[int]]([1]), "[1]"),
    ],
)
def test_values_of_a_history_that_json_lacks_are_written(value: Any, text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert dumps_arguments({"d": value}) == f'{{"d": {text}}}'


def _holding_itself() -> Any:
    mapping: dict[str, Any] = {"a": 1}
    mapping["self"] = [mapping]
    return mapping


def _point_holding_itself() -> Any:
    point = Point()
    point.next = point
    return point


def _deep() -> Any:
    value: Any = 1
    for _ in range(5_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "text", "said"),
    [
        (_holding_itself(), '{"a": 1, "self": ["[circular]"]}', "holds itself"),
        (_point_holding_itself(), '{"x": 1, "next": "[circular]"}', "holds itself"),
        (_deep(), "[" * 99 + '"[nested too deeply]"' + "]" * 99, "deeper than 100 levels"),
        (ValueError("why"), '"why"', "type ValueError"),
        (Silent(), '"<Silent>"', "type Silent"),
        (10**5_000, '"<int>"', "type int"),
        (Decimal("NaN"), "null", "the number NaN"),
        ([-float("inf")], "[null]", "the number -inf"),
    ],
    ids=["dict", "dataclass", "deep", "object", "silent", "long", "NaN", "infinity"],
)
def test_what_has_no_json_at_all_is_named_and_the_thread_goes_on(
    value: Any, text: str, said: str
) -> None:
    warn_once._warned.clear()
    with pytest.warns(HistoryWarning, match=f"'buy' has arguments with .*{said}"):
        assert dumps_arguments({"d": value}, "buy") == f'{{"d": {text}}}'


def test_an_iterator_in_arguments_is_not_consumed() -> None:
    items = iter([1, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HistoryWarning)
        dumps_arguments({"d": items})
    assert list(items) == [1, 2]
