"""Content and arguments of other JSON types: what is plain is read, the rest is an error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aimlapi_core import AnswerFailedError, track_costs
from aimlapi_emulator import Emulator
from tests.anywhere.answering import Answer, Got, Way, enqueue, forms, got, ways
from tests.anywhere.answering import got_from_core as read
from tests.core.cases import META, body, choice, chunk, function_call, message, response


def chat(message: dict[str, Any], *deltas: dict[str, Any], finish: str = "stop") -> Answer:
    """A message, and the deltas that bring it (itself where none are given)."""
    chunks = [chunk(delta) for delta in deltas or (message,)]
    whole = body(choice(message, finish))
    return "chat", whole, [*chunks, chunk({}, finish), {"meta": META}]


def rows(row: dict[str, Any]) -> Answer:
    """A choice without an object for its message."""
    whole = body({"index": 0, "finish_reason": "stop", **row})
    return "chat", whole, [body({"index": 0, **row}), chunk({}, "stop"), {"meta": META}]


def responses(output: Any, *deltas: dict[str, Any], **more: Any) -> Answer:
    """An output, in the last event and, where it is a list, in an event for each item."""
    whole = {**response(**more), "output": output}
    done = [
        {"type": "response.output_item.done", "output_index": place, "item": item}
        for place, item in enumerate(output if isinstance(output, list) else [])
    ]
    return "responses", whole, [*deltas, *done, {"type": "response.completed", "response": whole}]


def said(content: Any, **more: Any) -> Answer:
    return responses([{**message(""), "content": content, **more}])


text_part = {"type": "text", "text": "b"}
TEXTS: dict[str, Answer] = {
    "texts": chat({"content": ["a", "b"]}, {"content": ["a"]}, {"content": ["b"]}),
    "parts": chat({"content": [{"type": "text", "text": "a"}, text_part]}),
    "texts and parts": chat({"content": ["a", None, text_part]}),
    "one part": chat({"content": {"type": "text", "text": "ab"}}),
    "value of a part": chat({"content": [{"type": "text", "text": {"value": "ab"}}]}),
    "content of a part": chat({"content": [{"type": "text", "content": "ab"}]}),
    "output_text": chat({"content": [{"type": "output_text", "text": "ab"}]}),
    "thinking before text": chat(
        {"content": [{"type": "thinking", "thinking": ["hm"]}, {"type": "text", "text": "ab"}]}
    ),
    "message that is a text": rows({"message": "ab"}),
    "content in the choice": rows({"content": "ab"}),
    "message that is a list": rows({"message": ["a", text_part]}),
    "old completion": rows({"text": "ab"}),
    "responses: a text": said("ab"),
    "responses: texts": said(["a", "b"]),
    "responses: one part": said({"type": "output_text", "text": "ab"}),
    "responses: text of the item": said(None, text="ab"),
    "responses: output that is a text": responses("ab"),
    "responses: output that is an item": responses(message("ab")),
    "responses: output of texts": responses(["ab"]),
    "responses: part in place of an item": responses([{"type": "output_text", "text": "ab"}]),
    "responses: item without a type": responses([{"role": "assistant", "content": "ab"}]),
    "responses: output_text of texts": responses([], output_text=["a", "b"]),
    "responses: deltas of texts": responses(
        [message("ab")],
        {"type": "response.output_text.delta", "output_index": 0, "delta": ["a"]},
        {"type": "response.output_text.delta", "output_index": 0, "delta": {"text": "b"}},
    ),
}


@forms
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_in_any_form_is_the_text(form: str, name: str) -> None:
    assert read(TEXTS[name], form) == Got("ab", [], [], None, "stop")


REFUSALS: dict[str, Answer] = {
    "part": chat({"content": [{"type": "refusal", "refusal": "I can't"}]}),
    "part alone": chat({"content": {"type": "refusal", "refusal": "I can't"}}),
    "part without a type": chat({"content": [{"refusal": "I can't"}]}),
    "text of a part": chat({"content": [{"type": "refusal", "text": "I can't"}]}),
    "list": chat({"content": None, "refusal": ["I ", "can't"]}),
    "responses": said([{"type": "refusal", "refusal": "I can't"}]),
    "responses: part alone": said({"type": "refusal", "refusal": "I can't"}),
    "responses: in place of an item": responses([{"type": "refusal", "refusal": "I can't"}]),
}


@forms
@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_in_any_form_is_one(form: str, name: str) -> None:
    found = read(REFUSALS[name], form)
    assert found == Got("", [], [], "I can't", "stop")


UNREADABLE: dict[str, tuple[Answer, str]] = {
    "object": (chat({"content": {"answer": 42}}), "members ['answer']"),
    "number": (chat({"content": 42}), "a number (42)"),
    "zero": (chat({"content": 0}), "a number (0)"),
    "number in a list": (chat({"content": ["a", 4.5]}), "a number (4.5)"),
    "true": (chat({"content": True}), "a boolean"),
    "image": (chat({"content": [{"type": "image_url", "image_url": {}}]}), "image_url"),
    "refusal that is true": (chat({"content": None, "refusal": True}), "a boolean"),
    "message that is a number": (rows({"message": 5}), "a number (5)"),
    "choices that are a number": (("chat", body(choices=0), [body(choices=0)]), "choices is"),
    "choices that are texts": (("chat", body("x"), [body("x")]), "a choice is a text"),  # type: ignore[arg-type]
    "finish_reason that is a number": (rows({"message": {}, "finish_reason": 0}), "finish_reason"),
    "finish_reason that is a list": (chat({"content": "x"}, finish=["stop"]), "finish_reason"),  # type: ignore[arg-type]
    "calls that are texts": (chat({"content": None, "tool_calls": ["w"]}), "a tool call is"),
    "calls that are a text": (chat({"content": None, "tool_calls": "w"}), "a tool call is"),
    "calls by place": (chat({"content": None, "tool_calls": {"0": {}}}), "members ['0']"),
    "old call that is a text": (chat({"content": None, "function_call": "w"}), "function_call"),
    "responses: object": (said({"answer": 42}), "members ['answer']"),
    "responses: number": (said(42), "a number (42)"),
    "responses: number in a list": (said([1]), "a number (1)"),
    "responses: audio": (said([{"type": "output_audio", "data": "x"}]), "'data', 'type'"),
    "responses: items that are numbers": (responses([5]), "an output item is"),
    "responses: an item without a type": (responses([{"id": "x"}]), "without a type"),
    "responses: a type that is none": (responses([{"type": 5}]), "the type of an output item"),
}


@forms
@pytest.mark.parametrize("name", UNREADABLE)
def test_what_has_no_plain_meaning_is_an_error(form: str, name: str) -> None:
    """Of the same class whole and streamed, which says what came."""
    answer, says = UNREADABLE[name]
    with pytest.raises(AnswerFailedError) as caught:
        read(answer, form)
    assert "cannot be read" in str(caught.value)
    assert says in str(caught.value)
    assert caught.value.details


def called(arguments: Any) -> Answer:
    call = {"id": "a", "type": "function", "function": {"name": "w", "arguments": arguments}}
    delta = {"tool_calls": [{"index": 0, **call}]}
    return chat({"content": None, "tool_calls": [call]}, delta, finish="tool_calls")


def flat(arguments: Any) -> Answer:
    call = {"id": "a", "type": "function", "name": "w", "arguments": arguments}
    delta = {"tool_calls": [{"index": 0, **call}]}
    return chat({"content": None, "tool_calls": [call]}, delta, finish="tool_calls")


def alone(arguments: Any) -> Answer:
    call = {"id": "a", "type": "function", "function": {"name": "w", "arguments": arguments}}
    return chat({"content": None, "tool_calls": call}, finish="tool_calls")


def legacy(arguments: Any) -> Answer:
    call = {"name": "w", "arguments": arguments}
    return chat({"content": None, "function_call": call}, finish="function_call")


def item(arguments: Any) -> Answer:
    call = {**function_call("a", "w", ""), "arguments": arguments}
    return responses([call])


FORMS = {"chat": called, "flat": flat, "alone": alone, "legacy": legacy, "responses": item}
NO_OBJECT = [["Paris"], 5, 0, 1.5, True, False, "text", '""', [], "[1]"]


@forms
@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS)
def test_arguments_that_are_an_object_are_taken(form: str, make: Any) -> None:
    city = {"city": "Łódź", "days": [1, None]}
    found = read(make(city), form)
    assert (found.calls, found.invalid) == ([("w", city)], [])


@forms
@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("name", ["input", "parameters", "args"])
@pytest.mark.parametrize("arguments", [{"city": "Łódź"}, '{"city": "Łódź"}'], ids=type)
def test_arguments_by_the_name_of_another_api_are_taken(
    form: str, make: Any, name: str, arguments: Any
) -> None:
    """Without them the call would be run with none."""
    text = json.dumps(make(["their place"]))
    renamed = text.replace('"arguments": ["their place"]', f'"{name}": {json.dumps(arguments)}')
    found = read(tuple(json.loads(renamed)), form)
    assert (found.calls, found.invalid) == ([("w", {"city": "Łódź"})], [])


@forms
@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("arguments", [None, "", " \n", "null", "{}", {}], ids=repr)
def test_no_arguments_are_an_empty_object(form: str, make: Any, arguments: Any) -> None:
    found = read(make(arguments), form)
    assert (found.calls, found.invalid) == ([("w", {})], [])


@forms
@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("arguments", NO_OBJECT, ids=repr)
def test_arguments_of_another_type_make_an_invalid_call(
    form: str, make: Any, arguments: Any
) -> None:
    found = read(make(arguments), form)
    assert found.calls == []
    assert len(found.invalid) == 1


@forms
def test_an_old_call_in_pieces_is_one_call(form: str) -> None:
    whole = {"content": None, "function_call": {"name": "w", "arguments": '{"city":"P"}'}}
    pieces = [{"name": "w", "arguments": ""}, {"arguments": '{"city":'}, {"arguments": '"P"}'}]
    deltas = [{"function_call": piece} for piece in pieces]
    found = read(chat(whole, *deltas, finish="function_call"), form)
    assert found == Got("", [("w", {"city": "P"})], [], None, "function_call")


@forms
@pytest.mark.parametrize("empty", [None, {}, {"name": "", "arguments": ""}, {"name": None}])
def test_an_old_call_without_content_is_none(form: str, empty: Any) -> None:
    found = read(chat({"content": "ab", "function_call": empty}), form)
    assert found == Got("ab", [], [], None, "stop")


@forms
def test_a_call_in_both_forms_is_one(form: str) -> None:
    function = {"name": "w", "arguments": "{}"}
    call = {"id": "a", "index": 0, "type": "function", "function": function}
    both = {"content": None, "tool_calls": [call], "function_call": function}
    assert read(chat(both, finish="tool_calls"), form).calls == [("w", {})]


def custom_chat(text: str) -> Answer:
    call = {"id": "a", "type": "custom", "custom": {"name": "sh", "input": text}}
    delta = {"tool_calls": [{"index": 0, **call}]}
    return chat({"content": None, "tool_calls": [call]}, delta, finish="tool_calls")


def custom_item(text: str) -> Answer:
    call = {"type": "custom_tool_call", "id": "ctc", "call_id": "a", "name": "sh"}
    at = {"output_index": 0, "item_id": "ctc"}
    deltas = [
        {"type": "response.output_item.added", "output_index": 0, "item": {**call, "input": ""}},
        {"type": "response.custom_tool_call_input.delta", **at, "delta": text[:3]},
        {"type": "response.custom_tool_call_input.delta", **at, "delta": text[3:]},
        {"type": "response.custom_tool_call_input.done", **at, "input": text},
    ]
    return responses([{**call, "input": text}], *deltas)


@forms
@pytest.mark.parametrize("make", [custom_chat, custom_item])
@pytest.mark.parametrize("text", ["rm -rf build", '{"a": 1}', "{}", "", 'say "hi"\n'])
def test_a_custom_tools_call_is_invalid_and_keeps_its_text(form: str, make: Any, text: str) -> None:
    found = read(make(text), form)
    assert found.calls == []
    assert found.invalid == [json.dumps(text)]


@forms
@pytest.mark.parametrize("name", [None, "", 5, {"a": 1}], ids=repr)
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_a_call_that_names_no_tool_is_invalid(form: str, name: Any, endpoint: str) -> None:
    call = {"id": "a", "type": "function", "function": {"name": name, "arguments": "{}"}}
    answer = chat({"content": None, "tool_calls": [{"index": 0, **call}]}, finish="tool_calls")
    if endpoint == "responses":
        answer = responses([{**function_call("a", "", "{}"), "name": name}])
    found = read(answer, form)
    assert found.calls == []
    assert len(found.invalid) == 1


SOME = {
    "parts": TEXTS["texts and parts"],
    "text of an item": TEXTS["responses: a text"],
    "refusal": REFUSALS["part"],
    "refusal of an item": REFUSALS["responses"],
    "object": called({"city": "Łódź"}),
    "object of an item": item({"city": "Łódź"}),
    "list": called(["Paris"]),
    "list of an item": item(["Paris"]),
    "old call": legacy({"city": "Łódź"}),
    "custom": custom_chat("rm -rf build"),
    "custom item": custom_item("rm -rf build"),
    "no name": chat({"content": None, "tool_calls": [{"id": "a", "function": {}}]}),
}


@ways
@pytest.mark.parametrize("name", SOME)
def test_both_frameworks_give_what_the_core_reads(emu: Emulator, way: Way, name: str) -> None:
    enqueue(emu, way, SOME[name])
    found, expected = got(way.ask(emu, SOME[name][0])), read(SOME[name], "whole")
    assert (found.calls, len(found.invalid)) == (expected.calls, len(expected.invalid))
    assert (found.refusal, found.finish_reason) == (expected.refusal, expected.finish_reason)
    shows_refusal = way.framework == "llama_index" and expected.refusal
    assert found.text == (expected.refusal if shows_refusal else expected.text)


@ways
def test_an_answer_that_cannot_be_read_counts_as_failed(emu: Emulator, way: Way) -> None:
    answer, _ = UNREADABLE["object"]
    enqueue(emu, way, answer)
    with track_costs() as costs, pytest.raises(AnswerFailedError, match="cannot be read"):
        way.ask(emu, "chat")
    assert (costs.total.calls, costs.total.failed) == (1, 1)
