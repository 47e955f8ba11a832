"""Shapes and events of the Responses endpoint."""

from __future__ import annotations

import json
from typing import Any

from tests.emulator.asking import (
    CHAT,
    CODEX,
    PRO,
    STRING,
    Asker,
    events,
    flat_tool,
    object_schema,
    refusal,
    user,
)

WEATHER = flat_tool("get_weather", "Get the weather.", city=STRING)


def test_response_has_the_documented_members(ask: Asker) -> None:
    body = ask.responses("Hello").json()
    assert body["object"] == "response"
    assert body["id"].startswith("resp_")
    assert body["status"] == "completed"
    assert body["model"] == "gpt-5.2-pro-2025-12-11"
    (item,) = body["output"]
    assert item["type"] == "message"
    assert item["content"][0]["annotations"] == []
    assert item["content"][0]["text"] == body["output_text"] == 'You said: "Hello"'


def test_instructions_are_not_echoed(ask: Asker) -> None:
    body = ask.responses([user("Hi")], instructions="Be brief").json()
    assert body["output_text"] == 'You said: "Hi"'
    assert body["instructions"] == "Be brief"


def test_text_events_in_order(ask: Asker) -> None:
    answer = ask.responses("Hello", stream=True)
    got = events(answer.text)
    kinds = [event["type"] for event in got]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event["sequence_number"] for event in got] == list(range(len(got)))
    deltas = [event["delta"] for event in got if event["type"] == "response.output_text.delta"]
    assert "".join(deltas) == got[-1]["response"]["output_text"]
    assert len(deltas) > 2
    assert "[DONE]" not in answer.text
    assert f"event: {kinds[0]}\ndata: " in answer.text


def test_function_call_events(ask: Asker) -> None:
    got = events(ask.responses("weather in Paris", tools=[WEATHER], stream=True).text)
    added = next(e for e in got if e["type"] == "response.output_item.added")
    assert added["item"]["name"] == "get_weather"
    assert added["item"]["call_id"].startswith("call_")
    assert added["item"]["arguments"] == ""
    kind = "response.function_call_arguments"
    deltas = [e["delta"] for e in got if e["type"] == f"{kind}.delta"]
    done = next(e for e in got if e["type"] == f"{kind}.done")
    assert "".join(deltas) == done["arguments"]
    assert json.loads(done["arguments"]) == {"city": "Paris"}
    assert got[-1]["response"]["output"][0]["status"] == "completed"


def test_whole_and_streamed_output_are_alike(ask: Asker) -> None:
    def plain(output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{k: v for k, v in i.items() if k not in ("id", "call_id")} for i in output]

    whole = ask.output("weather in Paris", tools=[WEATHER])
    streamed = events(ask.responses("weather in Paris", tools=[WEATHER], stream=True).text)
    assert plain(streamed[-1]["response"]["output"]) == plain(whole)


def test_stored_response_is_continued(ask: Asker) -> None:
    first = ask.responses("weather in Paris", tools=[WEATHER], store=True).json()
    output = {
        "type": "function_call_output",
        "call_id": first["output"][0]["call_id"],
        "output": "It's sunny.",
    }
    second = ask.responses([output], previous_response_id=first["id"], store=True).json()
    assert "It's sunny." in second["output_text"]
    assert second["previous_response_id"] == first["id"]
    third = ask.responses("Hi", previous_response_id=second["id"])
    assert third.status_code == 200


def test_response_that_was_not_stored_is_unknown(ask: Asker) -> None:
    first = ask.responses("Hi").json()
    assert "previous_response_id" in refusal(ask.responses("x", previous_response_id=first["id"]))


def test_calls_of_a_stored_response_want_outputs(ask: Asker) -> None:
    first = ask.responses("weather in Paris", tools=[WEATHER], store=True).json()
    assert "input" in refusal(ask.responses("and now?", previous_response_id=first["id"]))


def test_reasoning_summary_when_asked(ask: Asker) -> None:
    asked = {"reasoning": {"effort": "low", "summary": "auto"}}
    item, message = ask.output("Hi", CODEX, **asked)
    assert item["type"] == "reasoning"
    assert item["summary"][0]["text"]
    assert message["type"] == "message"
    got = events(ask.responses("Hi", CHAT, stream=True, **asked).text)
    deltas = [e["delta"] for e in got if e["type"] == "response.reasoning_summary_text.delta"]
    assert "".join(deltas) == item["summary"][0]["text"]
    replay = [{"role": "user", "content": "Hi"}, item, user("more")]
    assert ask.responses(replay, CODEX).status_code == 200


def test_text_format_gives_an_instance(ask: Asker) -> None:
    schema = object_schema(name=STRING)
    form = {"format": {"type": "json_schema", "name": "x", "schema": schema, "strict": True}}
    text = ask.output("name: Ada", text=form)[0]["content"][0]["text"]
    assert json.loads(text) == {"name": "Ada"}


def test_web_search_cites(ask: Asker) -> None:
    tools = [{"type": "web_search_preview"}]
    search, message = ask.output("Search the web for cats", tools=tools)
    assert search["type"] == "web_search_call"
    part = message["content"][0]
    (note,) = part["annotations"]
    assert part["text"][note["start_index"] : note["end_index"]] == "example.com"
    kinds = [
        e["type"]
        for e in events(ask.responses("Search the web for cats", tools=tools, stream=True).text)
    ]
    assert "response.web_search_call.searching" in kinds
    assert "response.output_text.annotation.added" in kinds
    assert [i["type"] for i in ask.output("Hello", tools=tools)] == ["message"]


def test_mcp_lists_and_calls(ask: Asker) -> None:
    tools = [{"type": "mcp", "server_label": "docs", "server_url": "http://127.0.0.1:1"}]
    kinds = [item["type"] for item in ask.output("Ask it", tools=tools)]
    assert kinds == ["mcp_list_tools", "mcp_call", "message"]
    got = events(ask.responses("Ask it", tools=tools, stream=True).text)
    assert "response.mcp_call_arguments.done" in [e["type"] for e in got]


def test_output_items_can_be_sent_back(ask: Asker) -> None:
    items: list[Any] = [user("weather in Paris")]
    items += ask.output(items, PRO, tools=[WEATHER])
    items.append({"type": "function_call_output", "call_id": items[-1]["call_id"], "output": "ok"})
    items += ask.output(items, PRO, tools=[WEATHER])
    assert "ok" in items[-1]["content"][0]["text"]
    assert ask.responses([*items, user("thanks")], PRO).status_code == 200


def test_output_limit_makes_it_incomplete(ask: Asker) -> None:
    body = ask.responses("word " * 60, max_output_tokens=16).json()
    assert body["status"] == "incomplete"
    assert body["incomplete_details"] == {"reason": "max_output_tokens"}
    assert body["usage"]["output_tokens"] <= 16
