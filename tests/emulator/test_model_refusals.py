"""What the models behind the service refuse, in OpenAI's words, whichever schema is in force.

Sources are beside the rules in `aimlapi_emulator.validation`. Schemas: `test_json_schema.py`.
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
    called,
    flat_tool,
    refusal,
    result,
    tool,
    user,
)
from tests.emulator.test_validation import PDF

NAME = "string does not match pattern. Expected a string that matches the pattern"
LONG = "string too long. Expected a string with maximum length"
TURN = [called(("a", "f", "{}")), result("a", "1")]


def file_part(**more: str) -> dict[str, Any]:
    return {"type": "file", "file": {"file_data": PDF, **more}}


CASES: list[tuple[list[dict[str, Any]], str, str]] = [
    *(
        ([{"role": role, "content": "x", "name": name}, user("y")], "messages.0.name", NAME)
        for role in ("user", "system", "developer", "assistant")
        for name in ("Research Agent", "<ann>", "a/b", "a|b", "a\\b", "")
    ),
    ([user("x"), TURN[0], {**TURN[1], "name": "a b"}], "messages.2.name", NAME),
    ([user([file_part()])], "messages.0.content.0.file.filename", "Missing required parameter"),
    (
        [user("x"), called(("a" * 41, "f", "{}")), result("a" * 41, "1")],
        "messages.1.tool_calls.0.id",
        f"{LONG} 40, but got a string with length 41 instead.",
    ),
    (
        [user("x"), called(("a", "my tool", "{}")), result("a", "1")],
        "messages.1.tool_calls.0.function.name",
        f"{NAME} '^[a-zA-Z0-9_-]+$'",
    ),
    (
        [user("x"), called(("a", "f", "{}"), ("a", "f", "{}")), *[result("a", "1")] * 2],
        "messages.3.tool_call_id",
        "Duplicate value for 'tool_call_id' of 'a', in messages[2] and messages[3]",
    ),
    ([user("x"), TURN[0], user("y")], "messages.2", "must be followed by tool messages"),
    ([user("x"), *TURN, TURN[1]], "messages.3.tool_call_id", "must answer a preceding call"),
    ([user("x"), {**TURN[0], "tool_calls": []}], "messages.1.tool_calls", "at least 1 element"),
]


@pytest.mark.parametrize(("messages", "path", "said"), CASES)
@pytest.mark.parametrize("model", [CHAT, LATEST])
def test_messages(
    ask_either: Asker, model: str, messages: list[dict[str, Any]], path: str, said: str
) -> None:
    answer = ask_either.chat(messages, model=model)
    assert said in refusal(answer)[path]
    assert answer.json()["error"]["name"] == "PublicApiValidationException"


ITEM = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "a", "output": "1"}
INPUT_FILE = {"type": "input_file", "file_data": PDF}
ITEMS: list[tuple[list[dict[str, Any]], str, str]] = [
    ([user([INPUT_FILE])], "input.0.content.0.filename", "Missing required parameter"),
    ([{**ITEM, "call_id": "a" * 65}], "input.0.call_id", f"{LONG} 64, but got a string"),
    ([{**ITEM, "name": "my tool"}, OUTPUT], "input.0.name", f"{NAME} '^[a-zA-Z0-9_-]+$'"),
    ([user("x"), ITEM], "input", "No tool output found for function call a"),
    ([user("x"), OUTPUT], "input.1.call_id", "No function call found with call_id 'a'"),
    ([ITEM, OUTPUT, OUTPUT], "input.2.call_id", "No function call found with call_id 'a'"),
]


@pytest.mark.parametrize(("items", "path", "said"), ITEMS)
@pytest.mark.parametrize("model", [CHAT, LATEST, PRO, CODEX])
def test_input_items(
    ask_either: Asker, model: str, items: list[dict[str, Any]], path: str, said: str
) -> None:
    assert said in refusal(ask_either.responses(items, model))[path]


@pytest.mark.parametrize("name", ["my tool", "a/b", "größe", "a.b"])
def test_names_of_functions(ask_either: Asker, name: str) -> None:
    said = f"{NAME} '^[a-zA-Z0-9_-]+$'"
    chosen = {"type": "function", "function": {"name": name}}
    answers = {
        "tools.0.function.name": ask_either.chat("x", tools=[tool(name)]),
        "tool_choice.function.name": ask_either.chat("x", tools=[tool("f")], tool_choice=chosen),
        "tools.0.name": ask_either.responses("x", tools=[flat_tool(name, a=STRING)]),
    }
    for path, answer in answers.items():
        assert refusal(answer)[path] == said
    assert "at most 64 character(s)" in str(refusal(ask_either.chat("x", tools=[tool("f" * 65)])))


def test_several_choices_have_a_maximum(ask_either: Asker) -> None:
    assert ask_either.chat("x", n=128).status_code == 200
    assert "n" in refusal(ask_either.chat("x", n=129))


JSON_OBJECT = {"type": "json_object"}
PLAIN = "Name a lake."
CHAT_WORDS = (
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
    "'json_object'."
)
INPUT_WORDS = (
    "Response input messages must contain the word 'json' in some form to use 'text.format' of "
    "type 'json_object'."
)
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/json.png"}}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", [CHAT, LATEST, DOTTED, "vendor/unknown"])
def test_a_json_object_is_asked_for_by_that_word(
    ask_either: Asker, model: str, stream: bool
) -> None:
    with_image = [user([{"type": "text", "text": PLAIN}, IMAGE])]
    for said in (PLAIN, [{"role": "system", "content": "Be brief."}, user(PLAIN)], with_image):
        answer = ask_either.chat(said, model=model, response_format=JSON_OBJECT, stream=stream)
        assert refusal(answer)["messages"] == CHAT_WORDS
    for said in (
        f"{PLAIN} Answer as Json.",
        [{"role": "system", "content": "JSON-formatted answers"}, user(PLAIN)],
        [user([{"type": "text", "text": "as JSON"}])],
        [user("x"), {"role": "assistant", "content": "as json?"}, user("Yes")],
        [user("x"), called(("a", "f", '{"as": "json"}')), result("a", "1")],
        [user("x"), called(("a", "f", "{}")), result("a", "saved a.json")],
    ):
        answer = ask_either.chat(said, model=model, response_format=JSON_OBJECT, stream=stream)
        assert answer.status_code == 200, answer.text
    assert ask_either.chat(PLAIN, model=model, response_format={"type": "text"}).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", [PRO, CODEX, CHAT, "vendor/unknown"])
def test_a_json_object_of_responses_is_asked_for_by_that_word_in_the_input(
    ask_either: Asker, model: str, stream: bool
) -> None:
    more: dict[str, Any] = {"text": {"format": JSON_OBJECT}, "stream": stream}
    for refused in (
        ask_either.responses(PLAIN, model, **more),
        ask_either.responses([user(PLAIN)], model, **more),
        ask_either.responses(PLAIN, model, instructions="Answer as JSON.", **more),
    ):
        assert refusal(refused)["input"] == INPUT_WORDS
    stored = ask_either.responses("Answer as JSON.", model, store=True).json()["id"]
    for taken in (
        ask_either.responses(f"{PLAIN} As JSON.", model, **more),
        ask_either.responses(
            [{"role": "developer", "content": "JSON only"}, user(PLAIN)], model, **more
        ),
        ask_either.responses([ITEM, {**OUTPUT, "output": "a.json"}], model, **more),
        ask_either.responses(PLAIN, model, previous_response_id=stored, **more),
    ):
        assert taken.status_code == 200, taken.text


def test_gemini_has_no_such_rule(ask_either: Asker) -> None:
    answer = ask_either.chat(PLAIN, model="google/gemini-3-5-flash", response_format=JSON_OBJECT)
    assert answer.status_code == 200, answer.text
