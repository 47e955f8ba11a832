"""openai-agents, both endpoints."""

from __future__ import annotations

from typing import Any

import agents
from checks import BASE_URL, KEY, MODEL, QUESTION, holds, run, weather
from openai import AsyncOpenAI
from pydantic import BaseModel

agents.set_tracing_disabled(disabled=True)


class Place(BaseModel):
    """A city."""

    city: str


def agent(kind: Any = agents.OpenAIChatCompletionsModel, **more: Any) -> Any:
    client = AsyncOpenAI(base_url=BASE_URL, api_key=KEY, max_retries=0)
    return agents.Agent(name="assistant", model=kind(MODEL, client), **more)


async def answer(question: str, **more: Any) -> Any:
    return (await agents.Runner.run(agent(**more), question)).final_output


async def streamed(**more: Any) -> Any:
    result = agents.Runner.run_streamed(agent(**more), "Hello")
    async for _ in result.stream_events():
        pass
    return result.final_output


ON_RESPONSES: dict[str, Any] = {"kind": agents.OpenAIResponsesModel}
TOOLS: dict[str, Any] = {"tools": [agents.function_tool(weather)]}


async def chat() -> None:
    holds("Hello", await answer("Hello"))


async def stream() -> None:
    holds("Hello", await streamed())


async def tools() -> None:
    holds("18 degrees in Paris", await answer(QUESTION, **TOOLS))


async def structured_output() -> None:
    assert await answer("I live in Paris.", output_type=Place) == Place(city="Paris")


async def responses() -> None:
    holds("Hello", await answer("Hello", **ON_RESPONSES))


async def responses_stream() -> None:
    holds("Hello", await streamed(**ON_RESPONSES))


async def responses_tools() -> None:
    holds("18 degrees in Paris", await answer(QUESTION, **TOOLS, **ON_RESPONSES))


async def responses_structured_output() -> None:
    found = await answer("I live in Paris.", output_type=Place, **ON_RESPONSES)
    assert found == Place(city="Paris")


run(
    *(chat, stream, tools, structured_output),
    *(responses, responses_stream, responses_tools, responses_structured_output),
)
