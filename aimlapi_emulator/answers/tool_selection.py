"""Which tools a prompt asks for, in which order, and with which arguments.

Called are the tools that the text names: by the whole name, a word of it, or of the description.
`eager` calls the best-fitting one too where the text is a task but names none, and goes on with
tools that the system prompt names or that take what the last tool gave: each once, and only those
whose arguments the prompt and the results hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.answers.extraction import PromptValues, numbers
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
_MAX_STEPS = 20
_SIGNS = {"×": "*", " times ": "*", "÷": "/", " plus ": "+"}
_NAMES = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}
_NUMBER = r"(-?\d+(?:\.\d+)?)\s*"
_OPERATIONS = (  # in order of precedence
    re.compile(rf"\(\s*{_NUMBER}([-+*/])\s*{_NUMBER}\)"),
    re.compile(rf"{_NUMBER}([*/])\s*{_NUMBER}(?<=\d)"),
    re.compile(rf"{_NUMBER}(\+|-(?=\s))\s*{_NUMBER}(?<=\d)"),
)


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
    stems, words_of_text = content_words(text), frozenset(all_words(text))
    shared = [(content_words(tool.name) & stems, tool) for tool in tools]
    if not any(words for words, _ in shared):
        shared = [(content_words(tool.description) & stems, tool) for tool in tools]
    places = places or [
        (min(map(text.find, [w for w in words_of_text if stem(w) in words]), default=0), tool)
        for words, tool in shared
        if words and not any(words < other for other, _ in shared)
    ]
    places.sort(key=lambda pair: pair[0])
    starts = [0, *(place for place, _ in places[1:]), len(text)]
    found = []
    for begin, end, (_, tool) in zip(starts, starts[1:], places, strict=False):
        clause = text[begin:end]
        # "weather and time in Paris": a clause without values takes them from the whole.
        has_values = any(PromptValues(clause).rows.values()) or "=" in clause
        found.append(ToolSelection(tool, clause if has_values else text))
    return found


def _next_operation(prompt: Prompt) -> list[ToolSelection]:
    """The tool for the next operation of the sums in the text: of `20 + (2 * 4)` first `2 * 4`."""
    text, match = prompt.user_text[:_MAX_LENGTH], None
    for word, sign in _SIGNS.items():
        text = text.replace(word, sign)
    for result in [*(text for _, text in prompt.turn_results()[:_MAX_STEPS]), ""]:
        match = next(filter(None, (operation.search(text) for operation in _OPERATIONS)), None)
        if match is None:
            return []
        text = f"{text[: match.start()]}{result}{text[match.end() :]}"
    return [
        ToolSelection(tool, f"{match[1]} {match[3]}")
        for tool in prompt.tools
        if match
        and stem(_NAMES[match[2]]) in content_words(f"{tool.name} {tool.description}")
        and len(tool.parameters.get("properties") or {}) == 2
    ][:1]


def next_selections(prompt: Prompt, *, eager: bool = False) -> list[ToolSelection]:
    """The calls that are made now: asked for, and not yet made in this turn.

    `required` makes one. Once a result has come, it is of the last tool that was not called, since
    a tool that gives the answer its form comes last.
    """
    text, used = prompt.user_text, {call.name for call in prompt.turn_calls()}
    if prompt.forced:
        return [ToolSelection(tool, text) for tool in prompt.tools if tool.name == prompt.forced]
    is_required = prompt.choice == "required"
    left = [tool for tool in prompt.tools if not _is_done(tool, prompt)]
    named = [one for one in _named(prompt.tools, text) if one.tool in left]
    found = _next_operation(prompt) or named
    if not found:
        others = _unnamed(prompt, left, eager and not (is_required and used))
        found = [ToolSelection(tool, text) for tool in others][:1]
    if is_required and not found:
        other = [tool for tool in prompt.tools if tool.name not in used] or prompt.tools
        return [ToolSelection(other[-1 if used else 0], text)]
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
    parts = sentences(text)
    is_order = any(one.endswith(("?", "？")) or not _STATEMENT.match(one) for one in parts)
    return is_order and bool(content_words(text) - _SMALL_TALK or numbers(text))


def _unnamed(prompt: Prompt, tools: Sequence[Tool], eager: bool) -> Iterator[Tool]:
    """The tools for a task that names none: what looks things up or, if eager, what can be filled.

    Of these the ones with a value of a certain form go first (an address, a link), then those that
    take the question as it is. After a call they are those that take what it gave, or that the
    system prompt names.
    """
    text, system = prompt.user_text, prompt.system_text
    fit = [(t, *fill_arguments(prompt, ToolSelection(t, text))) for t in tools] if eager else []
    filled = [(tool, made) for tool, made, invented in fit if not invented]
    calls = [call for call in prompt.turn_calls() if any(t.name == call.name for t in prompt.tools)]
    if calls:  # by this agent, not by another one that handed over to it
        common = frozenset.intersection(*(content_words(tool.name) for tool in prompt.tools))
        last, orders = content_words(calls[-1].name) - common, content_words(system)
        yield from (tool for tool, made in filled if content_words(" ".join(made)) & last)
        for tool, made in filled:
            own = content_words(tool.name) - common
            is_named = any(mentions(agent, system) for agent in _agents(tool))
            if made and (is_named or (own and own <= orders)):
                yield tool
    elif is_task(text) and not recall_statement(prompt):
        looks_up = [t for t in tools if content_words(f"{t.name} {t.description}") & _LOOKS_UP]
        yield from (t for t, made, _ in fit if any(map(_FORMED.fullmatch, map(str, made.values()))))
        yield from (tool for tool, made in filled if tool in looks_up or text in made.values())
        yield from (tool for tool, _ in filled)
        yield from looks_up if text.endswith(("?", "？")) and not eager else ()


def why_none(prompt: Prompt) -> str:
    """Why no tool is called, in one line; empty where none is offered or one was called."""
    if not prompt.tools or prompt.turn_calls():
        return ""
    why = "none is named, and the message holds no values for their parameters"
    if prompt.choice == "none":
        why = "tool_choice is 'none'"
    elif not is_task(prompt.user_text):
        why = "the message is no task"
    elif recall_statement(prompt):
        why = "the conversation answers the question"
    return f"{len(prompt.tools)} tools offered, none called: {why}"


def fill_arguments(prompt: Prompt, selection: ToolSelection) -> tuple[dict[str, Any], int]:
    """(arguments of a call, how many of them neither its clause nor the results hold)"""
    tool, clause = selection.tool, selection.clause
    results = [text for _, text in prompt.turn_results()]
    options = offered(tool.description)[0]
    if not options:
        options = [o for o in offered(prompt.user_text)[0] if o.name.isdigit()]
        clause = read_task(prompt).question if options else clause
    before = [call.arguments for call in prompt.turn_calls() if call.name == tool.name]
    values = PromptValues(
        "\n".join([clause, *results]),
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
