"""The results of tool calls that must not be run, for agents that let the model try again."""

from __future__ import annotations

from langchain_core.messages import AIMessage, ToolMessage

from aimlapi_core._adapters.tool_arguments import (
    NOT_AN_OBJECT,
    invalid_call_result,
    parse_arguments,
)
from aimlapi_core.types import TRUNCATED_FINISH_REASONS
from langchain_aimlapi._request.messages import invalid_arguments
from langchain_aimlapi.errors import OutputFilteredError, OutputTruncatedError


def invalid_tool_call_results(message: AIMessage) -> list[ToolMessage]:
    """A tool message for each of the `invalid_tool_calls`, which says what was wrong with it.

    Empty when there are none. For a node behind the model in a LangGraph graph; `create_agent`
    and deepagents take `langchain_aimlapi.middleware.InvalidToolCallMiddleware`.

    Raises:
        OutputTruncatedError: A call was cut by the output limit, or (OutputFilteredError) by a
            content filter: the same request would be cut again.
    """
    calls = [
        (call, text)
        for call, text in zip(message.invalid_tool_calls, invalid_arguments(message), strict=True)
        if call["id"]  # a result names its call
    ]
    finish_reason = message.response_metadata.get("finish_reason")
    if message.invalid_tool_calls and finish_reason in TRUNCATED_FINISH_REASONS:
        names = ", ".join(str(call["name"]) for call in message.invalid_tool_calls)
        filtered = finish_reason == "content_filter"
        remedy = "Change the prompt." if filtered else "Raise max_tokens."
        raise (OutputFilteredError if filtered else OutputTruncatedError)(
            f"The call of {names} was cut (finish_reason {finish_reason!r}) and was not run. "
            f"{remedy}",
            llm_output=invalid_arguments(message)[0],
            raw_message=message,
        )
    return [
        ToolMessage(
            invalid_call_result(call["name"], call["error"] or _reason(text, call["name"])),
            tool_call_id=call["id"],
            name=call["name"],
            status="error",
        )
        for call, text in calls
    ]


def _reason(arguments: str, name: str | None) -> str:
    """Why the arguments are invalid: the sum of a stream's chunks does not say."""
    try:
        parse_arguments(arguments, None, name)
    except ValueError as why:
        return str(why)
    return NOT_AN_OBJECT.rstrip(": ")
