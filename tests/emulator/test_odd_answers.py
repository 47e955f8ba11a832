"""Answers of another form than the schema's: errors beside them, other types of text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aimlapi_emulator import Emulator, Fault
from tests.emulator.asking import PRO, Asker, events, flat_tool
from tests.emulator.test_faults import WEATHER

TOOL = flat_tool("weather", "The weather in a city.", city={"type": "string"})
FORMS: dict[str, Any] = {
    "strings": ["Hi"],
    "part": {"type": "text", "text": "Hi"},
    "object": {"value": "Hi"},
}


@pytest.mark.parametrize("form", FORMS)
def test_a_text_in_another_form(emu: Emulator, ask: Asker, form: str) -> None:
    emu.faults += [Fault(content_form=form, single_delta=True)] * 4
    for _ in range(4):
        emu.enqueue_response("Hi")
    kind = {**FORMS[form], "type": "output_text"} if form == "part" else FORMS[form]
    assert ask.chat("x").json()["choices"][0]["message"]["content"] == FORMS[form]
    chunks = events(ask.chat("x", stream=True).text)
    assert chunks[1]["choices"][0]["delta"]["content"] == FORMS[form]
    assert ask.responses("x").json()["output"][-1]["content"] == kind
    found = [e for e in events(ask.responses("x", stream=True).text) if "delta" in e]
    assert [event["delta"] for event in found] == [kind]


ARGUMENTS: dict[str, Any] = {
    "object": {"city": "Paris"},
    "list": [{"city": "Paris"}],
    "number": 5,
    "null": None,
}


@pytest.mark.parametrize("form", ARGUMENTS)
def test_arguments_of_another_type(emu: Emulator, ask: Asker, form: str) -> None:
    emu.faults += [Fault(arguments_form=form)] * 4
    prompt, expected = "weather in Paris", ARGUMENTS[form]
    (call,) = ask.chat(prompt, tools=[WEATHER]).json()["choices"][0]["message"]["tool_calls"]
    assert call["function"]["arguments"] == expected
    chunks = events(ask.chat(prompt, tools=[WEATHER], stream=True).text)
    deltas = [c["choices"][0]["delta"] for c in chunks[:-1] if c.get("choices")]
    (row,) = [delta["tool_calls"] for delta in deltas if "tool_calls" in delta]
    assert row[0]["function"]["arguments"] == expected
    item = ask.responses(prompt, tools=[TOOL]).json()["output"][-1]
    assert item["arguments"] == expected
    found = events(ask.responses(prompt, tools=[TOOL], stream=True).text)
    assert found[-1]["response"]["output"][-1]["arguments"] == expected
    assert not [event for event in found if "arguments" in event["type"]]


@pytest.mark.parametrize("place", ["top", "choice"])
def test_an_error_beside_an_answer(emu: Emulator, ask: Asker, place: str) -> None:
    emu.faults += [Fault(answer_error=place, message="out of luck")] * 4
    whole = ask.chat("x").json()
    last = [c for c in events(ask.chat("x", stream=True).text)[:-1] if c.get("choices")][-1]
    for answer in (whole, last):
        holder = answer if place == "top" else answer["choices"][0]
        assert holder["error"]["message"] == "out of luck"
    response = ask.responses("x").json()
    final = events(ask.responses("x", stream=True).text)[-1]["response"]
    for answer in (response, final):
        if place == "top":
            assert answer["error"]["message"] == "out of luck"
        else:
            assert answer["output"][-1]["status"] == "failed"
    assert json.dumps(whole).count("error") >= 1
    assert all(request.status == 200 for request in emu.requests)
    assert PRO in str([request.body for request in emu.requests])
