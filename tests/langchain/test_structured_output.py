from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Any, Literal

import langchain_core.exceptions as lc
import pytest
from langchain_core.exceptions import ModelError, OutputParserException
from langchain_core.output_parsers import JsonOutputParser
from pydantic import BaseModel, ConfigDict, Field
from pydantic.v1 import BaseModel as BaseModelV1
from typing_extensions import TypedDict

from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import (
    BadRequestError,
    ChatAIMLAPI,
    InvalidRequestError,
    OutputEmptyError,
    OutputError,
    OutputFilteredError,
    OutputInvalidError,
    OutputRefusedError,
    OutputTruncatedError,
)
from tests.langchain.calls import invoke, stream

Make = Callable[..., ChatAIMLAPI]
METHODS = ("json_schema", "function_calling", "json_mode")
PROMPT = 'Give a person, as JSON, with name: "Ann" and age: 30'


class Person(BaseModel):
    """A person."""

    name: str
    age: int


class PersonDict(TypedDict):
    """A person."""

    name: str
    age: int


class PersonV1(BaseModelV1):
    """A person."""

    name: str
    age: int


@dataclass
class PersonData:
    """A person."""

    name: str
    age: int


JSON_SCHEMA = Person.model_json_schema()
UNTITLED = {k: v for k, v in JSON_SCHEMA.items() if k not in ("title", "description")}
FUNCTION = {"name": "Person", "description": "A person.", "parameters": UNTITLED}
# In JSON mode the prompt itself says what the object holds.
PROMPTS = {"json_mode": f"{PROMPT} as JSON by this schema: {json.dumps(UNTITLED)}"}


def script(emu: Emulator, method: str, text: str, **members: Any) -> None:
    """Make the next answer hold `text` as the object of that method."""
    message: dict[str, Any] = {"role": "assistant", **members}
    if method == "function_calling" and text:
        function = {"name": "Person", "arguments": text}
        message["tool_calls"] = [{"id": "c1", "type": "function", "function": function}]
    elif text:
        message["content"] = text
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    emu.enqueue_response({"id": "x", "choices": [choice]})


@pytest.mark.half("how", "schema", "method", "streaming")
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        (Person, Person),
        (PersonV1, PersonV1),
        (PersonData, PersonData),
        (PersonDict, dict),
        (JSON_SCHEMA, dict),
        (UNTITLED, dict),
        (FUNCTION, dict),
    ],
)
def test_every_method_gives_an_instance(
    how: str, streaming: bool, method: Any, schema: Any, kind: type, emu: Emulator, chat: Make
) -> None:
    chain = chat().with_structured_output(schema, method=method)
    prompt = PROMPTS.get(method, PROMPT)
    answer = stream(how, chain, prompt)[-1] if streaming else invoke(how, chain, prompt)
    assert type(answer) is kind
    fields = answer if isinstance(answer, dict) else vars(answer)
    assert {name: fields[name] for name in ("name", "age")} == {"name": "Ann", "age": 30}
    assert emu.requests[-1].problems == ()


def test_what_each_method_sends(emu: Emulator, chat: Make) -> None:
    methods: Any = METHODS
    for method in methods:
        chat().with_structured_output(Person, method=method).invoke(PROMPTS.get(method, PROMPT))
    by_schema, by_call, by_mode = (seen.body for seen in emu.requests)
    wire = by_schema["response_format"]["json_schema"]
    assert (wire["name"], wire["strict"]) == ("Person", True)
    assert wire["schema"]["additionalProperties"] is False
    assert by_call["tool_choice"]["function"]["name"] == "Person"
    assert by_call["parallel_tool_calls"] is False
    assert "strict" not in by_call["tools"][0]["function"]
    assert by_mode["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_json_mode_wants_the_word_json_in_a_message(
    how: str, endpoint: str, streaming: bool, chat: Make
) -> None:
    """As OpenAI does: without it the service refuses the request, and its words say what to do."""
    chain = chat(endpoint=endpoint).with_structured_output(None, method="json_mode")
    call = stream if streaming else invoke
    with pytest.raises(BadRequestError, match="must contain the word 'json' in some form"):
        call(how, chain, "Name a lake.")
    for said in ("Name a lake, as JSON.", [("system", "Answer as JSON."), ("user", "A lake.")]):
        found = call(how, chain, said)
        assert isinstance(found[-1] if streaming else found, dict)


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
@pytest.mark.parametrize("strict", [True, False])
def test_strict_is_what_was_asked(method: Any, strict: bool, emu: Emulator, chat: Make) -> None:
    chat().with_structured_output(Person, method=method, strict=strict).invoke(PROMPT)
    body = emu.requests[-1].body
    holder = body["tools"][0]["function"] if "tools" in body else body["response_format"]
    assert holder.get("json_schema", holder)["strict"] is strict


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Leaf(BaseModel):
    size: int = 1


