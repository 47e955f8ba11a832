"""Accumulates the deltas of one chat completion choice: text, reasoning, tool calls, logprobs.

An unstreamed choice is one delta.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any

from aimlapi_core._json_reading import (
    as_index,
    as_mappings,
    non_placeholder_str,
)
from aimlapi_core._values.unknown_members import joined, replaced
from aimlapi_core._wire.answers.content import (
    function_of,
    legacy_call,
    lenient_text,
    read_content,
    read_text,
    tool_calls,
)
from aimlapi_core._wire.answers.failures import names_failure
from aimlapi_core._wire.answers.tool_call import ToolCallAccumulator
from aimlapi_core.types import (
    TRUNCATED_FINISH_REASONS,
    Choice,
    CitationDelta,
    Part,
    Reasoning,
    ReasoningDelta,
    Refusal,
    RefusalDelta,
    StreamEvent,
    Text,
    TextDelta,
    ToolCallDelta,
)

_USUAL_REASONS = frozenset({"stop", "tool_calls", *TRUNCATED_FINISH_REASONS, None})
_MESSAGE_FIELDS = frozenset(
    "role content refusal reasoning reasoning_content annotations tool_calls function_call".split()
)
_CHOICE_FIELDS = _MESSAGE_FIELDS | set("index delta message text finish_reason logprobs".split())


class ChoiceAccumulator:
    """Accumulates one choice: `add_delta` many times, `finish` once, then `to_choice`."""

    def __init__(self, index: int, tool_names: Set[str] = frozenset()) -> None:
        self.index = index
        self._tool_names = tool_names
        self.finish_reason: str | None = None
        self.error: Any = None
        """The `error` of the choice or its message."""
        self.has_escapes = False
        """Whether the arguments of a call have escapes, which may be halves of characters."""
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._citations: list[Mapping[str, Any]] = []
        self._calls: list[ToolCallAccumulator] = []
        self._calls_by_index: dict[int, ToolCallAccumulator] = {}
        self._held: set[int] = set()  # the calls whose name is held
        self._logprobs: dict[str, Any] | None = None
        self._extra: dict[str, Any] = {}

    def add_delta(
        self, delta: Mapping[str, Any], row: Mapping[str, Any], whole: bool
    ) -> list[StreamEvent]:
        """Add one delta of the choice object `row`; returns its events. `whole`: unstreamed."""
        events: list[StreamEvent] = []
        get = delta.get
        # A service that sends both fields sends the same text in both.
        wire_reasoning = get("reasoning") or get("reasoning_content")
        if wire_reasoning and (reasoning := lenient_text(wire_reasoning)):
            self._reasoning.append(reasoning)
            events.append(ReasoningDelta(reasoning, self.index))
        logprobs = row.get("logprobs")
        if not isinstance(logprobs, dict):
            logprobs = None
        elif logprobs:
            self._logprobs = _merge_logprobs(self._logprobs, logprobs)
        content, refusal = get("content"), get("refusal")
        if type(content) is not str and content is not None:
            content, refusal = self._read_odd_content(content, refusal, events)
        if content:
            self._text.append(content)
            events.append(TextDelta(content, self.index, logprobs or None))
        if refusal and (refusal := read_text(refusal)):
            self._refusal.append(refusal)
            events.append(RefusalDelta(refusal, self.index))
        if citations := get("annotations"):
            for citation in as_mappings(citations):
                self._citations.append(citation)
                events.append(CitationDelta(citation, self.index))
        if calls := get("tool_calls"):
            for position, call in enumerate(tool_calls(calls)):
                self._add_tool_call_delta(call, position if whole else None, events)
        elif "function_call" in delta and (legacy := legacy_call(delta["function_call"])):
            self._add_tool_call_delta(legacy, 0 if whole else None, events)
        if not delta.keys() <= _MESSAGE_FIELDS:
            self._add_extra(delta, _MESSAGE_FIELDS, replaced if whole else joined)
        if not row.keys() <= _CHOICE_FIELDS:
            self._add_extra(row, _CHOICE_FIELDS, replaced)
        return events

    def _read_odd_content(
        self, wire: Any, refusal: Any, events: list[StreamEvent]
    ) -> tuple[str, Any]:
        """The text and refusal of a content that is no string; its reasoning is added."""
        content = read_content(wire)
        if content.reasoning:
            self._reasoning.append(content.reasoning)
            events.append(ReasoningDelta(content.reasoning, self.index))
        return content.text, refusal or content.refusal

    def _add_extra(
        self, fields: Mapping[str, Any], known: Set[str], merge: Callable[[Any, Any], Any]
    ) -> None:
        for key, value in fields.items():
            if key == "error":
                self.error = self.error or value
            elif value is not None and key not in known:
                self._extra[key] = merge(self._extra.get(key), value)

    def _add_tool_call_delta(
        self, wire: Mapping[str, Any], position: int | None, events: list[StreamEvent]
    ) -> None:
        wire_name, arguments, is_custom = function_of(wire)
        call_id, name = non_placeholder_str(wire.get("id")), non_placeholder_str(wire_name)
        if "\\" in arguments:
            self.has_escapes = True
        index = as_index(wire.get("index"))
        call = (
            self._tool_call_for(index, call_id, name, arguments)
            if position is None
            else self._new_tool_call(position, text_before=0)  # an object has no order
        )
        if is_custom:
            arguments = call.quoted(arguments)
        if "extra_content" in wire:  # opaque, to be echoed unchanged on the next turn [L]
            call.extra = {"extra_content": wire["extra_content"]}
        if self._held:  # calls begin in their order
            earlier = [self._calls[at] for at in sorted(self._held) if at < call.index]
            events += [ToolCallDelta(c.index, *c.release(), self.index) for c in earlier]
            self._held = {at for at in self._held if at > call.index}
        new_id, new_name, arguments = call.add(call_id, name, arguments)
        if call.is_held:
            self._held.add(call.index)
        if new_id or new_name or arguments:
            events.append(ToolCallDelta(call.index, new_id, new_name, arguments, self.index))

    def _tool_call_for(
        self, wire_index: int | None, call_id: str | None, name: str | None, arguments: str
    ) -> ToolCallAccumulator:
        """The tool call that a delta belongs to; a new one if there is none.

        Looked up by index, then by id if the index is missing or belongs to a call with another
        id, else the last call. A delta with a function name starts a new call if the last has one;
        one without a name continues its call, also under another id: some servers send a new id
        in each piece.
        """
        known = None if wire_index is None else self._calls_by_index.get(wire_index)
        if known is not None and (call_id is None or known.id in (None, call_id)):
            return known
        if known is not None or wire_index is None:
            for call in self._calls:
                if call_id is not None and call.id == call_id:
                    return call
        if known is not None and known.goes_on_with(name, arguments):
            return known
        last = self._calls[-1] if self._calls and wire_index is None else None
        is_head = call_id is not None and (name is not None or not arguments)
        if last and not is_head and (not (name and last.name) or last.is_continued_by(name)):
            return last
        return self._new_tool_call(wire_index, text_before=sum(map(len, self._text)))

    def _new_tool_call(self, wire_index: int | None, text_before: int) -> ToolCallAccumulator:
        call = ToolCallAccumulator(len(self._calls), self._tool_names, text_before)
        self._calls.append(call)
        if wire_index is not None:
            self._calls_by_index[wire_index] = call
        return call

    def set_finish_reason(self, reason: str | None) -> None:
        """The last one counts, but `length`, `content_filter` and failures are not overwritten."""
        known = self.finish_reason
        if known and (
            known in TRUNCATED_FINISH_REASONS or (known != reason and names_failure(known))
        ):
            return
        self.finish_reason = reason

    def finish(self, reply_id: str | None) -> Iterator[StreamEvent]:
        """The end of the answer: what was held is released, and calls without an id get one.

        It is derived from the reply's id.
        """
        for call in self._calls:
            new_id, name, arguments = call.finish()
            if call.id is None:
                call.id = new_id = f"call_{reply_id or 'unnamed'}_{self.index}_{call.index}"
            if new_id or name or arguments:
                yield ToolCallDelta(call.index, new_id, name, arguments, self.index)

    def failure(self, *, whole: bool) -> tuple[str, str | None] | None:
        """Why the answer failed, and its code, by its finish reasons; None if it did not."""
        reason, native = self.finish_reason, self._extra.get("native_finish_reason")
        if reason not in _USUAL_REASONS and names_failure(reason):
            return f"finish_reason is {reason!r}", reason
        if native and names_failure(native, is_native=True):
            return f"native_finish_reason is {native!r}", native
        if self._calls or self._text or self._refusal:
            return None
        if reason in ("tool_calls", "function_call"):
            return f"finish_reason is {reason!r}, and there is no call", reason
        if whole and reason is None and not (self._extra or self._citations):
            return "there is neither content nor a finish_reason", None
        return None

    def to_choice(self) -> Choice:
        parts: list[Part] = []
        if self._reasoning:
            parts.append(Reasoning("".join(self._reasoning)))
        if self._text or self._citations:
            parts.append(Text("".join(self._text), tuple(self._citations)))
        if self._refusal:
            parts.append(Refusal("".join(self._refusal)))
        if self._calls:
            parts += [call.to_tool_call() for call in self._calls]
        return Choice(self.index, tuple(parts), self.finish_reason, self._logprobs, self._extra)


def _merge_logprobs(merged: dict[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Any]:
    """Extend lists in place, as a long answer has many entries; other values are replaced."""
    if merged is None:
        return {key: list(v) if isinstance(v, list) else v for key, v in new.items()}
    for key, value in new.items():
        old = merged.get(key)
        if isinstance(old, list) and isinstance(value, list):
            old.extend(value)
        elif value is not None:
            merged[key] = list(value) if isinstance(value, list) else value
    return merged
