"""How an agent goes on after a tool call that must not be run.

LlamaIndex's agents run every call of `get_tool_calls_from_response` and have no place for one that
must not be run. Such a call gets the name of a tool that does not exist: the agent answers it with
"Tool … not found", and `explain_invalid_call` puts the reason in its place when that is sent.
"""

from __future__ import annotations

import re

from llama_index.core.llms.llm import ToolSelection

from aimlapi_core._adapters.tool_arguments import NO_NAME, NOT_AN_OBJECT, invalid_call_result

_MARK = " (not run: "
_NOT_FOUND = re.compile(
    rf"(?:Tool )?(.*?) ?\(not run: ((?:{NOT_AN_OBJECT}|{re.escape(NO_NAME)}).*)\)[^)]*", re.DOTALL
)


def invalid_selection(name: str, call_id: str, arguments: str, reason: str) -> ToolSelection:
    """A call of a tool that does not exist, for one whose arguments are invalid."""
    return ToolSelection(
        tool_id=call_id,
        tool_name=f"{name}{_MARK}{reason})",
        # No parameter of a function can have this name.
        tool_kwargs={"arguments as the model wrote them": arguments},
    )


def explain_invalid_call(result: str) -> str:
    """A tool result as the model should read it: that a tool was not found is not its fault."""
    if _MARK not in result:
        return result
    found = _NOT_FOUND.fullmatch(result)
    return invalid_call_result(*found.groups()) if found else result
