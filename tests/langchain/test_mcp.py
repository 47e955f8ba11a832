"""Tools of a local MCP server in `create_agent`, on both endpoints."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, StructuredTool
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools

from aimlapi_emulator import Emulator
from langchain_aimlapi import ChatAIMLAPI

Make = Callable[..., ChatAIMLAPI]
SERVER = str(Path(__file__).with_name("mcp_server.py"))


def client() -> MultiServerMCPClient:
    connection: Any = {"transport": "stdio", "command": sys.executable, "args": [SERVER]}
    return MultiServerMCPClient({"tests": connection})


def made_sync(tool: BaseTool, portal: BlockingPortal) -> BaseTool:
    """The tool, which has async code only, for sync agents."""

    def run(**arguments: Any) -> Any:
        return portal.call(partial(tool.coroutine, **arguments))  # type: ignore[attr-defined]  # a StructuredTool

    return StructuredTool.from_function(
        run,
        name=tool.name,
        description=tool.description,
        args_schema=tool.args_schema,
        response_format="content_and_artifact",
        handle_tool_error=tool.handle_tool_error,
        infer_schema=False,
    )


def answered(how: str, model: ChatAIMLAPI, *tasks: str) -> list[list[Any]]:
    """The messages of an agent with the server's tools, for each task in turn."""

    def ask(tools: Sequence[BaseTool]) -> Any:
        return create_agent(model, tools)

    if how == "sync":
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(client().session("tests")) as session,
        ):
            agent = ask([made_sync(t, portal) for t in portal.call(load_mcp_tools, session)])
            return [agent.invoke({"messages": [HumanMessage(t)]})["messages"] for t in tasks]

    async def run() -> list[list[Any]]:
        async with client().session("tests") as session:
            agent = ask(await load_mcp_tools(session))
            return [
                (await agent.ainvoke({"messages": [HumanMessage(t)]}))["messages"] for t in tasks
            ]

    return asyncio.run(run())


def results(messages: Sequence[Any]) -> list[ToolMessage]:
    return [m for m in messages if isinstance(m, ToolMessage)]


# Which endpoint carries a tool's result does not depend on how the agent is called.
@pytest.mark.parametrize(("how", "endpoint"), [("sync", "chat"), ("async", "responses")])
def test_an_agent_runs_the_tools_of_a_server(
    how: str, endpoint: str, chat: Make, emu: Emulator
) -> None:
    model = chat(endpoint=endpoint)
    task = 'temperature of city: "Oslo", then identify yourself'
    tasks = (task, "travel with the tram", "assemble whole", "explode please")
    plain, nested, recursive, failed = answered(how, model, *tasks)
    texts = {m.name: str(m.text) for m in results(plain)}
    assert texts["temperature"] == "18 degrees in Oslo"
    assert "18 degrees in Oslo" in plain[-1].text
    (trip,) = results(nested)
    assert trip.status == "success"
    assert str(trip.text).startswith("from ")
    assert [m.status for m in results(recursive)] == ["success"]
    (error,) = results(failed)
    assert (error.status, "fuse is wet" in str(error.text)) == ("error", True)
    assert "fuse is wet" in failed[-1].text
    assert [seen.problems for seen in emu.requests if seen.problems] == []
    (process,) = re.findall(r"process (\d+)", texts["identify"])
    with pytest.raises(ProcessLookupError):
        os.kill(int(process), 0)


def test_images_and_schemas_of_a_server_reach_the_model(chat: Make, emu: Emulator) -> None:
    (messages,) = answered("async", chat(), "photograph subject: harbour")
    (result,) = results(messages)
    assert [block["type"] for block in result.content_blocks] == ["text", "image", "text"]
    *_, tool, user = emu.requests[-1].body["messages"]
    assert tool["content"] == "a photo of harbour\na note"
    assert user["content"][1]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    sent = {
        t["function"]["name"]: t["function"]["parameters"] for t in emu.requests[-1].body["tools"]
    }
    assert sent["identify"]["properties"] == {}
    stop = sent["travel"]["properties"]["trip"]["properties"]["start"]
    assert stop["properties"]["means"]["enum"] == ["bus", "tram"]
    part = sent["assemble"]["$defs"]["Part"]
    assert part["properties"]["parts"]["items"] == {"$ref": "#/$defs/Part"}
    assert emu.requests[-1].problems == ()


@pytest.mark.parametrize("arguments", [{"endpoint": "responses"}, {"model": "openai/gpt-5-2-pro"}])
def test_images_of_a_server_are_named_where_no_model_sees_them(
    arguments: Any, chat: Make, emu: Emulator
) -> None:
    (messages,) = answered("async", chat(**arguments), "photograph subject: harbour")
    assert messages[-1].type == "ai"
    *_, result = emu.requests[-1].body["input"]
    assert result["output"] == (
        "a photo of harbour\na note\n(1 image, which this model cannot see)"
    )
    assert emu.requests[-1].problems == ()


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_what_a_server_gives_ends_no_run(endpoint: str, chat: Make, emu: Emulator) -> None:
    (messages,) = answered("async", chat(endpoint=endpoint), "sketch subject: harbour")
    assert [m.status for m in results(messages)] == ["success"]
    assert "a sketch of harbour" in messages[-1].text
    assert emu.requests[-1].problems == ()
