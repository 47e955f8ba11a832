"""Halves of characters and broken UTF-8 in answers: joined, or U+FFFD, and never in the way."""

from __future__ import annotations

import json
import warnings
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage, ToolMessage
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from pydantic import BaseModel

from aimlapi_core import (
    Finished,
    ReasoningDelta,
    RefusalDelta,
    Reply,
    StreamCutError,
    TextDelta,
    ToolCallDelta,
    loads_arguments,
)
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_emulator import Emulator
from langchain_aimlapi import ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI
from tests.anywhere.answering import (
    ENDPOINTS,
    MODELS,
    Answer,
    Way,
    enqueue,
    events_from_core,
    forms,
    from_core,
    got,
    ways,
)
from tests.core.cases import META, body, call_delta, choice, chunk, message, response, whole_call
from tests.costs.ways import asking

HIGH, LOW = "\ud83d", "\ude00"  # of 😀


def chat(kind: str, *pieces: str, finish: str = "stop") -> Answer:
    """A text of one kind in pieces, and whole."""
    text = "".join(pieces)
    if kind == "arguments":
        deltas: list[Any] = [{"tool_calls": [call_delta(0, arguments=piece)]} for piece in pieces]
        deltas[0]["tool_calls"][0] |= {"id": "c"}
        deltas[0]["tool_calls"][0]["function"]["name"] = "w"
        whole: dict[str, Any] = {"content": None, "tool_calls": [whole_call("c", "w", text)]}
    else:
        deltas = [{kind: piece} for piece in pieces]
        whole = {"content": None, kind: text}
    chunks = [*map(chunk, deltas), chunk({}, finish), {"meta": META}]
    return "chat", body(choice(whole, finish)), chunks


def responses(kind: str, *pieces: str) -> Answer:
    text = "".join(pieces)
    events = {
        "content": "response.output_text.delta",
        "refusal": "response.refusal.delta",
        "reasoning_content": "response.reasoning_summary_text.delta",
        "arguments": "response.function_call_arguments.delta",
    }
    item: dict[str, Any] = message(text)
    if kind == "refusal":
        item = message({"type": "refusal", "refusal": text})
    elif kind == "reasoning_content":
        item = {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}
    elif kind == "arguments":
        item = {"type": "function_call", "id": "f", "call_id": "c", "name": "w", "arguments": text}
    at = {"output_index": 0, **({"item_id": item["id"]} if "id" in item else {})}
    deltas = [{"type": events[kind], **at, "delta": piece} for piece in pieces]
    whole = response(item)
    return "responses", whole, [*deltas, {"type": "response.completed", "response": whole}]


KINDS = ("content", "refusal", "reasoning_content", "arguments")
MAKE = {"chat": chat, "responses": responses}
kinds = pytest.mark.parametrize("kind", KINDS)
endpoints = pytest.mark.parametrize("endpoint", ENDPOINTS)


def text_of(reply: Reply, kind: str) -> str:
    (one,) = reply.choices
    found = {"content": one.text, "refusal": one.refusal, "reasoning_content": one.reasoning}
    return str(one.tool_calls[0].arguments if kind == "arguments" else found[kind])


def deltas_of(events: list[Any]) -> str:
    texts = (TextDelta, RefusalDelta, ReasoningDelta)
    joined = [event.text for event in events if isinstance(event, texts)]
    return "".join(joined + [e.arguments for e in events if isinstance(e, ToolCallDelta)])


@forms
@kinds
@endpoints
@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["hi ", HIGH, f"{LOW}!"], "hi 😀!"),
        ([f"hi {HIGH}", f"{LOW}!"], "hi 😀!"),
        ([f"hi {HIGH}", f"{HIGH}{LOW}!"], "hi �😀!"),
        ([f"hi {HIGH}", "!"], "hi �!"),
        (["hi ", f"{LOW}!"], "hi �!"),
        ([f"hi {HIGH}"], "hi �"),
        ([HIGH], "�"),
    ],
)
def test_halves_are_joined_and_one_alone_is_replaced(
    form: str, endpoint: str, kind: str, pieces: list[str], expected: str
) -> None:
    events = events_from_core(MAKE[endpoint](kind, *pieces), form)
    last = events[-1]
    assert isinstance(last, Finished)
    assert text_of(last.reply, kind) == expected
    if form == "stream":
        assert deltas_of(events) == expected


ESCAPED = r'{"q": "a\ud83d\ude00 \\ud83d \ud83d b\ude00 \u00e9 \ud83d\u0041", "c": "\uD83D"}'
WHOLE = {"q": "a😀 \\ud83d � b� é �A", "c": "�"}


@endpoints
def test_escapes_in_arguments_are_whole_characters_wherever_they_are_cut(endpoint: str) -> None:
    expected = text_of(from_core(MAKE[endpoint]("arguments", ESCAPED), "whole"), "arguments")
    assert loads_arguments(expected) == WHOLE
    for size in range(1, 8):
        for start in range(size):
            cuts = [0, *range(start or size, len(ESCAPED), size), len(ESCAPED)]
            pieces = [ESCAPED[a:b] for a, b in pairwise(cuts)]
            events = events_from_core(MAKE[endpoint]("arguments", *pieces), "stream")
            assert deltas_of(events) == expected
            assert text_of(events[-1].reply, "arguments") == expected  # type: ignore[union-attr]


