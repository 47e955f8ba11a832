"""What the emulator answers: what is asked for, in which shape, with which values.

What is asked for is read by `task` and `tool_selection`; the shape is a tool's parameters, the
response schema, or what the prompt's text spells out (`shape`); the values are the prompt's, its
material's and its results' (`schema_instance`). In this order: calls of tools; a response schema; a
step of a ReAct agent; a follow-up question as it stands alone; a shape that the text wants; the
results of this turn, the sentence that answers, an earlier statement, or an echo.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aimlapi_emulator.answers import fallback_text
from aimlapi_emulator.answers.extraction import PromptValues
from aimlapi_emulator.answers.options import offered
from aimlapi_emulator.answers.react import react, with_steps
from aimlapi_emulator.answers.schema_instance import instance
from aimlapi_emulator.answers.shape import Shape, find_shape, to_json
from aimlapi_emulator.answers.task import Task, read_task, standalone
from aimlapi_emulator.answers.tool_selection import arguments_text, next_selections, why_none
from aimlapi_emulator.prompt import Prompt
from aimlapi_emulator.text.words import tokenize


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call to be made; `arguments` is JSON text, broken when the answer was cut inside it."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says, before it takes an endpoint's shape."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    refusal: str | None = None
    reasoning: str | None = None
    finish_reason: str = "stop"
    web_search_query: str | None = None
    """The query of a web search that ran at the service's side."""
    mcp: Mapping[str, Any] | None = None
    """The MCP tool that was used at the service's side."""
    note: str = ""
    """Why no tool was called, for the log; not part of the answer."""


def built_in_answer(prompt: Prompt, *, eager: bool = False) -> Answer:
    """The answer to a prompt. `eager`: tools are called without being named too."""
    prompt = with_steps(prompt)
    if prompt.tools and prompt.choice != "none":
        chosen = next_selections(prompt, eager=eager)
        calls = [ToolCall(one.tool.name, arguments_text(prompt, one)) for one in chosen]
        if calls:
            return Answer(calls=tuple(calls), finish_reason="tool_calls")
    return _hosted(prompt) or Answer(_text(prompt, eager), note=why_none(prompt))


def _text(prompt: Prompt, eager: bool) -> str:
    task = read_task(prompt)
    if prompt.schema is not None:
        return to_json(_instance(prompt, task, Shape(prompt.schema, to_json)))
    if step := react(prompt, eager=eager) or standalone(prompt):
        return step
    if (shape := find_shape(prompt, task)) is not None:
        return shape.render(_instance(prompt, task, shape))
    text = fallback_text.results_text(prompt) or fallback_text.material_text(task)
    text = text or fallback_text.recall_statement(prompt) or fallback_text.echo(prompt)
    return to_json({"answer": text}) if prompt.json_object else text


def _instance(prompt: Prompt, task: Task, shape: Shape) -> Any:
    """An instance of a shape, from the user's text without the words that spell it out."""
    text = re.split(r"\n[^\n]*JSON schema", prompt.user_text, maxsplit=1, flags=re.IGNORECASE)[0]
    whole = f"{prompt.system_text}\n{prompt.user_text}"
    if "[[ ## " in text:  # the words around DSPy's fields name these
        text = f"{task.material}\n{task.question}"
    question = task.question if task.is_labelled else shape.question or text
    if len(shape.span) > 1:
        text, question, whole = (p.replace(shape.span, " ") for p in (text, question, whole))
    found = fallback_text.best_sentence(task.material, task.question, task.previous)
    hints = [f"source: {found.source}"] if found.source else []
    hints += [f"citations: {found.number}"] if found.number else []
    results = [result for _, result in prompt.turn_results()]
    roles = [message.role for message in prompt.messages if message.role != "system"]
    # Agents of a team answer as users; DSPy's agents keep their steps in a field.
    observed = task.material if "[[ ## observation_" in whole else ""
    values = PromptValues(
        "\n".join([*hints, found.text, text, *results]).strip(),
        question=question,
        material=task.material,
        result="\n".join(results) or found.text or observed,
        is_answered=bool(results or observed) or roles[-2:] == ["user"] * 2,
        options=shape.options or offered(whole)[0],
    )
    return instance(shape.schema, values, shape.name)


_SEARCH = re.compile(r"(?i)\b(?:search|look (?:up|for)|find|browse|latest|news|web|google)\b")


def _hosted(prompt: Prompt) -> Answer | None:
    """The answer after a web search or an MCP call, when the prompt asks for one."""
    for tool in prompt.hosted if prompt.choice != "none" else ():
        is_asked = prompt.choice == "required" or _SEARCH.search(prompt.user_text)
        if tool["type"].startswith("web_search") and is_asked:
            query = " ".join(prompt.user_text.split())
            text = f"A search found this on {query!r}: see example.com."
            return Answer(text, web_search_query=query)
        if tool["type"] == "mcp":
            return Answer(
                f"{tool['server_label']} answered: {fallback_text.echo(prompt)}", mcp=tool
            )
    return None


def vary_choice(made: Answer, index: int) -> Answer:
    """The answer of choice number `index`: the first unchanged, later plain texts made distinct."""
    if index == 0 or not made.text or made.text[0] in "{[" or "```" in made.text:
        return made
    return replace(made, text=f"{made.text} (choice {index + 1})")


def truncate(made: Answer, reason: str, keep: int | None = None) -> Answer:
    """The answer, or its last call, cut off for a reason: half of it, or after `keep` tokens."""
    whole = made.calls[-1].arguments if made.calls else made.text
    parts = tokenize(whole)
    half = len(parts) // 2 or (0 if made.calls else 1)
    cut = "".join(parts[: half if keep is None else keep])
    if not made.calls:
        return replace(made, text=cut, finish_reason=reason)
    call = ToolCall(made.calls[-1].name, cut if cut != whole else whole[:-1])
    return replace(made, calls=(*made.calls[:-1], call), finish_reason=reason)
