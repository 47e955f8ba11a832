from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aimlapi_core import (
    ChatRequest,
    Choice,
    Finished,
    Message,
    Reply,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_core._wire.stop_sequences import StopSequenceFilter, truncate_reply
from tests.core.cases import (
    TAIL,
    Case,
    body,
    choice,
    chunk,
    function_call,
    message,
    response,
    responses_case,
)
from tests.core.test_laws import cut

PIECES = ["Hel", "lo wor", "ld! EN", "D of it"]


def reply(text: str, *more: ToolCall) -> Reply:
    return Reply("r", "m", 0, (Choice(0, (Text(text), *more), "length"),))


def run(stop: tuple[str, ...], pieces: list[str]) -> tuple[str, bool]:
    stop_filter = StopSequenceFilter(stop)
    events: list[StreamEvent] = []
    for piece in pieces:
        events += stop_filter.feed([TextDelta(piece)])
        if stop_filter.done:
            return "".join(e.text for e in events if isinstance(e, TextDelta)), True
    events += stop_filter.feed([Finished(reply("".join(pieces)))])
    *deltas, last = events
    assert isinstance(last, Finished)
    text = "".join(e.text for e in deltas if isinstance(e, TextDelta))
    assert text == last.reply.choices[0].text
    return text, False


@pytest.mark.parametrize("size", [1, 2, 3, 99])
@pytest.mark.parametrize(
    ("stop", "text", "early"),
    [
        (("END",), "Hello world! ", True),
        (("xyz",), "Hello world! END of it", False),
        (("it!",), "Hello world! END of it", False),
        (("world", "lo"), "Hel", True),
        (("Hello",), "", True),
    ],
)
def test_text_ends_before_the_first_stop_sequence(
    stop: tuple[str, ...], text: str, early: bool, size: int
) -> None:
    whole = "".join(PIECES)
    pieces = [whole[i : i + size] for i in range(0, len(whole), size)]
    assert run(stop, pieces) == (text, early)
    assert run(stop, PIECES) == (text, early)
    assert truncate_reply(reply(whole), stop).choices[0].text == text


def test_a_cut_answer_says_stop_and_loses_the_calls_behind_it() -> None:
    late = ToolCall("c", "f", "{}", text_before=8)
    choice = truncate_reply(reply("a STOP b", late), ("STOP",)).choices[0]
    assert (choice.text, choice.finish_reason, choice.tool_calls) == ("a ", "stop", ())
    untouched = reply("a", ToolCall("c", "f", "{}"))
    assert truncate_reply(untouched, ("STOP",)) == untouched


@pytest.mark.parametrize(
    ("before", "kept"), [(0, True), (2, True), (3, True), (5, True), (6, False), (8, False)]
)
def test_a_call_is_kept_where_it_began_before_the_stop(before: int, kept: bool) -> None:
    call = ToolCall("c", "f", "{}", text_before=before)
    choice = truncate_reply(reply("a STOP b", call), ("STOP",)).choices[0]
    assert choice.tool_calls == ((call,) if kept else ())
    assert (choice.text, choice.finish_reason) == ("a ", "stop")


@pytest.mark.parametrize("arguments", ["", '{"a": '])
def test_a_call_that_the_limit_cut_is_not_said_to_be_whole(arguments: str) -> None:
    choice = truncate_reply(reply("a STOP b", ToolCall("c", "f", arguments)), ("STOP",)).choices[0]
    assert (choice.text, choice.finish_reason) == ("a ", "length")


GO = function_call("call_a", "go", '{"to": "Bern"}')
FIRST, LAST = message("Going. "), message("Gone. STOP More.", item_id="msg_2")
BODIES = {
    "text, call, stop": (response(FIRST, GO, LAST), True),
    "call, stop": (response(GO, LAST), True),
    "stop, call": (response(LAST, GO), False),
    "stop, text, call": (response(LAST, FIRST, GO), False),
}
STOPPED = ChatRequest("openai/gpt-5-2", (Message("user", (Text("hi"),)),), stop=("STOP",))


def ways(case: Case, size: int = 10_000) -> tuple[Choice, Choice, list[StreamEvent]]:
    """The whole answer, the streamed one, and its events before the last."""
    prepared = prepare_request(replace(STOPPED, endpoint=case.endpoint), stream=True)
    reader = prepared.stream_reader()
    events: list[StreamEvent] = []
    for piece in cut(case.sse(), size):
        events += reader.feed(piece)
        if reader.done:
            break
    events += reader.close()
    *deltas, last = events
    assert isinstance(last, Finished)
    return prepared.decode(case.body, {}).choices[0], last.reply.choices[0], deltas


def called(events: list[StreamEvent]) -> list[tuple[str, str]]:
    pieces = [event for event in events if isinstance(event, ToolCallDelta)]
    count = len({piece.index for piece in pieces})
    return [
        (
            "".join(p.name or "" for p in pieces if p.index == index),
            "".join(p.arguments for p in pieces if p.index == index),
        )
        for index in range(count)
    ]


@pytest.mark.parametrize("size", [1, 10_000])
@pytest.mark.parametrize(("body", "kept"), BODIES.values(), ids=BODIES)
def test_on_responses_a_call_before_the_stop_is_kept_in_every_way(
    body: dict[str, Any], kept: bool, size: int
) -> None:
    whole, streamed, deltas = ways(responses_case("stop", body), size)
    expected = [("go", '{"to": "Bern"}')] if kept else []
    for one in (whole, streamed):
        assert [(c.name, c.arguments) for c in one.tool_calls] == expected
        assert one.text.endswith("Gone. ")
        assert one.finish_reason == "stop"
    assert called(deltas) == expected


HEAD = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "go", "arguments": ""}}]}
REST = {"tool_calls": [{"index": 0, "function": {"arguments": '{"to": "Bern"}'}}]}
STOP = {"content": "Gone. STOP More."}


