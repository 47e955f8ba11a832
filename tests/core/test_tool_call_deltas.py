"""Which tool call a delta of a stream belongs to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aimlapi_core import Finished, ToolCall
from tests.core.test_tool_arguments import _prepared

ARGUMENTS = '{"city": "Bern", "days": 2}'
PIECES = ('{"city"', ': "Be', 'rn", ', '"days": 2}')


def calls_of(*deltas: dict[str, Any], reason_in_each: bool = False) -> list[tuple[str, str, str]]:
    """(id, name, arguments) of the calls of a stream with these deltas."""
    reason = "tool_calls" if reason_in_each else None
    rows = [{"index": 0, "delta": {"tool_calls": [d]}, "finish_reason": reason} for d in deltas]
    rows.append({"index": 0, "delta": {}, "finish_reason": "tool_calls"})
    data = [json.dumps({"id": "r", "choices": [row]}) for row in rows]
    reader = _prepared("chat", stream=True).stream_reader()
    *_, last = reader.feed("".join(f"data: {d}\n\n" for d in (*data, "[DONE]")).encode())
    assert isinstance(last, Finished)
    found: list[ToolCall] = list(last.reply.choices[0].tool_calls)
    return [(call.id, call.name, call.arguments) for call in found]


def delta(index: int | None, call_id: str | None, name: str | None, arguments: str) -> Any:
    function = {"arguments": arguments, **({"name": name} if name else {})}
    row = {"type": "function", "function": function, **({"id": call_id} if call_id else {})}
    return row if index is None else {"index": index, **row}


@pytest.mark.parametrize("reason_in_each", [False, True])
@pytest.mark.parametrize("names", ["first", "each"])
@pytest.mark.parametrize("head", ["empty", "with arguments", "with {}"])
@pytest.mark.parametrize("index", [0, None])
def test_one_call_whose_id_changes_in_each_piece_is_one_call(
    index: int | None, head: str, names: str, reason_in_each: bool
) -> None:
    if index is None and names == "each":
        pytest.skip("without an index, a name under another id begins another call")
    pieces = {"empty": ("", *PIECES), "with {}": ("{}", *PIECES), "with arguments": PIECES}[head]
    if head == "with {}" and names == "each":
        pytest.skip("whole arguments, and then the name again: another call")
    deltas = [
        delta(index, f"id_{at}", "weather" if at == 0 or names == "each" else None, piece)
        for at, piece in enumerate(pieces)
    ]
    assert calls_of(*deltas, reason_in_each=reason_in_each) == [("id_0", "weather", ARGUMENTS)]


@pytest.mark.parametrize("arguments", [ARGUMENTS, "{}"])
@pytest.mark.parametrize("second", ["weather", "clock"])
@pytest.mark.parametrize("index", [0, None])
def test_two_calls_with_one_index_and_ids_of_their_own_are_two(
    index: int | None, second: str, arguments: str
) -> None:
    found = calls_of(
        delta(index, "a", "weather", ""),
        delta(index, "a", None, arguments),
        delta(index, "b", second, ""),
        delta(index, "b", None, "{}"),
    )
    assert found == [("a", "weather", arguments), ("b", second, "{}")]


def test_interleaved_calls_are_told_by_their_ids() -> None:
    found = calls_of(
        delta(0, "a", "weather", ""),
        delta(0, "b", "weather", ""),
        *(delta(0, "a", None, piece) for piece in PIECES),
        *(delta(0, "b", None, piece) for piece in PIECES),
    )
    assert found == [("a", "weather", ARGUMENTS), ("b", "weather", ARGUMENTS)]


def test_calls_of_a_whole_answer_are_one_each_whatever_their_index_says() -> None:
    rows = [delta(0, None, "weather", ARGUMENTS), delta(0, None, "clock", "{}")]
    message = {"role": "assistant", "tool_calls": rows}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    found = _prepared("chat", stream=False).decode(body, {}).choices[0].tool_calls
    assert [(call.name, call.arguments) for call in found] == [
        ("weather", ARGUMENTS),
        ("clock", "{}"),
    ]


@pytest.mark.parametrize("kind", [int, str, float])
def test_an_index_of_another_type_tells_interleaved_calls_apart(kind: Any) -> None:
    """Else the pieces of all go to the last call, and the first is run without arguments."""
    found = calls_of(
        delta(kind(0), "a", "weather", ""),
        delta(kind(1), "b", "clock", ""),
        *(delta(kind(index), None, None, piece) for piece in PIECES for index in (0, 1)),
    )
    assert found == [("a", "weather", ARGUMENTS), ("b", "clock", ARGUMENTS)]
