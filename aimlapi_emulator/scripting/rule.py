"""Rules that a test scripts (`Emulator.when`), which go before the built-in ones of `answers`.

Order of precedence: a fault of the test or of a directive, a queued response
(`Emulator.enqueue_response`), the first of these rules that matches, the built-in rules. A rule
with only a fault is skipped when the request already has a fault; rules with an answer are skipped
for embeddings.

An agent sends its conversation again after each tool result, so a rule with tool calls is skipped
once they were made in this turn (since the last user message): the same tools with the same
arguments, or the same tools if arguments are computed, raw text or omitted. An answer depends on
the request alone, so that a repeated request gets the same answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aimlapi_emulator.answers.answer import Answer, ToolCall
from aimlapi_emulator.answers.tool_selection import ToolSelection, arguments_text
from aimlapi_emulator.faults.directives import strip_directives
from aimlapi_emulator.faults.fault import Fault
from aimlapi_emulator.faults.fault_field import nearest
from aimlapi_emulator.prompt import Prompt, Tool, as_json
from aimlapi_emulator.scripting.request_view import RequestView
from aimlapi_emulator.scripting.schema_errors import schema_errors
from aimlapi_emulator.scripting.types import (
    Arguments,
    Condition,
    JSONObject,
    RuleError,
    Text,
    ToolCalls,
    is_json_object,
)


@dataclass(slots=True, eq=False)
class Rule:
    """A scripted rule, made by `Emulator.when`."""

    condition: Condition
    """Text that the last message contains, ignoring case; or a compiled pattern that is found in it
    (`RequestView.last_message`: the user's text, or the tool results that came after it); or a
    callable that is given the `RequestView`."""
    text: Text | None = None
    """The text of the answer, sent unchanged, or a callable that returns it for a request."""
    json: JSONObject | None = None
    """Structured output: a dict, sent as JSON, which must match the response format, or a callable
    that returns it for a request."""
    tool_calls: ToolCalls = ()
    """(tool name, arguments) of each call. Arguments are a dict, which must match the tool's
    schema; text, sent unchanged, even if it is invalid JSON; a callable that returns either for a
    request; or None: the built-in rules take them from the prompt."""
    fault: Fault | None = None
    """A fault of the answer, scripted or not. It is chosen after the request was read, so
    `drop="before_read"` is `after_read` here."""
    model: str | None = None
    """Only requests for exactly this model id."""
    endpoint: str | None = None
    """Only `chat`, `responses` or `embeddings`."""
    times: int | None = None
    """How many requests it answers; None is all."""
    use_count: int = field(default=0, init=False)
    """How many requests it has answered."""

    def __repr__(self) -> str:
        given: dict[str, Any] = {"text": self.text, "json": self.json}
        if len(self.tool_calls) == 1:
            given["tool_call"], given["arguments"] = self.tool_calls[0]
        else:
            given["tool_calls"] = list(self.tool_calls)
        for name in ("fault", "model", "endpoint", "times"):
            given[name] = getattr(self, name)
        keywords = [
            f"{name}={_source(value)}" for name, value in given.items() if value not in (None, [])
        ]
        return f"when({', '.join([_source(self.condition), *keywords])})"

    def matches(self, view: RequestView, *, has_fault: bool) -> bool:
        """Whether it answers this request. Raises RuleError when its condition raises."""
        if self.times is not None and self.use_count >= self.times:
            return False
        if self.endpoint not in (None, view.endpoint) or self.model not in (None, view.model):
            return False
        if has_fault and not self.has_answer:
            return False
        if view.endpoint == "embeddings" and self.has_answer:
            return False
        if not isinstance(self.condition, str | re.Pattern):
            found = bool(self._computed(self.condition, view))
        else:
            found = _is_in(self.condition, strip_directives(view.last_message))
        return found and not (self.tool_calls and self._were_made(view))

    @property
    def has_answer(self) -> bool:
        """Whether it scripts more than a fault."""
        return self.text is not None or self.json is not None or bool(self.tool_calls)

    def answer(self, view: RequestView, prompt: Prompt) -> Answer:
        """The scripted answer. Raises RuleError when the request does not allow it."""
        if self.tool_calls:
            calls = tuple(self._tool_call(view, prompt, *call) for call in self.tool_calls)
            return Answer(calls=calls, finish_reason="tool_calls")
        if prompt.choice == "required":
            named = f"forces the tool {prompt.forced!r}" if prompt.forced else "requires a call"
            raise RuleError(f"{self!r} is no tool call, but the request {named}: use tool_call=")
        return Answer(self._content(view, prompt))

    def _computed(self, value: Any, view: RequestView) -> Any:
        """A value, or what it returns for the request if it is a callable."""
        if not callable(value):
            return value
        try:
            return value(view)
        except BaseException as exc:  # pytest.fail is one, and would end the server's thread
            raise RuleError(f"{self!r}: its callable raised {type(exc).__name__}: {exc}") from exc

    def _content(self, view: RequestView, prompt: Prompt) -> str:
        if self.json is None:
            text = self._computed(self.text, view)
            if not isinstance(text, str):
                raise RuleError(f"{self!r} has the text {text!r}, which is no str")
            return text
        value = self._computed(self.json, view)
        if not is_json_object(value):
            raise RuleError(f"{self!r} has the json {value!r}, which is no JSON object")
        text = json.dumps(value, ensure_ascii=False)
        found = schema_errors(prompt.schema, json.loads(text)) if prompt.schema else []
        if found:
            why = "; ".join(found)
            raise RuleError(f"{self!r} has a json that the request's schema does not allow: {why}")
        return text

    def _tool_call(
        self, view: RequestView, prompt: Prompt, name: str, arguments: Arguments | None
    ) -> ToolCall:
        tool = self._tool(prompt, name)
        if arguments is None:
            return ToolCall(name, arguments_text(prompt, ToolSelection(tool, prompt.user_text)))
        given = self._computed(arguments, view)
        if isinstance(given, str):
            return ToolCall(name, given)
        if not is_json_object(given):
            raise RuleError(f"{self!r} calls {name!r} with {given!r}, which is no JSON object")
        text = as_json(given)
        found = schema_errors(tool.parameters, json.loads(text))
        if found:
            raise RuleError(f"{self!r} calls {name!r} with wrong arguments: {'; '.join(found)}")
        return ToolCall(name, text)

    def _tool(self, prompt: Prompt, name: str) -> Tool:
        """The tool of that name, where the request lets it be called."""
        listed = {tool.name: tool for tool in prompt.tools}
        why = ""
        if name not in listed:
            tools = ", ".join(map(repr, listed)) or "no tools"
            why = f"the request lists {tools}{nearest(name, listed)}"
        elif prompt.choice == "none":
            why = "the request's tool_choice is 'none'"
        elif prompt.forced not in (None, name):
            why = f"the request forces {prompt.forced!r}"
        elif len(self.tool_calls) > 1 and not prompt.parallel:
            why = "the request wants one call at a time (parallel_tool_calls is false)"
        if why:
            raise RuleError(f"{self!r} calls {name!r}, but {why}")
        return listed[name]

    def _were_made(self, view: RequestView) -> bool:
        """Whether all its tool calls were made in this turn."""
        made = [(call.name, _parsed(call.arguments)) for call in view.prompt.turn_calls()]
        names = [name for name, _ in made]
        return all(
            (name, _parsed(as_json(given))) in made if isinstance(given, Mapping) else name in names
            for name, given in self.tool_calls
        )


def first_match(rules: Iterable[Rule], view: RequestView, *, has_fault: bool) -> Rule | None:
    """The first rule that matches the request. Raises RuleError."""
    return next((rule for rule in rules if rule.matches(view, has_fault=has_fault)), None)


def _is_in(condition: str | re.Pattern[str], text: str) -> bool:
    if isinstance(condition, str):
        return condition.casefold() in text.casefold()
    return condition.search(text) is not None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _source(value: Any) -> str:
    """A value as source code, as far as one line can show it."""
    if isinstance(value, re.Pattern):
        return f"re.compile({value.pattern!r})"
    return getattr(value, "__name__", None) or repr(value)
