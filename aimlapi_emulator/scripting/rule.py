"""Rules that a test scripts (`Emulator.when`), which go before the built-in ones of `answers`.

The first rule whose condition holds answers, with this order around it: a fault of the test or of
a directive, then `enqueue_response`, then these rules, then the built-in ones. A rule with nothing
but a fault is passed over when the request has a fault already, and rules that say or call
something are passed over by embeddings.

An agent sends its conversation again after each tool result, so a rule that calls is passed over
once the turn (what follows the last user message) holds its calls: the same tools with the same
arguments, or the same tools where arguments are computed, raw text or left out. What it answers
depends on the request alone, so that a request that is sent twice is answered alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aimlapi_emulator.answers.answer import Answer, ToolCall
from aimlapi_emulator.answers.tool_selection import Ask, arguments_text
from aimlapi_emulator.faults.directives import strip_directives
from aimlapi_emulator.faults.fault import Fault, changed, nearest
from aimlapi_emulator.prompt import Prompt, Tool, as_json
from aimlapi_emulator.scripting.request_view import RequestView
from aimlapi_emulator.scripting.rule_validation import check
from aimlapi_emulator.scripting.schema_errors import schema_errors
from aimlapi_emulator.scripting.types import Args, Calls, Condition, RuleError, Say, is_json_object


@dataclass(slots=True, eq=False)
class Rule:
    """A scripted rule, made by `Emulator.when`."""

    condition: Condition
    """Text that the last message contains, ignoring case; or a compiled pattern that is found in it
    (`RequestView.last_message`: the user's text, or the tool results that came after it); or a
    callable that is given the `RequestView`."""
    say: Say | None = None
    """A text, sent as it is; a dict, sent as JSON, which must fit the response format; or a
    callable that makes either from the request."""
    calls: Calls = ()
    """(tool name, arguments) of each call. Arguments are a dict, which must fit the tool's schema;
    text, sent as it is, broken JSON too; a callable that makes either from the request; or None:
    the built-in rules take them from the prompt."""
    fault: Fault | None = None
    """What goes wrong with the answer, scripted or not. The request is known once it was read, so
    `drop="before_read"` is `after_read` here."""
    model: str | None = None
    """Only requests for this very model id."""
    endpoint: str | None = None
    """Only `chat`, `responses` or `embeddings`."""
    at_most: int | None = None
    """How often it answers; None is always."""
    times: int = field(default=0, init=False)
    """How often it has answered."""

    def __post_init__(self) -> None:
        check(self)

    def __repr__(self) -> str:
        given: dict[str, Any] = {"say": self.say, "calls": list(self.calls), "fault": self.fault}
        if len(self.calls) == 1:
            given = {"call": self.calls[0][0], "args": self.calls[0][1], "fault": self.fault}
        given |= {"model": self.model, "endpoint": self.endpoint, "at_most": self.at_most}
        told = [
            f"{name}={_told(value)}" for name, value in given.items() if value not in (None, [])
        ]
        return f"when({', '.join([_told(self.condition), *told])})"

    def holds(self, view: RequestView, *, has_fault: bool) -> bool:
        """Whether it answers this request. Raises RuleError when the test's condition fails."""
        if self.at_most is not None and self.times >= self.at_most:
            return False
        if self.endpoint not in (None, view.endpoint) or self.model not in (None, view.model):
            return False
        if (has_fault and not self.answers) or (view.endpoint == "embeddings" and self.answers):
            return False
        if not isinstance(self.condition, str | re.Pattern):
            found = bool(_call(self, self.condition, view))
        else:
            found = _is_in(self.condition, strip_directives(view.last_message))
        return found and not (self.calls and self._made(view))

    @property
    def answers(self) -> bool:
        """Whether it scripts more than a fault."""
        return self.say is not None or bool(self.calls)

    def answer(self, view: RequestView, prompt: Prompt) -> Answer:
        """What it says or calls. Raises RuleError when the request does not allow that."""
        if self.say is None:
            calls = tuple(self._tool_call(view, prompt, *call) for call in self.calls)
            return Answer(calls=calls, finish="tool_calls")
        if prompt.choice == "required":
            named = f"forces the tool {prompt.forced!r}" if prompt.forced else "requires a call"
            raise RuleError(f"{self!r} says a text, but the request {named}: script it with call=")
        return Answer(self._text(view, prompt))

    def _text(self, view: RequestView, prompt: Prompt) -> str:
        said = _call(self, self.say, view) if callable(self.say) else self.say
        if isinstance(said, str):
            return said
        if not is_json_object(said):
            raise RuleError(f"{self!r} says {said!r}, which is neither text nor a JSON object")
        text = json.dumps(said, ensure_ascii=False)
        found = schema_errors(prompt.schema, json.loads(text)) if prompt.schema else []
        if found:
            why = "; ".join(found)
            raise RuleError(f"{self!r} says what the request's schema does not allow: {why}")
        return text

    def _tool_call(
        self, view: RequestView, prompt: Prompt, name: str, args: Args | None
    ) -> ToolCall:
        tool = self._tool(prompt, name)
        if args is None:
            return ToolCall(name, arguments_text(prompt, Ask(tool, prompt.user_text)))
        given = _call(self, args, view) if callable(args) else args
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
        elif len(self.calls) > 1 and not prompt.parallel:
            why = "the request wants one call at a time (parallel_tool_calls is false)"
        if why:
            raise RuleError(f"{self!r} calls {name!r}, but {why}")
        return listed[name]

    def _made(self, view: RequestView) -> bool:
        """Whether the turn holds all its calls."""
        made = [(call.name, _loaded(call.arguments)) for call in view.prompt.turn_calls()]
        names = [name for name, _ in made]
        return all(
            (name, _loaded(as_json(args))) in made if isinstance(args, Mapping) else name in names
            for name, args in self.calls
        )


def choose(rules: Iterable[Rule], view: RequestView, *, has_fault: bool) -> Rule | None:
    """The first rule that answers the request. Raises RuleError."""
    return next((rule for rule in rules if rule.holds(view, has_fault=has_fault)), None)


def _is_in(condition: str | re.Pattern[str], text: str) -> bool:
    if isinstance(condition, str):
        return condition.casefold() in text.casefold()
    return condition.search(text) is not None


def _call(rule: Rule, function: Any, view: RequestView) -> Any:
    try:
        return function(view)
    except BaseException as exc:  # pytest.fail is one, and would end the server's thread
        raise RuleError(f"{rule!r}: its callable raised {type(exc).__name__}: {exc}") from exc


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _told(value: Any) -> str:
    """A value as it was written, as far as one line tells."""
    if isinstance(value, re.Pattern):
        return f"re.compile({value.pattern!r})"
    if isinstance(value, Fault):
        return f"Fault({', '.join(f'{name}={getattr(value, name)!r}' for name in changed(value))})"
    return getattr(value, "__name__", None) or repr(value)
