"""The output items of a response: growing in a stream, and as the parts of an answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from aimlapi_core._json_reading import as_index, as_mappings, nonempty_str
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

# Between two messages, or two parts of a summary, of one answer.
GAP = "\n\n"


class Answer(Protocol):
    """What an item asks of the answer that it belongs to."""

    def next_call(self) -> int:
        """The number of a new tool call."""

    def gap(self) -> str:
        """What separates a new message from the text before it."""


class Item:
    """One output item, growing. Each method gives events for what is new."""

    def __init__(self, head: dict[str, Any]) -> None:
        self._head = head
        self._parts: dict[tuple[str, int], list[str]] = {}
        self._citations: dict[int, list[Mapping[str, Any]]] = {}
        self._arguments = ""
        self._call: int | None = None
        self._named = False
        self._said_anything = False

    def is_form_of(self, wire: Mapping[str, Any]) -> bool:
        """Whether `wire` is this item: the same id, or the same kind where one has none."""
        mine, theirs = self._head.get("id"), wire.get("id")
        if nonempty_str(mine) and nonempty_str(theirs):
            return bool(mine == theirs)
        return bool(self._head.get("type") == wire.get("type"))

    def text(self, part: Any, delta: Any, fold: Answer) -> Iterator[StreamEvent]:
        if isinstance(delta, str) and delta:
            gap = "" if self._said_anything else fold.gap()
            self._said_anything = True
            self._grow("text", part, delta)
            yield TextDelta(gap + delta)

    def refuse(self, part: Any, delta: Any) -> Iterator[StreamEvent]:
        if isinstance(delta, str) and delta:
            self._grow("refusal", part, delta)
            yield RefusalDelta(delta)

    def reason(self, member: str, part: Any, delta: Any) -> Iterator[StreamEvent]:
        if isinstance(delta, str) and delta:
            is_new = (member, _index(part)) not in self._parts
            gap = GAP if is_new and self._parts else ""
            self._grow(member, part, delta)
            yield ReasoningDelta(gap + delta)

    def cite(self, part: Any, citation: Any) -> Iterator[StreamEvent]:
        known = self._citations.setdefault(_index(part), [])
        if isinstance(citation, Mapping) and citation not in known:
            known.append(citation)
            yield CitationDelta(citation)

    def argue(self, delta: Any, fold: Answer) -> Iterator[StreamEvent]:
        if isinstance(delta, str) and delta:
            self._arguments += delta
            yield ToolCallDelta(self._number(fold), arguments=delta)

    def take(self, wire: Mapping[str, Any], fold: Answer) -> Iterator[StreamEvent]:
        """A whole item, early or final: events for what its deltas have not brought."""
        self._head.update(wire)
        kind = wire.get("type")
        if kind == "function_call":
            yield from self._take_call(wire, fold)
        for position, part in enumerate(as_mappings(wire.get("content"))):
            if kind == "reasoning":
                rest = self.rest("content", position, part.get("text"))
                yield from self.reason("content", position, rest)
            elif part.get("type") == "refusal":
                rest = self.rest("refusal", position, part.get("refusal"))
                yield from self.refuse(position, rest)
            else:
                rest = self.rest("text", position, part.get("text"))
                yield from self.text(position, rest, fold)
                for citation in as_mappings(part.get("annotations")):
                    yield from self.cite(position, citation)
        for position, part in enumerate(as_mappings(wire.get("summary"))):
            rest = self.rest("summary", position, part.get("text"))
            yield from self.reason("summary", position, rest)

    def _take_call(self, wire: Mapping[str, Any], fold: Answer) -> Iterator[StreamEvent]:
        if not self._named and wire.get("name"):
            self._named = True
            call_id = str(wire.get("call_id") or wire.get("id") or "")
            yield ToolCallDelta(self._number(fold), id=call_id, name=str(wire["name"]))
        given = wire.get("arguments")
        if isinstance(given, str):
            yield from self.argue(_rest_of(given, self._arguments), fold)

    def wire(self) -> dict[str, Any]:
        """The item in wire form, its growing members as far as they have come."""
        kind = self._head.get("type")
        wire = dict(self._head)
        if kind == "function_call":
            wire["arguments"] = self._arguments
        elif kind == "message":
            parts = sorted((i, m) for m, i in self._parts if m in ("text", "refusal"))
            wire["content"] = [
                {
                    "type": "refusal" if member == "refusal" else "output_text",
                    member: "".join(self._parts[member, i]),
                    "annotations": self._citations.get(i, []),
                }
                for i, member in parts
            ]
        elif kind == "reasoning":
            for member in ("summary", "content"):
                texts = [self._parts[m, i] for m, i in sorted(self._parts) if m == member]
                if texts:
                    wire[member] = [{"text": "".join(pieces)} for pieces in texts]
        return wire

    def _number(self, fold: Answer) -> int:
        if self._call is None:
            self._call = fold.next_call()
        return self._call

    def _grow(self, member: str, part: Any, delta: str) -> None:
        self._parts.setdefault((member, _index(part)), []).append(delta)

    def rest(self, member: str, part: Any, whole: Any) -> str:
        """What `whole` has beyond the deltas."""
        so_far = "".join(self._parts.get((member, _index(part)), ()))
        return _rest_of(whole, so_far) if isinstance(whole, str) else ""


def parse_output(output: Any) -> tuple[Part, ...]:
    """The parts of an output, in its order; the text of all messages in one Text."""
    parts: list[Part] = []
    texts: list[str] = []
    citations: list[Mapping[str, Any]] = []
    place = -1
    for item in as_mappings(output):
        kind = item.get("type")
        if kind == "message":
            content = as_mappings(item.get("content"))
            said = "".join(
                nonempty_str(row.get("text")) or ""
                for row in content
                if row.get("type") != "refusal"
            )
            refusal = "".join(nonempty_str(row.get("refusal")) or "" for row in content)
            citations += [c for row in content for c in as_mappings(row.get("annotations"))]
            texts += [said] if said else []
            if place < 0 and said:
                place = len(parts)
                parts.append(Text(""))
            if refusal:
                parts.append(Refusal(refusal))
        elif kind == "function_call":
            parts.append(_call_of(item))
        elif kind == "reasoning":
            thoughts = [*as_mappings(item.get("summary")), *as_mappings(item.get("content"))]
            thought = GAP.join(nonempty_str(row.get("text")) or "" for row in thoughts)
            parts.append(Reasoning(thought, item))
        elif kind:
            parts.append(ProviderItem(item))
    if place >= 0:
        parts[place] = Text(GAP.join(texts), tuple(citations))
    return tuple(parts)


def _call_of(item: Mapping[str, Any]) -> ToolCall:
    return ToolCall(
        id=nonempty_str(item.get("call_id")) or nonempty_str(item.get("id")) or "",
        name=nonempty_str(item.get("name")) or "",
        arguments=nonempty_str(item.get("arguments")) or "",
        item_id=nonempty_str(item.get("id")),
    )


def output_items(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The output items; `output_text` as a message where no message holds it."""
    output = as_mappings(response.get("output"))
    said = nonempty_str(response.get("output_text"))
    if said and not any(item.get("type") == "message" for item in output):
        content = [{"type": "output_text", "text": said}]
        return [*output, {"type": "message", "content": content}]
    return output


def _rest_of(whole: str, so_far: str) -> str:
    """The end of `whole` behind `so_far`; "" for an early form of an item, which is shorter."""
    if whole.startswith(so_far):
        return whole[len(so_far) :]
    if not so_far.startswith(whole):
        logger.warning("The stream's deltas and its last event differ.")
    return ""


def _index(value: Any) -> int:
    found = as_index(value)
    return 0 if found is None else found
