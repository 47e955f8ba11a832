"""A user's program with LangChain."""

from __future__ import annotations

from typing import Any, assert_type

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI


class Joke(BaseModel):
    """A joke."""

    setup: str
    punchline: str


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


llm = ChatAIMLAPI(model="openai/gpt-5-2", temperature=0.2, api_key="x")
given: dict[str, Any] = {"model_name": "openai/gpt-5-2"}
other = ChatAIMLAPI(**given)
text: str = llm.invoke("hi").text
vector: list[float] = AIMLAPIEmbeddings(api_key="x", chunk_size=10).embed_query("hi")
chain = llm.with_structured_output({"title": "a", "type": "object", "properties": {}})
assert_type(chain.invoke("hi"), Any)
assert_type(llm.with_structured_output(Joke), Runnable[LanguageModelInput, Joke])
setup: str = llm.with_structured_output(Joke).invoke("cats").setup
assert_type(llm.with_structured_output(Joke, include_raw=True).invoke("cats"), Any)
bound = llm.bind(stop=["."])
assert_type(bound.invoke("hi"), AIMessage)
assert_type(bound.with_structured_output(Joke).invoke("cats"), Joke)
assert_type(llm.bind_tools([add]).invoke("1 + 2"), AIMessage)
ChatAIMLAPI(reasoning_effort="high", endpoint="responses", truncation="a newer one")
ChatAIMLAPI(temprature=0.2)  # type: ignore[call-arg]  # a misspelt name is an error
