"""Tools of a local MCP server, started by LlamaIndex's own client, in agents over the model."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ToolCallResult
from llama_index.core.base.llms.types import DocumentBlock, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.tools.mcp import BasicMCPClient, McpToolSpec
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI, mcp_tools
from llama_index_aimlapi.mcp import to_blocks
from tests.llama_index import mcp_server
from tests.llama_index.test_agents import pytestmark as _quiet
from tests.llama_index.test_agents import start
from tests.waiting import LONG_S

Make = Callable[..., AIMLAPI]
pytestmark = _quiet
ENDPOINT = pytest.mark.parametrize("endpoint", ["chat", "responses"])
SERVER = str(Path(mcp_server.__file__))
PNG_URL = f"data:image/png;base64,{mcp_server.PNG}"


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def assert_gone(pids: Path, servers: int) -> None:
    started = [int(line) for line in pids.read_text().split()]
    assert len(started) == servers
    assert all(map(is_gone, started))


@asynccontextmanager
async def served(pids: Path) -> AsyncIterator[list[FunctionTool]]:
    """The server's tools over one session; after it the server is gone."""
    parameters = StdioServerParameters(command=sys.executable, args=[SERVER, str(pids)])
    async with stdio_client(parameters) as streams, ClientSession(*streams) as session:
        await session.initialize()
        yield mcp_tools(await McpToolSpec(session).to_tool_list_async())
    assert_gone(pids, 1)


async def run(agent: Any, text: str) -> tuple[str, list[ToolCallResult]]:
    """What the agent answers, and the results of the tools that it ran."""
    handler = start(agent, text)
    results = [e async for e in handler.stream_events() if isinstance(e, ToolCallResult)]
    return str(await handler), results


def last_results(emu: Emulator) -> tuple[Any, str]:
    """The last tool result that reached the model as text, and all that stands behind it."""
    body = emu.requests[-1].body
    rows = body.get("messages") or body["input"]
    at = max(i for i, row in enumerate(rows) if "tool_call_id" in row or "output" in row)
    return rows[at].get("content", rows[at].get("output")), str(rows[at + 1 :])


# Whether the agent streams does not depend on the endpoint.
@pytest.mark.parametrize(("endpoint", "streaming"), [("chat", True), ("responses", False)])
async def test_function_agent_uses_mcp_tools(
    make: Make, emu: Emulator, tmp_path: Path, endpoint: str, streaming: bool
) -> None:
    llm = make(model="openai/gpt-5-2-chat-latest", endpoint=endpoint)  # takes images on both
    async with served(tmp_path / "pids") as tools:
        agent = FunctionAgent(tools=list(tools), llm=llm, streaming=streaming)
        answer, (product,) = await run(agent, "Use multiply to multiply 6 by 7.")
        assert "42" in answer
        assert product.tool_output.content == last_results(emu)[0] == "42"
        answer, (time,) = await run(agent, "Use clock.")
        assert "noon" in answer
        assert time.tool_kwargs == {}
        _, (drawn,) = await run(agent, "Use chart for the topic 'sales'.")
        assert drawn.tool_output.content == "The chart of sales.\n[audio audio/wav]"
        text, behind = last_results(emu)
        assert text == drawn.tool_output.content
        assert PNG_URL in behind
    assert all(seen.problems == () for seen in emu.requests)


@ENDPOINT
async def test_a_nested_schema_and_an_error_go_there_and_back(
    make: Make, emu: Emulator, tmp_path: Path, endpoint: str
) -> None:
    async with served(tmp_path / "pids") as tools:
        by_name = {tool.metadata.get_name(): tool for tool in tools}
        llm = make(endpoint=endpoint)
        agent = FunctionAgent(tools=[by_name["book"]], llm=llm, initial_tool_choice="book")
        answer, (booked,) = await run(agent, "Book a trip from the city 'Bern'.")
        assert "Booked from" in answer
        assert booked.tool_output.is_error is False
        (sent,) = emu.requests[0].body["tools"]
        assert set(sent.get("function", sent)["parameters"]["$defs"]) == {"Place", "Trip"}
        agent = FunctionAgent(tools=[by_name["divide"]], llm=llm)
        answer, (divided,) = await run(agent, "Use divide to divide 6 by 0.")
        assert divided.tool_output.is_error is True
        assert "division by zero" in last_results(emu)[0]
        assert "division by zero" in answer
    assert all(seen.problems == () for seen in emu.requests)


