"""A LangChain agent: two tools called in parallel, both results used, streamed."""

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage

from langchain_aimlapi import ChatAIMLAPI


def weather(city: str) -> str:
    """The weather in a city right now."""
    return f"{city}: 18 degrees and a light breeze"


def local_time(city: str) -> str:
    """The local time in a city right now."""
    return f"{city}: 14:05"


agent = create_agent(ChatAIMLAPI(model="openai/gpt-5-2"), tools=[weather, local_time])
question = HumanMessage("What are the weather and the local time in Paris?")
for message, _ in agent.stream({"messages": [question]}, stream_mode="messages"):
    if isinstance(message, ToolMessage):
        print(f"  [{message.name} -> {message.content}]")
    elif isinstance(message, AIMessageChunk):
        print(message.text, end="", flush=True)
print()
