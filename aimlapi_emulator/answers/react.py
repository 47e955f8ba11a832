"""Agents that write their tool calls as text: Thought, Action, Action Input, Observation.

Both known forms are read: a system prompt that lists the tools, with one message per step, and a
single message with a growing scratchpad.
"""

from __future__ import annotations

import ast
import json
import re

from aimlapi_emulator.answers.fallback_text import echo, results_text
from aimlapi_emulator.answers.tool_selection import arguments, next_selections
from aimlapi_emulator.prompt import Call, Message, Prompt, Tool, as_json

_TOOL = re.compile(
    r"> Tool Name: (\S+)\s*\nTool Description: (.*?)\nTool Args: (\{.*?\})\s*"
    r"(?=\n> Tool Name:|\n\n|\Z)",
    re.DOTALL,
)
_TOOL_NAMES = re.compile(r"should be one of \[([^\]\n]+)\]")
_STEP = re.compile(
    r"Action: *([^\n(){} ]+)[^\n]*\n+Action Input:(.*?)\n+Observation:(.*?)(?=\n *Thought:|\Z)",
    re.DOTALL,
)
_INPUT = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}


def react(prompt: Prompt, *, eager: bool) -> str | None:
    """The next step of a ReAct agent that lists its tools in the prompt's text."""
    whole = f"{prompt.system_text}\n{prompt.user_text}"
    if "Action Input:" not in whole or "Thought:" not in whole:
        return None
    tools = tuple(
        Tool(name, " ".join(told.split()), _as_object(args))
        for name, told, args in _TOOL.findall(prompt.system_text)
    )
    if tools:
        said = [m for m in prompt.messages if m.role != "system"]
        starts = [
            i for i, m in enumerate(said)
            if m.role == "user" and not m.text.startswith("Observation:")
        ]  # fmt: skip
        if not starts:
            return None
        question = said[starts[-1]].text
        steps = "\n".join(m.text for m in said[starts[-1] + 1 :])
        final = "Answer"
    else:
        listed, begun, task = _TOOL_NAMES.search(whole), *whole.rpartition("Begin!")[1:]
        asked = re.search(r"Question:(.*?)\n", task, re.DOTALL)
        if listed is None or not begun or asked is None:
            return None
        tools = tuple(_described(name.strip(" '\""), whole) for name in listed[1].split(","))
        question, steps, final = asked[1].strip(), task, "Final Answer"
    return _next_step(Prompt(_as_turn(question, steps), tools, parallel=False), final, eager)


def _described(name: str, text: str) -> Tool:
    """A tool with the line that describes it, which takes one text."""
    told = re.search(rf"^{re.escape(name)}(?:\([^\n]*?\))?[^\n:]*(?::| - )(.*)$", text, re.M)
    return Tool(name, told[1].strip() if told else "", _INPUT)


def _as_turn(question: str, steps: str) -> tuple[Message, ...]:
    """The steps so far as calls and tool results."""
    found = [Message("user", question)]
    for index, (name, given, result) in enumerate(_STEP.findall(steps)):
        call = Call(f"step_{index}", name, _as_json_text(given))
        found += [
            Message("assistant", calls=(call,)),
            Message("tool", result.strip(), (), (), call.id),
        ]
    return tuple(found)


def _as_object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _as_json_text(spelled: str) -> str:
    """An action's input as JSON text; frameworks replay it as a Python literal."""
    try:
        return as_json(ast.literal_eval(spelled.strip()))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return spelled.strip()


def _next_step(prompt: Prompt, final: str, eager: bool) -> str:
    asks = next_selections(prompt, eager=eager)
    if not asks:
        thought = "I can answer without using any more tools."
        answer = results_text(prompt) or echo(prompt)
        return f"Thought: {thought}\n{final}: {answer}"
    name, given = asks[0].tool.name, arguments(prompt, asks[0])
    plain = given["input"] if asks[0].tool.parameters is _INPUT else None
    spelled = plain or json.dumps(given, ensure_ascii=False)
    return f"Thought: I need to use {name}.\nAction: {name}\nAction Input: {spelled}"
