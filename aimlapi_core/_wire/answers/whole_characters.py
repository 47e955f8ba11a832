"""Answers without halves of characters: two halves are joined, one alone becomes U+FFFD.

So an answer can be printed, stored, and sent back on the next turn.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from aimlapi_core._values.half_characters import (
    split_at_half,
    split_json_text,
    whole_json_text,
    without_halves,
)
from aimlapi_core.errors import AIMLAPIError, AnswerFailedError, StreamError
from aimlapi_core.types import Finished, StreamEvent, TextDelta, ToolCall, ToolCallDelta

T = TypeVar("T")


def whole_characters(value: T) -> T:
    """A reply, or anything in one, without halves of characters."""
    mended: Any = value
    if isinstance(value, tuple):
        mended = tuple(map(whole_characters, value))
    elif is_dataclass(value) and not isinstance(value, type):
        members = {f.name: whole_characters(getattr(value, f.name)) for f in fields(value)}
        if isinstance(value, (ToolCall, ToolCallDelta)):
            members["arguments"] = whole_json_text(value.arguments)
        mended = replace(value, **members)
    else:
        mended = without_halves(value)
    return mended  # type: ignore[no-any-return]  # of the type of `value`


def mend_error(error: AIMLAPIError) -> None:
    """Take halves of characters out of what an error holds of an answer."""
    if isinstance(error, StreamError):
        error.partial = whole_characters(error.partial)
    if isinstance(error, AnswerFailedError):
        error.details = without_halves(error.details)


class HalfCharacterFilter:
    """Stream events without halves of characters. Feed all events of a stream.

    A half at the end of a delta is held until the next one of its kind brings the other.
    """

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[StreamEvent, str]] = {}

    def feed(self, events: Iterable[StreamEvent]) -> list[StreamEvent]:
        """The events to pass on."""
        return [out for event in events for out in self._filter_event(event)]

    def _filter_event(self, event: StreamEvent) -> list[StreamEvent]:
        if isinstance(event, Finished):
            rest = [_with_text(delta, text) for delta, text in self._held.values()]
            self._held = {}
            return [*map(whole_characters, rest), whole_characters(event)]
        member, split = _MEMBERS.get(type(event), _TEXT)
        text = getattr(event, member, None)
        if text is None:
            return [whole_characters(event)]
        key = (type(event), event.choice, getattr(event, "index", None))
        _, held = self._held.pop(key, (event, ""))
        ready, rest_of = split(held + text)
        if rest_of:
            self._held[key] = (event, rest_of)
        whole = whole_characters(_with_text(event, ready, keep=True))
        is_empty = not ready and rest_of and whole == _with_text(whole, "")
        return [] if is_empty else [whole]


_Split = Callable[[str], tuple[str, str]]
_TEXT: tuple[str, _Split] = ("text", split_at_half)
_MEMBERS: dict[type, tuple[str, _Split]] = {ToolCallDelta: ("arguments", split_json_text)}


def _with_text(event: Any, text: str, *, keep: bool = False) -> Any:
    """The event with another text; without its other members, which were given out, unless kept."""
    if isinstance(event, ToolCallDelta):
        if keep:
            return replace(event, arguments=text)
        return replace(event, arguments=text, id=None, name=None)
    if isinstance(event, TextDelta) and not keep:
        return replace(event, text=text, logprobs=None)
    return replace(event, text=text)
