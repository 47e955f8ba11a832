"""What the cassettes hold: small pieces of work through both adapters, sync and async alike.

Each scenario gives a value that a test can compare with what the cassette recorded.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding

CHAT, LATEST, PRO = "openai/gpt-5-2", "openai/gpt-5-2-chat-latest", "openai/gpt-5-2-pro"
HELLO = "Say in one sentence: Grüße aus Łódź 🌍"
QUESTION = "What are the weather and the local time in Paris? Use the tools."


class City(BaseModel):
    """A city."""

    name: str
    country: str


def weather(city: str) -> str:
    """The weather in a city right now."""
    return f"18 degrees in {city}"


def local_time(city: str) -> str:
    """The local time in a city right now."""
    return f"14:05 in {city}"


TOOLS = {"weather": weather, "local_time": local_time}
EXTRACT = "Extract the city. name: Paris, country: France"


@dataclass(frozen=True)
class Scenario:
    name: str
    sync: Callable[..., Any]
    asynchronous: Callable[..., Awaitable[Any]]


def _after_tools(question: HumanMessage, answer: AIMessage) -> list[BaseMessage]:
    results = [
        ToolMessage(TOOLS[call["name"]](**call["args"]), tool_call_id=call["id"])
        for call in answer.tool_calls
    ]
    return [question, answer, *results]


def langchain_invoke(model: str) -> Scenario:
    def sync(**how: Any) -> Any:
        return ChatAIMLAPI(model=model, **how).invoke(HELLO).text

    async def asynchronous(**how: Any) -> Any:
        return (await ChatAIMLAPI(model=model, **how).ainvoke(HELLO)).text

    return Scenario(f"langchain_invoke_{_short(model)}", sync, asynchronous)


def langchain_stream(model: str) -> Scenario:
    def sync(**how: Any) -> Any:
        return "".join(chunk.text for chunk in ChatAIMLAPI(model=model, **how).stream(HELLO))

    async def asynchronous(**how: Any) -> Any:
        chunks = [chunk async for chunk in ChatAIMLAPI(model=model, **how).astream(HELLO)]
        return "".join(chunk.text for chunk in chunks)

    return Scenario(f"langchain_stream_{_short(model)}", sync, asynchronous)


def langchain_tools(model: str) -> Scenario:
    question = HumanMessage(QUESTION)

    def sync(**how: Any) -> Any:
        bound = ChatAIMLAPI(model=model, **how).bind_tools(list(TOOLS.values()))
        return bound.invoke(_after_tools(question, bound.invoke([question]))).text

    async def asynchronous(**how: Any) -> Any:
        bound = ChatAIMLAPI(model=model, **how).bind_tools(list(TOOLS.values()))
        return (await bound.ainvoke(_after_tools(question, await bound.ainvoke([question])))).text

    return Scenario(f"langchain_tools_{_short(model)}", sync, asynchronous)


def langchain_structured(model: str) -> Scenario:
    def sync(**how: Any) -> Any:
        return ChatAIMLAPI(model=model, **how).with_structured_output(City).invoke(EXTRACT)

    async def asynchronous(**how: Any) -> Any:
        return await ChatAIMLAPI(model=model, **how).with_structured_output(City).ainvoke(EXTRACT)

    return Scenario(f"langchain_structured_{_short(model)}", sync, asynchronous)


def llama_index_complete(model: str) -> Scenario:
    def sync(**how: Any) -> Any:
        return AIMLAPI(model=model, **how).complete(HELLO).text

    async def asynchronous(**how: Any) -> Any:
        return (await AIMLAPI(model=model, **how).acomplete(HELLO)).text

    return Scenario(f"llama_index_complete_{_short(model)}", sync, asynchronous)


def llama_index_stream(model: str) -> Scenario:
    messages = [ChatMessage(role="user", content=HELLO)]

    def sync(**how: Any) -> Any:
        return "".join(r.delta or "" for r in AIMLAPI(model=model, **how).stream_chat(messages))

    async def asynchronous(**how: Any) -> Any:
        stream = await AIMLAPI(model=model, **how).astream_chat(messages)
        return "".join([r.delta or "" async for r in stream])

    return Scenario(f"llama_index_stream_{_short(model)}", sync, asynchronous)


def llama_index_tools(model: str) -> Scenario:
    tools = [FunctionTool.from_defaults(fn) for fn in TOOLS.values()]

    def sync(**how: Any) -> Any:
        llm = AIMLAPI(model=model, **how)
        answer = llm.chat_with_tools(tools, user_msg=QUESTION, allow_parallel_tool_calls=True)
        return [(c.tool_name, c.tool_kwargs) for c in llm.get_tool_calls_from_response(answer)]

    async def asynchronous(**how: Any) -> Any:
        llm = AIMLAPI(model=model, **how)
        answer = await llm.achat_with_tools(
            tools, user_msg=QUESTION, allow_parallel_tool_calls=True
        )
        return [(c.tool_name, c.tool_kwargs) for c in llm.get_tool_calls_from_response(answer)]

    return Scenario(f"llama_index_tools_{_short(model)}", sync, asynchronous)


def llama_index_structured(model: str) -> Scenario:
    prompt = PromptTemplate(EXTRACT)

    def sync(**how: Any) -> Any:
        return AIMLAPI(model=model, **how).structured_predict(City, prompt)

    async def asynchronous(**how: Any) -> Any:
        return await AIMLAPI(model=model, **how).astructured_predict(City, prompt)

    return Scenario(f"llama_index_structured_{_short(model)}", sync, asynchronous)


TEXTS = ["Grüße aus Łódź", "the lighthouse was automated in 1986"]
SMALL = "text-embedding-3-small"


def langchain_embeddings(model: str) -> Scenario:
    def sync(**how: Any) -> Any:
        return AIMLAPIEmbeddings(model=model, dimensions=8, **how).embed_documents(TEXTS)

    async def asynchronous(**how: Any) -> Any:
        return await AIMLAPIEmbeddings(model=model, dimensions=8, **how).aembed_documents(TEXTS)

    return Scenario(f"langchain_embeddings_{_short(model)}", sync, asynchronous)


def llama_index_embeddings(model: str) -> Scenario:
    def sync(**how: Any) -> Any:
        return AIMLAPIEmbedding(model=model, dimensions=8, **how).get_text_embedding_batch(TEXTS)

    async def asynchronous(**how: Any) -> Any:
        embedding = AIMLAPIEmbedding(model=model, dimensions=8, **how)
        return await embedding.aget_text_embedding_batch(TEXTS)

    return Scenario(f"llama_index_embeddings_{_short(model)}", sync, asynchronous)


def _short(model: str) -> str:
    return model.removeprefix("openai/").replace("-", "_").replace(".", "_")


_OF_CHAT = tuple(
    make(model)
    for make in (
        langchain_invoke,
        langchain_stream,
        langchain_tools,
        langchain_structured,
        llama_index_complete,
        llama_index_stream,
        llama_index_tools,
        llama_index_structured,
    )
    for model in (CHAT, LATEST, PRO)
)
SCENARIOS = (*_OF_CHAT, langchain_embeddings(SMALL), llama_index_embeddings(SMALL))
