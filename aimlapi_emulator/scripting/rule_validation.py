"""Rules that could never act, refused where they are written."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any, Protocol

from aimlapi_emulator.faults.fault import Fault, changed
from aimlapi_emulator.scripting.request_view import ENDPOINTS, find_row
from aimlapi_emulator.scripting.types import Args, Calls, Condition, RuleError, Say, is_json_object

# A fault with one of these fields leaves nothing of a scripted answer.
_REPLACES = frozenset(("status", "raw_body", "drop", "refusal", "empty"))


class RuleFields(Protocol):
    """The fields of a `Rule` that are validated."""

    condition: Condition
    say: Say | None
    calls: Calls
    fault: Fault | None
    model: str | None
    endpoint: str | None
    at_most: int | None

    @property
    def answers(self) -> bool:
        """Whether it scripts more than a fault."""


def as_calls(call: str | None, args: Args | None, calls: Calls | None) -> Calls:
    """Calls that are given as one or as a list. Raises RuleError when they are given as both."""
    if calls is not None:
        if call is not None or args is not None:
            raise RuleError("calls= is a list of (name, args); call= and args= are for one call")
        if not isinstance(calls, Sequence) or isinstance(calls, str):
            raise RuleError(f"calls= is a list of (name, args), not {calls!r}")
        if not calls:
            raise RuleError("calls=[] calls nothing")
        return tuple(calls)
    if call is None and args is not None:
        raise RuleError("args= does nothing without call=")
    return () if call is None else ((call, args),)


def check(rule: RuleFields) -> None:
    """Raise RuleError for a rule that could never act."""
    _check_condition(rule.condition)
    if rule.say is not None and rule.calls:
        raise RuleError("a rule either says something or calls a tool")
    if not rule.answers and rule.fault is None:
        raise RuleError("a rule needs say=, call=, calls= or fault=")
    _check_say(rule.say)
    _check_calls(rule.calls)
    _check_fault(rule)
    _check_place(rule)
    if rule.at_most is not None and (type(rule.at_most) is not int or rule.at_most < 1):
        raise RuleError(f"at_most takes a whole number from 1, not {rule.at_most!r}")


def _check_condition(condition: Any) -> None:
    if condition == "":
        raise RuleError("the empty text is in every message: say so by re.compile('')")
    if not isinstance(condition, str | re.Pattern) and not callable(condition):
        raise RuleError(f"a rule's condition is text, a pattern or a callable, not {condition!r}")
    if isinstance(condition, re.Pattern) and isinstance(condition.pattern, bytes):
        raise RuleError(f"{condition!r} is a pattern of bytes, and messages are text")
    _check_callable(condition)


def _check_callable(function: Any) -> None:
    """A rule is called in the server's thread and never awaited: a coroutine would hold always."""
    called = (function, getattr(function, "__call__", None))  # noqa: B004 - of an object's class
    if any(map(inspect.iscoroutinefunction, called)):
        name = getattr(function, "__name__", None) or function
        raise RuleError(f"{name!r} is an async def; a rule takes a plain function")


def _check_say(say: Any) -> None:
    if say == "":
        raise RuleError("say='' says nothing: an empty answer is fault=Fault(empty=True)")
    if say is not None and not (isinstance(say, str) or callable(say) or is_json_object(say)):
        raise RuleError(f"say takes text, a JSON object or a callable, not {say!r}")
    _check_callable(say)


def _check_calls(calls: Any) -> None:
    for call in calls:
        if not (isinstance(call, tuple) and len(call) == 2):
            raise RuleError(f"a call is (name, args), not {call!r}")
        name, args = call
        if not isinstance(name, str):
            raise RuleError(f"call= takes the tool's name, {_name_of(name)}")
        if not name:
            raise RuleError("a call needs the name of its tool")
        if not (args is None or isinstance(args, str) or callable(args) or is_json_object(args)):
            raise RuleError(f"{name!r} takes a JSON object, text or a callable, not {args!r}")
        _check_callable(args)


def _name_of(tool: Any) -> str:
    """The name of a function or of a framework's tool, which was given in its place."""
    name = getattr(tool, "name", None) or getattr(tool, "__name__", None)
    return repr(name) if isinstance(name, str) else f"not {tool!r}"


def _check_fault(rule: RuleFields) -> None:
    if rule.fault is None:
        return
    if not isinstance(rule.fault, Fault) or not changed(rule.fault):
        raise RuleError(f"fault={rule.fault!r} is no Fault that does something")
    lost = [name for name in changed(rule.fault) if name in _REPLACES]
    if lost and rule.answers:
        raise RuleError(f"a fault with {' and '.join(lost)} leaves nothing of the rule's answer")


def _check_place(rule: RuleFields) -> None:
    words = tuple(dict.fromkeys(ENDPOINTS.values()))
    if rule.endpoint is not None and rule.endpoint not in words:
        raise RuleError(f"endpoint={rule.endpoint!r} is none of {', '.join(map(repr, words))}")
    if rule.endpoint == "embeddings" and rule.answers:
        raise RuleError("embeddings say and call nothing: only fault= does something there")
    if rule.model is None:
        return
    served = [word for word in words if rule.endpoint in (None, word)]
    if rule.answers:  # which embeddings pass over
        served = [word for word in served if word != "embeddings"]
    paths = [path for path, word in ENDPOINTS.items() if word in served]
    if not any(find_row(rule.model, path) for path in paths):
        where = f"endpoint {rule.endpoint!r}" if rule.endpoint else "any endpoint"
        kind = " that says or calls something" if rule.answers and not rule.endpoint else ""
        raise RuleError(f"model={rule.model!r} is not served by {where}{kind}")
