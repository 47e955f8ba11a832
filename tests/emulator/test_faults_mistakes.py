"""Mistakes of whoever writes a fault: each is told at once, or told as one that never fired."""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import pickle
import re
import subprocess
import sys
from dataclasses import fields, replace
from math import inf, nan
from typing import Any

import httpx
import pytest

from aimlapi_emulator import Emulator, Fault, FaultError
from aimlapi_emulator.faults.directives import parse
from aimlapi_emulator.faults.fault import NO_FAULT
from aimlapi_emulator.faults.fault_field import FaultField
from aimlapi_emulator.messages import Response
from tests.emulator.asking import Asker, events


@pytest.mark.parametrize(
    ("name", "meant"),
    [("statsu", "status"), ("cut_after_event", "cut_after_events"), ("peice_size", "piece_size")],
)
def test_a_misspelt_name_gives_the_nearest_right_one(ask: Asker, name: str, meant: str) -> None:
    with pytest.raises(TypeError, match=f"{name!r}: did you mean {meant!r}"):
        Fault(**{name: 3})
    answer = ask.chat(f"[[fault {name}=3]]")
    assert answer.status_code == 400
    assert f"{name!r}: did you mean {meant!r}" in answer.json()["message"]


def test_a_name_like_no_other_is_told_alone() -> None:
    with pytest.raises(TypeError, match=r"no field 'zzz'$"):
        Fault(**{"zzz": 1})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"drop": "befor_read"}, "did you mean 'before_read'"),
        ({"status": 500, "shape": "xyz"}, "it takes 'problem', 'legacy'"),
        ({"usage": "cumulatve"}, "did you mean 'cumulative'"),
        ({"error_event": "opanai"}, "did you mean 'openai'"),
        ({"newline": "\n\r"}, "none of its words"),
        ({"status": 42}, "out of bounds: 200 to 999"),
        ({"success_status": 500}, "out of bounds: 200 to 299"),
        ({"piece_size": 0}, "out of bounds: 1 or more"),
        ({"piece_size": 2.5}, "takes int"),
        ({"piece_size": "7"}, "takes int"),
        ({"cut_after_bytes": -1}, "out of bounds: 0 or more"),
        ({"cut_after_events": True}, "takes int"),
        ({"delay_head_s": -0.1}, "out of bounds: 0 to 86,400"),
        ({"delay_body_s": float("nan")}, "out of bounds"),
        ({"comments": "no"}, "takes bool"),
        ({"raw_body": "text"}, "takes bytes"),
        ({"interim": 103}, "takes tuple"),
        ({"interim": (101,)}, "but not 101"),
        ({"interim": (200,)}, "from 100 to 199"),
        ({"interim": ("103",)}, "from 100 to 199"),
        ({"usage": None}, "none of its words"),
        ({"newline": None}, "none of its words"),
        ({"delay_head_s": None}, "takes float"),
        ({"headers": None}, "takes a mapping"),
        ({"headers": {"X-A": 1}}, "takes a str"),
        ({"headers": {"X-A": "one\r\ntwo: 2"}}, "one line"),
        ({"headers": {"X A": "one"}}, "one line"),
        ({"headers": {"X-A": "ü"}}, "ASCII"),
        ({"content_type": "text/html\n"}, "one line"),
        ({"headers": {"Content-Length": "3"}}, "cut_after_bytes"),
        ({"shape": "html"}, "does nothing without status"),
        ({"message": "oh"}, "does nothing without status or error_event"),
        ({"drop_with": "rst"}, "does nothing without drop"),
        ({"error_after_events": 3}, "does nothing without error_event"),
        ({"drop": "after_read", "drop_with": "end"}, "for cuts only"),
        ({"drop": "after_read", "bom": True}, "no answer for bom"),
        ({"drop": "before_read", "status": 500}, "no answer for status"),
        ({"refusal": "no", "empty": True}, "contradict"),
        ({"status": 500, "success_status": 201}, "contradict"),
        ({"piece_size": 3, "split_characters": True}, "contradict"),
        ({"repeat_event": 0, "swap_event": 1}, "contradict"),
    ],
)
def test_a_value_that_cannot_be_is_refused_where_it_is_written(
    given: dict[str, Any], says: str
) -> None:
    with pytest.raises(FaultError, match=says):
        Fault(**given)


