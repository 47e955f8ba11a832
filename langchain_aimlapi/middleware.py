"""Agent middleware that reports invalid tool calls to the model, so that it can call again.

Needs `langchain` (`create_agent`, deepagents); nothing else of this package imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState, hook_config
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from typing_extensions import override

from aimlapi_core import loads_arguments
from aimlapi_core.types import TRUNCATED_FINISH_REASONS
from langchain_aimlapi.errors import OutputTruncatedError


class InvalidToolCallMiddleware(AgentMiddleware[Any, Any]):
    """Answer tool calls whose arguments are no JSON object, and let the model try again.

    Without it an agent ends silently at such a call: `invalid_tool_calls` are not run, and
    nothing says so. With it each gets a tool message that says what was wrong; valid calls of the
    same message run as usual. After `max_attempts` such answers since the user's last message
    the agent ends with the invalid call in its last message.

    Raises:
        OutputTruncatedError: The call was cut by the output limit or by a content filter: the
            same request would be cut again.
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
        reason = last.response_metadata.get("finish_reason")
        if reason in TRUNCATED_FINISH_REASONS:
            names = ", ".join(str(call["name"]) for call in last.invalid_tool_calls)
            raise OutputTruncatedError(
                f"The call of {names} was cut (finish_reason {reason!r}) and was not run.",
                llm_output=last.invalid_tool_calls[0]["args"],
                raw_message=last,
            )
        if _invalid_answers(messages) > self.max_attempts:
            return None
        answers = [
            ToolMessage(
                f"{call['name']} was not run: {call['error'] or _why(call['args'])} "
                "Call it again with arguments that are one JSON object.",
                tool_call_id=call["id"],
                name=call["name"],
                status="error",
            )
            for call in last.invalid_tool_calls
            if call["id"]
        ]
        if not answers:
            return None
        return {"messages": answers, **({} if last.tool_calls else {"jump_to": "model"})}

    @override
    @hook_config(can_jump_to=["model"])
    async def aafter_model(self, state: AgentState[Any], runtime: Any) -> dict[str, Any] | None:
        """The same, without a thread."""
        return self.after_model(state, runtime)


def _why(arguments: str | None) -> str:
    """What is wrong with them: LangChain's sum of a stream does not say."""
    try:
        loads_arguments(arguments or "")
    except ValueError as exc:
        return f"The arguments are not a JSON object: {exc}"
    return "The arguments are not a JSON object."


def _invalid_answers(messages: Sequence[AnyMessage]) -> int:
    count = 0
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            break
        count += isinstance(message, AIMessage) and bool(message.invalid_tool_calls)
    return count
