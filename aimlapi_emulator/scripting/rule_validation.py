"""Validates scripted rules when they are defined: a rule that could never act is an error."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any

from aimlapi_emulator.faults.fault import FIELDS, Fault, changed
from aimlapi_emulator.scripting.request_view import ENDPOINTS, find_row, is_in_table
from aimlapi_emulator.scripting.rule import Rule
from aimlapi_emulator.scripting.types import Arguments, RuleError, ToolCalls, is_json_object


def as_tool_calls(
    name: str | None, arguments: Arguments | None, calls: ToolCalls | None
) -> ToolCalls:
    """Calls that are given as one or as a list. Raises RuleError when they are given as both."""
    if calls is not None:
        form = "tool_calls= is a list of (name, arguments)"
        if name is not None or arguments is not None:
            raise RuleError(f"{form}; tool_call= and arguments= are for one call")
        if not isinstance(calls, Sequence) or isinstance(calls, str):
            raise RuleError(f"{form}, not {calls!r}")
        if not calls:
            raise RuleError("tool_calls=[] calls nothing")
        return tuple(calls)
    if name is None and arguments is not None:
        raise RuleError("arguments= does nothing without tool_call=")
    return () if name is None else ((name, arguments),)


def check_rule(rule: Rule, *, only_known_models: bool = False) -> None:
    """Raise RuleError for a rule that could never act."""
    _check_condition(rule.condition)
    if sum((rule.text is not None, rule.json is not None, bool(rule.tool_calls))) > 1:
        raise RuleError("a rule takes either text=, json= or tool calls")
    if not rule.has_answer and rule.fault is None:
        raise RuleError("a rule needs text=, json=, tool_call=, tool_calls= or fault=")
    _check_content(rule.text, rule.json)
    _check_tool_calls(rule.tool_calls)
    _check_fault(rule)
    _check_scope(rule, only_known_models)
    if rule.times is not None and (type(rule.times) is not int or rule.times < 1):
        raise RuleError(f"times takes a whole number from 1, not {rule.times!r}")


def _check_condition(condition: Any) -> None:
    if condition == "":
        raise RuleError("the empty text is in every message: say so by re.compile('')")
    if not isinstance(condition, str | re.Pattern) and not callable(condition):
        raise RuleError(f"a rule's condition is text, a pattern or a callable, not {condition!r}")
    if isinstance(condition, re.Pattern) and isinstance(condition.pattern, bytes):
        raise RuleError(f"{condition!r} is a pattern of bytes, and messages are text")
    _check_callable(condition)


def _check_callable(function: Any) -> None:
    """Callables run in the server's thread and are not awaited; a coroutine is always true."""
    called = (function, getattr(function, "__call__", None))  # noqa: B004 - of an object's class
    if any(map(inspect.iscoroutinefunction, called)):
        name = getattr(function, "__name__", None) or function
        raise RuleError(f"{name!r} is an async def; a rule takes a plain function")


def _check_content(text: Any, value: Any) -> None:
    if text == "":
        raise RuleError("text='' says nothing: an empty answer is fault=Fault(empty=True)")
    if text is not None and not (isinstance(text, str) or callable(text)):
        raise RuleError(f"text= takes a str or a callable, and json= a dict, not {text!r}")
    if value is not None and not (callable(value) or is_json_object(value)):
        raise RuleError(f"json= takes a JSON object or a callable, not {value!r}")
    _check_callable(text)
    _check_callable(value)


def _check_tool_calls(calls: Any) -> None:
    for call in calls:
        if not (isinstance(call, tuple) and len(call) == 2):
            raise RuleError(f"a tool call is (name, arguments), not {call!r}")
        name, given = call
        if not isinstance(name, str):
            raise RuleError(f"tool_call= takes the tool's name, {_name_of(name)}")
        if not name:
            raise RuleError("a tool call needs the name of its tool")
        if not (isinstance(given, str | None) or callable(given) or is_json_object(given)):
            raise RuleError(f"{name!r} takes a JSON object, text or a callable, not {given!r}")
        _check_callable(given)


def _name_of(tool: Any) -> str:
    """For an error message: the name of a function or tool object that was passed as a name."""
    name = getattr(tool, "name", None) or getattr(tool, "__name__", None)
    return repr(name) if isinstance(name, str) else f"not {tool!r}"


def _check_fault(rule: Rule) -> None:
    if rule.fault is None:
        return
    if not isinstance(rule.fault, Fault) or not changed(rule.fault):
        raise RuleError(f"fault={rule.fault!r} is no Fault that does something")
    lost = [name for name in changed(rule.fault) if FIELDS[name].replaces_answer]
    if lost and rule.has_answer:
        raise RuleError(f"a fault with {' and '.join(lost)} leaves nothing of the rule's answer")


def _check_scope(rule: Rule, only_known_models: bool) -> None:
    words = tuple(dict.fromkeys(ENDPOINTS.values()))
    if rule.endpoint is not None and rule.endpoint not in words:
        raise RuleError(f"endpoint={rule.endpoint!r} is none of {', '.join(map(repr, words))}")
    if rule.endpoint == "embeddings" and rule.has_answer:
        raise RuleError("embeddings hold no text and no calls: only fault= does something there")
    if rule.model is None or not (only_known_models or is_in_table(rule.model)):
        return
    served = [word for word in words if rule.endpoint in (None, word)]
    if rule.has_answer:  # which embeddings skip
        served = [word for word in served if word != "embeddings"]
    paths = [path for path, word in ENDPOINTS.items() if word in served]
    if not any(find_row(rule.model, path) for path in paths):
        where = f"endpoint {rule.endpoint!r}" if rule.endpoint else "any endpoint"
        kind = " that answers with text" if rule.has_answer and not rule.endpoint else ""
        raise RuleError(f"model={rule.model!r} is not served by {where}{kind}")
