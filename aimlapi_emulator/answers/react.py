"""Agents that write calls and results as text, parsed into the calls and results that they mean.

ReAct agents list their tools in the prompt and write `Action`, `Action Input` and `Observation`,
as one message per step or as a growing scratchpad behind `Begin!`; smolagents writes `Calling
tools:`.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from aimlapi_emulator.answers.fallback_text import echo, results_text
from aimlapi_emulator.answers.tool_selection import fill_arguments, next_selections
from aimlapi_emulator.prompt import Call, Message, Prompt, Tool, as_json

_NAMES = re.compile(r"\bone of \[?([\w, '\"-]{1,2000}?)[\])]")
_STEP = re.compile(
    r"Action: *([^\n(){} ]+)[^\n]*\n+Action Input:(.*)|'name': '(\w+)', 'arguments': (\{.*?\})\}",
    re.DOTALL,
)
_INPUT = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}


def with_steps(prompt: Prompt) -> Prompt:
    """The prompt with the calls and results that its texts hold, parsed."""
    found: list[Message] = []
    for message in _split(prompt):
        steps = _STEP.findall(message.text) if message.role == "assistant" else []
        calls = found[-1].calls if found else ()
        if steps:
            made = [(name or other, given or spelled) for name, given, other, spelled in steps]
            calls = tuple(
                Call(f"step_{len(found)}_{i}", name, as_json(_literal(given)))
                for i, (name, given) in enumerate(made)
            )
            found.append(Message("assistant", calls=calls))
        elif message.text.startswith("Observation:") and message.role == "user" and calls:
            result = message.text.removeprefix("Observation:").strip()
            found += [Message("tool", result, call_id=call.id) for call in calls]
        else:
            found.append(message)
    return replace(prompt, messages=tuple(found))


def _split(prompt: Prompt) -> Iterator[Message]:
    """The messages, a last one with a scratchpad cut into its steps."""
    head, begun, task = prompt.user_text.rpartition("Begin!")
    if not begun or "Action Input:" not in head:
        yield from prompt.messages
        return
    yield Message("system", head)
    question, *steps = re.split(r"\n(?=Observation:|Thought:)", task.partition("Question:")[2])
    yield Message("user", question.strip())
    for step in steps:
        yield Message("user" if step.startswith("Observation:") else "assistant", step)


def react(prompt: Prompt, *, eager: bool) -> str | None:
    """The next step of a ReAct agent that lists its tools in the prompt's text."""
    text = prompt.system_text
    names = _NAMES.search(text)
    if "Action Input:" not in text or "Thought:" not in text or not names:
        return None
    tools = tuple(_described(name.strip(" '\""), text) for name in names[1].split(","))
    said = tuple(message for message in prompt.messages if message.role != "system")
    prompt = replace(prompt, messages=said, tools=tools, parallel=False)
    chosen = next_selections(prompt, eager=eager)
    if not chosen:
        answer = results_text(prompt) or echo(prompt)
        final = "Final Answer" if "Final Answer:" in text else "Answer"
        return f"Thought: I can answer without using any more tools.\n{final}: {answer}"
    name, given = chosen[0].tool.name, fill_arguments(prompt, chosen[0])[0]
    plain = given["input"] if chosen[0].tool.parameters is _INPUT else None
    spelled = plain or json.dumps(given, ensure_ascii=False)
    return f"Thought: I need to use {name}.\nAction: {name}\nAction Input: {spelled}"


def _described(name: str, text: str) -> Tool:
    """A tool with the lines that describe it; without a schema it takes one text."""
    told = re.search(
        rf"^(?:> Tool Name: )?{re.escape(name)}\b"
        r"(.*(?:\nTool Description:[\s\S]*?(?=\nTool Args: (\{.*\})))?)",
        text,
        re.MULTILINE,
    )
    schema = _literal(told[2]) if told and told[2] else _INPUT
    return Tool(name, told[1] if told else "", schema)


def _literal(spelled: str) -> Any:
    """The value of JSON or of a Python literal, as which frameworks replay it, else the text."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(spelled.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return spelled.strip()