@pytest.mark.parametrize("size", [1, 10_000])
@pytest.mark.parametrize(
    "deltas", [(HEAD, REST, STOP), (HEAD, STOP, REST), (HEAD, {**STOP, **REST})]
)
def test_a_call_that_began_before_the_stop_is_read_to_its_end(
    deltas: tuple[dict[str, Any], ...], size: int
) -> None:
    call = {"id": "c", "function": {"name": "go", "arguments": '{"to": "Bern"}'}}
    whole = body(choice({"content": STOP["content"], "tool_calls": [call]}, "tool_calls"))
    chunks = (*map(chunk, deltas), chunk({}, "tool_calls"), *TAIL)
    *choices, events = ways(Case("stop", whole, chunks), size)
    for one in choices:
        assert [(c.name, c.arguments) for c in one.tool_calls] == [("go", '{"to": "Bern"}')]
        assert (one.text, one.finish_reason) == ("Gone. ", "stop")
    assert called(events) == [("go", '{"to": "Bern"}')]
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "Gone. "


def test_a_chat_stream_ends_at_a_stop_before_any_call() -> None:
    chunks = (chunk(STOP), chunk(HEAD), chunk(REST))
    _, streamed, events = ways(Case("stop", body(choice({"content": "x"})), chunks), 1)
    assert (streamed.text, streamed.tool_calls, called(events)) == ("Gone. ", (), [])


def test_each_choice_is_cut_by_itself() -> None:
    stop_filter = StopSequenceFilter(("X",), expected_choices=2)
    assert stop_filter.feed([TextDelta("aX", 0), TextDelta("b", 1)]) == [
        TextDelta("a", 0),
        TextDelta("b", 1),
    ]
    assert not stop_filter.done
    assert stop_filter.feed([TextDelta("more", 0), TextDelta("X", 1)]) == []
    assert stop_filter.done
