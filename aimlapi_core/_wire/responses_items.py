"""Output items of a response: accumulated from stream events, and decoded into parts."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from aimlapi_core._json_reading import (
    ArgumentsStart,
    arguments_text,
    as_index,
    as_mapping,
    as_mappings,
    nonempty_str,
    without_placeholders,
)
from aimlapi_core._wire.answers.content import (
    UnreadableError,
    content_parts,
    lenient_parts,
    lenient_text,
    read_part,
    read_text,
)
from aimlapi_core.types import (
    CitationDelta,
    Part,
    ProviderItem,
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

logger = logging.getLogger("aimlapi")

# Between two messages, or two reasoning summaries, of one response.
SEPARATOR = "\n\n"

# Items that are calls of the program's functions, with the member of their arguments. A custom
# tool's input is a text, so its call is invalid.
CALL_TYPES = {"function_call": "arguments", "custom_tool_call": "input"}


class ItemOwner(Protocol):
    """What an output item needs of the response that it belongs to."""

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
            old, new = self._fields.get(member), wire.get(member)
            if old and new and old != new:
                return f"{member} {new!r} for {old!r}"
        return None

    def matches(self, wire: Mapping[str, Any]) -> bool:
        """Whether `wire` is this item: the same id, or the same type if either has no id."""
        own_id, wire_id = self._fields.get("id"), wire.get("id")
        if nonempty_str(own_id) and nonempty_str(wire_id):
            return bool(own_id == wire_id)
        return bool(self._fields.get("type") == wire.get("type"))

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
        if self._fields.get("type") in CALL_TYPES and not self._name_sent:
            yield ToolCallDelta(self._tool_call_index(owner), id=_call_id(self._fields))

    def add_snapshot(self, wire: Mapping[str, Any], owner: ItemOwner) -> Iterator[StreamEvent]:
        """Add a whole item, partial or final: yields events for what its deltas did not contain."""
        self._fields.update(wire)
        self._is_guessed = False
        kind = wire.get("type")
        if kind in CALL_TYPES:
            yield from self._add_call_snapshot(wire, owner)
        elif _is_message(wire):
            for position, part in enumerate(_message_parts(wire)):
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
            yield ToolCallDelta(self._tool_call_index(owner), id=_call_id(wire), name=name)
        given = wire.get(CALL_TYPES[wire["type"]])
        if given != {}:  # perhaps none yet
            arguments = arguments_text(given)
            yield from self.add_arguments(_suffix_after(arguments, self._arguments), owner)

    def streamed_text(self, member: str) -> str:
        """The text, or the refusal, that was streamed."""
        return "".join("".join(self._texts[m, i]) for m, i in sorted(self._texts) if m == member)

    def streamed_call(self) -> ToolCall | None:
        """The call that was streamed; None if the item is no function call."""
        if self._call_index is None and self._fields.get("type") not in CALL_TYPES:
            return None
        kind = self._fields["type"] if self._fields["type"] in CALL_TYPES else "function_call"
        return _tool_call({**self._fields, "type": kind, CALL_TYPES[kind]: self._arguments})

    def to_wire(self) -> dict[str, Any]:
        """The item in wire format, as accumulated so far."""
        kind = self._fields.get("type")
        wire = dict(self._fields)
        if kind in CALL_TYPES:
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


def parse_output(output: Any) -> tuple[Part, ...]:
    """The parts of an output in order; the text of all messages is joined in one Text."""
    parts: list[Part] = []
    texts: list[str] = []
    citations: list[Mapping[str, Any]] = []
    text_at = -1
    for item in as_mappings(output):
        kind = item.get("type")
        if _is_message(item):
            rows = _message_parts(item)
            contents = [read_part(row) for row in rows]
            message_text = "".join(content.text for content in contents)
            refusal = "".join(content.refusal for content in contents)
            if reasoning := "".join(content.reasoning for content in contents):
                parts.append(Reasoning(reasoning))
            citations += [c for row in rows for c in as_mappings(row.get("annotations"))]
            texts += [message_text] if message_text else []
            if text_at < 0 and (message_text or citations):
                text_at = len(parts)
                parts.append(Text(""))
            if refusal:
                parts.append(Refusal(refusal))
        elif kind in CALL_TYPES:
            parts.append(_tool_call(item, text_before=len(SEPARATOR.join(texts))))
        elif kind == "reasoning":
            rows = [*lenient_parts(item.get("summary")), *lenient_parts(item.get("content"))]
            reasoning = SEPARATOR.join(filter(None, (lenient_text(r.get("text")) for r in rows)))
            parts.append(Reasoning(reasoning, item))
        elif kind:
            parts.append(ProviderItem(item))
    if text_at >= 0:
        parts[text_at] = Text(SEPARATOR.join(texts), tuple(citations))
    return tuple(parts)


def _is_message(item: Mapping[str, Any]) -> bool:
    """Whether an item is a message, by its type or by what it holds."""
    return item.get("type") == "message" or any(
        part.get("type") in ("output_text", "refusal") for part in as_mappings(item.get("content"))
    )


def _tool_call(item: Mapping[str, Any], text_before: int = 0) -> ToolCall:
    return ToolCall(
        id=_call_id(item),
        name=nonempty_str(item.get("name")) or "",
        arguments=_call_arguments(item),
        item_id=nonempty_str(item.get("id")),
        text_before=text_before,
    )


def _call_id(item: Mapping[str, Any]) -> str:
    return nonempty_str(item.get("call_id")) or nonempty_str(item.get("id")) or ""


def _call_arguments(item: Mapping[str, Any]) -> str:
    kind = str(item["type"])
    arguments = arguments_text(item.get(CALL_TYPES[kind]))
    if kind == "custom_tool_call":  # may be a JSON object, and is no function's
        return json.dumps(arguments, ensure_ascii=False)
    return without_placeholders(arguments)


def _message_parts(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return content_parts(item.get("content") or item.get("text"))


def output_items(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The output items; `output_text` becomes a message if there is none.

    Raises UnreadableError.
    """
    output = response.get("output")
    rows = output if isinstance(output, list) else [output]
    items = [readable_item(row) for row in rows if row]
    output_text = response.get("output_text")
    if output_text and not any(item.get("type") == "message" for item in items):
        return [*items, {"type": "message", "content": output_text}]
    return items


def readable_item(item: Any) -> Mapping[str, Any]:
    """An output item with its type; a text, or a part of a content alone, becomes a message.

    Raises UnreadableError.
    """
    if isinstance(item, str):
        return {"type": "message", "content": item}
    if not isinstance(item, Mapping):
        raise UnreadableError("an output item", item)
    kind = item.get("type")
    if kind in ("output_text", "text", "refusal"):
        return {"type": "message", "content": [item]}
    if not kind:
        if "content" not in item and "text" not in item:
            raise UnreadableError("an output item without a type", item)
        return {**item, "type": "message"}
    if not isinstance(kind, str):
        raise UnreadableError("the type of an output item", kind)
    return item


def _suffix_after(whole: str, so_far: str) -> str:
    """`whole` without its prefix `so_far`; "" if `whole` is an earlier, shorter snapshot."""
    if whole.startswith(so_far):
        return whole[len(so_far) :]
    if not so_far.startswith(whole):
        logger.warning("The stream's deltas and its last event differ.")
    return ""


def _index_or_zero(value: Any) -> int:
    found = as_index(value)
    return 0 if found is None else found
