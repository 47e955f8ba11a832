"""A user's program with LlamaIndex."""

from __future__ import annotations

from llama_index.core.llms import ChatMessage

from llama_index_aimlapi import AIMLAPI

llm = AIMLAPI(model="openai/gpt-5-2", temperature=0.2)
text: str | None = llm.chat([ChatMessage(content="Hi")]).message.content
for item in llm.stream_complete("Hi"):
    delta: str | None = item.delta
AIMLAPI(temprature=0.2)  # type: ignore[call-arg]  # a misspelt name is an error
