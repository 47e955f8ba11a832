"""Which tools a prompt asks for, in which order, and with which arguments.

Called are the tools that the text names: by the whole name, a word of it, or of the description.
`eager` calls the best-fitting one too where the text is a task but names none, and goes on with
tools that the system prompt names or that take what the last tool gave: each once, and only those
whose arguments the prompt and the results hold.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.answers.extraction import PromptValues, names, numbers, quoted
from aimlapi_emulator.answers.fallback_text import recall_statement
from aimlapi_emulator.answers.options import mentions, offered
from aimlapi_emulator.answers.schema_instance import instance
from aimlapi_emulator.answers.task import read_task
from aimlapi_emulator.prompt import Prompt, Tool, as_json
from aimlapi_emulator.text.words import all_words, content_words, sentences, stem

_SEQUENCE = re.compile(r"\b(?:then|after that|afterwards|finally)\b|use the result", re.IGNORECASE)
_LOOKS_UP = content_words("retrieve retriever search lookup knowledge")
_SMALL_TALK = content_words(
    "hello hi hey hola thanks thank bye goodbye good morning evening afternoon night "
    "ok okay yes cool great nice lot there everyone fine well welcome sure"
)
_STATEMENT = re.compile(r"(?:i|my|we|our|you|he|she|it|this|that|the)(?:'\w+)? ", re.IGNORECASE)
_FORMED = re.compile(r"[^\s@]+@[^\s@]+|https?://\S+")
_MAX_LENGTH = 2_000
_SIGNS = {"×": "*", "times": "*", "multiplied by": "*", "÷": "/", "divided by": "/", "plus": "+"}
_SPOKEN = re.compile("|".join(_SIGNS))
_SUM = re.compile(r"[(\d](?:[\d.() +*/]|-(?=\s)){1,200}[\d)]")
_OPERATIONS = {
    ast.Add: ("add", operator.add),
    ast.Sub: ("subtract", operator.sub),
    ast.Mult: ("multiply", operator.mul),
    ast.Div: ("divide", operator.truediv),
}


@dataclass(frozen=True, slots=True)
class ToolSelection:
    """A tool that a text asks for, with the clause that asks."""

    tool: Tool
    clause: str


def _named(tools: Sequence[Tool], text: str) -> list[ToolSelection]:
    """The tools that a text asks for, by name or by a content word, in order of mention.

    A whole name of several words goes before a word of a name, and that before the description's.
    """
    # A one-word name is an ordinary word too: it counts like any other.
    whole = [tool for tool in tools if len(all_words(tool.name)) > 1 or f"{tool.name}(" in text]
    spelled = [(re.search(rf"(?<!\w){re.escape(t.name)}(?!\w)", text), t) for t in whole]
    places = [(match.start(), tool) for match, tool in spelled if match]
    said = content_words(text)
    shared = [(content_words(tool.name) & said, tool) for tool in tools]
    if not any(words for words, _ in shared):
        shared = [(content_words(tool.description) & said, tool) for tool in tools]
    places = places or [
        (next(m.start() for m in re.finditer(r"[^\W_]+", text) if stem(m[0]) in words), tool)
        for words, tool in shared
        if words and not any(words < other for other, _ in shared)
    ]
    places.sort(key=lambda pair: pair[0])
    starts = [0, *(place for place, _ in places[1:]), len(text)]
    found = []
    for index, (_, tool) in enumerate(places):
        clause = text[starts[index] : starts[index + 1]]
        # "weather and time in Paris": a clause without values takes them from the whole.
        has_values = numbers(clause) or quoted(clause) or names(clause) or "=" in clause
        found.append(ToolSelection(tool, clause if has_values else text))
    return found


def _next_operation(prompt: Prompt) -> list[ToolSelection]:
    """The tool for the next operation of the sums in the text: of `20 + (2 * 4)` first `2 * 4`."""
    steps = []

    def value(node: Any) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        left, right = value(node.left), value(node.right)
        name, function = _OPERATIONS[type(node.op)]
        steps.append((name, f"{left} {right}"))
        return function(left, right)

    text = _SPOKEN.sub(lambda match: _SIGNS[match[0]], prompt.user_text[:_MAX_LENGTH])
    for spelled in _SUM.findall(text):
        with suppress(SyntaxError, ArithmeticError, AttributeError, KeyError):
            value(ast.parse(spelled, mode="eval").body)
    return [
        ToolSelection(tool, operands)
        for name, operands in steps[len(prompt.turn_calls()) :][:1]
        for tool in prompt.tools
        if stem(name) in content_words(f"{tool.name} {tool.description}")
        and len(tool.parameters.get("properties") or {}) == 2
    ]


def next_selections(prompt: Prompt, *, eager: bool = False) -> list[ToolSelection]:
    """The calls that are made now: asked for, and not yet made in this turn.

    `required` makes one. Once a result has come, it is of the last tool that was not called, since
    a tool that gives the answer its form comes last.
    """
    text, calls = prompt.user_text, prompt.turn_calls()
    if prompt.forced:
        return [ToolSelection(tool, text) for tool in prompt.tools if tool.name == prompt.forced]
    is_required, used = prompt.choice == "required", {call.name for call in calls}
    left = [tool for tool in prompt.tools if not _is_done(tool, prompt)]
    found = _next_operation(prompt) or [
        one for one in _named(prompt.tools, text) if one.tool in left
    ]
    if not found:
        # What was called by another agent, which handed over to this one, does not count.
        own = any(tool.name in used for tool in prompt.tools)
        tools = _fallback(prompt, left, eager) if not own else iter(())
        if own and eager and not is_required:
            tools = _following(prompt, left)
        found = [ToolSelection(tool, text) for tool in tools][:1]
    if is_required and not found:
        other = [tool for tool in prompt.tools if tool.name not in used] or prompt.tools
        return [ToolSelection(other[-1 if calls else 0], text)]
    return found[:1] if is_required or not prompt.parallel or _SEQUENCE.search(text) else found


def _agents(tool: Tool) -> list[str]:
    """The agents that a tool hands over to."""
    takes_agent = any("agent" in name.lower() for name in tool.parameters.get("properties") or {})
    return [option.name for option in offered(tool.description)[0]] if takes_agent else []


def _is_done(tool: Tool, prompt: Prompt) -> bool:
    """Whether it was called in this turn; another agent's hand-over by the same name was not."""
    own = [call.arguments for call in prompt.turn_calls() if call.name == tool.name]
    agents = _agents(tool)
    left = [name for name in agents if not any(mentions(name, given) for given in own)]
    return bool(own) and (not left or any(mentions(name, own[-1]) for name in agents))


