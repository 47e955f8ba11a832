"""LangChain messages of every role and with every kind of block, through the converters.

What such runs found stays below as cases that every run repeats.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from pydantic import ValidationError

from langchain_aimlapi._request import messages
from langchain_aimlapi._request.messages import to_messages
from tests.fuzz.laws import (
    MODELS,
    SURROGATE,
    Said,
    assert_laws,
    json_values,
    odd_texts,
    seldom,
)

PDF = base64.b64encode(b"%PDF-1.4").decode()
PNG = base64.b64encode(b"\x89PNG").decode()
KWARGS = ("refusal", "reasoning_content", "annotations", "x")
CALLS = ("call_a", "call_b", "1", "id with spaces", "世界")

# Blocks with a text that must arrive, by how the text stands in them.
TEXT_BLOCKS = (
    lambda text: text,
    lambda text: {"type": "text", "text": text},
    lambda text: {"text": text},
    lambda text: {"type": "input_text", "text": text},
    lambda text: {"type": "output_text", "text": text, "annotations": []},
    lambda text: {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}},
    lambda text: {"type": "non_standard", "value": {"type": "text", "text": text}},
    lambda text: {"type": "text-plain", "text": text, "mime_type": "text/plain"},
)
NOT_THE_ASSISTANTS = 2  # of them, at the end
# Blocks that hold something else, or are wrong: sent, left out on purpose, or refused.
OTHER_BLOCKS: tuple[dict[str, Any], ...] = (
    {"type": "image", "url": "https://host.example/a.png"},
    {"type": "image", "base64": PNG, "mime_type": "image/png"},
    {"type": "image", "base64": PNG},
    {"type": "image_url", "image_url": {"url": "https://host.example/a.png", "detail": "low"}},
    {"type": "image_url", "image_url": f"data:image/gif;base64,{PNG}"},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
    {"type": "image", "source_type": "url", "url": "ftp://host.example/a.png"},
    {"type": "file", "base64": PDF, "mime_type": "application/pdf"},
    {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF}", "filename": "a"}},
    {"type": "file", "file_id": "file-1"},
    {"type": "file", "url": "https://host.example/a.pdf"},
    {"type": "audio", "base64": PNG, "mime_type": "audio/wav"},
    {"type": "video", "url": "https://host.example/a.mp4"},
    {"type": "reasoning", "reasoning": "thought"},
    {"type": "thinking", "thinking": "thought", "signature": "s"},
    {"type": "tool_use", "id": "call_a", "name": "add", "input": {"a": 1}},
    {"type": "tool_use"},
    {"type": "tool_result", "tool_use_id": "call_a", "content": "3"},
    {"type": "tool_result"},
    {"type": "refusal", "refusal": "no"},
    {"type": "text"},
    {"type": "text", "text": None},
    {"type": "text", "text": 5},
    {"type": "image_url"},
    {"type": 7},
    {"type": "unheard of"},
    {"cachePoint": {"type": "default"}},
    {},
)


@st.composite
def contents(
    draw: st.DrawFn, said: Said, others: bool = True, wraps: Sequence[Any] = TEXT_BLOCKS
) -> Any:
    """A string, or blocks; the texts are noted."""
    if draw(st.booleans()):
        return said.new(draw(odd_texts))
    blocks: list[Any] = []
    for _ in range(draw(st.integers(0, 3))):
        if others and draw(seldom):
            blocks.append(dict(draw(st.sampled_from(OTHER_BLOCKS))))
        else:
            wrap = draw(st.sampled_from(wraps))
            text = SURROGATE if draw(seldom) and wrap is not TEXT_BLOCKS[0] else draw(odd_texts)
            blocks.append(wrap(said.new(text)))
    return blocks


@st.composite
def turns(draw: st.DrawFn, said: Said) -> list[BaseMessage]:
    """An assistant turn with calls, and results that mostly fit."""
    ids = draw(st.lists(st.sampled_from(CALLS), max_size=3))
    ids += [draw(st.sampled_from(["", SURROGATE]))] if draw(seldom) else []
    calls = [
        {"name": draw(st.sampled_from(["add", "a b", "", "x" * 70])), "id": ident,
         "args": draw(st.dictionaries(odd_texts, json_values, max_size=2)), "type": "tool_call"}
        for ident in ids
    ]  # fmt: skip
    cut = [
        {"name": "add", "id": "cut", "args": draw(odd_texts), "error": None,
         "type": "invalid_tool_call"}
    ]  # fmt: skip
    assistant = AIMessage(
        draw(contents(said, others=False, wraps=TEXT_BLOCKS[:-NOT_THE_ASSISTANTS])),
        tool_calls=calls,
        invalid_tool_calls=cut if draw(st.booleans()) else [],
        name=draw(st.none() | odd_texts),
        additional_kwargs=draw(st.dictionaries(st.sampled_from(KWARGS), json_values)),
    )
    answered = ids[1:] if draw(seldom) else draw(st.permutations(ids))
    results = [
        ToolMessage(draw(contents(said, others=False)), tool_call_id=ident, name=draw(odd_texts))
        for ident in answered
    ]
    return [assistant, *results]


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[BaseMessage], list[str]]:
    """Messages of all roles, and the texts that must arrive."""
    said = Said()
    history: list[BaseMessage] = []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from("user user turn turn turn system chat wrong".split()))
        name = draw(st.none() | odd_texts)
        if kind == "user":
            history.append(HumanMessage(draw(contents(said)), name=name))
        elif kind == "turn":
            history += draw(turns(said))
        elif kind == "system":
            history.append(SystemMessage(draw(contents(said)), name=name))
        elif kind == "chat":
            role = draw(st.sampled_from(["user", "human", "developer", "ai", "tool", "nobody"]))
            history.append(ChatMessage(draw(contents(said)), role=role, name=name))
        elif draw(st.booleans()):
            history.append(ToolMessage(draw(contents(said)), tool_call_id=draw(odd_texts)))
        elif draw(st.booleans()):
            history.append(FunctionMessage(content=said.new("f"), name="f"))
    return history, said.texts


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(MODELS), st.booleans())
def test_any_conversation_is_sent_whole_or_refused_by_name(
    data: st.DataObject, model: str, stream: bool
) -> None:
    try:
        history, texts = data.draw(conversations())
    except ValidationError:  # LangChain itself refuses such a message
        event("not made")
        return
    event(assert_laws(to_messages, history, texts, model, stream))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_plain_message_is_converted_as_any_other(data: st.DataObject) -> None:
    """`_plain_message` saves work, and nothing else."""
    try:
        history, _ = data.draw(conversations())
    except ValidationError:
        return
    for message in history:
        for provider in (None, "aimlapi"):
            message.response_metadata = {"model_provider": provider}
            if (plain := messages._plain_message(message)) is not None:
                event(message.type)
                found = messages._convert_message(message, message.content, set())
                assert list(found) == [(plain, ())]


def call(args: Any, ident: str | None = "call_a") -> list[BaseMessage]:
    called = AIMessage("", tool_calls=[{"name": "add", "args": args, "id": ident}])
    return [HumanMessage("hi"), called, ToolMessage("3", tool_call_id=ident or "")]


CORPUS = {
    "half of a character in a block": [HumanMessage([{"type": "text", "text": SURROGATE}])],
    "half of a character in a call": call({"a": SURROGATE}),
    "a call without an id": call({}, None),
    "NaN in a call": call({"a": float("nan")}),
    "two calls with one id and one result": [
        AIMessage("", tool_calls=[{"name": "add", "args": {}, "id": "a"}] * 2),
        ToolMessage("3", tool_call_id="a"),
    ],
    "two calls with one id and two results": [
        AIMessage("", tool_calls=[{"name": "add", "args": {}, "id": "a"}] * 2),
        *[ToolMessage("3", tool_call_id="a")] * 2,
    ],
    "an image for a model that takes none": [HumanMessage([OTHER_BLOCKS[0]])],
}


@pytest.mark.parametrize("model", MODELS)
def test_arguments_that_are_no_json_are_refused(model: str) -> None:
    assert_laws(to_messages, call({"a": {1}}), [], model, stream=False)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", CORPUS)
def test_what_was_found_once(name: str, model: str) -> None:
    assert_laws(to_messages, CORPUS[name], [], model, stream=False)
