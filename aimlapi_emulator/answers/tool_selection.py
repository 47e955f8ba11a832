"""Which tools a prompt asks for, in which order, and with which arguments.

`named` calls the tools that the text names: by the whole name, a word of it, or of the description.
`eager` calls the best-fitting one too where the text is a task but names none, and goes on with
tools that the system prompt names or that take what the last tool gave: each once, and only those
whose arguments the prompt and the results hold.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.answers.extraction import PromptValues, names, numbers, quoted
from aimlapi_emulator.answers.fallback_text import recall_statement
from aimlapi_emulator.answers.options import Option, first_mention, mentions, offered
from aimlapi_emulator.answers.schema_instance import instance
from aimlapi_emulator.answers.task import read_task
from aimlapi_emulator.prompt import Call, Prompt, Tool
from aimlapi_emulator.text.words import OPERATION_OF, all_words, content_words, sentences, stem

_SEQUENCE = re.compile(r"\b(?:then|after that|afterwards|finally)\b|use the result", re.IGNORECASE)
_LOOKS_UP = frozenset(stem(word) for word in "retrieve retriever search lookup knowledge".split())
_SMALL_TALK = frozenset(
    stem(word)
    for word in "hello hi hey hola thanks thank bye goodbye good morning evening afternoon night "
    "ok okay yes no cool great nice lot there everyone fine well welcome sure".split()
)
_STATEMENT = re.compile(r"(?:i|my|we|our|you|he|she|it|this|that|the)(?:'\w+)? ", re.IGNORECASE)
_FORMED = re.compile(r"[^\s@]+@[^\s@]+|https?://\S+")
_NUMERAL = r"-?\d+(?:\.\d+)?"
_MAX_OPERATIONS = 50
_SIGN = re.compile(r"[-+*×/÷]\s*[(\d]")
# In order of precedence.
_OPERATIONS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\(\s*({_NUMERAL})\s*([-+*×/÷])\s*({_NUMERAL})\s*\)",
        rf"(?<![\d.)])({_NUMERAL})\s*([*×/÷])\s*({_NUMERAL})",
        rf"(?<![\d.)])({_NUMERAL})\s*([+]|-(?=\s))\s*({_NUMERAL})(?!\s*[*×/÷])",
    )
)


@dataclass(frozen=True, slots=True)
class ToolSelection:
    """A tool that a text asks for, with the clause that asks."""

    tool: Tool
    clause: str


def _named(tools: Iterable[Tool], text: str) -> list[ToolSelection]:
    """The tools that a text asks for, by name or by a content word, in order of mention.

    A whole name of several words goes before a word of a name, and that before the description's.
    """
    # A one-word name is an ordinary word too: it counts like any other.
    whole = [tool for tool in tools if len(all_words(tool.name)) > 1 or f"{tool.name}(" in text]
    spelled = [(re.search(rf"(?<!\w){re.escape(t.name)}(?!\w)", text), t) for t in whole]
    literal = [(match.start(), tool) for match, tool in spelled if match]
    said = content_words(text) | {stem(OPERATION_OF[match[2]]) for match in _operations(text)}
    shared = [(content_words(tool.name) & said, tool) for tool in tools]
    if not any(words for words, _ in shared):
        shared = [(content_words(tool.description) & said, tool) for tool in tools]
    places = literal or [
        (first_mention(words, text), tool)
        for words, tool in shared
        if words and not any(words < other for other, _ in shared)
    ]
    places = sorted(places, key=lambda pair: pair[0])
    starts = [0, *(place for place, _ in places[1:]), len(text)]
    found = []
    for index, (_, tool) in enumerate(places):
        clause = text[starts[index] : starts[index + 1]]
        # "weather and time in Paris": a clause without values takes them from the whole.
        has_values = numbers(clause) or quoted(clause) or names(clause) or "=" in clause
        found.append(ToolSelection(tool, clause if has_values else text))
    return found


def _next_operations(prompt: Prompt) -> list[ToolSelection]:
    """Tools for the operations of a sum in the text that can be done now, with earlier results.

    `20 + (2 * 4)` is multiply(2, 4) first, and add(20, 8) once the 8 has come back.
    """
    text, calls = prompt.user_text, prompt.turn_calls()
    if len(calls) >= len(_SIGN.findall(text)):
        return []  # whatever came back, the loop ends
    for call, (_, result) in zip(calls, prompt.turn_results(), strict=False):
        given, told = numbers(call.arguments), numbers(result)
        for match in _operations(text):
            if told and given == numbers(f"{match[1]} {match[3]}"):
                text = f"{text[: match.start()]}{told[-1]}{text[match.end() :]}"
                break
    found = []
    for match in _operations(text):
        word = stem(OPERATION_OF[match[2]])
        for tool in prompt.tools:
            if word in content_words(f"{tool.name} {tool.description}") and _takes_two(tool):
                found.append(ToolSelection(tool, f"{match[1]} {match[3]}"))
                break
    return found


def _operations(text: str) -> list[re.Match[str]]:
    """The operations of a text that wait for no other, in order of precedence."""
    found: list[re.Match[str]] = []
    for pattern in _OPERATIONS:
        for match in itertools.islice(pattern.finditer(text), _MAX_OPERATIONS):
            if all(match.end() <= one.start() or match.start() >= one.end() for one in found):
                found.append(match)
    return found


def _takes_two(tool: Tool) -> bool:
    kinds = [inner.get("type") for inner in (tool.parameters.get("properties") or {}).values()]
    return sum(kind in ("integer", "number") for kind in kinds) == 2


def next_selections(prompt: Prompt, *, eager: bool = False) -> list[ToolSelection]:
    """The calls that `auto` makes now: asked for, and not yet made in this turn."""
    text, calls = prompt.user_text, prompt.turn_calls()
    operations = _next_operations(prompt)
    if operations:
        return operations if prompt.parallel else operations[:1]
    left = [tool for tool in prompt.tools if not _is_done(tool, calls)]
    found = _named(left if eager else prompt.tools, text)
    found = [one for one in found if one.tool in left]
    if not found:
        # What was called by another agent, which handed over to this one, does not count.
        own = any(call.name == tool.name for call in calls for tool in prompt.tools)
        followed = _following(prompt, left) if own and eager else _fallback(prompt, left, eager)
        found = [ToolSelection(tool, text) for tool in followed if not own or eager][:1]
    return found[:1] if not prompt.parallel or _SEQUENCE.search(text) else found


def _offers(tool: Tool) -> list[Option]:
    """The agents that a tool hands over to."""
    takes_agent = any("agent" in name.lower() for name in tool.parameters.get("properties") or {})
    return offered(tool.description)[0] if takes_agent else []


def _is_done(tool: Tool, calls: Sequence[Call]) -> bool:
    """Whether it was called in this turn; another agent's hand-over by the same name was not."""
    own = [call.arguments for call in calls if call.name == tool.name]
    offers = [option.name for option in _offers(tool)]
    left = [name for name in offers if not any(mentions(name, given) for given in own)]
    return bool(own) and (not left or any(mentions(name, own[-1]) for name in offers))


