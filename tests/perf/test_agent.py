"""Work per step of an agent, as counts of Python calls: tools are bound anew at each step, and the
history is converted whole. The bounds leave room of a third over what was counted."""

from __future__ import annotations

from benchmarks import agents, subjects
from benchmarks.server import Answer
from tests.perf.counting import Counted

STEPS = 10
OWN_PER_STEP = 445
OWN_PER_LATER_STEP = 14  # that a step costs more than the one before: its two calls and results


def _counts(origin: str, steps: int) -> Counted:
    answer = Answer("agent", steps)
    model = subjects.made("ChatAIMLAPI", f"{origin}{answer.path}/v1", answer.kind, steps)
    run = agents.running(model)
    assert run() == 3 * steps + 2
    with Counted() as found:
        run()
    model.close()
    return found


def test_python_calls_for_each_step_of_an_agent(origin: str) -> None:
    assert _counts(origin, STEPS).own / (STEPS + 1) <= OWN_PER_STEP


def test_a_longer_history_costs_little_more(origin: str) -> None:
    """Twice the steps: what each costs more is its share of the history, and nothing else."""
    short, long = (_counts(origin, steps) for steps in (STEPS, 2 * STEPS))
    each = long.own / (2 * STEPS + 1) - short.own / (STEPS + 1)
    assert each / (STEPS / 2) <= OWN_PER_LATER_STEP


def test_a_tool_is_read_once_however_often_it_is_given_in_llama_index() -> None:
    """LlamaIndex's agents give their tools at each step. To read both takes 1,700 Python calls."""
    from llama_index.core.tools import FunctionTool

    from llama_index_aimlapi._request.tools import to_tools, tool_dict

    tools = [FunctionTool.from_defaults(function) for function in (look_up, convert)]
    to_tools([tool_dict(tool, None) for tool in tools])
    with Counted() as found:
        to_tools([tool_dict(tool, None) for tool in tools])
    assert found.all <= 50


def look_up(subject: str, limit: int = 10) -> str:
    """Look a subject up in the encyclopedia."""
    return subject


def convert(subject: str, limit: int = 10, unit: str = "km2") -> str:
    """Convert the area of a subject."""
    return subject


def test_a_tool_is_read_once_however_often_it_is_bound() -> None:
    """The rest of a binding is a copy of its schema."""
    from langchain_core.tools import tool

    model = subjects.made("ChatAIMLAPI", "http://127.0.0.1:9/v1")
    tools = [tool(function) for function in (agents.look_up, agents.convert)]
    model.bind_tools(tools)
    with Counted() as found:
        model.bind_tools(tools)
    assert found.all <= 54
