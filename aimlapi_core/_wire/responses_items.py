"""Output items of a response, accumulated from stream events."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Set
from typing import Any, Protocol

from aimlapi_core._json_reading import (
    ArgumentsStart,
    arguments_text,
    as_index,
    as_mapping,
    as_mappings,
    nonempty_str,
)
from aimlapi_core._wire.answers.comparison import same_calls, same_text
from aimlapi_core._wire.answers.content import (
    lenient_parts,
    lenient_text,
    read_part,
    read_text,
)
from aimlapi_core._wire.answers.output import (
    CALL_TYPE_NAMES,
    CALL_TYPES,
    SEPARATOR,
    call_id_of,
    is_message,
    item_arguments,
    message_parts,
    to_tool_call,
)
from aimlapi_core.types import (
    Choice,
    CitationDelta,
    ReasoningDelta,
    RefusalDelta,
    StreamEvent,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)

logger = logging.getLogger("aimlapi")


class ItemOwner(Protocol):
    """What an output item needs of the response that it belongs to."""

    may_hold_halves: bool

    def next_tool_call_index(self) -> int:
        """The index for a new tool call."""

    def message_separator(self) -> str:
        """The separator before the text of a new message, "" for the first."""


class OutputItem:
    """Accumulates one output item. The `add_*` methods yield events for what was not known yet."""

    def __init__(self, fields: dict[str, Any], *, is_guessed: bool = False) -> None:
        self._fields = fields
        self._is_guessed = is_guessed  # the type is that of a delta: no event has named it
        self._texts: dict[tuple[str, int], list[str]] = {}  # by member and content index
        self._citations: dict[int, list[Mapping[str, Any]]] = {}
        self._cited_at: dict[tuple[int, Any], list[Mapping[str, Any]]] = {}
        self._arguments = ""
        self._arguments_start: ArgumentsStart | None = ArgumentsStart()
        self._call_index: int | None = None
        self._name_sent = False
        self._has_text = False

    @property
    def has_id(self) -> bool:
        return bool(self._fields.get("id"))

    def conflict(self, wire: Mapping[str, Any]) -> str | None:
        """Which of this item's type, name and call id is another in `wire`; None if none is."""
        for member in ("name", "call_id") if self._is_guessed else ("type", "name", "call_id"):
            old, new = nonempty_str(self._fields.get(member)), nonempty_str(wire.get(member))
            if old and new and old != new:
                return f"{member} {new!r} for {old!r}"
        return None

    def matches(self, wire: Mapping[str, Any]) -> bool:
        """Whether `wire` is this item: the same id, or the same type if either has no id."""
        own_id, wire_id = self._fields.get("id"), wire.get("id")
        if nonempty_str(own_id) and nonempty_str(wire_id):
            return bool(own_id == wire_id)
        return bool(self._fields.get("type") == wire.get("type"))

    def is_renamed(self, wire: Mapping[str, Any], ids: Set[Any]) -> bool:
        """Whether `wire`, of a list with these ids, may be this item under another id."""
        own_id = nonempty_str(self._fields.get("id"))
        return own_id not in ids and bool(self._fields.get("type") == wire.get("type"))

    def add_text(self, content_index: Any, delta: Any, owner: ItemOwner) -> Iterator[StreamEvent]:
        if delta and (delta := read_text(delta)):
            separator = "" if self._has_text else owner.message_separator()
            self._has_text = True
            self._append("text", content_index, delta)
            yield TextDelta(separator + delta)

    def add_refusal(self, content_index: Any, delta: Any) -> Iterator[StreamEvent]:
        if delta and (delta := read_text(delta)):
            self._append("refusal", content_index, delta)
            yield RefusalDelta(delta)

    def add_reasoning(self, member: str, content_index: Any, delta: Any) -> Iterator[StreamEvent]:
        if delta and (delta := lenient_text(delta)):
            is_new = (member, _index_or_zero(content_index)) not in self._texts
            separator = SEPARATOR if is_new and self._texts else ""
            self._append(member, content_index, delta)
            yield ReasoningDelta(separator + delta)

    def add_citation(
        self, content_index: Any, annotation_index: Any, citation: Any
    ) -> Iterator[StreamEvent]:
        """The same source at another annotation index is cited twice; at the same one it is not."""
        position = _index_or_zero(content_index)
        here = self._cited_at.setdefault((position, as_index(annotation_index)), [])
        if isinstance(citation, Mapping) and citation not in here:
            here.append(citation)
            self._citations.setdefault(position, []).append(citation)
            yield CitationDelta(citation)

    def _add_citation_snapshot(self, content_index: int, citations: Any) -> Iterator[StreamEvent]:
        known = self._citations.setdefault(content_index, [])
        delivered = list(known)
        for citation in as_mappings(citations):
            if citation in delivered:
                delivered.remove(citation)  # a source may be cited twice
            else:
                known.append(citation)
                yield CitationDelta(citation)

    def add_arguments(self, delta: Any, owner: ItemOwner) -> Iterator[StreamEvent]:
        if delta := arguments_text(delta):
            index = self._tool_call_index(owner)
            self._arguments += delta
            if "\\" in delta:
                owner.may_hold_halves = True  # as escapes
            if self._fields.get("type") == "custom_tool_call":
                delta = self._quoted(delta)
            elif self._arguments_start is not None:
                delta = self._arguments_start.feed(delta)
                if not delta:
                    return
                self._arguments_start = None
            yield ToolCallDelta(index, arguments=delta)

    def _quoted(self, text: str) -> str:
        """A piece of a custom tool's text as part of a JSON string, which `finish` closes."""
        opening = "" if self._arguments_start is None else '"'
        self._arguments_start = None
        return opening + json.dumps(text, ensure_ascii=False)[1:-1]

    def finish(self, owner: ItemOwner) -> Iterator[StreamEvent]:
        """The arguments that were held, at the end of the response."""
        held = self._arguments_start.text() if self._arguments_start is not None else ""
        if self._fields.get("type") == "custom_tool_call":
            held = self._quoted("") + '"'
        self._arguments_start = None
        if held:
            yield ToolCallDelta(self._tool_call_index(owner), arguments=held)
        if self._fields.get("type") in CALL_TYPE_NAMES and not self._name_sent:
            yield ToolCallDelta(self._tool_call_index(owner), id=call_id_of(self._fields))

    def add_snapshot(self, wire: Mapping[str, Any], owner: ItemOwner) -> Iterator[StreamEvent]:
        """Add a whole item, partial or final: yields events for what its deltas did not contain."""
        self._fields.update(wire)
        self._is_guessed = False
        kind = wire.get("type")
        if kind in CALL_TYPE_NAMES:
            yield from self._add_call_snapshot(wire, owner)
        elif is_message(wire):
            for position, part in enumerate(message_parts(wire)):
                yield from self._add_part_snapshot(position, part, owner)
        elif kind == "reasoning":
            for member in ("content", "summary"):
                for position, part in enumerate(lenient_parts(wire.get(member))):
                    text = lenient_text(part.get("text"))
                    remaining = self.remaining(member, position, text)
                    yield from self.add_reasoning(member, position, remaining)

    def _add_part_snapshot(
        self, position: int, part: Mapping[str, Any], owner: ItemOwner
    ) -> Iterator[StreamEvent]:
        content = read_part(part)
        remaining = self.remaining("refusal", position, content.refusal)
        yield from self.add_refusal(position, remaining)
        remaining = self.remaining("content", position, content.reasoning)
        yield from self.add_reasoning("content", position, remaining)
        remaining = self.remaining("text", position, content.text)
        yield from self.add_text(position, remaining, owner)
        yield from self._add_citation_snapshot(position, part.get("annotations"))

    def _add_call_snapshot(
        self, wire: Mapping[str, Any], owner: ItemOwner
    ) -> Iterator[StreamEvent]:
        if not self._name_sent and (name := nonempty_str(wire.get("name"))):
            self._name_sent = True
            yield ToolCallDelta(self._tool_call_index(owner), id=call_id_of(wire), name=name)
        given = item_arguments(wire)
        if given != {}:  # perhaps none yet
            arguments = arguments_text(given)
            yield from self.add_arguments(_suffix_after(arguments, self._arguments), owner)

    def streamed_text(self, member: str) -> str:
        """The text, or the refusal, that was streamed."""
        return "".join("".join(self._texts[m, i]) for m, i in sorted(self._texts) if m == member)

    def streamed_call(self) -> ToolCall | None:
        """The call that was streamed; None if the item is no function call."""
        if self._call_index is None and self._fields.get("type") not in CALL_TYPE_NAMES:
            return None
        kind = self._fields["type"] if self._fields["type"] in CALL_TYPE_NAMES else "function_call"
        return to_tool_call({**self._fields, "type": kind, CALL_TYPES[kind]: self._arguments})

    def to_wire(self) -> dict[str, Any]:
        """The item in wire format, as accumulated so far."""
        kind = self._fields.get("type")
        wire = dict(self._fields)
        if kind in CALL_TYPE_NAMES:
            wire[CALL_TYPES[kind]] = self._arguments
        elif kind == "message" or self._has_text:
            keys = sorted((i, m) for m, i in self._texts if m in ("text", "refusal"))
            wire["content"] = [
                {
                    "type": "refusal" if member == "refusal" else "output_text",
                    member: "".join(self._texts[member, i]),
                    "annotations": self._citations.get(i, []),
                }
                for i, member in keys
            ]
        elif kind == "reasoning":
            for member in ("summary", "content"):
                indexes = [i for m, i in sorted(self._texts) if m == member]
                if indexes:
                    wire[member] = [self._reasoning_part(member, i) for i in indexes]
        return wire

    def _reasoning_part(self, member: str, index: int) -> dict[str, Any]:
        """A part of reasoning as it goes back: `type` is a required member of OpenAI's schema."""
        parts = self._fields.get(member)
        snapshot = parts[index] if isinstance(parts, list) and index < len(parts) else None
        kind = "summary_text" if member == "summary" else "reasoning_text"
        text = "".join(self._texts[member, index])
        return {"type": kind, **as_mapping(snapshot), "text": text}

    def _tool_call_index(self, owner: ItemOwner) -> int:
        if self._call_index is None:
            self._call_index = owner.next_tool_call_index()
        return self._call_index

    def _append(self, member: str, content_index: Any, delta: str) -> None:
        self._texts.setdefault((member, _index_or_zero(content_index)), []).append(delta)

    def remaining(self, member: str, content_index: Any, whole: Any) -> str:
        """The part of `whole` that no delta contained."""
        so_far = "".join(self._texts.get((member, _index_or_zero(content_index)), ()))
        return _suffix_after(read_text(whole), so_far) if whole else ""


def _suffix_after(whole: str, so_far: str) -> str:
    """`whole` without its prefix `so_far`; "" if `whole` is an earlier, shorter snapshot."""
    if whole.startswith(so_far):
        return whole[len(so_far) :]
    # Two halves of a character that came in two deltas are one in the whole text.
    units, known = (text.encode("utf-16-le", "surrogatepass") for text in (whole, so_far))
    if units.startswith(known):
        return units[len(known) :].decode("utf-16-le", "surrogatepass")
    if not known.startswith(units):
        logger.warning("The stream's deltas and its last event differ.")
    return ""


def _index_or_zero(value: Any) -> int:
    found = as_index(value)
    return 0 if found is None else found


def differs_from_streamed(items: Mapping[int, OutputItem], choice: Choice) -> bool:
    """Whether text or tool calls that were streamed are others than those of the reply."""
    in_order = [item for _, item in sorted(items.items())]
    text, refusal = (
        "".join(item.streamed_text(member) for item in in_order) for member in ("text", "refusal")
    )
    calls = [call for item in in_order if (call := item.streamed_call()) is not None]
    return not (
        same_text(text, choice.text)
        and same_text(refusal, choice.refusal or "")
        and same_calls(calls, choice.tool_calls)
    )
