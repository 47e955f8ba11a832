"""A few short questions to the real service: `make live` (needs AIMLAPI_API_KEY, costs money)."""

from __future__ import annotations

import os

import pytest
from langchain_core.messages import HumanMessage

from aimlapi_core.models.gpt_5_2 import GPT_5_2
from langchain_aimlapi import ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not os.environ.get("AIMLAPI_API_KEY"), reason="AIMLAPI_API_KEY is not set"),
]
models = pytest.mark.parametrize("model", [row.id for row in GPT_5_2])


@models
def test_an_answer_comes_whole_and_streamed(model: str) -> None:
    chat = ChatAIMLAPI(model=model, max_retries=0)
    answer = chat.invoke("Answer with the one word: Łódź")
    assert "Łódź" in answer.text
    assert answer.usage_metadata is not None
    chunks = list(chat.stream("Answer with the one word: Łódź"))
    assert "Łódź" in "".join(chunk.text for chunk in chunks)
    print(answer.response_metadata)  # shown by `make live ARGS=-s`


@models
def test_a_tool_is_called(model: str) -> None:
    def weather(city: str) -> str:
        """The weather in a city right now."""
        return city

    bound = ChatAIMLAPI(model=model, max_retries=0).bind_tools([weather], tool_choice="any")
    answer = bound.invoke([HumanMessage("What is the weather in Paris?")])
    assert [call["name"] for call in answer.tool_calls] == ["weather"]


@models
def test_llama_index_streams(model: str) -> None:
    *_, last = AIMLAPI(model=model, max_retries=0).stream_complete("Answer with the one word: Łódź")
    assert "Łódź" in last.text
