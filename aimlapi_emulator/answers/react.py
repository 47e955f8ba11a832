"""Agents that write calls and results as text, parsed into the calls and results that they mean.

ReAct agents list their tools in the prompt and write `Action`, `Action Input` and `Observation`,
as one message per step or as a growing scratchpad behind `Begin!`; smolagents writes `Calling
tools:`.
"""

from __future__ import annotations

import ast
import json
import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

from aimlapi_emulator.answers.fallback_text import echo, results_text
from aimlapi_emulator.answers.shape import to_json
from aimlapi_emulator.answers.tool_selection import fill_arguments, next_selections
from aimlapi_emulator.prompt import Call, Message, Prompt, Tool, as_json

_NAMES = re.compile(r"\bone of \[?([\w, '\"-]{1,2000}?)[\])]")
_STEP = re.compile(
    r"(?s)Action: *([^\n(){} ]+)[^\n]*\n+Action Input:(.*)|"
    r"'name': '(\w+)', 'arguments': (\{.*?\})\}"
)
_INPUT = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}


def with_steps(prompt: Prompt) -> Prompt:
    """The prompt with the calls and results that its texts hold, parsed."""
    found: list[Message] = []
    for message in _split(prompt):
        text, calls = message.text, found[-1].calls if found else ()
        steps = _STEP.findall(text) if message.role == "assistant" else []
        if steps:
            calls = tuple(
                Call(f"step_{len(found)}_{at}", name or other, as_json(_literal(args or more)))
                for at, (name, args, other, more) in enumerate(steps)
            )
            found.append(Message("assistant", calls=calls))
        elif calls and message.role == "user" and text.startswith("Observation:"):
            result = text.removeprefix("Observation:").strip()
            found += [Message("tool", result, call_id=call.id) for call in calls]
        else:
            found.append(message)
    return replace(prompt, messages=tuple(found))


def _split(prompt: Prompt) -> list[Message]:
    """The messages, a last one with a scratchpad cut into its steps."""
    head, begun, task = prompt.user_text.rpartition("Begin!")
    if not begun or "Action Input:" not in head:
        return list(prompt.messages)
    question, *steps = re.split(r"\n(?=Observation:|Thought:)", task.partition("Question:")[2])
    messages = [Message("user" if s.startswith("Observation:") else "assistant", s) for s in steps]
    return [Message("system", head), Message("user", question.strip()), *messages]


def react(prompt: Prompt, *, eager: bool) -> str | None:
    """The next step of a ReAct agent that lists its tools in the prompt's text."""
    text = prompt.system_text
    names = _NAMES.search(text)
    if "Action Input:" not in text or "Thought:" not in text or not names:
        return None
    tools = tuple(_described(name.strip(" '\""), text) for name in names[1].split(","))
    messages = tuple(message for message in prompt.messages if message.role != "system")
    prompt = replace(prompt, messages=messages, tools=tools, parallel=False)
    chosen = next_selections(prompt, eager=eager)
    for tool, given in ((one.tool, fill_arguments(prompt, one)[0]) for one in chosen):
        spelled = given["input"] if tool.parameters is _INPUT else to_json(given)
        return f"Thought: I need to use {tool.name}.\nAction: {tool.name}\nAction Input: {spelled}"
    answer = results_text(prompt) or echo(prompt)
    final = "Final Answer" if "Final Answer:" in text else "Answer"
    return f"Thought: I can answer without using any more tools.\n{final}: {answer}"


def _described(name: str, text: str) -> Tool:
    """A tool with the lines that describe it; without a schema it takes one text."""
    described = r"(.*(?:\nTool Description:[\s\S]*?(?=\nTool Args: (\{.*\})))?)"
    match = re.search(rf"^(?:> Tool Name: )?{re.escape(name)}\b{described}", text, re.MULTILINE)
    schema = _literal(match[2]) if match and match[2] else _INPUT
    return Tool(name, match[1] if match else "", schema)


def _literal(spelled: str) -> Any:
    """The value of JSON or of a Python literal, as which frameworks replay it, else the text."""
    for read in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            return read(spelled.strip())
    return spelled.strip()
