"""Prompts of other frameworks and of programs without one, sent as they stand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from aimlapi_emulator import Emulator
from tests.emulator.asking import KEY, STRING, Asker, object_schema, schema_format, tool, user

Say = Callable[..., str]
DSPY = """Your input fields are:
1. `context` (str):
2. `question` (str):
Your output fields are:
1. `reasoning` (str):
2. `answer` (str): often between 1 and 5 words
3. `confidence` (float):
4. `topic` (Literal['tides', 'bells', 'mills']):
All interactions will be structured in the following way, with the appropriate values filled in.

[[ ## context ## ]]
{context}

[[ ## question ## ]]
{question}

[[ ## reasoning ## ]]
{reasoning}

[[ ## answer ## ]]
{answer}

[[ ## confidence ## ]]
{confidence}        # note: the value you produce must be a single float value

[[ ## topic ## ]]
{topic}        # note: the value you produce must exactly match one of: tides; bells; mills

[[ ## completed ## ]]
In adhering to this structure, your objective is:
        Given the fields `context`, `question`, produce the field `answer`."""
DSPY_USER = """[[ ## context ## ]]
The bell of Rosvik was cast in 1618. The windmill of Osk grinds rye.

[[ ## question ## ]]
When was the bell of Rosvik cast?

Respond with the corresponding output fields, starting with the field `[[ ## reasoning ## ]]`, \
then `[[ ## answer ## ]]`, then `[[ ## confidence ## ]]` (must be formatted as a valid Python \
float), then `[[ ## topic ## ]]` (must be formatted as a valid Python Literal['tides', 'bells', \
'mills']), and then ending with the marker for `[[ ## completed ## ]]`."""


def fields_of(text: str) -> dict[str, str]:
    parts = re.split(r"^\[\[ ## (\w+) ## \]\]", text, flags=re.MULTILINE)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def test_dspy_gets_its_fields(say: Say) -> None:
    found = fields_of(say(DSPY_USER, DSPY))
    assert list(found) == ["reasoning", "answer", "confidence", "topic", "completed"]
    assert "1618" in found["answer"]
    assert float(found["confidence"]) >= 0
    assert found["topic"] == "bells"


STEPS = """Your input fields are:
1. `question` (str):
2. `trajectory` (str):
Your output fields are:
{outputs}
All interactions will be structured in the following way, with the appropriate values filled in.

[[ ## question ## ]]
{{question}}

[[ ## completed ## ]]
In adhering to this structure, your objective is:
        You are an Agent. When selecting the next_tool_name, the tool must be one of:

        (1) weather, whose description is <desc>The weather in a city.</desc>. It takes arguments \
{{'city': {{'type': 'string'}}}}.
        (2) finish, whose description is <desc>Marks the task as complete.</desc>. It takes \
arguments {{}}.
"""
STEP = STEPS.format(
    outputs="1. `next_thought` (str):\n2. `next_tool_name` (Literal['weather', 'finish']):\n"
    "3. `next_tool_args` (dict[str, Any]):"
)
EXTRACT = STEPS.partition("When selecting")[0].format(
    outputs="1. `reasoning` (str):\n2. `answer` (str):"
)


def test_a_dspy_agent_calls_its_tool_and_answers_from_the_result(say: Say) -> None:
    question = "[[ ## question ## ]]\nWhat is the weather in Paris?\n\n[[ ## trajectory ## ]]\n"
    end = "\n\nRespond with the corresponding output fields."
    first = fields_of(say(question + end, STEP))
    assert (first["next_tool_name"], first["next_tool_args"]) == ("weather", '{"city": "Paris"}')
    assert "Paris" in first["next_thought"]
    called = (
        "[[ ## thought_0 ## ]]\nthe weather\n\n[[ ## tool_name_0 ## ]]\nweather\n\n"
        '[[ ## tool_args_0 ## ]]\n{"city": "Paris"}\n\n'
        "[[ ## observation_0 ## ]]\n18 degrees there"
    )
    assert fields_of(say(question + called + end, STEP))["next_tool_name"] == "finish"
    done = "\n\n[[ ## tool_name_1 ## ]]\nfinish\n\n[[ ## observation_1 ## ]]\nCompleted."
    found = fields_of(say(question + called + done + end, EXTRACT))
    assert found["answer"] == "18 degrees there"


@pytest.mark.parametrize(
    ("task", "keys"),
    [
        ('Reply with JSON only, like this: {"name": "<name>", "age": <age>}', {"name", "age"}),
        ("Output JSON in this format:\n{\n  title: string,\n  year: number\n}", {"title", "year"}),
        ("Return a JSON object with the fields `city`, `country` and `river`.",
         {"city", "country", "river"}),
        ('Example:\n```json\n{"sentiment": "positive|negative", "reason": "..."}\n```\nJSON:',
         {"sentiment", "reason"}),
        ("Your answer must be JSON with this schema: {'intent': str, 'slots': {'date': str}}",
         {"intent", "slots"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["user", "system"])
def test_json_that_a_prompt_spells_out(say: Say, where: str, task: str, keys: set[str]) -> None:
    data = "Ada Lovelace, 36, was born in London. The trip was great!"
    text = say(f"{data}\n\n{task}") if where == "user" else say(data, task)
    found = json.loads(text)
    assert set(found) == keys
    assert found.get("sentiment", "positive") in ("positive", "negative")
    assert isinstance(found.get("age", 1), int)
    assert found.get("age", 36) == 36
    assert set(found.get("slots", {"date": ""})) == {"date"}


def test_a_list_of_objects_is_answered_in_its_form(say: Say) -> None:
    said = 'Extract all people as JSON: [{"name": "...", "role": "..."}]. Ana Brandt is a founder.'
    ((one, *_)) = json.loads(say(said))
    assert set(one) == {"name", "role"}
    assert one["name"] == "Ana Brandt"


def test_json_data_in_a_prompt_is_no_form(say: Say) -> None:
    said = 'Summarize this record: {"id": 7, "city": "Bern"}'
    assert "Bern" in say(said)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Decide between 'refund' and 'escalate'. The customer wants a refund now.", "refund"),
        ("Choose one of: red, green, blue. The sky is blue. Reply with the word alone.", "blue"),
        ("Which category fits best? Options: sports, politics, science\nText: The parliament voted "
         "on politics of the coast.\nRespond with only the category name.", "politics"),
        ("Is this spam? Message: Lunch with ham at noon?\nAnswer 'spam' or 'ham'.", "ham"),
        ("Route to `sql_agent` (questions about tables) or `web_agent` (questions about news). "
         "Question: What is in the news?\nReply with the name only.", "web_agent"),
    ],
)  # fmt: skip
def test_one_of_several_labels(say: Say, said: str, expected: str) -> None:
    assert say(said) == expected


def test_a_list_of_queries(say: Say) -> None:
    said = "Generate 4 search queries, one on each line, related to: history of tide mills"
    lines = say(said).splitlines()
    assert len(lines) == len(set(lines)) == 4
    text = say("Generate 3 search queries about tide mills as a JSON list of strings.")
    assert len(json.loads(text)) == 3


def test_numbers_alone(say: Say) -> None:
    said = "On a scale of 1 to 10, how good is this pun? Respond with just a number."
    assert 1 <= int(say(said)) <= 10
    said = "Rate the answer between 0 and 1. Output only the score as a float."
    assert 0 <= float(say(said)) <= 1


def test_smolagents_tells_results_as_text(emu: Emulator) -> None:
    """Without `role: tool`; the agent ends by a tool of its own."""
    weather = tool("get_weather", "Get weather at a location.", location=STRING)
    final = tool("final_answer", "Provides a final answer.", answer=STRING)
    turn: list[dict[str, Any]] = [user("New task:\nWhat's the weather like in Paris?")]
    with httpx.Client(base_url=emu.base_url, headers=KEY, verify=False) as client:
        ask = Asker(client)
        body: dict[str, Any] = {"tools": [weather, final], "tool_choice": "required"}
        assert ask.calls(turn, **body) == [("get_weather", {"location": "Paris"})]
        call = "[{'id': 'a', 'type': 'function', 'function': {'name': 'get_weather', "
        call += "'arguments': {'location': 'Paris'}}}]"
        turn += [
            {"role": "assistant", "content": f"Calling tools:\n{call}"},
            user("Observation:\nsunny, 21 degrees"),
        ]
        assert ask.calls(turn, **body) == [("final_answer", {"answer": "sunny, 21 degrees"})]


DSPY_AGENT = """Your input fields are:
1. `question` (str):
2. `trajectory` (str):
Your output fields are:
1. `next_thought` (str):
2. `next_tool_name` (Literal['search', 'finish']):
3. `next_tool_args` (dict[str, Any]):
All interactions will be structured in the following way, with the appropriate values filled in.

[[ ## question ## ]]
{question}
In adhering to this structure, your objective is:
        (1) search, whose description is <desc>Searches.</desc>. It takes arguments {'query': {}}.
        (2) finish, whose description is <desc>Marks the end.</desc>. It takes arguments {}.
"""


def test_dspys_agent_searches_and_finishes(say: Say) -> None:
    said = "[[ ## question ## ]]\nWhen was the bell cast?\n\n[[ ## trajectory ## ]]\n"
    step = fields_of(say(said, DSPY_AGENT))
    assert step["next_tool_name"] == "search"
    assert json.loads(step["next_tool_args"]) == {"query": "When was the bell cast?"}
    said += "[[ ## thought_0 ## ]]\nx\n\n[[ ## observation_0 ## ]]\nIn 1618.\n"
    assert fields_of(say(said, DSPY_AGENT))["next_tool_name"] == "finish"


def test_a_supervisor_ends_when_a_worker_has_answered(say: Say, emu: Emulator) -> None:
    """Workers of LangGraph's tutorials answer as users."""
    form = schema_format(object_schema(next={"enum": ["researcher", "coder", "FINISH"]}))
    turn = [user("Search for the population of Oslo"), user("Oslo has 724290 inhabitants.")]
    with httpx.Client(base_url=emu.base_url, headers=KEY, verify=False) as client:
        ask = Asker(client)
        first = json.loads(ask.text(turn[:1], response_format=form))
        assert first["next"] in ("researcher", "coder", "FINISH")
        assert json.loads(ask.text(turn, response_format=form)) == {"next": "FINISH"}