class Branch(BaseModel):
    """A branch."""

    colour: Colour = Colour.RED
    kind: Literal["a", "b"] | None = None
    leaves: list[Leaf] = Field(default_factory=list)
    inner: Branch | None = None


def test_defaults_survive_the_nulls_of_strict_answers(emu: Emulator, chat: Make) -> None:
    script(emu, "json_schema", '{"colour": null, "kind": null, "leaves": null, "inner": null}')
    answer = chat().with_structured_output(Branch).invoke("a branch")
    assert answer == Branch()
    assert emu.requests[-1].body["response_format"]["json_schema"]["strict"] is True


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_recursive_models(how: str, method: Any, emu: Emulator, chat: Make) -> None:
    chain = chat().with_structured_output(Branch, method=method)
    assert isinstance(invoke(how, chain, "a branch with inner"), Branch)
    assert emu.requests[-1].problems == ()


class Counts(BaseModel):
    counts: dict[str, int]


def test_a_schema_that_cannot_be_strict_is_sent_open(emu: Emulator, chat: Make) -> None:
    script(emu, "json_schema", '{"counts": {"a": 1}}')
    assert chat().with_structured_output(Counts).invoke("count") == Counts(counts={"a": 1})
    assert emu.requests[-1].body["response_format"]["json_schema"]["strict"] is False
    with pytest.warns(UserWarning, match="strict=False is sent for 'Counts'"):
        chat().with_structured_output(Counts, strict=True)


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_objects_grow_while_streaming(how: str, method: Any, chat: Make) -> None:
    chain = chat().with_structured_output(JSON_SCHEMA, method=method)
    pieces = stream(how, chain, PROMPT)
    assert len(pieces) > 1
    assert all(isinstance(piece, dict) for piece in pieces)
    assert pieces[-1] == {"name": "Ann", "age": 30}
    assert all(one != other for one, other in pairwise(pieces))


@pytest.mark.half("how", "fault", "schema", "method", "streaming")
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("schema", [Person, JSON_SCHEMA])
@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (Fault(refusal="I would rather not"), OutputRefusedError, "rather not"),
        (Fault(finish_reason="length"), OutputTruncatedError, "max_tokens"),
        (Fault(finish_reason="content_filter"), OutputFilteredError, "filter"),
        (Fault(empty=True), OutputEmptyError, "holds no"),
    ],
)
def test_an_answer_without_an_object_says_why(
    how: str,
    streaming: bool,
    method: Any,
    schema: Any,
    fault: Fault,
    error: type[OutputError],
    says: str,
    emu: Emulator,
    chat: Make,
) -> None:
    emu.faults.append(fault)
    chain = chat().with_structured_output(schema, method=method)
    with pytest.raises(error, match=says) as caught:
        (stream if streaming else invoke)(how, chain, PROMPT)
    assert isinstance(caught.value, ModelError)
    assert isinstance(caught.value, OutputParserException)
    assert caught.value.raw_message is not None
    assert caught.value.is_retryable is False


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_a_refusal_is_quoted_without_control_characters(
    how: str, streaming: bool, method: Any, emu: Emulator, chat: Make
) -> None:
    said = "No \x1b[2J \u202e" + "x" * 9_000
    emu.faults.append(Fault(refusal=said))
    chain = chat().with_structured_output(Person, method=method)
    with pytest.raises(OutputRefusedError, match=r"No \\x1b\[2J") as caught:
        (stream if streaming else invoke)(how, chain, PROMPT)
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)
    assert len(caught.value.body) > 9_000


