"""A user's program with LangChain."""

from __future__ import annotations

from typing import Any

from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI

llm = ChatAIMLAPI(model="openai/gpt-5-2", temperature=0.2, api_key="x")
given: dict[str, Any] = {"model_name": "openai/gpt-5-2"}
other = ChatAIMLAPI(**given)
text: str = llm.invoke("hi").text
vector: list[float] = AIMLAPIEmbeddings(api_key="x", chunk_size=10).embed_query("hi")
chain = llm.with_structured_output({"title": "a", "type": "object", "properties": {}})
ChatAIMLAPI(temprature=0.2)  # type: ignore[call-arg]  # a misspelt name is an error
