"""pydantic-ai, both endpoints."""

from __future__ import annotations

from typing import Any

from checks import BASE_URL, KEY, MODEL, QUESTION, holds, run, weather
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider


class Place(BaseModel):
    """A city."""

    city: str


def agent(model: Any = OpenAIChatModel, **more: Any) -> Any:
    client = AsyncOpenAI(base_url=BASE_URL, api_key=KEY, max_retries=0)  # of the check's own loop
    return Agent(model(MODEL, provider=OpenAIProvider(openai_client=client)), retries=0, **more)


def chat() -> None:
    holds("Hello", agent().run_sync("Hello").output)


async def stream() -> None:
    async with agent().run_stream("Hello") as answer:
        holds("Hello", "".join([part async for part in answer.stream_text(delta=True)]))


def tools() -> None:
    holds("18 degrees in Paris", agent(tools=[weather]).run_sync(QUESTION).output)


def structured_output() -> None:
    found = agent(output_type=Place).run_sync("I live in Paris.").output
    assert found == Place(city="Paris")


def responses() -> None:
    holds("Hello", agent(OpenAIResponsesModel).run_sync("Hello").output)


async def responses_stream() -> None:
    async with agent(OpenAIResponsesModel).run_stream("Hello") as answer:
        holds("Hello", "".join([part async for part in answer.stream_text(delta=True)]))


def responses_tools() -> None:
    asked = agent(OpenAIResponsesModel, tools=[weather])
    holds("18 degrees in Paris", asked.run_sync(QUESTION).output)


def responses_structured_output() -> None:
    found = agent(OpenAIResponsesModel, output_type=Place).run_sync("I live in Paris.").output
    assert found == Place(city="Paris")


run(
    *(chat, stream, tools, structured_output),
    *(responses, responses_stream, responses_tools, responses_structured_output),
)
