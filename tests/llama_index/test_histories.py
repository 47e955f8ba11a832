"""Conversations that began with another integration, or that broke off, go on with `AIMLAPI`."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from llama_index.core import PromptTemplate, get_response_synthesizer
from llama_index.core.agent.workflow import FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import (
    AudioBlock,
    BaseContentBlock,
    ChatMessage,
    CitableBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.core.tools import FunctionTool
from llama_index.core.types import PydanticProgramMode
from llama_index.core.workflow import Context
from pydantic import BaseModel
from workflows.errors import WorkflowCancelledByUser

from aimlapi_core import HistoryWarning, InvalidRequestError, Text
from aimlapi_core._history.tool_results import NO_RESULT
from aimlapi_core._values import warn_once
from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI
from llama_index_aimlapi._request.messages import to_messages
from tests.llama_index.test_request_messages import PDF, PNG
from tests.llama_index.ways import CHAT, COMPLETE, STRUCTURED, last

Make = Callable[..., AIMLAPI]
pytestmark = [
    pytest.mark.filterwarnings("ignore:Skipping serialization"),
    pytest.mark.filterwarnings("ignore:is_running called:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211"),
]
models = pytest.mark.parametrize("model", ["openai/gpt-5-2", "openai/gpt-5-2-pro"])


@pytest.fixture(autouse=True)
def _warnings_not_yet_given() -> Iterator[None]:
    warn_once._warned.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HistoryWarning)
        yield


class Dumped:
    """A pydantic object of another integration."""

    def __init__(self, **members: Any) -> None:
        self._members = members

    def model_dump(self) -> dict[str, Any]:
        return self._members


# Rows of `additional_kwargs["tool_calls"]` and the id in the result's `tool_call_id`.
ROWS: dict[str, tuple[Any, str | None]] = {
    "OpenAI": ({"id": "c1", "function": {"name": "add", "arguments": '{"a": 1}'}}, "c1"),
    "OpenAI Responses": (
        Dumped(id="fc_1", call_id="c1", name="add", arguments='{"a": 1}', type="function_call"),
        "c1",
    ),
    "Anthropic": ({"id": "c1", "input": {"a": 1}, "name": "add", "type": "tool_use"}, "c1"),
    "Bedrock": ({"toolUseId": "c1", "input": {"a": 1}, "name": "add"}, "c1"),
    "Bedrock, nested": ({"toolUse": {"toolUseId": "c1", "input": {"a": 1}, "name": "add"}}, "c1"),
    "Gemini": ({"id": "c1", "name": "add", "args": {"a": 1}}, "c1"),
    "Gemini without an id": ({"id": None, "name": "add", "args": {"a": 1}}, "add"),
    "Gemini without any id": ({"name": "add", "args": {"a": 1}}, None),
    "Gemini's objects": (SimpleNamespace(name="add", args={"a": 1}), "add"),
    "Ollama": ({"function": {"name": "add", "arguments": {"a": 1}}}, "add"),
    "Cohere": ({"id": "c1", "name": "add", "parameters": {"a": 1}}, "c1"),
    "a newer one": ({"tool_call_id": "c1", "tool_name": "add", "tool_kwargs": {"a": 1}}, "c1"),
}


def calls_and_results(body: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(id, name, arguments) of each call and (id, "", text) of each result, on both endpoints."""
    return [row for item in body.get("messages") or body["input"] for row in _rows(item)]