PIECES = ("a", "é", "😀", HIGH, LOW, "\\", "\\u", "\\ud83d", "\\ude00", "\\ud8", "3d", '"', "\n")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ENDPOINTS), st.sampled_from(KINDS), st.lists(st.sampled_from(PIECES)))
def test_whole_and_streamed_are_the_same_and_can_be_written(
    endpoint: str, kind: str, pieces: list[str]
) -> None:
    answer = MAKE[endpoint](kind, "x", *pieces)
    whole = text_of(from_core(answer, "whole"), kind)
    events = events_from_core(answer, "stream")
    whole.encode()
    assert text_of(events[-1].reply, kind) == whole  # type: ignore[union-attr]
    assert deltas_of(events) == whole
    for event in events[:-1]:
        deltas_of([event]).encode()


@endpoints
def test_a_half_elsewhere_in_an_answer_is_replaced(endpoint: str) -> None:
    name, whole, events = MAKE[endpoint]("arguments", "{}")
    replaced = json.loads(json.dumps([whole, events]).replace('"w"', '"w\\ud83d"'))
    replaced = json.loads(json.dumps(replaced).replace("gpt-5.2", "gpt-\\ude00"))
    answer = (name, *replaced)
    for form in ("whole", "stream"):
        reply = from_core(answer, form)
        repr(reply).encode()
        assert reply.choices[0].tool_calls[0].name == "w�"
        assert "gpt-�" in str(reply.model)


def test_the_part_of_a_cut_stream_has_no_half() -> None:
    _, _, events = chat("content", f"hi {HIGH}")
    reader = prepare_request(asking(), stream=True).stream_reader()
    list(reader.feed(f"data: {json.dumps(events[0])}\n\n".encode()))
    with pytest.raises(StreamCutError) as caught:
        list(reader.close())
    assert caught.value.partial is not None
    assert caught.value.partial.choices[0].text == "hi �"


@pytest.mark.parametrize(
    "broken", [b"\xff", b"\xc3", b"\xf0\x9f", b"\xed\xa0\xbd\xed\xb8\x80", b"\xed\xa0\xbd", b"\x80"]
)
@endpoints
def test_broken_utf8_is_replaced_alike(endpoint: str, broken: bytes) -> None:
    def raw(value: Any) -> bytes:
        return json.dumps(value).encode().replace(b"MARK", b"x" + broken + b"y")

    _, whole, events = MAKE[endpoint]("content", "MARK")
    request = asking(model=MODELS[endpoint])
    reply = prepare_request(request, stream=False).decode_body(raw(whole), {})
    reader = prepare_request(request, stream=True).stream_reader()
    sse = b"".join(b"data: " + raw(event) + b"\n\n" for event in events)
    *_, last = [*reader.feed(sse), *reader.close()]
    assert isinstance(last, Finished)
    assert last.reply.choices[0].text == reply.choices[0].text
    assert reply.choices[0].text == f"x{broken.decode('utf-8', 'replace')}y"
    assert "�" in reply.choices[0].text


@ways
@endpoints
@pytest.mark.parametrize("kind", ["content", "refusal", "arguments"])
def test_an_answer_can_be_sent_back_on_the_next_turn(
    emu: Emulator, way: Way, endpoint: str, kind: str
) -> None:
    """Without a warning: half a character at the cut of a limit must not end an agent."""
    pieces = ('{"q": "', HIGH, '\\ud83d"}') if kind == "arguments" else ("hi ", HIGH)
    enqueue(emu, way, MAKE[endpoint](kind, *pieces))
    answer = way.ask(emu, endpoint)
    repr(got(answer)).encode()
    how: dict[str, Any] = {"api_key": "sk-test", "base_url": emu.base_url}
    emu.enqueue_response("fine")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if way.framework == "langchain":
            result = [ToolMessage("1", tool_call_id="c")] if kind == "arguments" else []
            history = [HumanMessage("hi"), answer, *result, HumanMessage("go on")]
            ChatAIMLAPI(model=MODELS[endpoint], **how).invoke(history)
        else:
            role, extra = MessageRole.TOOL, {"tool_call_id": "c"}
            results = [ChatMessage("1", role=role, additional_kwargs=extra)]
            middle = [answer.message, *(results if kind == "arguments" else [])]
            turn = [ChatMessage("hi"), *middle, ChatMessage("go on")]
            AIMLAPI(model=MODELS[endpoint], **how).chat(turn)
    assert "�" in json.dumps(emu.requests[-1].body, ensure_ascii=False)


class Line(BaseModel):
    """A line of a poem."""

    words: str


@pytest.mark.parametrize("escape", ["\\ud83d", "\\ude00", "\\ud83d\\ude00", "\\u00e9"])
@pytest.mark.parametrize("framework", ["langchain", "llama_index"])
def test_structured_output_has_no_half(emu: Emulator, framework: str, escape: str) -> None:
    emu.enqueue_response(f'{{"words": "a{escape}"}}')
    emu.enqueue_response(f'{{"words": "a{escape}"}}')
    how: dict[str, Any] = {"model": MODELS["chat"], "api_key": "sk-test", "base_url": emu.base_url}
    expected = {"\\ud83d\\ude00": "a😀", "\\u00e9": "aé"}.get(escape, "a�")
    if framework == "langchain":
        chain = ChatAIMLAPI(**how).with_structured_output(Line)
        found = [chain.invoke("hi"), list(chain.stream("hi"))[-1]]
    else:
        llm = AIMLAPI(**how).as_structured_llm(Line)
        messages = [ChatMessage("hi")]
        found = [llm.chat(messages).raw, list(llm.stream_chat(messages))[-1].raw]
    assert found == [Line(words=expected)] * 2
