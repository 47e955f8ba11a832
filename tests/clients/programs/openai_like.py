"""LlamaIndex's OpenAILike, with its agents."""

from __future__ import annotations

from checks import BASE_URL, KEY, MODEL, QUESTION, holds, run, weather
from llama_index.core.agent.workflow import FunctionAgent, ReActAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel


def model() -> OpenAILike:
    """A model of the check's own, since its client belongs to one event loop."""
    return OpenAILike(
        model=MODEL,
        api_base=BASE_URL,
        api_key=KEY,
        is_chat_model=True,
        is_function_calling_model=True,
        max_retries=0,
    )


class Place(BaseModel):
    """A city."""

    city: str


def chat() -> None:
    holds("Hello", model().chat([ChatMessage("Hello")]).message.content)


def stream() -> None:
    holds("Hello", list(model().stream_chat([ChatMessage("Hello")]))[-1].message.content)


async def tools() -> None:
    agent = FunctionAgent(tools=[weather], llm=model())
    holds("18 degrees in Paris", await agent.run(QUESTION))


async def react_agent() -> None:
    holds("18 degrees in Paris", await ReActAgent(tools=[weather], llm=model()).run(QUESTION))


def structured_output() -> None:
    found = model().structured_predict(Place, PromptTemplate("I live in {where}."), where="Paris")
    assert found == Place(city="Paris")


run(chat, stream, tools, react_agent, structured_output)
