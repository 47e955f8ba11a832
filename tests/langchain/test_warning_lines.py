"""Warnings point at the line of the program that calls, in every way of calling LangChain."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda

from aimlapi_core import HistoryWarning
from aimlapi_core._values import warn_once
from langchain_aimlapi import ChatAIMLAPI

Make = Callable[..., ChatAIMLAPI]
THREAD: Any = [
    HumanMessage("hi"),
    AIMessage([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "yes"}]),
    HumanMessage("and?"),
]


def look(city: str) -> str:
    """Look at a city."""
    return city


async def _all(pieces: Any) -> None:
    async for _ in pieces:
        pass


def agent(llm: Any) -> Any:
    return create_agent(llm, [look])


STATE: Any = {"messages": THREAD}
WAYS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda llm: llm.invoke(THREAD),
    "stream": lambda llm: list(llm.stream(THREAD)),
    "batch": lambda llm: llm.batch([THREAD, THREAD]),
    "batch_as_completed": lambda llm: list(llm.batch_as_completed([THREAD, THREAD])),
    "ainvoke": lambda llm: asyncio.run(llm.ainvoke(THREAD)),
    "astream": lambda llm: asyncio.run(_all(llm.astream(THREAD))),
    "abatch": lambda llm: asyncio.run(llm.abatch([THREAD, THREAD])),
    "a chain": lambda llm: (RunnableLambda(list) | llm | StrOutputParser()).invoke(THREAD),
    "fallbacks": lambda llm: llm.with_fallbacks([llm]).invoke(THREAD),
    "retries": lambda llm: llm.with_retry().invoke(THREAD),
    "an agent": lambda llm: agent(llm).invoke(STATE),
    "an agent's values": lambda llm: list(agent(llm).stream(STATE, stream_mode="values")),
    "an agent's messages": lambda llm: list(agent(llm).stream(STATE, stream_mode="messages")),
    "an agent, async": lambda llm: asyncio.run(agent(llm).ainvoke(STATE)),
    "events": lambda llm: asyncio.run(_all(llm.astream_events(THREAD, version="v2"))),
    "an estimate of tokens": lambda llm: llm.get_num_tokens_from_messages(THREAD),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_warning_is_at_the_line_that_calls(way: str, chat: Make) -> None:
    warn_once._warned.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HistoryWarning)
        WAYS[way](chat())
    (file,) = [w.filename for w in caught if w.category is HistoryWarning]
    assert file == __file__
