"""Agents that write their tool calls as text: Thought, Action, Action Input, Observation.

Both known forms are read: a system prompt that lists the tools, with one message per step, and a
single message with a growing scratchpad.
"""

from __future__ import annotations

import ast
import json
import re

from aimlapi_emulator.answers.fallback_text import echo, results_text
from aimlapi_emulator.answers.json_in_text import first_object
from aimlapi_emulator.answers.tool_selection import arguments, next_asks
from aimlapi_emulator.prompt import Call, Message, Prompt, Tool, as_json

_REACT_TOOL = re.compile(
    r"> Tool Name: (\S+)\s*\nTool Description: (.*?)\nTool Args: (\{.*?\})\s*"
    r"(?=\n> Tool Name:|\n\n|\Z)",
    re.DOTALL,
)
_ACTION = re.compile(
    r"Action: *([^\n(){} ]+).*?\n+Action Input: *(.*?)(?=\nObservation:|\Z)", re.DOTALL
)


def react(prompt: Prompt) -> str | None:
    """The next step of a ReAct agent that lists its tools in the prompt's text."""
    header = prompt.system_text
    if "Action Input:" not in header or "Thought:" not in header:
        return _scratchpad_react(prompt)
    tools = tuple(
        Tool(name, " ".join(told.split()), first_object(args) or {})
        for name, told, args in _REACT_TOOL.findall(header)
    )
    steps = [m for m in prompt.messages if m.role != "system"]
    asks = [
        i for i, m in enumerate(steps) if m.role == "user" and not m.text.startswith("Observation:")
    ]
    if not asks:
        return None
    done = _as_turn(steps[asks[-1]], steps[asks[-1] + 1 :])
    return _react_step(Prompt(done, tools=tools, parallel=False), "Answer")


def _as_turn(question: Message, steps: list[Message]) -> tuple[Message, ...]:
    """The steps so far as calls and tool results."""
    found = [question]
    for index, step in enumerate(steps):
        action = _ACTION.search(step.text) if step.role == "assistant" else None
        if action:
            call = Call(f"step_{index}", action[1], _as_json_text(action[2]))
            found.append(Message("assistant", calls=(call,)))
        elif step.text.startswith("Observation:") or step.role == "tool":
            text = step.text.removeprefix("Observation:").strip()
            last = next((m.calls[0].id for m in reversed(found) if m.calls), "")
            found.append(Message("tool", text, call_id=last))
    return tuple(found)


def _as_json_text(spelled: str) -> str:
    """An action's input as JSON text; frameworks replay it as a Python literal."""
    try:
        return as_json(ast.literal_eval(spelled.strip()))
    except (ValueError, SyntaxError):
        return spelled.strip()


def _react_step(prompt: Prompt, final: str) -> str:
    asks = next_asks(prompt)
    if asks:
        given = json.dumps(arguments(prompt, asks[0]), ensure_ascii=False)
        name = asks[0].tool.name
        return (
            "Thought: The current language of the user is: English. I need to use a tool to help "
            f"me answer the question.\nAction: {name}\nAction Input: {given}"
        )
    thought = (
        "Thought: I can answer without using any more tools. I'll use the user's language to answer"
    )
    return f"{thought}\n{final}: {results_text(prompt) or echo(prompt)}"


_SCRATCHPAD_NAMES = re.compile(r"should be one of \[([^\]]*)\]")


def _scratchpad_react(prompt: Prompt) -> str | None:
    """The one-message form: `Question: ...`, a growing scratchpad, `Final Answer:`."""
    text = prompt.user_text
    listed = _SCRATCHPAD_NAMES.search(text)
    if listed is None or "Final Answer:" not in text or "Begin!" not in text:
        return None
    names = [name.strip(" '\"") for name in listed[1].split(",")]
    tools = []
    for name in names:
        told = re.search(
            rf"^{re.escape(name)}(?:\([^\n]*?\))?[^\n:]*(?::| - )(.*)$", text, re.MULTILINE
        )
        schema = {
            "type": "object",
            "properties": {"input": {"type": "string"}},
            "required": ["input"],
        }
        tools.append(Tool(name, told[1].strip() if told else "", schema))
    task = text.rsplit("Begin!", 1)[1]
    question = re.search(r"Question:(.*?)\n", task, re.DOTALL)
    steps = [Message("user", question[1].strip() if question else "")]
    for index, match in enumerate(
        re.finditer(
            r"Action: *(\S+)\s*\nAction Input:(.*?)\nObservation:(.*?)(?=\nThought:|\Z)",
            task,
            re.DOTALL,
        )
    ):
        call = Call(f"step_{index}", match[1], match[2].strip())
        steps += [
            Message("assistant", calls=(call,)),
            Message("tool", match[3].strip(), call_id=call.id),
        ]
    state = Prompt(tuple(steps), tools=tuple(tools), parallel=False)
    asks = next_asks(state)
    if asks:
        name, given = asks[0].tool.name, arguments(state, asks[0])["input"]
        return f" I should use {name}.\nAction: {name}\nAction Input: {given}"
    return f" I now know the final answer\nFinal Answer: {results_text(state) or echo(state)}"
