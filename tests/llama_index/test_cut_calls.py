"""A tool call that was cut is never run, by any agent, and says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.tools import FunctionTool

from aimlapi_emulator import Emulator, Fault
from llama_index_aimlapi import AIMLAPI
from llama_index_aimlapi.errors import InvalidToolCallError
from tests.llama_index.ways import CHAT, last

Make = Callable[..., AIMLAPI]
pytestmark = [
    pytest.mark.filterwarnings("ignore:is_running called:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211"),
]
models = pytest.mark.parametrize("model", ["openai/gpt-5-2", "openai/gpt-5-2-pro"])
reasons = pytest.mark.parametrize("reason", ["length", "content_filter"])
REMEDY = {"length": "Raise max_tokens", "content_filter": "Change the prompt"}


def pay_tool() -> tuple[FunctionTool, list[Any]]:
    """A tool that takes anything, and what it was run with."""
    runs: list[Any] = []

    def pay(**arguments: Any) -> str:
        """Pay."""
        runs.append(arguments)
        return "paid"

    return FunctionTool.from_defaults(pay), runs


WHOLE = {"to": "bob", "meta": {"x": "y"}, "rows": [{"a": [1, 2]}], "amount": 100}
CALL = f"Thought: I pay.\nAction: pay\nAction Input: {json.dumps(WHOLE)}"
BEGINNINGS = [
    'Action: pay\nAction Input: {"to": "bob", "meta": {"x": "y"}, "amount": 1',
    'Action: pay\nAction Input: {"meta": {"x": 1}, "rows": [{"a": [1',
    'Action: pay\nAction Input: {"meta": {"x": 1}',
    'Action: pay\nAction Input: {"to": "b',
    "Action: pay\nAction Input:",
    "Action: pay\nAction In",
]


def cut_at(emu: Emulator, model: str, text: str, reason: str) -> None:
    """The next answer is this text, and was cut."""
    if "pro" in model:
        part: Any = {"type": "output_text", "text": text, "annotations": []}
        item = {"type": "message", "id": "m", "role": "assistant", "content": [part]}
        details = {"reason": {"length": "max_output_tokens"}.get(reason, reason)}
        answer: Any = {"status": "incomplete", "incomplete_details": details, "output": [item]}
        answer = {"id": "r", "object": "response", "created_at": 1, "model": model, **answer}
    else:
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        answer = {"id": "c", "object": "chat.completion", "created": 1, "choices": [choice]}
    emu.faults.append(Fault(raw_body=json.dumps(answer).encode(), content_type="application/json"))


@models
@reasons
@pytest.mark.parametrize("beginning", BEGINNINGS)
async def test_a_react_agent_runs_no_call_that_was_cut(
    beginning: str, reason: str, model: str, make: Make, emu: Emulator
) -> None:
    """LlamaIndex's parser would repair its arguments and run the tool with the wrong ones."""
    pay, runs = pay_tool()
    cut_at(emu, model, f"Thought: I pay.\n{beginning}", reason)
    agent = ReActAgent(tools=[pay], llm=make(model=model), streaming=False)
    with pytest.raises(Exception, match=f"call of tool 'pay' was not run.*{REMEDY[reason]}"):
        await agent.run("pay bob")
    assert runs == []
    assert len(emu.requests) == 1


@models
@reasons
@pytest.mark.parametrize("way", CHAT)
async def test_every_way_of_asking_says_that_the_call_was_cut(
    way: str, reason: str, model: str, make: Make, emu: Emulator
) -> None:
    emu.faults.append(Fault(finish_reason=reason))
    emu.when("pay", text=CALL)
    prompt = [ChatMessage("Use Action: and Action Input: to call tools"), ChatMessage("pay bob")]
    with pytest.raises(InvalidToolCallError, match=REMEDY[reason]) as caught:
        await last(make(model=model), way, prompt)
    assert "Action: pay" in caught.value.body


@reasons
@pytest.mark.parametrize("way", CHAT)
async def test_a_cut_text_without_a_call_is_an_answer(
    way: str, reason: str, make: Make, emu: Emulator
) -> None:
    """So is one that only looks like a call, where nobody asked for such."""
    emu.when("pay", text=CALL)
    for prompt in ("pay bob", "Action Input: hello"):
        emu.faults.append(Fault(finish_reason=reason))
        answer = await last(make(), way, [ChatMessage(prompt)])
        assert answer.message.content


async def test_a_whole_call_before_the_cut_is_run(make: Make, emu: Emulator) -> None:
    pay, runs = pay_tool()
    cut_at(emu, "openai/gpt-5-2", f"{CALL}\nObserv", "length")
    await ReActAgent(tools=[pay], llm=make(), streaming=False).run("pay bob")
    assert runs == [WHOLE]


@models
@reasons
@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("kind", ["FunctionAgent", "AgentWorkflow"])
async def test_agents_run_no_call_that_was_cut(
    kind: str, streaming: bool, reason: str, model: str, make: Make, emu: Emulator
) -> None:
    pay, runs = pay_tool()
    emu.faults.append(Fault(finish_reason=reason))
    emu.when("pay", tool_call="pay", arguments=json.dumps(WHOLE))
    agent: Any = FunctionAgent(
        name="a", description="d", tools=[pay], llm=make(model=model), streaming=streaming
    )
    runner = agent if kind == "FunctionAgent" else AgentWorkflow(agents=[agent])
    with pytest.raises(Exception, match=f"call of tool 'pay' was not run.*{REMEDY[reason]}"):
        await runner.run("pay bob")
    assert runs == []


@models
@reasons
@pytest.mark.parametrize("way", ["predict_and_call", "apredict_and_call"])
async def test_predict_and_call_runs_no_call_that_was_cut(
    way: str, reason: str, model: str, make: Make, emu: Emulator
) -> None:
    pay, runs = pay_tool()
    emu.faults.append(Fault(finish_reason=reason))
    emu.when("pay", tool_call="pay", arguments=json.dumps(WHOLE))
    llm = make(model=model)

    async def run() -> Any:
        made: Any = getattr(llm, way)([pay], "pay bob")
        return await made if way.startswith("a") else made

    with pytest.raises(InvalidToolCallError, match=REMEDY[reason]):
        await run()
    assert runs == []


@pytest.mark.half("streaming", "arguments", "reason", "model")
@models
@reasons
@pytest.mark.parametrize("arguments", ["", " ", "{}", "null", "{ } {"])
@pytest.mark.parametrize("streaming", [True, False])
async def test_what_servers_send_before_the_arguments_runs_nothing_in_a_cut_answer(
    streaming: bool, arguments: str, reason: str, model: str, make: Make, emu: Emulator
) -> None:
    """`{}` and null come before the object too: a cut answer may have ended in between."""
    pay, runs = pay_tool()
    emu.when("pay", tool_call="pay", arguments=lambda _: arguments * 2)
    emu.faults.append(Fault(finish_reason=reason))  # it keeps the first half
    agent = FunctionAgent(tools=[pay], llm=make(model=model), streaming=streaming)
    with pytest.raises(Exception, match=f"call of tool 'pay' was not run.*{REMEDY[reason]}"):
        await agent.run("pay bob")
    assert runs == []
