"""Which tools a prompt asks for, in which order, and with which arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.answers.arithmetic import plan
from aimlapi_emulator.answers.extraction import Facts, names, numbers, quoted
from aimlapi_emulator.answers.schema_instance import instance
from aimlapi_emulator.prompt import Call, Prompt, Tool
from aimlapi_emulator.text.words import all_words, content_words, stem, with_operators

_SEQUENCE = re.compile(r"\b(?:then|after that|afterwards|finally)\b|use the result", re.IGNORECASE)
_LOOKS_UP = re.compile(
    r"\bretriev\w*|\bknowledge base\b|\b(?:search|look)\w*\b.{0,60}\b(?:docs?|documents?|passages|"
    r"notes|corpus|index|archive|knowledge|library|handbook|wiki)\b",
    re.IGNORECASE,
)
_BREAK = re.compile(r"[,;.?!]|\band\b|\bthen\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ToolSelection:
    """A tool that a text asks for, with the clause that asks."""

    tool: Tool
    clause: str
    given: Mapping[str, Any] | None = None
    """Arguments that are known already."""


def _literal(tool: Tool, text: str) -> int:
    match = re.search(rf"(?<!\w){re.escape(tool.name)}(?!\w)", text)
    if match is None:
        return -1
    # A one-word name is an ordinary word too: it counts like any other.
    return match.start() if len(all_words(tool.name)) > 1 or f"{tool.name}(" in text else -1


def _first_mention(words: frozenset[str], text: str) -> int:
    for match in re.finditer(r"[^\W_]+", text):
        if stem(match[0]) in words:
            return match.start()
    return len(text)


def _matches(tools: Iterable[Tool], text: str) -> list[tuple[int, Tool]]:
    """(place of the mention, tool) of the tools that are asked for, in order of mention."""
    literal = [(place, tool) for tool in tools if (place := _literal(tool, text)) >= 0]
    if literal:
        return sorted(literal, key=lambda pair: pair[0])
    said = content_words(with_operators(text))
    shared: list[tuple[Tool, frozenset[str], frozenset[str]]] = []
    for tool in tools:
        by_name = content_words(tool.name) & said
        shared.append((tool, by_name, by_name | (content_words(tool.description) & said)))
    if any(by_name for _, by_name, _ in shared):
        # A word of the name says more than one of the description, when some tool has one.
        shared = [entry for entry in shared if entry[1]]
    found = [
        (_first_mention(by_name or both, text), tool)
        for tool, by_name, both in shared
        if both and not any(both < other for _, _, other in shared)
    ]
    return sorted(found, key=lambda pair: pair[0])


def asked(tools: Sequence[Tool], text: str) -> list[ToolSelection]:
    """The tools that a text asks for, by name or by a content word, in order of mention."""
    places = _matches(tools, text)
    found = []
    start = 0
    for index, (_, tool) in enumerate(places):
        end = len(text)
        if index + 1 < len(places):
            following = places[index + 1][0]
            breaks = [m.start() for m in _BREAK.finditer(text, start, min(following, len(text)))]
            end = breaks[-1] if breaks else len(text)
        clause = text[start:end].strip()
        # "weather and time in Paris": a clause without values takes them from the whole.
        found.append(ToolSelection(tool, clause if _has_values(clause) else text))
        start = end if end < len(text) else start
    return found


def _has_values(clause: str) -> bool:
    return bool(numbers(clause) or quoted(clause) or names(clause) or "=" in clause)


def _told(tool: Tool) -> str:
    return f"{' '.join(all_words(tool.name))} {' '.join(tool.description.split())}"


def in_sequence(text: str) -> bool:
    """Whether the text wants one step after the other."""
    return _SEQUENCE.search(text) is not None


def next_asks(prompt: Prompt) -> list[ToolSelection]:
    """The calls that `auto` makes now: asked for, and not yet made in this turn."""
    text = prompt.user_text
    done = {call.name for call in prompt.turn_calls()}
    steps, summing = plan(prompt)
    left = [ToolSelection(step.tool, text, step.arguments) for step in steps]
    others = [tool for tool in prompt.tools if tool.name not in summing]
    found = asked(others, text)
    if not found and not done and text.rstrip().endswith(("?", "？")):
        # A question that shares no word with any tool goes to one that looks things up.
        found = [ToolSelection(tool, text) for tool in others if _LOOKS_UP.search(_told(tool))][:1]
    left += [ask for ask in found if ask.tool.name not in done]
    return left[:1] if not prompt.parallel or in_sequence(text) else left


def required_ask(prompt: Prompt) -> ToolSelection:
    """The one call that `required` makes now.

    First what the prompt asks for and was not called in this turn. Once a result has come, the
    last tool that was not called, since a tool that gives the answer its form comes last.
    """
    text = prompt.user_text
    steps, _ = plan(prompt)
    if steps:
        return ToolSelection(steps[0].tool, text, steps[0].arguments)
    done = [call.name for call in prompt.turn_calls()]
    for ask in asked(prompt.tools, text):
        if ask.tool.name not in done:
            return ask
    uncalled = [tool for tool in prompt.tools if tool.name not in done]
    if not uncalled:
        return ToolSelection(next(t for t in prompt.tools if t.name == done[-1]), text)
    return ToolSelection(uncalled[-1] if prompt.turn_results() else uncalled[0], text)


def _call_text(tool: Tool, text: str) -> str | None:
    """What stands between the brackets of `tool_name(...)` in a text."""
    match = re.search(rf"(?<!\w){re.escape(tool.name)}\(([^()]*)\)", text)
    return match[1] if match else None


def _used_numbers(calls: Iterable[Call]) -> list[float | int]:
    return [number for call in calls for number in numbers(call.arguments)]


def arguments(prompt: Prompt, ask: ToolSelection) -> dict[str, Any]:
    """Arguments for a call, from its clause first, then from the results of this turn."""
    if ask.given is not None:
        return dict(ask.given)
    results = [text for _, text in prompt.turn_results()]
    chained = bool(results) and in_sequence(prompt.user_text)
    facts = Facts(
        "\n".join([_call_text(ask.tool, prompt.user_text) or ask.clause, *results]),
        question=ask.clause,
        taken_numbers=_used_numbers(prompt.turn_calls()) if chained else (),
        first_numbers=numbers(results[-1])[:1] if chained else (),
    )
    found = instance(ask.tool.parameters or {"type": "object"}, facts)
    return found if isinstance(found, dict) else {}


def arguments_text(prompt: Prompt, ask: ToolSelection) -> str:
    """Arguments as the JSON text of a call."""
    return json.dumps(arguments(prompt, ask), ensure_ascii=False, separators=(",", ":"))
