"""What a client sends back as it got it is accepted, by the strict schema too.

OpenAI's SDKs keep the members that they do not know, and dump null for those that they know and
the service did not send.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.asking import (
    CHAT,
    CODEX,
    DOTTED,
    LATEST,
    PRO,
    STRING,
    Asker,
    flat_tool,
    refusal,
    result,
    tool,
    user,
)

WEATHER = tool("weather", city=STRING)
FLAT = flat_tool("weather", city=STRING)
chat_ids = pytest.mark.parametrize("model", [CHAT, LATEST, DOTTED, "openai/gpt-5.2-pro"])
responses_ids = pytest.mark.parametrize("model", [CHAT, LATEST, PRO, CODEX])


def without_nulls(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if value is not None}


@chat_ids
def test_an_answer_is_sent_back_whole(ask_either: Asker, model: str) -> None:
    answer = ask_either.message("Hi", model=model)
    assert answer["annotations"] == []
    nulls = {"audio": None, "function_call": None}
    for again in (answer, without_nulls(answer), {**answer, **nulls}):
        ask_either.message([user("Hi"), again, user("And then?")], model=model)


@chat_ids
def test_a_call_is_sent_back_without_nulls(ask_either: Asker, model: str) -> None:
    answer = ask_either.message("weather in Paris", model=model, tools=[WEATHER])
    (call,) = answer["tool_calls"]
    turn = [without_nulls(answer), result(call["id"], "18 degrees")]
    ask_either.message([user("weather in Paris"), *turn], model=model, tools=[WEATHER])
    odd = {**turn[0], "tool_calls": [{**call, "index": 0, "x": None}]}
    ask_either.message([user("weather in Paris"), odd, turn[1]], model=model, tools=[WEATHER])


@responses_ids
def test_output_items_are_sent_back_whole(ask_either: Asker, model: str) -> None:
    said = [user("weather in Paris")]
    output = ask_either.output(said, model, tools=[FLAT])
    nulls = {"async_": None, "caller": None, "namespace": None}  # of openai-python 3.57
    outputs = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "18 degrees"}
        for item in output
    ]
    for more in ({}, nulls):
        ask_either.output(
            [*said, *({**item, **more} for item in output), *outputs], model, tools=[FLAT]
        )
    (message,) = ask_either.output("Hi", model)
    ask_either.output([user("Hi"), {**message, "phase": None}, user("And then?")], model)


@pytest.mark.parametrize("model", [CHAT, CODEX])
def test_reasoning_is_sent_back_whole(ask_either: Asker, model: str) -> None:
    how = {"include": ["reasoning.encrypted_content"], "reasoning": {"summary": "auto"}}
    output = ask_either.output("Hi", model, **how)
    assert output[0]["type"] == "reasoning"
    ask_either.output(
        [user("Hi"), {**output[0], "content": None}, *output[1:], user("Why?")], model
    )


@pytest.mark.parametrize("model", [CHAT, CODEX])
def test_the_live_schema_takes_null_for_what_was_not_sent(ask_live: Asker, model: str) -> None:
    """The published one does not: the service is not known to refuse it."""
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    items = [
        {"type": "reasoning", "id": "rs_1", "summary": [], "status": None},
        {**call, "id": None, "status": None},
        {"type": "function_call_output", "call_id": "c", "output": "1", "id": None, "status": None},
    ]
    ask_live.output([user("Hi"), *items], model)


@responses_ids
@pytest.mark.parametrize(
    "body",
    [
        {"tools": []},
        {"parallel_tool_calls": False},
        {"tools": [], "parallel_tool_calls": True, "tool_choice": "auto"},
        {"tool_choice": "none"},
    ],
)
def test_responses_without_tools_take_their_options(
    ask_either: Asker, model: str, body: dict[str, Any]
) -> None:
    """openai-agents sends `tools: []` on every run without tools."""
    ask_either.output("Hi", model, **body)


def test_effort_none_is_taken_where_our_table_lists_it(ask_either: Asker) -> None:
    ask_either.text("Hi", reasoning_effort="none")
    assert "reasoning_effort" in refusal(
        ask_either.chat("Hi", model=DOTTED, reasoning_effort="none")
    )


@pytest.mark.parametrize("said", ["Hi", "an output"])
def test_a_response_that_was_not_stored_is_named_first(ask_either: Asker, said: str) -> None:
    output = [{"type": "function_call_output", "call_id": "c", "output": "1"}]
    answer = ask_either.responses(output if said != "Hi" else said, previous_response_id="resp_0")
    assert answer.json()["message"] == "Previous response with id 'resp_0' not found."
    assert set(refusal(answer)) == {"previous_response_id"}
