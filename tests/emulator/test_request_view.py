"""What can be asserted of requests, alike on each endpoint, and what they cost."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from aimlapi_emulator import Emulator, Fault, RequestView
from tests.emulator.asking import (
    CHAT,
    PRO,
    STRING,
    Asker,
    called,
    flat_tool,
    result,
    tool,
    user,
)


def test_both_endpoints_read_alike(emu: Emulator, ask: Asker) -> None:
    calls = [("a", "get_weather", "{}"), ("b", "get_time", "{}")]
    said = [{"role": "system", "content": "Be brief."}, user("Old"), user("Weather and time?")]
    names = ["get_weather", "get_time"]
    results = [("a", "Sunny"), ("b", "14:05")]
    ask.chat(
        [*said, called(*calls), *(result(*one) for one in results)],
        tools=[tool(name, city=STRING) for name in names],
    )
    made = [
        {"type": "function_call", "call_id": i, "name": name, "arguments": args}
        for i, name, args in calls
    ]
    outputs = [
        {"type": "function_call_output", "call_id": i, "output": text} for i, text in results
    ]
    ask.responses(
        [*said[1:], *made, *outputs],
        instructions="Be brief.",
        tools=[*(flat_tool(name, city=STRING) for name in names), {"type": "web_search_preview"}],
    )
    chat, responses = emu.requests
    for seen in (chat, responses):
        assert seen.system_text == "Be brief."
        assert seen.user_text == "Weather and time?"
        assert seen.last_message == "Sunny\n14:05"
        assert seen.tool_results == [("get_weather", "Sunny"), ("get_time", "14:05")]
        assert [m.role for m in seen.messages] == "system user user assistant tool tool".split()
        assert [call.name for call in seen.messages[3].calls] == names
        assert (seen.stream, seen.status, seen.problems) == (False, 200, ())
    assert (chat.endpoint, chat.model, chat.tools) == ("chat", CHAT, names)
    assert (responses.endpoint, responses.model) == ("responses", PRO)
    assert responses.tools == [*names, "web_search_preview"]


def test_results_of_another_turn_are_not_of_this_one(emu: Emulator, ask: Asker) -> None:
    turn = [user("a"), called(("a", "get_weather", "{}")), result("a", "Sunny")]
    ask.chat([*turn, {"role": "assistant", "content": "Sunny."}, user("b")], stream=True)
    (seen,) = emu.requests
    assert (seen.last_message, seen.tool_results, seen.stream) == ("b", [], True)


def test_embeddings_read_too(emu: Emulator, ask: Asker) -> None:
    ask.client.post("/embeddings", json={"model": "text-embedding-3-small", "input": ["a", "b"]})
    (seen,) = emu.requests
    assert (seen.endpoint, seen.last_message, seen.tools) == ("embeddings", "a\nb", [])
    assert seen.usage.credits > 0


def test_a_query_does_not_hide_the_endpoint() -> None:
    asked = RequestView("POST", "/v1/chat/completions?x=1", {}, {"messages": [user("x")]})
    assert (asked.endpoint, asked.last_message) == ("chat", "x")


def test_what_cannot_be_read_is_empty(emu: Emulator, ask: Asker) -> None:
    ask.client.get("/models", params={"id": "none"})
    ask.client.post("/chat/completions", content=b"null")
    broken: list[Any] = [
        {"model": 7, "messages": 7},
        {"messages": [{"content": "x"}]},
        {"messages": [None]},
        {"messages": [{"role": "user", "content": "hi"}], "tools": [7]},
        [],
    ]
    for body in broken:
        assert ask.client.post("/chat/completions", json=body).status_code == 400
    assert emu.requests[1].body == b"null"
    for seen in (*emu.requests[:5], emu.requests[6]):
        assert (seen.last_message, seen.tools, seen.tool_results) == ("", [], [])
        assert (seen.system_text, seen.messages, seen.stream) == ("", (), False)
    assert emu.requests[5].last_message == "hi"


def test_results_in_parts_read_as_text(emu: Emulator, ask: Asker) -> None:
    emu.when("sunny", text="Leave it.")
    parts = [{"type": "input_text", "text": "Sunny"}, {"type": "input_text", "text": "18"}]
    call = {"type": "function_call", "call_id": "a", "name": "get_weather", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "a", "output": parts}
    assert ask.responses([user("x"), call, output]).status_code == 400  # the schema takes text
    (seen,) = emu.requests
    assert (seen.last_message, seen.tool_results) == ("Sunny\n18", [("get_weather", "Sunny\n18")])


NO_TEXT: list[Any] = [["a"], {"a": 1}, 7, None]


@pytest.mark.parametrize("wrong", NO_TEXT)
def test_what_is_no_text_is_read_as_none(emu: Emulator, ask: Asker, wrong: Any) -> None:
    emu.when("x", tool_call="get_weather")
    made = {"type": "function_call", "call_id": wrong, "name": wrong, "arguments": wrong}
    output = {"type": "function_call_output", "call_id": wrong, "output": wrong}
    flat = {"type": "function", "name": wrong}
    ask.responses([user("x"), made, output], instructions=wrong, tools=[flat])
    call = {"id": wrong, "type": "function", "function": {"name": wrong, "arguments": wrong}}
    messages = [user("x"), {"role": "assistant", "tool_calls": [call]}, result(wrong, wrong)]
    ask.chat(messages, tools=[{"type": "function", "function": {"name": wrong}}])
    for seen in emu.requests:
        assert (seen.status, bool(seen.problems)) == (400, True)
        assert isinstance(seen.last_message + seen.system_text, str)
        assert {type(word) for pair in seen.tool_results for word in pair} <= {str}
        assert {type(name) for name in seen.tools} <= {str}


def test_costs_are_those_of_the_answers(emu: Emulator, ask: Asker) -> None:
    told = [ask.chat("Name a lake."), ask.responses("Name a river.")]
    emu.faults += [Fault(status=503), Fault(error_event="openai")]
    ask.chat("x")
    ask.chat("x", stream=True)
    ask.chat("x", unknown=1)
    usages = [answer.json()["meta"]["usage"] for answer in told]
    assert [seen.usage.credits for seen in emu.requests] == [u["credits_used"] for u in usages] + [
        0
    ] * 3
    assert emu.requests[0].usage.usd == usages[0]["usd_spent"] > 0
    assert emu.cost.credits == sum(usage["credits_used"] for usage in usages)
    assert emu.cost.usd == round(sum(usage["usd_spent"] for usage in usages), 9)
    assert emu.cost.prompt == sum(seen.usage.prompt for seen in emu.requests)
    emu.clear()
    assert emu.cost.credits == 0


@pytest.mark.parametrize("said", ["x", "x [[fault drop=after_read]]"])
def test_a_dropped_answer_costs_nothing(emu: Emulator, ask: Asker, said: str) -> None:
    if said == "x":
        emu.when("x", fault=Fault(drop="after_read"))
    with pytest.raises(httpx.RemoteProtocolError):
        ask.chat(said)
    assert (emu.requests[0].usage.credits, emu.cost.credits) == (0, 0)
    assert [entry.succeeded for entry in emu.ledger.entries] == [False]


HIDDEN = [
    ("authorization", "Bearer sk-secret-of-mine-1234", "Bearer ...1234"),
    ("authorization", "bearer \t sk-secret-of-mine-1234", "bearer ...1234"),
    ("authorization", "Bearer\tsk-secret-of-mine-1234", "Bearer ...1234"),
    ("authorization", "sk-secret-of-mine-1234", "...1234"),
    ("authorization", "Token sk-secret-of-mine-1234", "...1234"),
    ("authorization", "Bearer 1234", "Bearer ..."),
    ("authorization", "Bearer", "Bearer ..."),
    ("x-api-key", "sk-secret-of-mine-1234", "...1234"),
    ("api-key", "abcd", "..."),
    ("proxy-authorization", "Basic c2VjcmV0LW9mLW1pbmU6MTIz", "...MTIz"),
    ("cookie", "session=secret-of-mine", "...mine"),
]


@pytest.mark.parametrize(("name", "value", "shown"), HIDDEN)
def test_no_key_is_kept(emu: Emulator, name: str, value: str, shown: str) -> None:
    httpx.post(f"{emu.base_url}/chat/completions", headers={name: value}, json={})
    assert emu.requests[0].headers[name] == shown
    assert "secret" not in repr(emu.requests)


def test_a_dropped_request_reads_too(emu: Emulator, ask: Asker) -> None:
    emu.faults.append(Fault(drop="after_read"))
    try:
        ask.chat("x")
    except httpx.RemoteProtocolError:
        (seen,) = emu.requests
    assert (seen.status, seen.last_message, seen.usage.credits) == (0, "x", 0)
    assert seen.headers["authorization"] == "Bearer ...1234"
