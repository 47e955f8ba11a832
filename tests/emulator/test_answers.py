"""What the emulator answers, rule by rule."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import jsonschema
import pytest

from tests.emulator.asking import (
    INTEGER,
    STRING,
    Asker,
    called,
    object_schema,
    result,
    schema_format,
    tool,
    user,
)

WEATHER = tool("get_weather", "Get the weather at a location.", location=STRING)
CLOCK = tool("get_time", "Get the local time.", city=STRING)
ADD = tool("add", "Add two numbers.", a=INTEGER, b=INTEGER)
MULTIPLY = tool("multiply", "Multiply two numbers.", a=INTEGER, b=INTEGER)
REPORT = tool("WeatherReport", "A weather report.", city=STRING, temperature=INTEGER)
FORCED = {"type": "function", "function": {"name": "get_time"}}
PASSAGES = (
    "The Eiffel Tower is in Paris. It was built in 1889.\n\n"
    "Mount Fuji is 3776 metres high.\nThe capital of Japan is Tokyo."
)


def test_named_choice_is_called(ask: Asker) -> None:
    assert [n for n, _ in ask.calls("Hello", tools=[WEATHER, CLOCK], tool_choice=FORCED)] == [
        "get_time"
    ]


def test_required_takes_the_asked_one_then_the_last(ask: Asker) -> None:
    tools = [CLOCK, WEATHER, REPORT]
    said = user("What is the weather in Paris?")
    assert ask.calls([said], tools=tools, tool_choice="required") == [
        ("get_weather", {"location": "Paris"})
    ]
    turn = [said, called(("a", "get_weather", "{}")), result("a", "Sunny, 21 degrees")]
    assert ask.calls(turn, tools=tools, tool_choice="required") == [
        ("WeatherReport", {"city": "Paris", "temperature": 21})
    ]


def test_required_calls_something_when_nothing_is_asked(ask: Asker) -> None:
    assert len(ask.calls("Hello!", tools=[ADD, WEATHER], tool_choice="required")) == 1


def test_auto_calls_what_the_text_asks_for(ask: Asker) -> None:
    assert ask.calls("What is the weather in San Francisco, CA?", tools=[WEATHER, CLOCK]) == [
        ("get_weather", {"location": "San Francisco, CA"})
    ]
    assert ask.calls("Hello", tools=[WEATHER, CLOCK]) == []
    assert ask.calls("weather in Rome", tools=[WEATHER], tool_choice="none") == []


def test_auto_calls_in_parallel_unless_told(ask: Asker) -> None:
    said = "Give me weather and time in Paris"
    both = [("get_weather", {"location": "Paris"}), ("get_time", {"city": "Paris"})]
    assert ask.calls(said, tools=[WEATHER, CLOCK]) == both
    assert ask.calls(said, tools=[WEATHER, CLOCK], parallel_tool_calls=False) == both[:1]


def test_each_call_takes_values_of_its_clause(ask: Asker) -> None:
    assert ask.calls("Add 2 and 3 and multiply 4 and 5", tools=[ADD, MULTIPLY]) == [
        ("add", {"a": 2, "b": 3}),
        ("multiply", {"a": 4, "b": 5}),
    ]


def test_steps_go_one_after_the_other(ask: Asker) -> None:
    said = user("Add 2 and 3, then multiply the result by 4")
    tools = [MULTIPLY, ADD]
    assert ask.calls([said], tools=tools) == [("add", {"a": 2, "b": 3})]
    turn = [said, called(("a", "add", '{"a":2,"b":3}')), result("a", "5")]
    assert ask.calls(turn, tools=tools) == [("multiply", {"a": 4, "b": 5})]
    turn += [called(("b", "multiply", '{"a":4,"b":5}')), result("b", "20")]
    assert "20" in ask.text(turn, tools=tools)


def test_sums_are_worked_through(ask: Asker) -> None:
    said = user("What is 20+(2*4)?")
    tools = [ADD, MULTIPLY]
    assert ask.calls([said], tools=tools) == [("multiply", {"a": 2, "b": 4})]
    turn = [said, called(("a", "multiply", '{"a": 2, "b": 4}')), result("a", "8")]
    assert ask.calls(turn, tools=tools) == [("add", {"a": 20, "b": 8})]
    turn += [called(("b", "add", '{"a": 20, "b": 8}')), result("b", "28")]
    assert "28" in ask.text(turn, tools=tools)
    assert ask.calls("What is 3 times 12?", tools=tools) == [("multiply", {"a": 3, "b": 12})]


def test_a_loop_ends_with_every_result(ask: Asker) -> None:
    turn = [
        user("weather and time in Paris"),
        called(("a", "get_weather", "{}"), ("b", "get_time", "{}")),
        result("a", "It's sunny."),
        result("b", "12:30"),
    ]
    said = ask.text(turn, tools=[WEATHER, CLOCK])
    assert "It's sunny." in said
    assert "12:30" in said


def test_a_failed_tool_ends_the_loop_too(ask: Asker) -> None:
    turn = [
        user("What is 1 + 2"),
        called(("a", "add", '{"a": 1}')),
        result("a", "Error: Missing required argument 'b'."),
    ]
    assert "Missing" in ask.text(turn, tools=[ADD])


def test_earlier_turns_do_not_count(ask: Asker) -> None:
    messages = [
        user("What is 1 + 2"),
        called(("a", "add", '{"a":1,"b":2}')),
        result("a", "3"),
        {"role": "assistant", "content": "3"},
        user("What is 3 + 4"),
    ]
    assert ask.calls(messages, tools=[ADD]) == [("add", {"a": 3, "b": 4})]


def test_unicode_values_are_taken_whole(ask: Asker) -> None:
    customer = tool("create_customer", "Creates.", customer_name=STRING, description=STRING)
    said = "Create a customer named '你好啊集团' (Hello Group) - a Chinese technology company"
    ((_, given),) = ask.calls(said, tools=[customer], tool_choice="required")
    assert given["customer_name"] == "你好啊集团"
    assert given["description"]


def test_tools_without_arguments(ask: Asker) -> None:
    assert ask.calls("Use ping_server()", tools=[tool("ping_server", "Pings.")]) == [
        ("ping_server", {})
    ]


def test_schema_follows_tool_results(ask: Asker) -> None:
    schema = object_schema(city=STRING, temperature=INTEGER)
    form = schema_format(schema)
    said = user("weather in Paris")
    body = {"tools": [WEATHER], "response_format": form}
    assert ask.calls([said], **body) == [("get_weather", {"location": "Paris"})]
    turn = [said, called(("a", "get_weather", "{}")), result("a", "sunny, 21 degrees")]
    assert json.loads(ask.text(turn, **body)) == {"city": "Paris", "temperature": 21}


@pytest.mark.parametrize(
    ("said", "schema", "expected"),
    [
        ("name: Ada, age: 36", object_schema(name=STRING, age=INTEGER), {"name": "Ada", "age": 36}),
        (
            "The colour is green today",
            object_schema(colour={"enum": ["red", "green"]}),
            {"colour": "green"},
        ),
        ("active: false", object_schema(active={"type": "boolean"}), {"active": False}),
        (
            "Meet on 2026-03-04 with a@b.org",
            object_schema(
                day={"type": "string", "format": "date"}, who={"type": "string", "format": "email"}
            ),
            {"day": "2026-03-04", "who": "a@b.org"},
        ),
        (
            "tags: red, blue and green",
            object_schema(tags={"type": "array", "items": STRING}),
            {"tags": ["red", "blue", "green"]},
        ),
        (
            "the values 3, 4 and 5",
            object_schema(numbers={"type": "array", "items": INTEGER}),
            {"numbers": [3, 4, 5]},
        ),
        (
            "Jason is 25 years old",  # nothing is required: so instructor asks for several
            {
                "type": "object",
                "properties": {"tasks": {"type": "array", "items": object_schema(name=STRING)}},
            },
            {"tasks": [{"name": "Jason"}]},
        ),
        ("x", object_schema(kind={"const": "fixed"}), {"kind": "fixed"}),
        (
            "hello",
            object_schema(note={"anyOf": [STRING, {"type": "null"}]}),
            {"note": None},
        ),
    ],
)
def test_values_come_from_the_prompt(
    ask: Asker, said: str, schema: dict[str, Any], expected: Any
) -> None:
    assert ask.instance(said, schema) == expected


NODE = {
    "type": "object",
    "properties": {
        "label": {"type": "string", "minLength": 3, "maxLength": 8},
        "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
    },
    "required": ["label", "children"],
}


@pytest.mark.parametrize(
    "schema",
    [
        object_schema(score={"type": "number", "minimum": 0, "maximum": 1}),
        object_schema(n={"type": "integer", "exclusiveMinimum": 10, "multipleOf": 7}),
        object_schema(n={"type": "integer", "maximum": -5}),
        object_schema(code={"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$"}),
        object_schema(code={"type": "string", "pattern": "^(?:a|b)+[^x-z]\\w{2,}$"}),
        object_schema(t={"type": "string", "format": "date-time"}),
        object_schema(u={"type": "string", "format": "uuid"}),
        object_schema(xs={"type": "array", "items": STRING, "minItems": 3, "uniqueItems": True}),
        object_schema(pair={"type": "array", "prefixItems": [STRING, INTEGER]}),
        object_schema(either={"oneOf": [{"type": "integer"}, {"type": "boolean"}]}),
        object_schema(many={"type": ["string", "null"]}),
        object_schema(both={"allOf": [object_schema(a=STRING), {"required": ["a"]}]}),
        {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}},
        {**NODE, "$defs": {"Node": NODE}},
    ],
)
@pytest.mark.parametrize("said", ["Say something about cats", "values 3 and 0.5, 'abc', Paris"])
def test_instances_obey_their_schema(ask: Asker, said: str, schema: dict[str, Any]) -> None:
    jsonschema.validate(ask.instance(said, schema), schema)


def test_json_object_has_the_keys_that_are_asked_for(ask: Asker) -> None:
    said = (
        "Tell me a joke about cats. Return the result as a JSON with 'setup' and 'punchline' keys."
    )
    found = json.loads(ask.text(said, response_format={"type": "json_object"}))
    assert set(found) == {"setup", "punchline"}
    assert "cats" in found["setup"]


def test_schema_in_the_prompt_is_followed(ask: Asker) -> None:
    schema = {"properties": {"name": STRING, "year": INTEGER}, "required": ["name", "year"]}
    said = (
        "An album named 'Blue Train' from 1957\n\nHere's a JSON schema to follow:\n"
        f"{json.dumps(schema)}\n\nOutput a valid JSON object but do not repeat the schema."
    )
    assert json.loads(ask.text(said)) == {"name": "Blue Train", "year": 1957}


REACT = """You are designed to help.

