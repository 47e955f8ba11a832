"""Scripted rules: when they answer, what, in which order, and what is told of wrong ones."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from aimlapi_emulator import Emulator, Fault, RequestView
from tests.emulator.asking import (
    CHAT,
    CODEX,
    INTEGER,
    LATEST,
    STRING,
    Asker,
    called,
    events,
    flat_tool,
    object_schema,
    result,
    schema_format,
    streamed_text,
    tool,
    user,
)

WEATHER = tool("get_weather", "Get the weather.", city=STRING)
CLOCK = tool("get_time", "Get the local time.", city=STRING)
PARIS, ROME = {"city": "Paris"}, {"city": "Rome"}
ASKED = user("Do I need an umbrella?")


def turn(*results: str, name: str = "get_weather", args: str = '{"city": "Paris"}') -> list[Any]:
    """The umbrella question with one call and one result after the other."""
    found = [ASKED]
    for number, text in enumerate(results):
        found += [called((f"call{number}", name, args)), result(f"call{number}", text)]
    return found


def why(answer: httpx.Response) -> str:
    assert answer.status_code == 400
    return str(answer.json()["message"])


def test_text_of_the_user_is_answered(emu: Emulator, ask: Asker) -> None:
    rule = emu.when("UMBRELLA", text="No.")
    assert ask.text([ASKED]) == "No."
    assert ask.text("Hello") == 'You said: "Hello"'
    assert rule.use_count == 1
    assert [seen.rule for seen in emu.requests] == ["when('UMBRELLA', text='No.')", ""]


def test_only_the_last_message_counts(emu: Emulator, ask: Asker) -> None:
    emu.when("umbrella", text="No.")
    said = [{"role": "system", "content": "umbrella"}, ASKED, called(("a", "get_weather", "{}"))]
    assert ask.text([*said, result("a", "Sunny")]) != "No."
    assert ask.text([ASKED, {"role": "assistant", "content": "No?"}, user("Yes")]) != "No."
    assert ask.text([ASKED, {"role": "system", "content": "Be brief."}]) == "No."


def test_each_of_the_last_results_counts(emu: Emulator, ask: Asker) -> None:
    emu.when("sunny", text="Leave it.")
    both = called(("a", "get_weather", "{}"), ("b", "get_weather", "{}"))
    assert ask.text([ASKED, both, result("a", "Sunny"), result("b", "Rain")]) == "Leave it."
    assert ask.text(turn("Sunny", "Rain")) != "Leave it."


def test_a_pattern_and_a_callable_are_conditions(emu: Emulator, ask: Asker) -> None:
    emu.when(re.compile(r"\brain\b"), text="pattern")
    emu.when(lambda request: "get_time" in request.tools, text="callable")
    assert ask.text("Will it rain?") == "pattern"
    assert ask.text("Is this a train?") == 'You said: "Is this a train?"'
    assert ask.text("Hi", tools=[CLOCK]) == "callable"


def test_the_first_rule_that_holds_wins(emu: Emulator, ask: Asker) -> None:
    first, second = emu.when("umbrella", text="first"), emu.when("need", text="second")
    assert ask.text([ASKED]) == "first"
    assert (first.use_count, second.use_count) == (1, 0)
    assert emu.unused_rules() == [second]


def test_a_tool_is_called_once_in_a_turn(emu: Emulator, ask: Asker) -> None:
    emu.when("umbrella", tool_call="get_weather", arguments=PARIS)
    assert ask.calls([ASKED], tools=[WEATHER]) == [("get_weather", PARIS)]
    told = ask.text(turn("No umbrella weather"), tools=[WEATHER])
    assert told == "According to the tools, get_weather gave No umbrella weather"
    assert ask.calls([*turn("Sunny"), ASKED], tools=[WEATHER]) == [("get_weather", PARIS)]


def test_a_rule_calls_again_only_with_other_arguments(emu: Emulator, ask: Asker) -> None:
    emu.when("umbrella", tool_call="get_weather", arguments=PARIS)
    emu.when("no such city", tool_call="get_weather", arguments=ROME)
    assert ask.calls(turn("no such city"), tools=[WEATHER]) == [("get_weather", ROME)]
    again = turn("no such city", args='{"city":"Rome"}')
    assert "no such city" in ask.text(again, tools=[WEATHER])


@pytest.mark.parametrize(
    "args", [None, '{"city"', lambda request: {"city": str(len(request.body))}]
)
def test_unknown_arguments_do_not_loop_either(emu: Emulator, ask: Asker, args: Any) -> None:
    emu.when("umbrella", tool_call="get_weather", arguments=args)
    assert "umbrella" in ask.text(turn("umbrella"), tools=[WEATHER])
    assert emu.unused_rules()


def test_a_request_that_is_sent_twice_is_answered_alike(emu: Emulator, ask: Asker) -> None:
    rule = emu.when("umbrella", tool_call="get_weather", arguments=PARIS)
    for _ in range(2):
        assert ask.calls([ASKED], tools=[WEATHER]) == [("get_weather", PARIS)]
    assert rule.use_count == 2


def test_several_calls_are_made_at_once(emu: Emulator, ask: Asker) -> None:
    both = [("get_weather", PARIS), ("get_weather", ROME), ("get_time", PARIS)]
    emu.when("umbrella", tool_calls=both)
    assert ask.calls([ASKED], tools=[WEATHER, CLOCK]) == both
    assert ask.calls(turn("umbrella"), tools=[WEATHER, CLOCK]) == both


def test_arguments_that_are_left_out_come_from_the_prompt(emu: Emulator, ask: Asker) -> None:
    emu.when("jacket", tool_call="get_weather")
    assert ask.calls("A jacket in Oslo?", tools=[WEATHER]) == [("get_weather", {"city": "Oslo"})]


def test_callables_make_texts_and_arguments_of_the_request(emu: Emulator, ask: Asker) -> None:
    def city(request: RequestView) -> dict[str, Any]:
        return {"city": request.last_message.split()[-1]}

    emu.when("jacket", tool_call="get_weather", arguments=city)
    emu.when("degrees", text=lambda request: f"It has {request.tool_results[0][1]}.")
    assert ask.calls("jacket for Oslo", tools=[WEATHER]) == [("get_weather", {"city": "Oslo"})]
    assert ask.text(turn("18 degrees"), tools=[WEATHER]) == "It has 18 degrees."


def test_broken_arguments_can_be_scripted(emu: Emulator, ask: Asker) -> None:
    emu.when("umbrella", tool_call="get_weather", arguments='{"city": ')
    (call,) = ask.message([ASKED], tools=[WEATHER])["tool_calls"]
    assert call["function"]["arguments"] == '{"city": '


def test_a_dict_is_json_that_fits_the_response_format(emu: Emulator, ask: Asker) -> None:
    form = schema_format(object_schema(title=STRING, year=INTEGER))
    emu.when("album", json={"title": "Blue Train", "year": 1957})
    emu.when("broken", text="{")
    emu.when("wrong", json={"title": 7})
    assert json.loads(ask.text("album", response_format=form))["year"] == 1957
    assert json.loads(ask.text("album"))["title"] == "Blue Train"
    assert ask.text("broken", response_format=form) == "{"
    told = why(ask.chat("wrong", response_format=form))
    assert "$.title: 7 is not of type 'string'; $: 'year' is a required property" in told
    text = {"format": {"type": "json_schema", **form["json_schema"]}}
    ((part,),) = [item["content"] for item in ask.output("album", text=text)]
    assert json.loads(part["text"])["year"] == 1957


@pytest.mark.parametrize("stream", [False, True])
def test_both_endpoints_answer_alike(emu: Emulator, ask: Asker, stream: bool) -> None:
    emu.when("umbrella", tool_call="get_weather", arguments=PARIS)
    emu.when("sunny", text="Grüße, 世界")
    tools, question = [flat_tool("get_weather", city=STRING)], "An umbrella?"
    first = ask.responses(question, tools=tools, stream=stream)
    body = events(first.text)[-1]["response"] if stream else first.json()
    (call,) = body["output"]
    assert (call["name"], json.loads(call["arguments"])) == ("get_weather", PARIS)
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "Sunny"}
    second = ask.responses([user(question), call, output], tools=tools, stream=stream)
    body = events(second.text)[-1]["response"] if stream else second.json()
    assert body["output_text"] == "Grüße, 世界"
    answer = ask.chat(turn("Sunny"), tools=[WEATHER], stream=stream)
    text = streamed_text(events(answer.text)) if stream else ask.text(turn("Sunny"))
    assert text == "Grüße, 世界"


def test_a_stored_response_is_part_of_the_turn(emu: Emulator, ask: Asker) -> None:
    emu.when("umbrella", tool_call="get_weather", arguments=PARIS)
    emu.when(lambda request: request.tool_results == [("get_weather", "umbrella")], text="Take it.")
    tools = [flat_tool("get_weather", city=STRING)]
    first = ask.responses("An umbrella?", tools=tools, store=True).json()
    call_id = first["output"][0]["call_id"]
    output = [{"type": "function_call_output", "call_id": call_id, "output": "umbrella"}]
    (said,) = ask.output(output, tools=tools, previous_response_id=first["id"])
    assert said["content"][0]["text"] == "Take it."


def test_faults_and_replies_go_first(emu: Emulator, ask: Asker) -> None:
    rule = emu.when("x", text="scripted")
    emu.faults += [Fault(status=503), Fault(refusal="I will not."), Fault(finish_reason="length")]
    emu.enqueue_response({"raw": 1})
    assert ask.chat("x").status_code == 503
    assert ask.chat("x").json() == {"raw": 1}
    emu.enqueue_response("replied")
    assert ask.text("x") == "replied"
    assert rule.use_count == 0
    assert ask.text("x") == "scripted"
    assert ask.chat("x [[fault status=500]]").status_code == 500
    assert rule.use_count == 1


def test_a_scripted_answer_can_go_wrong(emu: Emulator, ask: Asker) -> None:
    emu.when("x", text="one two three four", fault=Fault(finish_reason="length"))
    (choice,) = ask.chat("x").json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one two", "length")
    emu.faults.append(Fault(usage="missing"))
    other = ask.chat("x").json()
    assert "usage" not in other
    assert other["choices"][0]["message"]["content"] == "one two three four"


def test_a_mere_fault_is_passed_over_beside_another(emu: Emulator, ask: Asker) -> None:
    rule = emu.when("x", fault=Fault(status=503), times=1)
    emu.when("x", text="scripted")
    emu.faults += [Fault(status=429), Fault(usage="missing")]
    assert ask.chat("x").status_code == 429
    assert ask.text("x") == "scripted"
    assert rule.use_count == 0
    assert [ask.chat("x").status_code for _ in range(2)] == [503, 200]
    assert rule.use_count == 1


def test_faults_reach_embeddings_and_texts_do_not(emu: Emulator, ask: Asker) -> None:
    lake = emu.when("lake", text="A lake.")
    emu.when("river", fault=Fault(status=503), endpoint="embeddings")
    body = {"model": "text-embedding-3-small", "input": ["a lake", "x"]}
    assert ask.client.post("/embeddings", json=body).status_code == 200
    assert lake.use_count == 0
    assert ask.client.post("/embeddings", json={**body, "input": "a river"}).status_code == 503
    assert ask.chat("a river").status_code == 200
    emu.enqueue_response("for a chat")
    assert ask.client.post("/embeddings", json={**body, "input": "a river"}).status_code == 503


def test_a_rule_keeps_to_its_model_and_endpoint(emu: Emulator, ask: Asker) -> None:
    emu.when("x", text="latest", model=LATEST)
    emu.when("x", text="responses", endpoint="responses")
    assert ask.text("x", model=LATEST) == "latest"
    assert ask.text("x") == 'You said: "x"'
    assert ask.output("x", CODEX)[0]["content"][0]["text"] == "responses"


def test_directives_are_no_text(emu: Emulator, ask: Asker) -> None:
    emu.when("times", text="scripted")
    assert ask.text("x [[fault usage=missing times=1]]") == 'You said: "x"'


def test_clear_forgets_the_rules(emu: Emulator, ask: Asker) -> None:
    emu.when("x", text="scripted")
    emu.clear()
    assert ask.text("x") == 'You said: "x"'
    assert emu.unused_rules() == []


def test_a_refused_request_uses_no_rule(emu: Emulator, ask: Asker) -> None:
    rule = emu.when("x", text="scripted")
    assert ask.chat("x", unknown=1).status_code == 400
    assert ask.client.post("/chat/completions", content=b"{").status_code == 400
    assert rule.use_count == 0


def test_a_refused_request_leaves_the_fault_of_a_rule(emu: Emulator, ask: Asker) -> None:
    rule = emu.when("x", fault=Fault(success_status=201), times=1)
    other = emu.when("y", text="scripted", fault=Fault(headers={"X-A": "1"}), times=1)
    for said in "xy":
        refused = ask.chat(said, unknown=1)
        assert (refused.status_code, "x-a" in refused.headers) == (400, False)
    assert (rule.use_count, other.use_count) == (0, 0)
    assert [(seen.rule, seen.ineffective_fault_fields) for seen in emu.requests] == [("", ())] * 2
    assert [ask.chat("x").status_code for _ in range(2)] == [201, 200]
    assert ask.chat("y").headers["x-a"] == "1"
    assert (rule.use_count, other.use_count) == (1, 1)


def function_choice(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


@pytest.mark.parametrize(
    ("rule", "body", "says"),
    [
        ({"tool_call": "get_wether"}, {}, "but the request lists no tools"),
        (
            {"tool_call": "get_wether"},
            {"tools": [WEATHER]},
            "'get_weather': did you mean 'get_weat",
        ),
        ({"tool_call": "get_weather"}, {"tools": [WEATHER], "tool_choice": "none"}, "is 'none'"),
        (
            {"tool_call": "get_weather"},
            {"tools": [WEATHER, CLOCK], "tool_choice": function_choice("get_time")},
            "the request forces 'get_time'",
        ),
        (
            {"tool_calls": [("get_weather", None), ("get_time", None)]},
            {"tools": [WEATHER, CLOCK], "parallel_tool_calls": False},
            "one call at a time",
        ),
        (
            {"tool_call": "get_weather", "arguments": {}},
            {"tools": [WEATHER]},
            "$: 'city' is a required",
        ),
        (
            {"tool_call": "get_weather", "arguments": {"city": 7, "town": "x"}},
            {"tools": [WEATHER]},
            "$.city: 7 is not of type 'string'; $: Additional properties are not allowed ('town' ",
        ),
        (
            {"tool_call": "get_weather", "arguments": lambda _: [1]},
            {"tools": [WEATHER]},
            "with [1], which is no JSON object",
        ),
        (
            {"text": "text"},
            {"tools": [WEATHER], "tool_choice": "required"},
            "the request requires a call: use tool_call=",
        ),
        (
            {"text": "text"},
            {"tools": [WEATHER], "tool_choice": function_choice("get_weather")},
            "the request forces the tool 'get_weather'",
        ),
        ({"text": lambda request: request.body["nothing"]}, {}, "raised KeyError: 'nothing'"),
        ({"text": lambda request: 7}, {}, "has the text 7, which is no str"),
    ],
)
def test_what_the_request_does_not_allow_is_told(
    emu: Emulator, ask: Asker, rule: dict[str, Any], body: dict[str, Any], says: str
) -> None:
    made = emu.when("umbrella", **rule)
    told = why(ask.chat([ASKED], **body))
    assert says in told
    assert repr(made) in told
    assert (made.use_count, emu.requests[0].status) == (0, 400)


def leave(_: RequestView) -> str:
    raise SystemExit("gone")


def fail(_: RequestView) -> str:
    pytest.fail("no such request was expected")


@pytest.mark.parametrize(
    ("function", "says"), [(leave, "SystemExit: gone"), (fail, "no such request was expected")]
)
def test_a_callable_cannot_end_the_server(
    emu: Emulator, ask: Asker, function: Any, says: str
) -> None:
    emu.when("text", text=function)
    emu.when(function, text="x")
    for said in ("text", "condition"):
        assert says in why(ask.chat(said))
    assert [seen.status for seen in emu.requests] == [400, 400]
    assert any(says in problem for problem in emu.requests[0].problems)
    emu.clear()
    assert ask.chat("x").status_code == 200


def test_a_condition_that_raises_is_told(emu: Emulator, ask: Asker) -> None:
    emu.when(lambda request: request.body["nothing"], text="x")
    assert "<lambda>" in why(ask.chat("x"))


def test_an_unknown_argument_is_refused(emu: Emulator) -> None:
    wrong: dict[str, Any] = {"cal": "get_weather"}
    with pytest.raises(TypeError, match="'cal'"):
        emu.when("x", **wrong)


def test_a_rule_reads_as_it_was_written(emu: Emulator) -> None:
    rule = emu.when(
        re.compile("a+"), text="b", fault=Fault(done_sentinel=False), model=CHAT, times=2
    )
    assert repr(rule) == (
        "when(re.compile('a+'), text='b', fault=Fault(done_sentinel=False), "
        "model='openai/gpt-5-2', times=2)"
    )
    assert (
        repr(emu.when("x", tool_call="y", arguments={})) == "when('x', tool_call='y', arguments={})"
    )
    assert repr(emu.when("x", tool_calls=[("y", None)] * 2)) == (
        "when('x', tool_calls=[('y', None), ('y', None)])"
    )