def is_task(text: str) -> bool:
    """Whether a text wants something done or known; greetings and statements do not."""
    told = sentences(text)
    is_order = any(one.endswith(("?", "？")) or not _STATEMENT.match(one) for one in told)
    return is_order and bool(content_words(text) - _SMALL_TALK or numbers(text))


def _fallback(prompt: Prompt, tools: Sequence[Tool], eager: bool) -> Iterator[Tool]:
    """The tools for a task that names none: what looks things up or, if eager, what can be filled.

    Of these the ones with a value of a certain form go first (an address, a link), then those that
    take the question as it is, then by their order.
    """
    text = prompt.user_text
    if not is_task(text) or recall_statement(prompt):
        return
    looks_up = [t for t in tools if content_words(f"{t.name} {t.description}") & _LOOKS_UP]
    if not eager:
        yield from looks_up if text.endswith(("?", "？")) else ()
        return
    fit = [(tool, *fill_arguments(prompt, ToolSelection(tool, text))) for tool in tools]
    yield from (t for t, made, _ in fit if any(_FORMED.fullmatch(str(v)) for v in made.values()))
    filled = [(tool, made) for tool, made, invented in fit if not invented]
    yield from (tool for tool, made in filled if tool in looks_up or text in made.values())
    yield from (tool for tool, _ in filled)


def _following(prompt: Prompt, tools: Sequence[Tool]) -> Iterator[Tool]:
    """The tools that go on from the results of this turn."""
    common = frozenset.intersection(*(content_words(tool.name) for tool in prompt.tools))
    system = content_words(prompt.system_text)
    given = content_words(prompt.turn_calls()[-1].name) - common
    named = []
    for tool in tools:
        properties = tool.parameters.get("properties") or {}
        if not properties or fill_arguments(prompt, ToolSelection(tool, prompt.user_text))[1]:
            continue
        if content_words(" ".join(properties)) & given:
            yield tool
        own = content_words(tool.name) - common
        if own and (own <= system or any(mentions(a, prompt.system_text) for a in _agents(tool))):
            named.append(tool)
    yield from named


def why_none(prompt: Prompt) -> str:
    """Why no tool is called, in one line; empty where none is offered or one was called."""
    if not prompt.tools or prompt.turn_calls():
        return ""
    if prompt.choice == "none":
        why = "tool_choice is 'none'"
    elif not is_task(prompt.user_text):
        why = "the message is no task"
    elif recall_statement(prompt):
        why = "the conversation answers the question"
    else:
        why = "none is named, and the message holds no values for their parameters"
    return f"{len(prompt.tools)} tools offered, none called: {why}"


def fill_arguments(prompt: Prompt, selection: ToolSelection) -> tuple[dict[str, Any], int]:
    """(arguments of a call, how many of them neither its clause nor the results hold)"""
    tool, clause, calls = selection.tool, selection.clause, prompt.turn_calls()
    results = [text for _, text in prompt.turn_results()]
    options = offered(tool.description)[0]
    if not options:
        options = [o for o in offered(prompt.user_text)[0] if o.name.isdigit()]
        clause = read_task(prompt).question if options else clause
    before = [call.arguments for call in calls if call.name == tool.name]
    given = re.search(rf"(?<!\w){re.escape(tool.name)}\(([^()]*)\)", prompt.user_text)
    parts = [given[1] if given else clause, *results]
    if results and _SEQUENCE.search(prompt.user_text):  # the last result, and numbers not used yet
        used = "|".join(re.escape(str(n)) for call in calls for n in numbers(call.arguments))
        parts = [results[-1], re.sub(rf"(?<![\w.])(?:{used or '-'})(?![\w.])", "", parts[0])]
    values = PromptValues(
        "\n".join(parts),
        question=clause,
        result="\n".join(results[-1:]),
        options=[o for o in options if not any(mentions(o.name, given) for given in before)],
        about=tool.description,
    )
    made = instance(tool.parameters or {"type": "object"}, values)
    return (made if isinstance(made, dict) else {}), values.invented


def arguments_text(prompt: Prompt, selection: ToolSelection) -> str:
    """Arguments as the JSON text of a call."""
    return as_json(fill_arguments(prompt, selection)[0])