## Tools
You have access to the following tools:
> Tool Name: add
Tool Description: Adds two integers.
Tool Args: {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, \
"required": ["a", "b"]}

## Output Format
```
Thought: I need to use a tool.
Action: tool name (one of add) if using a tool.
Action Input: the input to the tool
```
"""


def test_react_text_protocol(ask: Asker) -> None:
    messages = [{"role": "system", "content": REACT}, user("What is 3 + 4?")]
    step = ask.text(messages)
    assert step.startswith("Thought:")
    assert "\nAction: add\nAction Input: " in step
    assert json.loads(step.rsplit("Action Input: ", 1)[1]) == {"a": 3, "b": 4}
    replayed = "Thought: x\nAction: add\nAction Input: {'a': 3, 'b': 4}"
    messages += [{"role": "assistant", "content": replayed}, user("Observation: 7")]
    assert re.fullmatch(r"Thought: .*\nAnswer: .*7.*", ask.text(messages))


RULE = "---------------------"


@pytest.mark.parametrize(
    "said",
    [
        f"Context information is below.\n{RULE}\n{PASSAGES}\n{RULE}\nGiven the context information "
        "and not prior knowledge, answer the query.\nQuery: How high is Mount Fuji?\nAnswer: ",
        f"Context: {PASSAGES}\n\nQuestion: How high is Mount Fuji?\n\nHelpful Answer:",
        "Answer the question based only on the following context:\n"
        f"{PASSAGES}\n\nQuestion: How high is Mount Fuji?\n",
        f"Question: How high is Mount Fuji?\nContext: {PASSAGES}\nAnswer:",
        f"New Context: {PASSAGES}\nQuery: How high is Mount Fuji?\nOriginal Answer: I can't say\n"
        "New Answer: ",
    ],
)
def test_context_answers_the_question(ask: Asker, said: str) -> None:
    assert ask.text(said) == "Mount Fuji is 3776 metres high."


def test_passages_in_the_system_prompt(ask: Asker) -> None:
    system = f"Use the following pieces of retrieved context to answer.\n\n{PASSAGES}"
    messages = [{"role": "system", "content": system}, user("What is the capital of Japan?")]
    assert ask.text(messages) == "The capital of Japan is Tokyo."


def test_refining_keeps_the_better_answer(ask: Asker) -> None:
    said = (
        "The original query is as follows: How high is Mount Fuji?\n"
        "We have provided an existing answer: Mount Fuji is 3776 metres high.\n"
        "We have the opportunity to refine the existing answer (only if needed) with some more "
        "context below.\n------------\nCats sleep a lot.\n------------\nRefined Answer: "
    )
    assert ask.text(said) == "Mount Fuji is 3776 metres high."


def test_selection_prompts_pick_a_number(ask: Asker) -> None:
    said = (
        "Some choices are given below. It is provided in a numbered list (1 to 2), where each "
        f"item in the list corresponds to a summary.\n{RULE}\n(1) About cats\n\n(2) About "
        f"mountains\n{RULE}\nUsing only the choices above and not prior knowledge, return the "
        "choice that is most relevant to the question: 'How high are mountains?'\n"
    )
    select = tool("SingleSelection", "", index=INTEGER, reason=STRING)
    ((_, given),) = ask.calls(said, tools=[select], tool_choice="required")
    assert given["index"] == 2


def test_echo_names_what_came(ask: Asker) -> None:
    png = "data:image/png;base64,iVBORw0KGgo="
    content = [
        {"type": "text", "text": "Describe"},
        {"type": "image_url", "image_url": {"url": png}},
        {"type": "file", "file": {"file_data": "JVBERi0xLjQK", "filename": "a.pdf"}},
    ]
    said = ask.text([user(content)])
    assert (
        said
        == 'You said: "Describe" [image image/png 8 bytes] [file a.pdf application/pdf 9 bytes]'
    )


def test_earlier_statements_are_remembered(ask: Asker) -> None:
    messages = [
        user("My name is Bob."),
        {"role": "assistant", "content": "Hi"},
        user("What is my name?"),
    ]
    assert "Bob" in ask.text(messages)


@pytest.mark.parametrize(
    "said",
    [
        "context documents " * 3000,
        "Question: a\nContext: b\n" * 1000,
        "'a', 'b', " * 3000 + "json",
        "Information: a\nContext: b\nYES or NO\n" * 1000,
        '{"properties": {' * 2000 + "json",
        "(1+" * 5000,
        "\n" * 30_000 + "Question: a\n" + "\n" * 30_000,
        "3 + " * 10_000,
        "the a " * 10_000,
        "then a, " * 10_000 + "json {a: b}",
    ],
)
def test_long_prompts_are_answered_in_time(ask: Asker, said: str) -> None:
    begin = time.process_time()
    messages = [{"role": "system", "content": "JSON"}, user(said)]
    assert ask.chat(messages, response_format={"type": "json_object"}).status_code == 200
    assert ask.chat(said, tools=[ADD]).status_code == 200
    assert time.process_time() - begin < 20