def test_each_field_is_checked_in_its_type() -> None:
    """No field takes an object of no type at all, so that none reaches the server unjudged."""
    partners = {"shape": {"status": 500}, "error_after_events": {"error_event": "openai"}}
    for field in fields(Fault):
        if field.name != "headers":
            with pytest.raises(FaultError):
                Fault(**{field.name: object(), **partners.get(field.name, {})})


@pytest.mark.parametrize(
    ("response", "endpoint", "kinds"),
    [
        (Response(200, {}, events=()), "chat", {"answer", "completion", "stream", "chat stream"}),
        (
            Response(200, {}, events=()),
            "responses",
            {"answer", "completion", "stream", "responses stream"},
        ),
        (Response(200, {}, b"{}"), "responses", {"answer", "completion"}),
        (Response(200, {}, b"{}"), "embeddings", {"answer", "embeddings"}),
        (Response(500, {}, b"{}"), "chat", set()),
        (Response(200, {}, b"{}", fault=Fault(raw_body=b"{}")), "chat", set()),
    ],
)
def test_each_response_is_of_some_kinds(response: Response, endpoint: str, kinds: set[str]) -> None:
    assert response.as_fault_target(endpoint).kinds == {"any", *kinds}


def test_a_field_that_acts_on_an_unknown_kind_of_response_is_an_error() -> None:
    kind: Any = "strem"
    with pytest.raises(ValueError, match="x: acts_on='strem' is none of 'any', 'answer', "):
        FaultField("x", "bool", False, acts_on=kind)


def test_headers_tell_apart_directives_that_say_the_same(emu: Emulator, ask: Asker) -> None:
    for call in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            ask.chat(f"[[fault drop=after_read headers.X-Call={call} times=1]]")
    assert [seen.status for seen in emu.requests] == [0, 0]


@pytest.mark.parametrize(
    ("directive", "says"),
    [
        ("[[fault status=429", "not closed"),
        ('[[fault message="abc status=500]]', "not closed"),
        ("[[fault]]", "no key=value"),
        ("[[fault times=2]]", "sets no field"),
        ("[[fault done_sentinel=true]]", "sets no field"),
        ("[[fault status 429]]", "no key=value"),
        ("[[fault status=429 oops]]", "no key=value"),
        ("[[fault status=soon]]", "wants a whole number, got 'soon'"),
        ("[[fault piece_size=2.5]]", "wants a whole number, got '2.5'"),
        ("[[fault delay_head_s=soon]]", "wants a number, got 'soon'"),
        ("[[fault comments=maybe]]", "wants true or false, got 'maybe'"),
        ("[[fault interim=100,x]]", "wants a whole number"),
        ("[[fault status=500 times=0]]", "times wants a whole number from 1"),
        ("[[fault status=500 times=-1]]", "times wants a whole number from 1"),
        ("[[fault status=500 tmes=2]]", "did you mean 'times'"),
        ('[[fault message="\\q" status=500]]', "Invalid"),
        ("[[fault drop=befor_read]]", "did you mean 'before_read'"),
        ("[[fault piece_size=-4]]", "out of bounds"),
        ("[[fault shape=html]]", "does nothing without status"),
        ("[[fault error_event=response.failed]]", "of /v1/responses only"),
    ],
)
def test_a_directive_that_cannot_be_read_is_refused(
    emu: Emulator, ask: Asker, directive: str, says: str
) -> None:
    answer = ask.chat(f"Hello {directive}", stream=True)
    assert answer.status_code == 400
    assert says in answer.json()["message"]
    assert emu.requests[0].status == 400


def test_what_is_no_fault_is_told_on_the_wire(emu: Emulator, ask: Asker) -> None:
    wrong: Any = {"status": 429}
    emu.faults.append(wrong)
    answer = ask.chat("x")
    assert (answer.status_code, "which is no Fault" in answer.text) == (500, True)