def is_task(text: str) -> bool:
    """Whether a text wants something done or known; greetings and statements do not."""
    words = (content_words(text) - _SMALL_TALK) | set(numbers(text))
    told = sentences(text)
    return bool(words) and any(
        one.endswith(("?", "？")) or not _STATEMENT.match(one) for one in told
    )


def _fallback(prompt: Prompt, tools: Sequence[Tool], eager: bool) -> Iterator[Tool]:
    """The tools for a task that names none: what looks things up or, if eager, what can be filled.

    Of these the ones with a value of a certain form go first (an address, a date), then those that
    take the question as it is, then by their order.
    """
    text = prompt.user_text
    if not is_task(text) or recall_statement(prompt):
        return
    fit = [(tool, *_fill(prompt, ToolSelection(tool, text))) for tool in tools]
    formed = [t for t, made, _ in fit if any(_FORMED.fullmatch(str(v)) for v in made.values())]
    filled = [(tool, made) for tool, made, invented in fit if not invented]
    looks_up = [t for t in tools if content_words(f"{t.name} {t.description}") & _LOOKS_UP]
    if eager:
        yield from formed
        yield from (tool for tool, made in filled if tool in looks_up or text in made.values())
        yield from (tool for tool, _ in filled)
    elif text.endswith(("?", "？")):
        yield from looks_up


