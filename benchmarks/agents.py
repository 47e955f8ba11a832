"""A LangGraph agent of LangChain's with two tools, over any chat model."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal

from benchmarks.payloads import AGENT_TOOLS
from benchmarks.subjects import PROMPT


def look_up(subject: str, limit: int = 10) -> str:
    """Look a subject up in the encyclopedia.

    Args:
        subject: What to look up.
        limit: The most entries.
    """
    return f"{limit} entries about {subject}: " + "It is a body of water. " * 10


def convert(subject: str, limit: int = 10, unit: Literal["km2", "mi2"] = "km2") -> str:
    """Convert the area of a subject.

    Args:
        subject: The subject with the area.
        limit: The most digits.
        unit: The unit of the result.
    """
    return f"{subject} in {unit}: 31722.{limit}"


def running(model: Any) -> Callable[[], int]:
    """A run of an agent over the model, from the first prompt; gives the number of messages."""
    tool = import_module("langchain_core.tools").tool
    tools = [tool(function) for function in (look_up, convert)]
    assert [one.name for one in tools] == list(AGENT_TOOLS)
    agent = import_module("langchain.agents").create_agent(
        model, tools, system_prompt="You are a helpful assistant. Use the tools."
    )
    given = {"messages": [("user", PROMPT)]}
    config = {"recursion_limit": 100}

    def run() -> int:
        return len(agent.invoke(given, config)["messages"])

    return run
