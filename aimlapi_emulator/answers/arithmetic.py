"""Sums written out in a prompt, worked through one tool call per operation.

`20 + (2 * 4)` with tools that multiply and add asks for multiply(2, 4) first, and for add(20, 8)
once the 8 has come back.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.answers.extraction import numbers
from aimlapi_emulator.prompt import Prompt, Tool
from aimlapi_emulator.text.words import content_words, stem

Key = tuple[str, tuple[float, ...]]

_RUN = re.compile(r"[\d(][\d\s.,+\-*/×÷()]*[\d)]")
_WORDS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One operation as a call: the tool and its arguments."""

    tool: Tool
    arguments: Mapping[str, float | int]


def _expressions(text: str) -> Iterator[ast.BinOp]:
    for match in _RUN.findall(text):
        spelled = match.replace("×", "*").replace("÷", "/").strip(" .,")
        try:
            node = ast.parse(spelled, mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
        if isinstance(node, ast.BinOp):
            yield node


def _tool_for(operator: ast.operator, tools: tuple[Tool, ...]) -> Tool | None:
    word = stem(_WORDS.get(type(operator), "?"))
    for tool in tools:
        numeric = _numeric(tool)
        told = content_words(tool.name) or content_words(tool.description)
        if len(numeric) == 2 and word in told | content_words(tool.description):
            return tool
    return None


def _numeric(tool: Tool) -> list[str]:
    properties: Mapping[str, Any] = tool.parameters.get("properties") or {}
    kinds = ("integer", "number")
    return [name for name, inner in properties.items() if inner.get("type") in kinds]


def plan(prompt: Prompt) -> tuple[list[Step], frozenset[str]]:
    """(calls that can be made now, names of all tools that the sums use)."""
    waiting: list[Step] = []
    used: set[str] = set()
    operations = 0
    results = _results(prompt)
    for expression in _expressions(prompt.user_text):
        names = {
            tool.name if (tool := _tool_for(node.op, prompt.tools)) else ""
            for node in ast.walk(expression)
            if isinstance(node, ast.BinOp)
        }
        if "" not in names:
            used |= names
            operations += sum(isinstance(node, ast.BinOp) for node in ast.walk(expression))
            _work(expression, prompt, results, waiting)
    if len(prompt.turn_calls()) >= operations:
        return [], frozenset(used)  # whatever came back, the loop ends
    return waiting, frozenset(used)


def _key(name: str, values: Iterable[Any]) -> Key:
    return name, tuple(float(value) for value in values)


def _results(prompt: Prompt) -> dict[Key, float | int]:
    """The numbers that this turn's calls gave, by tool and operands."""
    texts = {m.call_id: m.text for m in prompt.turn if m.role == "tool"}
    tools = {tool.name: tool for tool in prompt.tools}
    found: dict[Key, float | int] = {}
    for call in prompt.turn_calls():
        try:
            given = json.loads(call.arguments)
            key = _key(call.name, [given[name] for name in _numeric(tools[call.name])])
        except (ValueError, KeyError, TypeError):
            continue
        told = numbers(texts.get(call.id, ""))
        found[key] = told[-1] if told else 0
    return found


def _work(
    node: ast.expr, prompt: Prompt, results: dict[Key, float | int], waiting: list[Step]
) -> float | int | None:
    """The value of a node, None while a call for it is outstanding."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _work(node.operand, prompt, results, waiting)
        return None if inner is None else -inner
    if not isinstance(node, ast.BinOp):
        return None
    left = _work(node.left, prompt, results, waiting)
    right = _work(node.right, prompt, results, waiting)
    tool = _tool_for(node.op, prompt.tools)
    if left is None or right is None or tool is None:
        return None
    given = dict(zip(_numeric(tool), (left, right), strict=True))
    key = _key(tool.name, given.values())
    if key in results:
        return results[key]
    step = Step(tool, given)
    if step not in waiting:
        waiting.append(step)
    return None