def test_a_refusal_is_langchains(emu: Emulator, chat: Make) -> None:
    """langchain-core has a class for refusals from 1.7.5 on, and its parsers look for a block."""
    kind = getattr(lc, "ModelRefusalError", ModelError)
    emu.faults.extend([Fault(refusal="no"), Fault(refusal="no")])
    with pytest.raises(kind, match="no"):
        chat().with_structured_output(Person).invoke(PROMPT)
    expected = getattr(lc, "ModelRefusalError", OutputParserException)
    with pytest.raises(expected):
        (chat() | JsonOutputParser()).invoke(PROMPT)


def test_what_a_filter_stopped_is_cut_and_refused(emu: Emulator, chat: Make) -> None:
    emu.faults.append(Fault(finish_reason="content_filter"))
    with pytest.raises(OutputTruncatedError) as caught:
        chat().with_structured_output(Person).invoke(PROMPT)
    assert isinstance(caught.value, getattr(lc, "ModelRefusalError", ModelError))
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), OutputFilteredError)


@pytest.mark.half("how", "form", "schema", "method", "streaming")
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("schema", [Person, JSON_SCHEMA])
@pytest.mark.parametrize(
    "form",
    [
        "```json\n%s\n```",
        "```\n%s```",
        "```JSON %s\n```\n",
        "Here is the person:\n\n```json\n%s\n```\nAnything else?",
        "\ufeff%s",
        "\ufeff```json\n%s\n```",
        "```json\n%s",
    ],
)
def test_json_in_a_fence_or_behind_a_byte_order_mark_is_read(
    how: str, streaming: bool, method: Any, schema: Any, form: str, emu: Emulator, chat: Make
) -> None:
    expected = {"name": "Ann ```\n{", "age": 30}
    raw = json.dumps(expected, indent=1).replace("\\n", "\n")  # a newline as it is in a string
    script(emu, method, form % raw)
    chain = chat().with_structured_output(schema, method=method)
    answer = stream(how, chain, PROMPT)[-1] if streaming else invoke(how, chain, PROMPT)
    assert answer == (expected if schema is JSON_SCHEMA else Person(**expected))


def test_partial_objects_are_read_in_a_fence(how: str, emu: Emulator, chat: Make) -> None:
    emu.when(PROMPT, text='```json\n{"name": "Ann", "age": 30}\n```')
    chain = chat().with_structured_output(JSON_SCHEMA, method="json_mode")
    objects = stream(how, chain, PROMPT)
    assert len(objects) > 1
    assert all("Ann".startswith(one.get("name", "")) for one in objects)
    assert objects[-1] == {"name": "Ann", "age": 30}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"name": "Ann", "age": NaN}', "NaN is not a JSON number"),
        ('{"name": "Ann", "age": 3, "age": 30}', "'age' appears twice"),
    ],
)
def test_what_json_leaves_open_is_an_error(
    how: str, method: Any, text: str, why: str, emu: Emulator, chat: Make
) -> None:
    script(emu, method, text)
    with pytest.raises(OutputInvalidError, match=why):
        invoke(how, chat().with_structured_output(Person, method=method), PROMPT)


