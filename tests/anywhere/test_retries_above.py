"""Retries of frameworks above ours: one predicate, and nothing is repeated that may be billed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tenacity
from langchain.agents import create_agent
from langchain.agents.middleware import ToolRetryMiddleware
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import RetryPolicy
from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step
from workflows.retry_policy import retry_if_exception, retry_policy, stop_after_attempt, wait_none

import aimlapi_core
import langchain_aimlapi
from aimlapi_core import AIMLAPIError, is_retryable
from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI
from langchain_aimlapi.errors import to_langchain_error
from llama_index_aimlapi import AIMLAPI
from tests.anywhere.objects import SAY

# Each with whether it may be repeated.
FAULTS = {
    "busy": (Fault(status=503), True),
    "rate limit": (Fault(status=429), True),
    "wrong key": (Fault(status=401), False),
    "no funds": (Fault(status=402), False),
    "wrong request": (Fault(status=400), False),
    "answer lost": (Fault(drop="after_read"), False),
    "a gateway's client left": (Fault(status=499), False),
    "not implemented": (Fault(status=501), False),
}
faults = pytest.mark.parametrize("name", FAULTS)


def run_graph(llm: ChatAIMLAPI, policy: RetryPolicy) -> Any:
    def ask(state: MessagesState) -> Any:
        return {"messages": [llm.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("ask", ask, retry_policy=policy)
    graph.add_edge(START, "ask")
    return graph.compile().invoke({"messages": SAY})


def in_langgraph(url: str) -> Any:
    policy = RetryPolicy(initial_interval=0, max_attempts=3, retry_on=is_retryable)
    return run_graph(ChatAIMLAPI(api_key="k", base_url=url, max_retries=0), policy)


def in_langgraph_by_default(url: str) -> Any:
    policy = RetryPolicy(initial_interval=0, max_attempts=3)
    return run_graph(ChatAIMLAPI(api_key="k", base_url=url, max_retries=0), policy)


def with_tenacity(url: str) -> Any:
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_retryable),
        stop=tenacity.stop_after_attempt(3),
        reraise=True,
    )
    return retrying(ChatAIMLAPI(api_key="k", base_url=url, max_retries=0).invoke, SAY)


@faults
@pytest.mark.parametrize("run", [in_langgraph, in_langgraph_by_default, with_tenacity])
def test_only_what_is_retryable_is_repeated(
    run: Callable[[str], Any], name: str, emu: Emulator
) -> None:
    fault, repeated = FAULTS[name]
    emu.faults.extend([fault] * 9)
    with pytest.raises(AIMLAPIError):
        run(emu.base_url)
    assert len(emu.requests) == (3 if repeated else 1)


@faults
@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20")
async def test_a_step_of_a_workflow_repeats_what_is_retryable(name: str, emu: Emulator) -> None:
    llm = AIMLAPI(api_key="k", base_url=emu.base_url, max_retries=0)
    policy = retry_policy(retry_if_exception(is_retryable), wait_none(), stop_after_attempt(3))

    class Ask(Workflow):
        @step(retry_policy=policy)
        async def ask(self, event: StartEvent) -> StopEvent:
            return StopEvent(str(await llm.acomplete(SAY)))

    fault, repeated = FAULTS[name]
    emu.faults.extend([fault] * 9)
    with pytest.raises(AIMLAPIError):
        await Ask().run()
    assert len(emu.requests) == (3 if repeated else 1)


@pytest.mark.parametrize("name", ["busy", "answer lost"])
def test_a_tool_that_asks_a_model_is_repeated_where_that_is_safe(name: str, emu: Emulator) -> None:
    llm = ChatAIMLAPI(api_key="k", base_url=emu.base_url, max_retries=0)
    tries = []

    @tool
    def ask(question: str) -> str:
        """Ask somebody."""
        tries.append(question)
        emu.faults.append(FAULTS[name][0])
        return str(llm.invoke(question).text)

    emu.when("who knows?", tool_call="ask", arguments={"question": "who?"})
    middleware = ToolRetryMiddleware(
        max_retries=2, retry_on=is_retryable, initial_delay=0, jitter=False, on_failure="error"
    )
    agent: Any = create_agent(llm, [ask], middleware=[middleware])
    with pytest.raises(AIMLAPIError):
        agent.invoke({"messages": [("user", "who knows?")]})
    assert len(tries) == (3 if FAULTS[name][1] else 1)


def classes() -> list[type[AIMLAPIError]]:
    found = [getattr(aimlapi_core, n) for n in aimlapi_core.__all__ if n.endswith("Error")]
    bases = ("AIMLAPIError", "TransportError", "StreamError", "StatusError")
    return [kind for kind in found if kind.__name__ not in bases]


@pytest.mark.parametrize("kind", classes())
def test_langgraphs_default_agrees_with_each_class(kind: type[AIMLAPIError]) -> None:
    retry_on: Any = RetryPolicy().retry_on
    error = to_langchain_error(kind("what happened"))
    assert retry_on(error) is is_retryable(error) is kind.is_retryable


def test_errors_of_others_are_not_retryable() -> None:
    assert not is_retryable(TimeoutError())
    assert not is_retryable(KeyboardInterrupt())
    assert langchain_aimlapi.is_retryable is is_retryable