async def test_an_agent_workflow_hands_over_to_one_with_mcp_tools(
    make: Make, tmp_path: Path
) -> None:
    llm = make(endpoint="responses")
    async with served(tmp_path / "pids") as tools:
        first = FunctionAgent(
            name="greeter",
            description="Greets.",
            tools=[],
            llm=llm,
            can_handoff_to=["mathematician"],
            initial_tool_choice="handoff",
        )
        second = FunctionAgent(
            name="mathematician", description="Multiplies.", tools=list(tools), llm=llm
        )
        workflow = AgentWorkflow(agents=[first, second], root_agent="greeter")
        question = "Use multiply to multiply 6 by 7. to_agent: mathematician"
        answer, results = await run(workflow, question)
    assert [result.tool_name for result in results] == ["handoff", "multiply"]
    assert "42" in answer


async def test_a_client_that_starts_a_server_for_each_call(
    make: Make, emu: Emulator, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    client = BasicMCPClient(sys.executable, args=[SERVER, str(pids)], timeout=int(LONG_S))
    spec = McpToolSpec(client, allowed_tools=["multiply"])
    # As LlamaIndex gives them: the result's repr is the text.
    tools = await spec.to_tool_list_async()
    answer, _ = await run(
        FunctionAgent(tools=list(tools), llm=make()), "Use multiply to multiply 6 by 7."
    )
    assert "42" in answer
    assert_gone(pids, 2)
    await client.http_client.aclose()


def part(**members: Any) -> SimpleNamespace:
    return SimpleNamespace(**members)


def test_every_part_of_a_result_becomes_a_block_or_is_named() -> None:
    page = part(uri="file:///page", mimeType="text/plain", text="Turn it on.")
    paper = part(uri="file:///paper", mimeType="application/pdf", blob="JVBERi0=")
    other = part(uri="file:///film", mimeType="video/mp4", blob="AAAA")
    link = part(type="resource_link", uri="file:///there", mimeType=None)
    rows = [part(type="resource", resource=page), part(resource=paper), part(resource=other), link]
    blocks = to_blocks(part(content=rows, isError=False))
    assert blocks == [
        TextBlock(text="Turn it on."),
        DocumentBlock(data=b"JVBERi0=", document_mimetype="application/pdf"),
        TextBlock(text="[file:///film video/mp4]"),
        TextBlock(text="[file:///there]"),
    ]
    image = part(uri="file:///image", mimeType="image/png", blob=mcp_server.PNG)
    (drawn,) = to_blocks(part(contents=[image]))  # what reading a resource gives
    assert isinstance(drawn, ImageBlock)


def test_a_result_without_parts_is_its_data() -> None:
    empty = part(content=[], structuredContent={"sum": 3}, isError=False)
    assert to_blocks(empty) == [TextBlock(text='{"sum": 3}')]


async def test_results_of_other_tools_stay_and_wrapping_twice_does_no_harm() -> None:
    def double(number: int) -> int:
        """Double a number."""
        return 2 * number

    async def greet() -> SimpleNamespace:
        """Greet."""
        return part(content=[part(text="Hello")], isError=False)

    tools = [FunctionTool.from_defaults(double), FunctionTool.from_defaults(async_fn=greet)]
    once = mcp_tools(tools)
    for doubling, greeting in (once, mcp_tools(once)):
        assert (await doubling.acall(number=3)).content == "6"
        assert doubling.call(number=3).content == "6"
        assert (await greeting.acall()).content == "Hello"


def test_an_error_without_words_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="did not say why"):
        to_blocks(part(content=[], isError=True))
