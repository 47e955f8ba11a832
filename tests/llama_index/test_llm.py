"""Chats and completions against the emulator: what is sent, what comes, what is refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage, DocumentBlock, ImageBlock, TextBlock
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.prompts import PromptTemplate

from aimlapi_core import (
    AuthenticationError,
    InsufficientFundsError,
    InvalidRequestError,
    RateLimitError,
    StreamCutError,
)
from aimlapi_emulator import Emulator, Fault
from llama_index_aimlapi import AIMLAPI
from tests.llama_index.test_request_messages import PDF as PDF_FILE
from tests.llama_index.test_request_messages import PNG
from tests.llama_index.ways import CHAT, COMPLETE, SETUPS, items, last

Make = Callable[..., AIMLAPI]
HELLO = [ChatMessage(content="Hello 你好")]


UNIQUE = ("request_id", "inference_id", "client_request_id", "response_id")


def comparable(response: Any) -> Any:
    """A response without what is another in every call."""
    extra = {k: v for k, v in response.additional_kwargs.items() if k not in UNIQUE}
    raw = {k: v for k, v in response.raw.items() if k not in ("id", "created")}
    same = response.model_copy(update={"additional_kwargs": extra, "raw": raw, "delta": None})
    for block in same.message.blocks:
        if block.block_type == "thinking":
            block.additional_information.get("aimlapi", {}).pop("id", None)
    return same


def test_it_is_a_function_calling_llm() -> None:
    assert issubclass(AIMLAPI, FunctionCallingLLM)
    assert AIMLAPI.class_name() == AIMLAPI().class_name() == "AIMLAPI"


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize(
    "fault", [None, Fault(reasoning="Let me think."), Fault(refusal="I won't.")]
)
async def test_every_way_gives_the_same_answer(
    make: Make, emu: Emulator, setup: str, fault: Fault | None
) -> None:
    llm = make(**SETUPS[setup])
    answers = []
    for way in CHAT:
        emu.faults.append(fault)
        answers.append(await last(llm, way, HELLO))
    assert answers[0].message.content
    for answer in answers[1:]:
        assert comparable(answer) == comparable(answers[0])
    bodies = [{k: v for k, v in seen.body.items() if "stream" not in k} for seen in emu.requests]
    assert all(body == bodies[0] for body in bodies)
    assert all(seen.problems == () for seen in emu.requests)


@pytest.mark.parametrize(
    "way", ["stream_chat", "astream_chat", "stream_complete", "astream_complete"]
)
async def test_deltas_join_to_the_text(llm: AIMLAPI, emu: Emulator, way: str) -> None:
    emu.faults.append(Fault(reasoning="Let me think.", piece_size=3))
    prompt = HELLO if "chat" in way else "Hello 你好"
    came = await items(llm, way, prompt)
    text = [item.message.content if "chat" in way else item.text for item in came]
    so_far = ""
    for item, shown in zip(came, text, strict=True):
        so_far += item.delta
        assert shown == so_far
    assert "你好" in text[-1]
    thought = "".join(item.additional_kwargs.get("thinking_delta", "") for item in came)
    assert thought == "Let me think."


@pytest.mark.parametrize("way", CHAT)
async def test_reasoning_is_a_thinking_block(llm: AIMLAPI, emu: Emulator, way: str) -> None:
    emu.faults.append(Fault(reasoning="Let me think."))
    block, text = (await last(llm, way, HELLO)).message.blocks
    assert (block.block_type, block.content, text.block_type) == (
        "thinking",
        "Let me think.",
        "text",
    )


@pytest.mark.parametrize("way", CHAT)
async def test_logprobs_come_when_asked_for(llm: AIMLAPI, way: str) -> None:
    answer = await last(llm, way, HELLO, logprobs=True, top_logprobs=2)
    assert "".join(row[0].token for row in answer.logprobs) == answer.message.content


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize("way", COMPLETE)
async def test_a_completion_sends_one_user_message(
    make: Make, emu: Emulator, setup: str, way: str
) -> None:
    answer = await last(make(**SETUPS[setup]), way, "Hello")
    body = emu.requests[-1].body
    (row,) = body.get("messages") or body["input"]
    assert (row["role"], row["content"]) == ("user", "Hello")
    assert answer.text
    assert answer.additional_kwargs["finish_reason"] == "stop"
    assert answer.additional_kwargs["cost"] > 0


@pytest.mark.parametrize("way", COMPLETE)
async def test_completion_to_prompt_is_used_unless_formatted(
    make: Make, emu: Emulator, way: str
) -> None:
    llm = make(completion_to_prompt=lambda prompt: f"<{prompt}>")
    await last(llm, way, "Hello")
    await last(llm, way, "Hello", formatted=True)
    sent = [seen.body["messages"][0]["content"] for seen in emu.requests]
    assert sent == ["<Hello>", "Hello"]


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize("way", ["predict", "stream", "apredict", "astream"])
async def test_prompts_carry_the_system_prompt(
    make: Make, emu: Emulator, setup: str, way: str
) -> None:
    llm = make(**SETUPS[setup], system_prompt="Be brief.")
    made = getattr(llm, way)(PromptTemplate("Tell of {topic}."), topic="cats")
    made = await made if way.startswith("a") else made
    if way == "astream":
        made = "".join([token async for token in made])
    assert "cats" in "".join(made)
    (seen,) = emu.requests
    rows = seen.body.get("messages") or seen.body["input"]
    assert [(row["role"], row["content"]) for row in rows] == [
        ("system", "Be brief."),
        ("user", "Tell of cats."),
    ]
    assert seen.problems == ()


@pytest.mark.parametrize("way", CHAT)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=401), AuthenticationError),
        (Fault(status=403, message="You've run out of funds."), InsufficientFundsError),
        (Fault(status=429), RateLimitError),
    ],
)
async def test_errors_are_the_cores(
    llm: AIMLAPI, emu: Emulator, way: str, fault: Fault, error: type[Exception]
) -> None:
    emu.faults.append(fault)
    with pytest.raises(error):
        await items(llm, way, HELLO)
    assert len(emu.requests) == 1


@pytest.mark.parametrize("way", ["stream_chat", "astream_chat"])
async def test_a_cut_stream_raises_and_keeps_what_came(
    llm: AIMLAPI, emu: Emulator, way: str
) -> None:
    emu.faults.append(Fault(cut_after_events=3, drop_with="end"))
    with pytest.raises(StreamCutError) as caught:
        await items(llm, way, HELLO)
    assert caught.value.partial is not None


@pytest.mark.parametrize("way", CHAT)
async def test_bad_input_is_an_error_before_anything_is_sent(
    llm: AIMLAPI, emu: Emulator, way: str
) -> None:
    orphan = ChatMessage(role="tool", content="42", additional_kwargs={"tool_call_id": "c9"})
    for messages in ([], [orphan]):
        with pytest.raises(InvalidRequestError):
            await items(llm, way, messages)
    with pytest.raises(InvalidRequestError, match="temperature"):
        await items(llm, way, HELLO, temprature=1)
    assert emu.requests == []


@pytest.mark.parametrize("way", CHAT)
async def test_text_ends_before_a_stop_sequence(llm: AIMLAPI, way: str) -> None:
    came = await items(llm, way, [ChatMessage(content="one two three")], stop=["two"])
    assert came[-1].message.content.endswith("one ")
    assert came[-1].additional_kwargs["finish_reason"] == "stop"
    if "stream" in way:
        assert "".join(item.delta for item in came) == came[-1].message.content


@pytest.mark.parametrize("way", CHAT)
async def test_of_several_answers_the_first_is_the_message(llm: AIMLAPI, way: str) -> None:
    answer = await last(llm, way, HELLO, n=2)
    first, second = (choice["message"]["content"] for choice in answer.raw["choices"])
    assert answer.message.content == first
    assert second


@pytest.mark.parametrize("kind", ["image", "document"])
@pytest.mark.parametrize("way", CHAT)
async def test_media_reach_the_service(llm: AIMLAPI, emu: Emulator, way: str, kind: str) -> None:
    block = ImageBlock(image=PNG) if kind == "image" else DocumentBlock(data=PDF_FILE, title="r")
    await last(llm, way, [ChatMessage(blocks=[TextBlock(text="See this."), block])])
    assert [part["type"] for part in emu.requests[-1].body["messages"][0]["content"]] == [
        "text",
        "image_url" if kind == "image" else "file",
    ]
    assert emu.requests[-1].problems == ()


def test_the_signature_of_a_subclass_is_the_constructor_s_before_an_object_is_made() -> None:
    """Editors and notebooks show it."""

    class Extended(AIMLAPI):
        extra: int = 3

    names = inspect.signature(Extended).parameters
    assert {"model", "api_key", "temperature", "extra"} <= set(names)
