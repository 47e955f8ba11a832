"""One choice of a chat completion, growing piece by piece; a whole one is one piece."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aimlapi_core._json_reading import (
    as_index,
    as_mapping,
    as_mappings,
    non_placeholder_str,
    nonempty_str,
)
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
    ToolCall,
    ToolCallDelta,
)


class _ToolCallAccumulator:
    """One tool call, growing."""

    __slots__ = ("arguments", "extra", "id", "index", "name")

    def __init__(self, index: int) -> None:
        self.index = index
        self.id: str | None = None
        self.name: str | None = None
        self.arguments: list[str] = []
        self.extra: dict[str, Any] | None = None

    def value(self) -> ToolCall:
        return ToolCall(self.id or "", self.name or "", "".join(self.arguments), extra=self.extra)


_MESSAGE_MEMBERS = frozenset(
    "role content refusal reasoning reasoning_content annotations tool_calls".split()
)
_ROW_MEMBERS = frozenset("index delta message finish_reason logprobs".split())


class ChoiceAccumulator:
    """One choice, growing. Events are given for what is new."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.finish_reason: str | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._citations: list[Mapping[str, Any]] = []
        self._calls: list[_ToolCallAccumulator] = []
        self._by_wire_index: dict[int, _ToolCallAccumulator] = {}
        self._logprobs: dict[str, Any] | None = None
        self._extra: dict[str, Any] = {}

    def absorb(
        self, delta: Mapping[str, Any], row: Mapping[str, Any], whole: bool
    ) -> list[StreamEvent]:
        """The events of one piece. Most have a single member, so each is looked at in passing."""
        events: list[StreamEvent] = []
        get = delta.get
        # Both names carry the same text on services that send both: one is enough.
        thought = get("reasoning") or get("reasoning_content")
        if thought and (reasoning := _text_of(thought)):
            self._reasoning.append(reasoning)
            events.append(ReasoningDelta(reasoning, self.index))
        logprobs = row.get("logprobs")
        if not isinstance(logprobs, dict):
            logprobs = None
        elif logprobs:
            self._logprobs = _merge_logprobs(self._logprobs, logprobs)
        said = get("content")
        if said and (content := _text_of(said)):
            self._text.append(content)
            events.append(TextDelta(content, self.index, logprobs or None))
        if refusal := nonempty_str(get("refusal")):
            self._refusal.append(refusal)
            events.append(RefusalDelta(refusal, self.index))
        if citations := get("annotations"):
            for citation in as_mappings(citations):
                self._citations.append(citation)
                events.append(CitationDelta(citation, self.index))
        if calls := get("tool_calls"):
            for position, call in enumerate(as_mappings(calls)):
                self._absorb_call(call, position if whole else None, events)
        for members, known in ((delta, _MESSAGE_MEMBERS), (row, _ROW_MEMBERS)):
            if not members.keys() <= known:
                for key, value in members.items():
                    if value is not None and key not in known:
                        self._extra[key] = _merge_extra(self._extra.get(key), value)
        return events

    def _absorb_call(
        self, wire: Mapping[str, Any], position: int | None, events: list[StreamEvent]
    ) -> None:
        function = as_mapping(wire.get("function"))
        call_id = non_placeholder_str(wire.get("id"))
        name = non_placeholder_str(function.get("name"))
        arguments = function.get("arguments")
        if not isinstance(arguments, str):
            is_object = isinstance(arguments, dict)
            arguments = json.dumps(arguments, ensure_ascii=False) if is_object else ""
        given = as_index(wire.get("index"))
        call = self._call_for(position if given is None else given, call_id, name)
        new_id = call_id if call.id is None else None
        new_name = name if call.name is None else None
        call.id, call.name = call.id or call_id, call.name or name
        if "extra_content" in wire:  # opaque, to be echoed unchanged on the next turn [L]
            call.extra = {"extra_content": wire["extra_content"]}
        if arguments:
            call.arguments.append(arguments)
        if new_id or new_name or arguments:
            events.append(ToolCallDelta(call.index, new_id, new_name, arguments, self.index))

    def _call_for(
        self, wire_index: int | None, call_id: str | None, name: str | None
    ) -> _ToolCallAccumulator:
        """The call that a piece belongs to.

        By its index; by its id where the index is missing or was given to another call; else
        the last call. A piece that names a function when the last call has a name starts one.
        """
        known = None if wire_index is None else self._by_wire_index.get(wire_index)
        if known is not None and (call_id is None or known.id in (None, call_id)):
            return known
        if known is not None or wire_index is None:
            for call in self._calls:
                if call_id is not None and call.id == call_id:
                    return call
            last = self._calls[-1] if self._calls else None
            if known is None and last and call_id is None and not (name and last.name):
                return last
        call = _ToolCallAccumulator(len(self._calls))
        self._calls.append(call)
        if wire_index is not None:
            self._by_wire_index[wire_index] = call
        return call

    def finish(self, reason: str | None, reply_id: str | None) -> Iterator[StreamEvent]:
        """Close the choice; a call that never got an id gets one made of the answer's.

        Said to be cut once, it stays cut, whatever another piece says.
        """
        if self.finish_reason not in TRUNCATED_FINISH_REASONS:
            self.finish_reason = reason
        for call in self._calls:
            if call.id is None:
                call.id = f"call_{reply_id or 'unnamed'}_{self.index}_{call.index}"
                yield ToolCallDelta(call.index, id=call.id, choice=self.index)

    def value(self) -> Choice:
        parts: list[Part] = []
        if self._reasoning:
            parts.append(Reasoning("".join(self._reasoning)))
        if self._text or self._citations:
            parts.append(Text("".join(self._text), tuple(self._citations)))
        if self._refusal:
            parts.append(Refusal("".join(self._refusal)))
        parts.extend(call.value() for call in self._calls)
        return Choice(self.index, tuple(parts), self.finish_reason, self._logprobs, self._extra)


def _text_of(content: Any) -> str:
    """Text of a content member: a string, or parts of which the texts count."""
    if isinstance(content, str):
        return content
    return "".join(nonempty_str(part.get("text")) or "" for part in as_mappings(content))


def _merge_logprobs(grown: dict[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Any]:
    """Lists grow in place, since a long answer has many; of all else the last value counts."""
    if grown is None:
        return {key: list(v) if isinstance(v, list) else v for key, v in new.items()}
    for key, value in new.items():
        before = grown.get(key)
        if isinstance(before, list) and isinstance(value, list):
            before.extend(value)
        elif value is not None:
            grown[key] = list(value) if isinstance(value, list) else value
    return grown


def _merge_extra(old: Any, new: Any) -> Any:
    """Lists grow, pieces with the `index` of the last one grow it; of all else the last counts."""
    if not isinstance(new, list):
        return new
    merged = old if isinstance(old, list) else []  # a list of our own, once there is one
    for item in new:
        last = merged[-1] if merged else None
        same = as_mapping(item).get("index") is not None and isinstance(last, Mapping)
        if same and item["index"] == as_mapping(last).get("index"):
            merged[-1] = {**as_mapping(last), **item, **_merge_text_fields(as_mapping(last), item)}
        else:
            merged.append(item)
    return merged


def _merge_text_fields(last: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, str]:
    pairs = {key: (last.get(key), item.get(key)) for key in ("text", "summary")}
    return {
        key: old + new
        for key, (old, new) in pairs.items()
        if isinstance(old, str) and isinstance(new, str)
    }
