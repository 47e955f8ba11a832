"""Which types of a Responses stream's events are handled, ignored on purpose, or unknown."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from aimlapi_core import ChatRequest, Finished, Message, StreamEvent, Text, TextDelta
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_core._wire.responses_stream import _EVENT_HANDLERS, _IGNORED_EVENTS
from tests.core.cases import RESPONSES_CASES, Case, message, response, responses_case

PRO = "openai/gpt-5-2-pro"
ENDS = {"response.completed", "response.incomplete", "response.failed", "error"}
UNKNOWN = "response.progress"
FOLDER = os.environ.get("AIMLAPI_OPENAPI_DIR")


def read(frames: list[dict[str, Any]], *, named: bool = False) -> list[StreamEvent]:
    """The events of a stream; `named`: the type is in the event line alone."""
    text = ""
    for frame in frames:
        data = {key: value for key, value in frame.items() if not (named and key == "type")}
        text += f"event: {frame['type']}\n" * named + f"data: {json.dumps(data)}\n\n"
    request = ChatRequest(PRO, (Message("user", (Text("hi"),)),))
    reader = prepare_request(request, stream=True).stream_reader()
    return [*reader.feed(text.encode()), *reader.close()]


def with_between(case: Case, *events: dict[str, Any]) -> list[dict[str, Any]]:
    """The case's events with the given ones between each two, without sequence numbers."""
    frames: list[dict[str, Any]] = []
    for event in case.chunks:
        bare = {key: value for key, value in event.items() if key != "sequence_number"}
        frames += [*(events if frames else ()), bare]
    return frames


def reported(caplog: pytest.LogCaptureFixture) -> list[Any]:
    found = [record for record in caplog.records if "unknown_event" in record.getMessage()]
    assert all(record.levelno == logging.DEBUG for record in found)
    return [getattr(record, "aimlapi")["type"] for record in found]  # noqa: B009  # set by extra


def test_no_type_is_in_two_lists() -> None:
    lists = (_IGNORED_EVENTS, set(_EVENT_HANDLERS), ENDS)
    assert len(set().union(*lists)) == sum(map(len, lists)) == 53


@pytest.mark.skipif(not FOLDER, reason="AIMLAPI_OPENAPI_DIR is not set")
@pytest.mark.parametrize("name", ["gpt-5-2-pro-RESPONSES.json", "gpt-5-2-codex-RESPONSES.json"])
def test_the_lists_are_those_of_the_vendors_schema(name: str) -> None:
    spec = json.loads((Path(str(FOLDER)) / name).read_text())
    operation = next(iter(spec["paths"].values()))["post"]
    schema = operation["responses"]["200"]["content"]["text/event-stream"]["schema"]
    options = schema.get("oneOf") or schema["anyOf"]
    published = {option["properties"]["type"]["enum"][0] for option in options}
    assert published == _IGNORED_EVENTS | set(_EVENT_HANDLERS) | ENDS


@pytest.mark.parametrize("case", RESPONSES_CASES, ids=lambda case: case.name)
def test_the_events_of_every_case_are_known(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "aimlapi"):
        read(with_between(case))
    assert reported(caplog) == []


@pytest.mark.parametrize("kind", sorted(_IGNORED_EVENTS))
def test_an_ignored_event_changes_nothing_and_is_not_reported(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    case = responses_case("text", response(message("Hello")))
    event = {"type": kind, "output_index": 0, "delta": "x", "text": "x", "part": {"text": "x"}}
    with caplog.at_level(logging.DEBUG, "aimlapi"):
        events = read(with_between(case, event))
    assert events == read(with_between(case))
    assert reported(caplog) == []


@pytest.mark.parametrize("named", [False, True], ids=["type", "event line"])
@pytest.mark.parametrize("case", RESPONSES_CASES, ids=lambda case: case.name)
def test_an_unknown_event_is_reported_once_per_stream_and_loses_nothing(
    case: Case, named: bool, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = {"type": UNKNOWN, "percent": 40, "delta": "x", "output_index": 0}
    other = {"type": "response.later", "item": message("x"), "output_index": 7}
    plain = read(with_between(case), named=named)
    with caplog.at_level(logging.DEBUG, "aimlapi"):
        assert read(with_between(case, unknown, other), named=named) == plain
        assert reported(caplog) == [UNKNOWN, "response.later"]
        read(with_between(case, unknown), named=named)
    assert reported(caplog) == [UNKNOWN, "response.later", UNKNOWN]


def test_a_response_in_an_unknown_event_is_kept() -> None:
    """Where the last event is bare, its id and model come from what came before."""
    whole = response(message("Hello"))
    bare = {"type": "response.completed", "response": {"output": whole["output"]}}
    text, last = read([{"type": UNKNOWN, "response": {"id": "r7", "status": "queued"}}, bare])
    assert isinstance(text, TextDelta)
    assert isinstance(last, Finished)
    assert last.reply.id == "r7"
