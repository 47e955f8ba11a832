"""Members of a chat stream's deltas that have no field here say what the whole answer says."""

from __future__ import annotations

from typing import Any

import pytest

from aimlapi_core import Finished
from tests.core.cases import Case, body, choice, chunk
from tests.core.test_laws import events_of, prepared_for

AUDIO = {"id": "audio_1", "transcript": "haha ha", "data": "QUJDQUJD", "expires_at": 9}
ROWS = [{"type": "reasoning.text", "index": i, "text": t} for i, t in enumerate(["one", "two"])]
CASES: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "a text": ({"thinking": "aab"}, [{"thinking": "a"}, {"thinking": "a"}, {"thinking": "b"}]),
    "an object": (
        {"audio": AUDIO},
        [
            {"audio": {"id": "audio_1", "transcript": "ha"}},
            {"audio": {"id": "audio_1", "transcript": "ha"}},
            {"audio": {"data": "QUJD"}},
            {"audio": {"transcript": " ha", "data": "QUJD", "expires_at": 9}},
        ],
    ),
    "rows that alternate": (
        {"reasoning_details": ROWS},
        [
            {"reasoning_details": [{**ROWS[0], "text": "on"}]},
            {"reasoning_details": [{**ROWS[1], "text": "tw"}]},
            {"reasoning_details": [{**ROWS[0], "text": "e"}, {**ROWS[1], "text": "o"}]},
        ],
    ),
    "rows without an index": (
        {"images": [{"url": "a"}, {"url": "a"}]},
        [{"images": [{"url": "a"}]}, {"images": [{"url": "a"}]}],
    ),
    "a list in an object": (
        {"audio": {"parts": [{"index": 0, "data": "ab"}]}},
        [
            {"audio": {"parts": [{"index": 0, "data": "a"}]}},
            {"audio": {"parts": [{"index": 0, "data": "b"}]}},
        ],
    ),
    "numbers and nulls": (
        {"progress": 2, "note": "x"},
        [{"progress": 1, "note": "x"}, {"progress": 2, "note": None}],
    ),
}


@pytest.mark.parametrize(("whole", "deltas"), CASES.values(), ids=CASES)
def test_pieces_grow_to_what_the_whole_answer_holds(
    whole: dict[str, Any], deltas: list[dict[str, Any]]
) -> None:
    chunks = (*map(chunk, deltas), chunk({"content": "x"}), chunk({}, "stop"))
    case = Case("unknown", body(choice({"content": "x", **whole})), chunks)
    *_, last = events_of(case, [case.sse()])
    assert isinstance(last, Finished)
    assert last.reply.choices[0].extra == whole
    assert prepared_for(case).decode(case.body, {}).choices[0].extra == whole


def test_what_a_choice_says_in_each_chunk_is_a_fact_and_does_not_grow() -> None:
    facts = {"native_finish_reason": "completed", "filters": {"hate": "safe"}}
    chunks = (
        chunk({"content": "x"}, of_choice={**facts, "tokens": [1]}),
        chunk({"content": "y"}, of_choice={**facts, "tokens": [2]}),
        chunk({}, "stop", of_choice=facts),
    )
    case = Case("facts", body(choice({"content": "xy"}, **facts, tokens=[1, 2])), chunks)
    *_, last = events_of(case, [case.sse()])
    assert isinstance(last, Finished)
    assert last.reply.choices[0].extra == {**facts, "tokens": [1, 2]}
    assert last.reply.choices == prepared_for(case).decode(case.body, {}).choices
