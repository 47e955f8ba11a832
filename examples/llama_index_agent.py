"""A LlamaIndex FunctionAgent with a tool, streamed."""

import asyncio

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set
from llama_index.core.agent.workflow import AgentStream, FunctionAgent, ToolCallResult

from llama_index_aimlapi import AIMLAPI


def population(city: str) -> str:
    """The population of a city."""
    return f"{city}: 2,102,650 people"


async def main() -> None:
    agent = FunctionAgent(tools=[population], llm=AIMLAPI(model="openai/gpt-5-2"))
    run = agent.run("What is the population of Paris?")
    async for event in run.stream_events():
        if isinstance(event, ToolCallResult):
            print(f"  [{event.tool_name} -> {event.tool_output.content}]")
        elif isinstance(event, AgentStream):
            print(event.delta, end="", flush=True)
    await run
    print()


asyncio.run(main())
