"""LangChain streams as they come: text, reasoning and the pieces of a tool call, sync and async."""

import asyncio

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set
from langchain_core.messages import AIMessageChunk

from langchain_aimlapi import ChatAIMLAPI


def weather(city: str) -> str:
    """The weather in a city right now."""
    return f"18 degrees in {city}"


model = ChatAIMLAPI(model="openai/gpt-5-2")

print("Text: ", end="")
for chunk in model.stream("Say hello to the puffins."):
    print(chunk.text, end="|", flush=True)

print("\nReasoning, then text: ", end="")
thinking = ChatAIMLAPI(model="openai/gpt-5-2", endpoint="responses", reasoning_summary="auto")
for chunk in thinking.stream("How many legs have three puffins?"):
    for block in chunk.content_blocks:
        if block["type"] == "reasoning":
            print(f"({block.get('reasoning', '')})", end="", flush=True)
        elif block["type"] == "text":
            print(block["text"], end="|", flush=True)


async def tool_call() -> None:
    """The arguments grow chunk by chunk; the sum of the chunks is the whole message."""
    print("\nTool call: ", end="")
    whole: AIMessageChunk | None = None
    async for chunk in model.bind_tools([weather]).astream("What is the weather in Oslo?"):
        assert isinstance(chunk, AIMessageChunk)
        for piece in chunk.tool_call_chunks:
            print(piece["name"] or "", piece["args"] or "", sep="", end="|", flush=True)
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    print("\nIn whole:", whole.tool_calls[0]["name"], whole.tool_calls[0]["args"])
    print("Usage:", whole.usage_metadata)


asyncio.run(tool_call())
