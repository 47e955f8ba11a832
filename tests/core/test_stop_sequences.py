from __future__ import annotations

import pytest

from aimlapi_core import Choice, Finished, Reply, StreamEvent, Text, TextDelta, ToolCall
from aimlapi_core._wire.stop_sequences import StopSequenceFilter, truncate_reply

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
    choice = truncate_reply(reply("a STOP b", ToolCall("c", "f", "{}")), ("STOP",)).choices[0]
    assert (choice.text, choice.finish_reason, choice.tool_calls) == ("a ", "stop", ())
    untouched = reply("a", ToolCall("c", "f", "{}"))
    assert truncate_reply(untouched, ("STOP",)) == untouched


def test_each_choice_is_cut_by_itself() -> None:
    stop_filter = StopSequenceFilter(("X",), expected_choices=2)
    assert stop_filter.feed([TextDelta("aX", 0), TextDelta("b", 1)]) == [
        TextDelta("a", 0),
        TextDelta("b", 1),
    ]
    assert not stop_filter.done
    assert stop_filter.feed([TextDelta("more", 0), TextDelta("X", 1)]) == []
    assert stop_filter.done
