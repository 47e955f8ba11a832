"""What the emulator answers: by rules, the first that fits, never by a script.

1. `tool_choice` names a tool: that call.
2. `required`: the first tool that the prompt asks for and that was not called in this turn.
3. `auto`: every tool that the last user text asks for and that was not called since.
4. A response schema: an instance of it, also after tool results.
5. A JSON object, or a schema written in the prompt: an instance of that.
6. The text protocols of `prompt_templates` (ReAct, sub-questions, choices, standalone questions).
7. Tool results in this turn: a sentence that uses every one; of passages what answers.
8. A context block: the sentence of it that answers the question, with its source.
9. Else an echo that names what came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aimlapi_emulator.answers.extraction import Facts
from aimlapi_emulator.answers.fallback_text import echo, remembered, results_text
from aimlapi_emulator.answers.json_in_text import schema_in_text, wanted_keys
from aimlapi_emulator.answers.prompt_templates import TEXT_FORMS, choices
from aimlapi_emulator.answers.rag.context import find_in_context, from_context
from aimlapi_emulator.answers.schema_instance import instance, to_json
from aimlapi_emulator.answers.tool_selection import (
    ToolSelection,
    arguments_text,
    next_asks,
    required_ask,
)
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


def built_in_answer(prompt: Prompt) -> Answer:
    """The answer to a prompt."""
    calls = _calls(prompt)
    if calls:
        return Answer(calls=calls, finish_reason="tool_calls")
    hosted = _hosted(prompt)
    return hosted or Answer(_text(prompt))


def _calls(prompt: Prompt) -> tuple[ToolCall, ...]:
    if not prompt.tools or prompt.choice == "none":
        return ()
    if prompt.forced:
        tool = next(tool for tool in prompt.tools if tool.name == prompt.forced)
        asks = [ToolSelection(tool, prompt.user_text)]
    elif prompt.choice == "required":
        asks = [required_ask(prompt)]
    else:
        asks = next_asks(prompt)
    return tuple(ToolCall(ask.tool.name, _arguments(prompt, ask)) for ask in asks)


def _arguments(prompt: Prompt, ask: ToolSelection) -> str:
    picked = choices(prompt)
    if picked is None:
        return arguments_text(prompt, ask)
    # A selector's tool wants the number of a listed choice and the reason for it.
    hint = f"index: {picked[0]}\nchoice: {picked[0]}\nreason: {picked[1]}"
    facts = Facts(hint, question=picked[1])
    return to_json(instance(ask.tool.parameters, facts))


def _text(prompt: Prompt) -> str:
    if prompt.schema is not None:
        return to_json(instance(prompt.schema, _facts(prompt)))
    for form in TEXT_FORMS:
        found = form(prompt)
        if found is not None:
            return found
    written = schema_in_text(prompt)
    if written is not None:
        return to_json(instance(written, _facts(prompt)))
    if prompt.json_object:
        return to_json(_free_object(prompt))
    return results_text(prompt) or from_context(prompt) or remembered(prompt) or echo(prompt)


def _facts(prompt: Prompt) -> Facts:
    """What the turn says: the user's text without a schema it may spell out, and the results."""
    question = re.split(r"\n[^\n]*JSON schema", prompt.user_text, maxsplit=1, flags=re.IGNORECASE)[
        0
    ]
    results = [text for _, text in prompt.turn_results()]
    looked = find_in_context(prompt)
    if looked is None or not looked[1].sentence:
        return Facts("\n".join([question, *results]), question=question)
    found = looked[1]
    hints = [f"{key}: {found.source}" for key in ("source", "sources") if found.source]
    if found.number is not None:
        hints += [f"{key}: {found.number}" for key in ("citation", "citations")]
    told = "\n".join([*hints, question, *results])
    return Facts(told, question=found.sentence, passage=found.sentence)


def _free_object(prompt: Prompt) -> dict[str, Any]:
    keys = wanted_keys(f"{prompt.user_text}\n{prompt.system_text}")
    schema = {
        "type": "object",
        "properties": {key: {"type": "string"} for key in keys or ["answer"]},
        "required": keys or ["answer"],
    }
    if not keys:
        return {"answer": results_text(prompt) or from_context(prompt) or echo(prompt)}
    facts = _facts(prompt)
    for key in keys:
        facts.drop_quoted(key)
    found: dict[str, Any] = instance(schema, facts)
    return found


_SEARCH = re.compile(
    r"\b(?:search|look up|look for|find (?:out|online)|browse|latest|news|web|google)\b",
    re.IGNORECASE,
)


def _hosted(prompt: Prompt) -> Answer | None:
    """The answer after a web search or an MCP call, when the prompt asks for one."""
    if prompt.choice == "none":
        return None
    for tool in prompt.hosted:
        if tool["type"].startswith("web_search") and (
            prompt.choice == "required" or _SEARCH.search(prompt.user_text)
        ):
            query = " ".join(prompt.user_text.split())
            return Answer(
                f"A search found this on {query!r}: see example.com.", web_search_query=query
            )
        if tool["type"] == "mcp":
            text = f"{tool['server_label']} answered: {echo(prompt)}"
            return Answer(text, mcp=tool)
    return None


def vary_choice(made: Answer, index: int) -> Answer:
    """The answer of choice number `index`: the first as it is, plain texts told apart after."""
    if index == 0 or not made.text or made.text[0] in "{[" or "```" in made.text:
        return made
    return replace(made, text=f"{made.text} (choice {index + 1})")


def truncate(made: Answer, reason: str, keep: int | None = None) -> Answer:
    """The answer cut off for a reason: half of it, or its first `keep` tokens.

    Calls are cut in the middle of the last one's arguments, as an output limit cuts them.
    """
    if made.calls:
        last = made.calls[-1]
        parts = tokenize(last.arguments)
        size = len(parts) // 2 if keep is None else keep
        cut = "".join(parts[:size])
        cut = cut[: max(1, len(last.arguments) - 1)] if cut == last.arguments else cut
        return replace(
            made, calls=(*made.calls[:-1], ToolCall(last.name, cut)), finish_reason=reason
        )
    parts = tokenize(made.text)
    size = max(1, len(parts) // 2) if keep is None else keep
    return replace(made, text="".join(parts[:size]), finish_reason=reason)