def _following(prompt: Prompt, tools: Sequence[Tool]) -> Iterator[Tool]:
    """The tools that go on from the results of this turn."""
    text, (last, _) = prompt.user_text, prompt.turn_results()[-1]
    common = frozenset.intersection(*(content_words(tool.name) for tool in prompt.tools))
    system, given = content_words(prompt.system_text), content_words(last) - common
    named = []
    for tool in tools:
        properties = tool.parameters.get("properties") or {}
        if not properties or _fill(prompt, ToolSelection(tool, text))[1]:
            continue
        if content_words(" ".join(properties)) & given:
            yield tool
        own = content_words(tool.name) - common
        if own and own <= system:
            named.append(tool)
    yield from named


def required_selection(prompt: Prompt, *, eager: bool = False) -> ToolSelection:
    """The one call that `required` makes now.

    First what the prompt asks for and was not called in this turn. Once a result has come, the
    last tool that was not called, since a tool that gives the answer its form comes last.
    """
    text = prompt.user_text
    done = [call.name for call in prompt.turn_calls()]
    operations = _next_operations(prompt)
    if operations:
        return operations[0]
    for one in _named(prompt.tools, text):
        if one.tool.name not in done:
            return one
    uncalled = [tool for tool in prompt.tools if tool.name not in done]
    if not uncalled:
        return ToolSelection(next(t for t in prompt.tools if t.name == done[-1]), text)
    if prompt.turn_results():
        return ToolSelection(uncalled[-1], text)
    return ToolSelection(next(iter(_fallback(prompt, uncalled, eager)), uncalled[0]), text)


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


def _call_text(tool: Tool, text: str) -> str | None:
    """What is between the brackets of `tool_name(...)` in a text."""
    match = re.search(rf"(?<!\w){re.escape(tool.name)}\(([^()]*)\)", text)
    return match[1] if match else None


def _fill(prompt: Prompt, selection: ToolSelection) -> tuple[dict[str, Any], int]:
    """(arguments of a call, how many of them the prompt holds nothing for)"""
    tool, clause = selection.tool, selection.clause
    results = [text for _, text in prompt.turn_results()]
    chained = bool(results) and bool(_SEQUENCE.search(prompt.user_text))
    used = [number for call in prompt.turn_calls() for number in numbers(call.arguments)]
    options = offered(tool.description)[0]
    if not options:
        options = [o for o in offered(prompt.user_text)[0] if o.name.isdigit()]
        clause = read_task(prompt).question if options else clause
    before = [call.arguments for call in prompt.turn_calls() if call.name == tool.name]
    options = [o for o in options if not any(mentions(o.name, given) for given in before)]
    values = PromptValues(
        "\n".join([_call_text(tool, prompt.user_text) or clause, *results]),
        question=clause,
        result="\n".join(results[-1:]),
        options=options,
        about=tool.description,
        taken_numbers=used if chained else (),
        first_numbers=numbers(results[-1])[:1] if chained else (),
    )
    made = instance(tool.parameters or {"type": "object"}, values)
    return (made if isinstance(made, dict) else {}), values.invented


def arguments(prompt: Prompt, selection: ToolSelection) -> dict[str, Any]:
    """Arguments for a call, from its clause first, then from the results of this turn."""
    return _fill(prompt, selection)[0]


def arguments_text(prompt: Prompt, selection: ToolSelection) -> str:
    """Arguments as the JSON text of a call."""
    return json.dumps(arguments(prompt, selection), ensure_ascii=False, separators=(",", ":"))
