"""One scope counts both frameworks: their threads, tasks, batches, agents and sub-agents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool

from aimlapi_core import BudgetExceededError, track_costs
from aimlapi_emulator import Emulator
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding
from tests.llama_index.towns import documents

pytestmark = [  # LlamaIndex's own
    pytest.mark.filterwarnings("ignore:Skipping serialization"),
    pytest.mark.filterwarnings("ignore:is_running called:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211"),
]


def chat(emu: Emulator, **more: Any) -> ChatAIMLAPI:
    return ChatAIMLAPI(base_url=emu.base_url, api_key="sk-test", **more)


@pytest.fixture
def llm(emu: Emulator) -> Iterator[AIMLAPI]:
    with AIMLAPI(base_url=emu.base_url, api_key="sk-test") as made:
        yield made


@tool
def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"sunny in {city}"


def test_a_langchain_batch_is_counted_from_its_threads(emu: Emulator) -> None:
    with track_costs() as costs:
        chat(emu).batch(["one", "two", "three", "four"])
    assert costs.total.calls == 4
    assert costs.credits == emu.ledger.credits > 0


def test_langchain_tasks_and_streams_are_counted(emu: Emulator) -> None:
    async def run() -> None:
        model = chat(emu)
        await model.abatch(["one", "two", "three"])
        async for _ in model.astream("four"):
            pass
        async for _ in model.astream_events("five", version="v2"):
            pass

    with track_costs() as costs:
        asyncio.run(run())
    assert costs.total.calls == 5
    assert costs.credits == emu.ledger.credits > 0


@pytest.mark.parametrize("how", ["sync", "async"])
def test_an_agent_and_the_agent_inside_its_tool_are_counted(how: str, emu: Emulator) -> None:
    sub_agent = create_agent(chat(emu), [get_weather])
    inner: list[int] = []

    @tool
    def ask_colleague(question: str) -> str:
        """Ask a colleague a question."""
        with track_costs() as sub:
            answer = sub_agent.invoke({"messages": [HumanMessage("get_weather city: Oslo")]})
        inner.append(sub.credits)
        return str(answer["messages"][-1].text)

    agent = create_agent(chat(emu), [ask_colleague])
    said = {"messages": [HumanMessage("ask_colleague question: weather")]}
    with track_costs() as costs:
        if how == "sync":
            agent.invoke(said)
        else:
            asyncio.run(agent.ainvoke(said))
    assert costs.total.calls == len(emu.ledger.entries) == 4
    assert costs.credits == emu.ledger.credits
    assert 0 < inner[0] < costs.credits


def test_langchain_embeddings_are_counted(emu: Emulator) -> None:
    embeddings = AIMLAPIEmbeddings(base_url=emu.base_url, api_key="sk-test")
    with track_costs() as costs:
        embeddings.embed_documents([str(number) for number in range(9)])
        asyncio.run(embeddings.aembed_query("a lake"))
    assert costs.credits == emu.ledger.credits > 0


def test_llama_index_calls_and_streams_are_counted(emu: Emulator, llm: AIMLAPI) -> None:
    async def run() -> None:
        await llm.achat([ChatMessage("one")])
        async for _ in await llm.astream_complete("two"):
            pass

    with track_costs() as costs:
        llm.complete("three")
        list(llm.stream_chat([ChatMessage("four")]))
        asyncio.run(run())
    assert costs.total.calls == 4
    assert costs.credits == emu.ledger.credits > 0


def test_a_llama_index_query_engine_is_counted_with_its_embeddings(
    emu: Emulator, llm: AIMLAPI
) -> None:
    embedder = AIMLAPIEmbedding(base_url=emu.base_url, api_key="sk-test", embed_batch_size=2)
    with track_costs() as costs:
        index = VectorStoreIndex.from_documents(documents(), embed_model=embedder)
        index.as_query_engine(llm=llm).query("Which town has a lighthouse?")
    embedder.close()
    assert set(costs.by_model) == {"openai/gpt-5-2", "text-embedding-3-small"}
    assert costs.credits == emu.ledger.credits > 0


async def test_a_llama_index_agent_is_counted(emu: Emulator, llm: AIMLAPI) -> None:
    def multiply(a: int, b: int) -> int:
        """Multiply two numbers."""
        return a * b

    agent = FunctionAgent(tools=[FunctionTool.from_defaults(multiply)], llm=llm)
    memory = ChatMemoryBuffer.from_defaults(token_limit=10_000)
    with track_costs() as costs:
        await agent.run("multiply a: 6 b: 7", memory=memory)
    assert costs.total.calls == len(emu.ledger.entries) == 2
    assert costs.credits == emu.ledger.credits
    await llm.aclose()


@pytest.mark.parametrize("how", ["sync", "async"])
def test_an_agent_that_a_budget_stopped_goes_on_from_its_checkpoint(
    how: str, emu: Emulator
) -> None:
    agent = create_agent(chat(emu), [get_weather], checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    said = {"messages": [HumanMessage("get_weather city: Paris")]}

    def run(state: Any) -> Any:
        if how == "sync":
            return agent.invoke(state, config)
        return asyncio.run(agent.ainvoke(state, config))

    small = track_costs(budget_usd="0.0000005", warn_at=None)
    with small, pytest.raises(BudgetExceededError):
        run(said)
    assert small.total.calls == 1
    kept = agent.get_state(config).values["messages"]
    assert [message.type for message in kept] == ["human", "ai", "tool"]
    with track_costs(budget_usd=Decimal(1)) as large:
        messages = run(None)["messages"]
    assert "sunny in Paris" in messages[-1].text
    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
    assert large.total.calls == 1
    assert small.credits + large.credits == emu.ledger.credits


async def test_a_llama_index_agent_stops_at_a_budget(emu: Emulator, llm: AIMLAPI) -> None:
    def multiply(a: int, b: int) -> int:
        """Multiply two numbers."""
        return a * b

    agent = FunctionAgent(tools=[FunctionTool.from_defaults(multiply)], llm=llm)
    memory = ChatMemoryBuffer.from_defaults(token_limit=10_000)
    costs = track_costs(budget_usd="0.0000005", warn_at=None)
    with costs, pytest.raises(BudgetExceededError):
        await agent.run("multiply a: 6 b: 7", memory=memory)
    assert costs.total.calls == 1
    await llm.aclose()