def _rows(item: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for call in item.get("tool_calls", ()):
        yield call["id"], call["function"]["name"], call["function"]["arguments"]
    if item.get("type") == "function_call":
        yield item["call_id"], item["name"], item["arguments"]
    if item.get("role") == "tool":
        yield item["tool_call_id"], "", item["content"]
    if item.get("type") == "function_call_output":
        yield item["call_id"], "", item["output"]


@pytest.mark.half("shape", "twice", "way", "model")
@models
@pytest.mark.parametrize("way", CHAT)
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("shape", ROWS)
async def test_a_memory_of_another_integration_goes_on(
    shape: str, twice: bool, way: str, model: str, make: Make, emu: Emulator
) -> None:
    row, result_id = ROWS[shape]
    turn = [
        ChatMessage(content="add"),
        ChatMessage(role="assistant", content="", additional_kwargs={"tool_calls": [row]}),
        ChatMessage(role="tool", content="3", additional_kwargs={"tool_call_id": result_id}),
    ]
    await last(make(model=model), way, [*turn * (1 + twice), ChatMessage(content="thanks")])
    (seen,) = emu.requests
    assert seen.problems == ()
    sent = calls_and_results(seen.body)
    assert [row[1:] for row in sent] == [("add", '{"a": 1}'), ("", "3")] * (1 + twice)
    assert [row[0] for row in sent[::2]] == [row[0] for row in sent[1::2]]
    assert len({row[0] for row in sent}) == 1 + twice


def test_two_calls_of_one_tool_without_ids_get_different_ones(llm: AIMLAPI, emu: Emulator) -> None:
    call = ToolCallBlock(tool_name="now", tool_kwargs={})
    results = [
        ChatMessage(role="tool", content=text, additional_kwargs={"tool_call_id": "now"})
        for text in ("12:00", "12:01")
    ]
    llm.chat([ChatMessage("time?"), ChatMessage(role="assistant", blocks=[call, call]), *results])
    first, second, *given = calls_and_results(emu.requests[0].body)
    assert first[0] != second[0]
    assert given == [(first[0], "", "12:00"), (second[0], "", "12:01")]


def test_a_function_message_answers_its_call(llm: AIMLAPI, emu: Emulator) -> None:
    old = {"function_call": {"name": "add", "arguments": '{"a": 1}'}}
    llm.chat(
        [
            ChatMessage("add"),
            ChatMessage(role="assistant", content="", additional_kwargs=old),
            ChatMessage(role="function", content="3", additional_kwargs={"name": "add"}),
        ]
    )
    call, result = calls_and_results(emu.requests[0].body)
    assert call[1:] == ("add", '{"a": 1}')
    assert result == (call[0], "", "3")


class NewerBlock(BaseContentBlock):
    block_type: str = "newer"


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (ImageBlock(image=PNG), "(image made by the assistant)"),
        (ImageBlock.model_construct(path="/no/such/file.png"), "(image made by the assistant)"),
        (DocumentBlock(data=PDF, title="report"), "(document made by the assistant: report)"),
        (AudioBlock(audio=b"x", format="wav"), "(audio made by the assistant)"),
        (VideoBlock(video=b"x"), "(video made by the assistant)"),
        (
            CitableBlock(title="t", source="s", content=[TextBlock(text="x")]),
            "t (s)\nx",
        ),
        (ThinkingBlock(content="hm", additional_information={"signature": "x"}), None),
        (NewerBlock(), None),
    ],
)
def test_no_block_of_an_assistant_ends_a_conversation(block: Any, text: str | None) -> None:
    message = ChatMessage.model_construct(
        role="assistant", blocks=[TextBlock(text="Yes."), block], additional_kwargs={}
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        converted = [to_messages([message]) for _ in range(2)]
    assert converted[0][0].parts == (Text("Yes." if text is None else f"Yes.\n{text}"),)
    assert len(caught) == (text is None), "what is left out is reported once"


def test_a_name_with_a_space_is_made_fit(llm: AIMLAPI, emu: Emulator) -> None:
    llm.chat([ChatMessage(content="hi", additional_kwargs={"name": "John Doe <john>"})])
    assert emu.requests[0].problems == ()
    assert emu.requests[0].body["messages"][0]["name"] == "John_Doe_john"


@pytest.mark.parametrize("mime", ["image/jpg", "IMAGE/JPEG"])
def test_an_image_is_taken_by_any_spelling_of_its_mime_type(
    mime: str, llm: AIMLAPI, emu: Emulator
) -> None:
    url = f"data:{mime};base64,/9j/4AAQ"
    llm.chat([ChatMessage(blocks=[ImageBlock(url=url)])])
    assert "data:image/jpeg;base64,/9j/4AAQ" in str(emu.requests[0].body)


CALLED = ChatMessage(
    role="assistant",
    blocks=[
        ToolCallBlock(tool_call_id="c1", tool_name="add", tool_kwargs={}),
        ToolCallBlock(tool_call_id="c2", tool_name="add", tool_kwargs={}),
    ],
)


@models
@pytest.mark.parametrize("way", CHAT)
async def test_a_memory_with_a_call_without_a_result_goes_on(
    way: str, model: str, make: Make, emu: Emulator
) -> None:
    """As after a `return_direct` beside a parallel call."""
    answered = ChatMessage(role="tool", content="3", additional_kwargs={"tool_call_id": "c2"})
    history = [ChatMessage("add"), CALLED, answered, ChatMessage("and?")]
    with pytest.warns(HistoryWarning, match=r"add \(c1\) have no result"):
        await last(make(model=model), way, history)
    assert calls_and_results(emu.requests[0].body)[2:] == [
        ("c2", "", "3"),
        ("c1", "", NO_RESULT),
    ]
    strict = make(model=model, unanswered_tool_calls="raise")
    with pytest.raises(InvalidRequestError, match=r"\['c1'\] of message 1 have no result"):
        await last(strict, way, history)
    with pytest.raises(InvalidRequestError, match=r"\['c1'\] of message 1 have no result"):
        await last(make(model=model), way, history, unanswered_tool_calls="raise")


@pytest.mark.parametrize("streaming", [True, False])
async def test_an_agent_goes_on_after_a_run_that_was_cancelled(
    streaming: bool, make: Make, emu: Emulator
) -> None:
    started = asyncio.Event()

    async def multiply(a: int, b: int) -> int:
        """Multiply two numbers."""
        started.set()
        await asyncio.sleep(3600)
        return a * b

    emu.when("17", tool_call="multiply", arguments={"a": 17, "b": 3}, times=1)
    memory = ChatMemoryBuffer.from_defaults(token_limit=10_000)
    agent = FunctionAgent(
        tools=[FunctionTool.from_defaults(async_fn=multiply)], llm=make(), streaming=streaming
    )
    context: Context[Any] = Context(agent)
    first = agent.run("multiply 17 and 3", memory=memory, ctx=context)
    await started.wait()
    await first.cancel_run()
    with pytest.raises(WorkflowCancelledByUser):
        await first
    answer = await agent.run("hello", memory=memory, ctx=context)
    assert str(answer)
    assert NO_RESULT in str(emu.requests[-1].body)


HALF, WHOLE = "Let \ud835 be a set", "Let \ufffd be a set"
replacing = pytest.mark.filterwarnings("ignore::aimlapi_core.ReplacedCharacterWarning")


@replacing
@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("agent", [FunctionAgent, ReActAgent])
async def test_half_a_character_of_a_tools_result_ends_no_run(
    agent: Any, streaming: bool, llm: AIMLAPI, emu: Emulator
) -> None:
    def read_pdf() -> str:
        """Read the pdf."""
        return HALF

    memory = ChatMemoryBuffer.from_defaults(token_limit=10_000)
    made = agent(tools=[read_pdf], llm=llm, streaming=streaming)
    assert str(await made.run("Use read_pdf to read the pdf", memory=memory))
    assert WHOLE in str(emu.requests[-1].body)


@replacing
def test_half_a_character_of_a_tools_file_ends_no_run(llm: AIMLAPI, emu: Emulator) -> None:
    call = ToolCallBlock(tool_call_id="c\ud835", tool_name="look", tool_kwargs={})
    result = ChatMessage(
        role="tool",
        blocks=[DocumentBlock(data=PDF, title="a\ud835")],
        additional_kwargs={"tool_call_id": "c\ud835"},
    )
    llm.chat([ChatMessage("look"), ChatMessage(role="assistant", blocks=[call]), result])
    assert "a\ufffd.pdf" in str(emu.requests[0].body)


class City(BaseModel):
    """A city."""

    name: str


@replacing
@pytest.mark.parametrize("way", ["predict", "apredict", "stream", "astream", *STRUCTURED])
async def test_half_a_character_of_a_retrieved_text_is_replaced(
    way: str, llm: AIMLAPI, emu: Emulator
) -> None:
    prompt = PromptTemplate("{context_str}. What is the name: Oslo?")
    classes = [City] if way in STRUCTURED else []
    made = getattr(llm, way)(*classes, prompt, context_str=HALF)
    made = await made if way.startswith("a") else made
    if "stream" in way:
        _ = [item async for item in made] if way.startswith("a") else list(made)
    assert WHOLE in str(emu.requests[0].body)


@replacing
@pytest.mark.parametrize("mode", PydanticProgramMode)
@pytest.mark.parametrize("way", STRUCTURED)
async def test_half_a_character_is_replaced_in_every_mode_of_structured_prediction(
    way: str, mode: PydanticProgramMode, make: Make, emu: Emulator
) -> None:
    llm = make(pydantic_program_mode=mode)
    with suppress(ImportError, ValueError):  # modes that need other packages
        await last(llm, way, City, PromptTemplate("{text}. name: Oslo"), text=HALF)
        assert WHOLE in str(emu.requests[0].body)


@replacing
@pytest.mark.parametrize("mode", ["compact", "refine", "tree_summarize", "accumulate"])
def test_a_synthesizer_answers_from_a_broken_node(mode: Any, llm: AIMLAPI, emu: Emulator) -> None:
    synthesizer = get_response_synthesizer(llm=llm, response_mode=mode)
    nodes = [NodeWithScore(node=TextNode(text=HALF, id_="n1"))]
    assert str(synthesizer.synthesize("What is a set?", nodes))
    assert WHOLE in str(emu.requests[-1].body)


@pytest.mark.parametrize("way", [*CHAT, *COMPLETE])
async def test_half_a_character_in_the_callers_message_is_named(
    way: str, llm: AIMLAPI, emu: Emulator
) -> None:
    prompt: Any = HALF if way in COMPLETE else [ChatMessage(HALF)]
    with pytest.raises(InvalidRequestError, match=r"\[0\]\.content holds '.ud835', half of a char"):
        await last(llm, way, prompt)
    assert emu.requests == []


@models
@pytest.mark.parametrize("way", CHAT)
@pytest.mark.parametrize("form", ["block", "row"])
async def test_calls_with_python_values_go_on(
    form: str, way: str, model: str, make: Make, emu: Emulator
) -> None:
    """A program, a stored memory or another integration has put them into the history."""
    given: dict[str, Any] = {"raw": b"x", "tags": {"b", "a"}, "at": {(1, 2): UUID(int=1)}}
    loop: dict[str, Any] = {}
    loop["self"] = loop
    given["loop"] = loop
    block = ToolCallBlock(tool_call_id="c1", tool_name="buy", tool_kwargs=given)
    row = {"id": "c1", "name": "buy", "input": given}
    call = ChatMessage(
        role="assistant",
        blocks=[block] if form == "block" else [],
        additional_kwargs={"tool_calls": [row]} if form == "row" else {},
    )
    result = ChatMessage(role="tool", content="ok", additional_kwargs={"tool_call_id": "c1"})
    await last(make(model=model), way, [ChatMessage(content="go"), call, result])
    (seen,) = emu.requests
    assert seen.problems == ()
    (_, name, written), _ = calls_and_results(seen.body)
    assert name == "buy"
    assert json.loads(written) == {
        "raw": "x",
        "tags": ["a", "b"],
        "at": {"[1, 2]": str(UUID(int=1))},
        "loop": {"self": "[circular]"},
    }
