"""LlamaIndex messages of every role and with every kind of block, through the converters.

What such runs found stays below as cases that every run repeats.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from llama_index.core.base.llms.types import (
    AudioBlock,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from pydantic import ValidationError

from llama_index_aimlapi._request.messages import to_messages
from tests.fuzz.laws import (
    MODELS,
    SURROGATE,
    Said,
    assert_laws,
    broken_values,
    json_values,
    odd_texts,
    seldom,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 16
CALLS = ("call_a", "call_b", None, "1", "id with spaces", "世界")

TEXT_BLOCKS = (
    lambda text: TextBlock(text=text),
    lambda text: CitableBlock(title="t", source="s", content=[TextBlock(text=text)]),
    lambda text: CitationBlock(
        title="t", source="s", cited_content=TextBlock(text=text), additional_location_info={}
    ),
)
OTHER_BLOCKS = (
    lambda: ImageBlock(url="https://host.example/a.png", detail="low"),
    lambda: ImageBlock(image=PNG, image_mimetype="image/png"),
    lambda: ImageBlock(url="ftp://host.example/a.png"),
    lambda: DocumentBlock(data=b"%PDF-1.4", title="a.pdf", document_mimetype="application/pdf"),
    lambda: DocumentBlock(url="https://host.example/a.pdf"),
    lambda: AudioBlock(audio=b"RIFF", format="wav"),
    lambda: VideoBlock(url="https://host.example/a.mp4"),
    lambda: CachePoint(cache_control={"type": "ephemeral"}),
    lambda: ThinkingBlock(content="thought"),
    lambda: ThinkingBlock(additional_information={"aimlapi": {"type": "reasoning", "id": "r"}}),
    lambda: ToolCallBlock(tool_call_id="call_a", tool_name="add", tool_kwargs={}),
)


@st.composite
def contents(draw: st.DrawFn, said: Said, others: bool = True, cited: bool = True) -> list[Any]:
    """Blocks; the texts that must arrive are noted. A citation of an assistant's quotes its text,
    and is not sent again: `cited=False` makes none."""
    blocks: list[Any] = []
    for _ in range(draw(st.integers(0, 3))):
        if others and draw(seldom):
            blocks.append(draw(st.sampled_from(OTHER_BLOCKS))())
        else:
            wrap = draw(st.sampled_from(TEXT_BLOCKS if cited else TEXT_BLOCKS[:2]))
            blocks.append(wrap(said.new(draw(odd_texts))))
    return blocks


@st.composite
def turns(draw: st.DrawFn, said: Said) -> list[ChatMessage]:
    """An assistant turn with calls in blocks or in the older list, and results that mostly fit."""
    ids = draw(st.lists(st.sampled_from(CALLS), max_size=3))
    ids += [draw(st.sampled_from(["", SURROGATE]))] if draw(seldom) else []
    arguments = st.dictionaries(odd_texts, json_values, max_size=2) | odd_texts
    calls: list[Any] = []
    kwargs: dict[str, Any] = draw(
        st.dictionaries(st.sampled_from(["refusal", "provider_items", "x"]), json_values)
    )
    if draw(st.booleans()):
        calls = [
            ToolCallBlock(tool_call_id=ident, tool_name="add", tool_kwargs=draw(arguments))
            for ident in ids
        ]
    else:
        kwargs["tool_calls"] = [
            {"id": ident, "type": "function",
             "function": {"name": "add", "arguments": draw(arguments)}}
            for ident in ids
        ]  # fmt: skip
    blocks = draw(contents(said, others=False, cited=False))
    assistant = ChatMessage(
        role=draw(st.sampled_from([MessageRole.ASSISTANT, MessageRole.CHATBOT, MessageRole.MODEL])),
        blocks=[*blocks, *calls],
        additional_kwargs=kwargs,
    )
    answered = ids[1:] if draw(seldom) else draw(st.permutations(ids))
    results = [
        ChatMessage(
            role=draw(st.sampled_from([MessageRole.TOOL, MessageRole.FUNCTION])),
            blocks=draw(contents(said, others=False)),
            additional_kwargs={"tool_call_id": ident or "add", "name": "add"},
        )
        for ident in answered
    ]
    return [assistant, *results]


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[ChatMessage], list[str]]:
    """Messages of all roles, and the texts that must arrive."""
    said = Said()
    history: list[ChatMessage] = []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from("user user turn turn turn system words wrong".split()))
        kwargs = draw(
            st.dictionaries(st.sampled_from(["name", "tool_call_id", "x"]), broken_values)
        )
        if kind == "user":
            blocks = draw(contents(said))
            history.append(ChatMessage(role="user", blocks=blocks, additional_kwargs=kwargs))
        elif kind == "turn":
            history += draw(turns(said))
        elif kind == "system":
            role = draw(st.sampled_from(["system", "developer"]))
            history.append(ChatMessage(role=role, blocks=draw(contents(said))))
        elif kind == "wrong" and draw(st.booleans()):
            history.append(
                ChatMessage(role="tool", blocks=draw(contents(said)), additional_kwargs=kwargs)
            )
        else:
            history.append(ChatMessage(said.new(draw(odd_texts))))
    return history, said.texts


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(MODELS), st.booleans())
def test_any_conversation_is_sent_whole_or_refused_by_name(
    data: st.DataObject, model: str, stream: bool
) -> None:
    try:
        history, texts = data.draw(conversations())
    except ValidationError:  # LlamaIndex itself refuses such a message
        event("not made")
        return
    event(assert_laws(to_messages, history, texts, model, stream))


def call(arguments: Any, ident: str | None = "call_a") -> list[ChatMessage]:
    block = ToolCallBlock(tool_call_id=ident, tool_name="add", tool_kwargs=arguments)
    return [ChatMessage(role="assistant", blocks=[block]), result(ident or "add")]


def older_call(arguments: Any) -> list[ChatMessage]:
    row = {"id": "call_a", "type": "function", "function": {"name": "add", "arguments": arguments}}
    called = ChatMessage(role="assistant", additional_kwargs={"tool_calls": [row]})
    return [called, result("call_a")]


def result(ident: str) -> ChatMessage:
    return ChatMessage("3", role="tool", additional_kwargs={"tool_call_id": ident})


CORPUS = {
    "half of a character in a call": call({"a": SURROGATE}),
    "half of a character in a name": [
        ChatMessage("hi", role="user", additional_kwargs={"name": SURROGATE})
    ],
    "two calls without ids": [
        ChatMessage(
            role="assistant", blocks=[*call({}, None)[0].blocks, *call({}, None)[0].blocks]
        ),
        result("add"),
        result("add"),
    ],
    "an image for a model that takes none": [ChatMessage(role="user", blocks=[OTHER_BLOCKS[0]()])],
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("value", [float("nan"), {1}], ids=["NaN", "a set"])
@pytest.mark.parametrize("calling", [call, older_call])
def test_arguments_that_are_no_json_are_refused(calling: Any, value: Any, model: str) -> None:
    assert_laws(to_messages, calling({"a": value}), [], model, stream=False)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", CORPUS)
def test_what_was_found_once(name: str, model: str) -> None:
    assert_laws(to_messages, CORPUS[name], [], model, stream=False)
