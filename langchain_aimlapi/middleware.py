"""Agent middleware that reports invalid tool calls to the model, so that it can call again.

Needs `langchain` (`create_agent`, deepagents); a plain LangGraph graph takes
`langchain_aimlapi.invalid_tool_call_results` as a node.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState, hook_config
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from typing_extensions import override

from langchain_aimlapi._invalid_tool_calls import invalid_tool_call_results


class InvalidToolCallMiddleware(AgentMiddleware[Any, Any]):
    """Answer tool calls whose arguments are not a JSON object, and let the model try again.

    Without it an agent ends silently at such a call: `invalid_tool_calls` are not run, and
    nothing says so. With it each gets a tool message that says what was wrong; valid calls of the
    same message run as usual. After `max_attempts` such answers since the user's last message
    the agent ends with the invalid call in its last message.

    Raises:
        OutputTruncatedError: The call was cut by the output limit, or (OutputFilteredError) by a
            content filter: the same request would be cut again.
    """

    def __init__(self, max_attempts: int = 2) -> None:
        super().__init__()
        self.max_attempts = max_attempts

    @override
    @hook_config(can_jump_to=["model"])
    def after_model(self, state: AgentState[Any], runtime: Any) -> dict[str, Any] | None:
        """Tool messages for the invalid calls; back to the model where no call is valid."""
        messages = state["messages"]
        last = messages[-1] if messages else None
        if not isinstance(last, AIMessage) or not last.invalid_tool_calls:
            return None
        results = invalid_tool_call_results(last)
        if not results or _invalid_answers(messages) > self.max_attempts:
            return None
        return {"messages": results, **({} if last.tool_calls else {"jump_to": "model"})}

    @override
    @hook_config(can_jump_to=["model"])
    async def aafter_model(self, state: AgentState[Any], runtime: Any) -> dict[str, Any] | None:
        """The same, without a thread."""
        return self.after_model(state, runtime)


def _invalid_answers(messages: Sequence[AnyMessage]) -> int:
    count = 0
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            break
        count += isinstance(message, AIMessage) and bool(message.invalid_tool_calls)
    return count
