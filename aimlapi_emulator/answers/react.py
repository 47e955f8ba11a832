"""Agents that write their tool calls as text: Thought, Action, Action Input, Observation.

Both known forms are read: a system prompt that lists the tools, with one message per step, and a
single message with a growing scratchpad.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from typing import Any

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
    whole = "\n".join(message.text for message in prompt.messages)
    if "Action Input:" not in whole or "Thought:" not in whole:
        return None
    tools = [
        Tool(name, " ".join(told.split()), _literal(args))
        for name, told, args in _TOOL.findall(prompt.system_text)
    ]
    asked, steps, final = "", "", "Answer"
    for message in prompt.messages if tools else ():
        if message.role == "user" and not message.text.startswith("Observation:"):
            asked, steps = message.text, ""
        else:
            steps += f"{message.text}\n"
    names, begun, task = _TOOL_NAMES.search(whole), *whole.rpartition("Begin!")[1:]
    if not tools and names and begun:
        tools = [_described(name.strip(" '\""), whole) for name in names[1].split(",")]
        asked, _, steps = task.partition("Question:")[2].lstrip().partition("\n")
        final = "Final Answer"
    if not asked:
        return None
    found = [Message("user", asked)]
    for index, (name, given, result) in enumerate(_STEP.findall(steps)):
        call = Call(f"step_{index}", name, as_json(_literal(given)))
        found.append(Message("assistant", calls=(call,)))
        found.append(Message("tool", result.strip(), call_id=call.id))
    return _next_step(Prompt(tuple(found), tuple(tools), parallel=False), final, eager)


_CALLING = re.compile(r"'name': '(\w+)', 'arguments': (\{.*?\})\}", re.DOTALL)


def with_observations(prompt: Prompt) -> Prompt:
    """The prompt with calls and results that smolagents writes as text, parsed."""
    found: list[Message] = []
    for message in prompt.messages:
        calling = _CALLING.findall(message.text) if message.role == "assistant" else []
        calls = found[-1].calls if found else ()
        if calling and message.text.startswith("Calling tools:"):
            made = [Call(f"step_{len(found)}_{i}", *one) for i, one in enumerate(calling)]
            found.append(Message("assistant", calls=tuple(made)))
        elif message.text.startswith("Observation:") and message.role == "user" and calls:
            result = message.text.removeprefix("Observation:").strip()
            found += [Message("tool", result, call_id=call.id) for call in calls]
        else:
            found.append(message)
    return replace(prompt, messages=tuple(found))


def _described(name: str, text: str) -> Tool:
    """A tool with the line that describes it, which takes one text."""
    told = re.search(rf"^{re.escape(name)}(?:\([^\n]*?\))?[^\n:]*(?::| - )(.*)$", text, re.M)
    return Tool(name, told[1].strip() if told else "", _INPUT)


def _literal(spelled: str) -> Any:
    """The value of JSON or of a Python literal, as which frameworks replay it, else the text."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(spelled.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return spelled.strip()


def _next_step(prompt: Prompt, final: str, eager: bool) -> str:
    chosen = next_selections(prompt, eager=eager)
    if not chosen:
        answer = results_text(prompt) or echo(prompt)
        return f"Thought: I can answer without using any more tools.\n{final}: {answer}"
    name, given = chosen[0].tool.name, arguments(prompt, chosen[0])
    plain = given["input"] if chosen[0].tool.parameters is _INPUT else None
    spelled = plain or json.dumps(given, ensure_ascii=False)
    return f"Thought: I need to use {name}.\nAction: {name}\nAction Input: {spelled}"