def test_a_field_of_another_endpoint_is_told(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend(
        [Fault(done_sentinel=False), Fault(usage="cumulative"), Fault(refusal="no"), None]
    )
    ask.responses("x", stream=True)
    ask.responses("x", stream=True)
    ask.client.post("/embeddings", json={"model": "text-embedding-3-small", "input": "x"})
    ask.chat("[[fault drop_row=true]]")
    assert [seen.ineffective_fault_fields for seen in emu.requests] == [
        ("done_sentinel",),
        ("usage",),
        ("refusal",),
        ("drop_row",),
    ]


def test_a_queued_fault_of_the_other_endpoint_is_refused(emu: Emulator, ask: Asker) -> None:
    emu.faults.append(Fault(error_event="error"))
    answer = ask.chat("x", stream=True)
    assert (answer.status_code, "of /v1/responses only" in answer.text) == (400, True)


def test_a_directive_takes_every_kind_of_value(emu: Emulator, ask: Asker) -> None:
    told = '[[fault interim=100,103 raw_body="[[1], \\"]]\\"]" delay_head_s=0.01 bom=Yes]]'
    answer = ask.chat(told)
    assert json.loads(answer.content.removeprefix(b"\xef\xbb\xbf")) == [[1], "]]"]
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert not emu.requests[0].ineffective_fault_fields


UNMET: list[tuple[dict[str, Any], bool, tuple[str, ...]]] = [
    ({"cut_after_events": 5000}, True, ("cut_after_events",)),
    ({"cut_after_bytes": 10**6}, True, ("cut_after_bytes",)),
    ({"cut_after_bytes": 10**6}, False, ("cut_after_bytes",)),
    ({"cut_after_events": 2}, False, ("cut_after_events",)),
    ({"error_event": "openai", "error_after_events": 999}, True, ("error_after_events",)),
    ({"repeat_event": 999}, True, ("repeat_event",)),
    ({"repeat_event": -999}, True, ("repeat_event",)),
    ({"swap_event": -1}, True, ("swap_event",)),
    ({"newline": "\r\n", "comments": True}, False, ("newline", "comments")),
    ({"split_characters": True}, True, ("split_characters",)),
    ({"usage": "cumulative"}, False, ("usage",)),
    ({"cut_after_events": 3, "bom": True, "comments": True}, True, ()),
    ({"repeat_event": -1}, True, ()),
    ({"swap_event": -2}, True, ()),
]


@pytest.mark.parametrize(("given", "stream", "idle"), UNMET)
def test_a_fault_that_found_nothing_to_act_on_is_told(
    emu: Emulator,
    ask: Asker,
    caplog: pytest.LogCaptureFixture,
    given: dict[str, Any],
    stream: bool,
    idle: tuple[str, ...],
) -> None:
    emu.faults.append(Fault(**given))
    with contextlib.suppress(httpx.RemoteProtocolError):  # where it is a cut
        ask.chat("plain words", stream=stream)
    (seen,) = emu.requests
    assert seen.ineffective_fault_fields == idle
    told = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert [r.getMessage().split(" did nothing")[0] for r in told] == (
        [", ".join(idle)] if idle else []
    )


def test_an_answer_shorter_than_a_cut_comes_whole(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend([Fault(cut_after_events=999), Fault(cut_after_bytes=10**6)])
    assert events(ask.chat("x", stream=True).text)[-1] == "[DONE]"
    assert events(ask.chat("x", stream=True).text)[-1] == "[DONE]"
    assert emu.connections == 1


def test_a_fault_is_a_value() -> None:
    fault = Fault(status=429, headers={"Retry-After": "1"}, interim=(103,))
    assert pickle.loads(pickle.dumps(fault)) == copy.deepcopy(fault) == replace(fault) == fault
    with pytest.raises(FaultError):
        replace(fault, status=-1)


def test_a_fault_from_the_command_line_is_judged_before_anything_runs() -> None:
    command = [sys.executable, "-m", "aimlapi_emulator", "--port", "0", "--fault", "statsu=429"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 2
    assert "unknown field 'statsu': did you mean 'status'?" in run.stderr


def test_a_fault_shows_the_fields_that_are_set() -> None:
    assert repr(Fault(status=503, headers={"a": "b"})) == "Fault(status=503, headers={'a': 'b'})"
    assert repr(NO_FAULT) == "Fault()"


IDLE: list[tuple[dict[str, Any], str]] = [
    ({}, "sets no field does nothing"),
    ({"headers": {}}, "sets no field does nothing"),
    # A status or a body of one's own leaves no answer.
    ({"status": 500, "error_event": "event"}, "status leaves no answer for error_event"),
    ({"status": 429, "usage": "missing"}, "status leaves no answer for usage"),
    ({"status": 429, "cost_metadata": False}, "leaves no answer for cost_metadata"),
    ({"status": 429, "refusal": "No."}, "leaves no answer for refusal"),
    ({"status": 429, "cut_after_events": 1}, "leaves no answer for cut_after_events"),
    ({"raw_body": b"x", "done_sentinel": False}, "raw_body leaves no answer for done_sentinel"),
    ({"raw_body": b"x", "comments": True}, "raw_body leaves no answer for comments"),
    ({"raw_body": b"x", "drop_row": True}, "raw_body leaves no answer for drop_row"),
    # No response is both.
    ({"drop_row": True, "refusal": "No."}, "drop_row on embeddings"),
    ({"shuffle_data": True, "comments": True}, "comments on stream"),
    ({"error_event": "response.failed", "tool_delta": "repeat"}, "tool_delta on chat stream"),
    ({"error_event": "error", "usage": "cumulative"}, "usage on chat stream"),
    ({"drop_row": True, "usage": "cumulative"}, "usage on chat stream"),
    # One takes away what the other acts on.
    ({"error_event": "openai", "done_sentinel": False}, "contradict"),
    ({"cost_metadata": False, "cost_chunk": "bare"}, "contradict"),
    ({"empty": True, "single_delta": True}, "contradict"),
    ({"empty": True, "tool_delta": "repeat"}, "contradict"),
    ({"refusal": "No.", "tool_delta": "repeat"}, "contradict"),
    ({"empty": True, "drop_row": True}, "contradict"),
    ({"empty": True, "shuffle_data": True}, "contradict"),
    ({"status": 500, "shape": "empty", "message": "x"}, "leaves no place for message"),
    ({"content_type": "a/b", "headers": {"Content-Type": "c/d"}}, "contradict"),
    ({"cut_after_bytes": 1, "close_after": True}, "a cut closes the connection"),
    ({"status": 204, "message": "x"}, "status 204 has no body for message"),
    ({"status": 304, "piece_size": 1}, "status 304 has no body for piece_size"),
    ({"success_status": 204, "comments": True}, "status 204 has no body for comments"),
    # Values that say nothing, or never end.
    ({"finish_reason": ""}, "finish_reason='' says nothing"),
    ({"refusal": ""}, "refusal='' says nothing"),
    ({"reasoning": ""}, "reasoning='' says nothing"),
    *(
        ({name: seconds}, "out of bounds: 0 to 86,400")
        for name in ("delay_head_s", "delay_body_s", "delay_between_s")
        for seconds in (inf, nan, 86_401.0)
    ),
    ({"pad_event_bytes": 10**9}, "out of bounds: 0 to 10,000,000"),
    ({"interim": (100,) * 101}, "at most 100 statuses"),
]


@pytest.mark.parametrize(("fields", "said"), IDLE)
def test_what_is_idle_contradictory_or_endless_is_refused(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(FaultError, match=re.escape(said)):
        Fault(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": 500, "message": "", "shape": "legacy", "bom": True, "piece_size": 3},
        {"raw_body": b"", "status": 404, "content_type": ""},
        {"cut_after_bytes": 1, "close_after": True, "drop_with": "end"},
        {"drop_row": True, "shuffle_data": True, "usage": "missing", "cut_after_bytes": 9},
        {"error_event": "response.failed", "error_after_events": 1, "comments": True},
        {"usage": "cumulative", "tool_delta": "repeat", "cost_chunk": "bare"},
        {"refusal": "No.", "reasoning": "x", "single_delta": True, "finish_reason": "stop"},
        {"status": 204, "headers": {"a": "b"}, "delay_head_s": 1},
    ],
)
def test_what_acts_together_is_taken(fields: dict[str, Any]) -> None:
    assert repr(Fault(**fields)).count("=") >= len(fields)


@pytest.mark.parametrize("times", ["0", "1000001", "9" * 5000])
def test_a_directive_is_not_for_ever(times: str) -> None:
    with pytest.raises(FaultError, match="times wants a whole number from 1 to 1000000"):
        parse(f"status=429 times={times}")