@pytest.mark.parametrize("method", METHODS)
def test_a_schema_silences_no_other_threads_warnings(
    method: Any, chat: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`warnings.catch_warnings` is process-wide before Python 3.14."""

    class Opened(BaseModel):
        """With a default that JSON cannot hold."""

        when: Any = Field(default=object())

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the warnings of all threads are caught")

    monkeypatch.setattr("warnings.catch_warnings", refuse)
    chat().with_structured_output(Opened, method=method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("text", ['{"name": "Ann"}', '{"name": "Ann", "age": "x"}'])
def test_an_object_of_another_shape_is_an_error(
    method: Any, text: str, emu: Emulator, chat: Make
) -> None:
    script(emu, method, text)
    with pytest.raises(OutputInvalidError, match="age") as caught:
        chat().with_structured_output(Person, method=method).invoke(PROMPT)
    assert json.loads(caught.value.llm_output or "") == json.loads(text)


@pytest.mark.parametrize("method", METHODS)
def test_why_an_object_does_not_fit_is_bounded_and_without_control_characters(
    method: Any, emu: Emulator, chat: Make
) -> None:
    """The names of members are the model's words, and each of them is an error."""

    class Person(BaseModel):
        """Takes no other member."""

        model_config = ConfigDict(extra="forbid")
        name: str

    script(emu, method, json.dumps({f"\x1b[2J\u202e{at}": at for at in range(2_000)}))
    with pytest.raises(OutputInvalidError, match=r"\\x1b\[2J") as caught:
        chat().with_structured_output(Person, method=method).invoke(PROMPT)
    said = str(caught.value)
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert len(said) < 20_000


def test_text_that_is_no_json_is_an_error(emu: Emulator, chat: Make) -> None:
    script(emu, "json_mode", "Ann, 30")
    with pytest.raises(OutputInvalidError, match="schema"):
        chat().with_structured_output(Person, method="json_mode").invoke(PROMPT)


@pytest.mark.parametrize("method", METHODS)
def test_raw_answers_beside_the_object(how: str, method: Any, emu: Emulator, chat: Make) -> None:
    chain = chat().with_structured_output(Person, method=method, include_raw=True)
    answer = invoke(how, chain, PROMPTS.get(method, PROMPT))
    assert answer["parsed"] == Person(name="Ann", age=30)
    assert answer["parsing_error"] is None
    assert answer["raw"].usage_metadata
    emu.faults.append(Fault(refusal="no"))
    answer = invoke(how, chain, PROMPT)
    assert answer["parsed"] is None
    assert isinstance(answer["parsing_error"], OutputRefusedError)
    assert answer["raw"].additional_kwargs["refusal"] == "no"


@pytest.mark.parametrize("include_raw", [False, True])
def test_a_chain_can_be_pickled(how: str, include_raw: bool, emu: Emulator, chat: Make) -> None:
    chain = chat().with_structured_output(Person, include_raw=include_raw)
    revived = pickle.loads(pickle.dumps(chain))
    for answer in (invoke(how, revived, PROMPT), stream(how, revived, PROMPT)[-1]):
        assert answer["parsed"] if include_raw else answer == Person(name="Ann", age=30)


def test_tools_beside_a_schema(emu: Emulator, chat: Make) -> None:
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    chain = chat().with_structured_output(Person, tools=[add], include_raw=True)
    answer = chain.invoke("add 1 and 2")
    assert answer["raw"].tool_calls
    assert (answer["parsed"], answer["parsing_error"]) == (None, None)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"schema": Person, "method": "json_shema"}, "did you mean 'json_schema'"),
        ({"schema": None}, "needs a schema"),
        ({"schema": Person, "method": "json_mode", "strict": True}, "no meaning"),
        ({"schema": Person, "temprature": 1}, "'temperature'"),
    ],
)
def test_what_cannot_be_is_said_at_once(arguments: Any, says: str, chat: Make) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        chat().with_structured_output(**arguments)


def test_json_mode_needs_no_schema(emu: Emulator, chat: Make) -> None:
    script(emu, "json_mode", '{"a": 1}')
    assert chat().with_structured_output(method="json_mode").invoke("JSON") == {"a": 1}


def test_batches_of_objects(chat: Make) -> None:
    chain = chat().with_structured_output(Person)
    answers = asyncio.run(chain.abatch([PROMPT, PROMPT]))
    assert answers == [Person(name="Ann", age=30)] * 2
