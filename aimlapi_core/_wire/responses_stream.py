"""Accumulates Responses API stream events into deltas and a Reply.

The last event contains the whole response, so a stream's Reply is that object decoded; earlier
events only yield deltas, and what they left out is yielded at the last. The event type is
`data.type`: whether there is an `event:` line is not documented. An event type is handled here
(`_EVENT_HANDLERS`), ends the stream (`feed`), or is ignored on purpose (`_IGNORED_EVENTS`); any
other is unknown, and is reported once per stream on the debug log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any, TypeAlias

from aimlapi_core._error_reading.responses import error_in_payload
from aimlapi_core._json_reading import as_index, as_mapping, as_mappings, nonempty_str
from aimlapi_core._wire.answers.content import UnreadableError
from aimlapi_core._wire.answers.output import (
    SEPARATOR,
    output_items,
    parse_output,
    readable_item,
)
from aimlapi_core._wire.responses import decode, failure_message, to_reply
from aimlapi_core._wire.responses_items import OutputItem, differs_from_streamed
from aimlapi_core._wire.stream_reader import Accumulator
from aimlapi_core.errors import AIMLAPIError, StreamCutError
from aimlapi_core.types import Finished, Reply, StreamEvent

logger = logging.getLogger("aimlapi")

_DUPLICATE_WINDOW = 256  # events: a duplicate follows soon after the original


class ResponseAccumulator(Accumulator):
    """Accumulates the events of a response.

    `done` after `response.completed`, `response.incomplete` or `[DONE]`. Duplicates of an event
    are ignored. A completed response whose text or tool calls differ from its deltas raises; for
    an incomplete one, which a content filter may have shortened, the last event is used.
    """

    def __init__(
        self,
        expected_choices: int = 1,
        *,
        tool_names: Set[str] = frozenset(),
    ) -> None:
        self._response: dict[str, Any] = {}
        self._items: dict[int, OutputItem] = {}
        self._output_index_by_id: dict[str, int] = {}
        self._tool_call_count = 0
        self._message_count = 0
        self._seen: dict[int, int] | None = {}
        self._unknown_types: set[str] = set()

    @property
    def complete(self) -> bool:
        return self.done

    def feed(self, name: str, data: str) -> list[StreamEvent]:
        if self.done or not data.strip():
            return []
        if data.strip() == "[DONE]":
            return self.close()
        event = self._parse_object(data, name)
        if self._is_duplicate(event, data):
            return []
        kind = str(event.get("type") or name)
        event = {**event, "type": kind}
        if kind in ("error", "response.failed", "response.cancelled") or error_in_payload(event):
            raise self._reported_error(event)
        if kind in ("response.completed", "response.incomplete"):
            return self._finish(event)
        handler = _EVENT_HANDLERS.get(kind)
        if handler is not None:
            try:
                return list(handler(self, event))
            except UnreadableError as exc:
                raise self._stream_error(f"{kind} cannot be read: {exc}", None, event) from exc
        if kind not in _IGNORED_EVENTS:
            self._on_unknown(kind, event)
        return []

    def close(self) -> list[StreamEvent]:
        if self.done:
            return []
        self.done = True
        raise StreamCutError(
            "The stream ended before the response did (no response.completed): what came is "
            "not the whole answer. Ask again; the part that came is in .partial.",
            partial=self.reply({}),
        )

    def reply(self, headers: Mapping[str, str]) -> Reply:
        parts = parse_output(self._accumulated_output())
        return to_reply({**self._response, "status": "in_progress"}, parts, headers)

    def _accumulated_output(self) -> list[dict[str, Any]]:
        """The output items in wire format, as accumulated so far."""
        return [self._items[index].to_wire() for index in sorted(self._items)]

    def _finish(self, event: Mapping[str, Any]) -> list[StreamEvent]:
        last = as_mapping(event.get("response"))
        status = last.get("status") or str(event["type"]).removeprefix("response.")
        response = {**self._response, **last, "status": status}
        if not response.get("output") and self._items:
            response["output"] = self._accumulated_output()
        self._response = response
        reply = decode(response, {})
        events = list(self._undelivered_events(output_items(response)))
        if differs_from_streamed(self._items, reply.choices[0]) and status == "completed":
            raise self._stream_error("its deltas are not what its last event holds")
        self.done = True
        return [*events, Finished(reply)]

    def _is_duplicate(self, event: Mapping[str, Any], data: str) -> bool:
        """Whether this event was received before. Disabled once two events share a number."""
        number = as_index(event.get("sequence_number"))
        if number is None or self._seen is None:
            return False
        is_known = number in self._seen
        if self._seen.setdefault(number, hash(data)) != hash(data):
            self._seen = None
            return False
        if len(self._seen) > _DUPLICATE_WINDOW:
            del self._seen[next(iter(self._seen))]
        return is_known

    def _undelivered_events(self, output: list[Any]) -> Iterator[StreamEvent]:
        """Events for what the last event contains and no delta did."""
        streamed = [item for _, item in sorted(self._items.items())]
        ids = {nonempty_str(wire.get("id")) for wire in as_mappings(output)}
        for position, wire in enumerate(as_mappings(output)):
            # Without an id, the first unmatched item of its type: the last event may lack items.
            matching = [item for item in streamed if item.matches(wire)]
            # Some servers give an item another id in each event.
            matching = matching or [item for item in streamed if item.is_renamed(wire, ids)]
            here = self._items.get(position)
            if not matching and here in streamed and not (here.has_id and wire.get("id")):
                matching = [here]  # of another type
            item = matching[0] if matching else self._get_item(None, wire.get("id"), wire)
            if matching:
                streamed.remove(item)
            yield from self._add_snapshot(item, wire)
        for _, item in sorted(self._items.items()):
            yield from item.finish(self)

    def _get_item(
        self, index: Any, item_id: Any, fields: Mapping[str, Any], *, is_guessed: bool = False
    ) -> OutputItem:
        """The item at this output index or with this id, else a new one."""
        output_index = as_index(index)
        if output_index is None and nonempty_str(item_id):
            output_index = self._output_index_by_id.get(item_id)
        if output_index is None:
            output_index = max(self._items, default=-1) + 1
        if nonempty_str(item_id):
            self._output_index_by_id.setdefault(item_id, output_index)
        if output_index not in self._items:
            self._items[output_index] = OutputItem(dict(fields), is_guessed=is_guessed)
        return self._items[output_index]

    def _item_for(self, event: Mapping[str, Any], kind: str) -> OutputItem:
        """The output item that a delta belongs to."""
        item_id = event.get("item_id")
        fields = {"type": kind, "id": item_id} if nonempty_str(item_id) else {"type": kind}
        return self._get_item(event.get("output_index"), item_id, fields, is_guessed=True)

    def _on_output_item(self, event: Mapping[str, Any]) -> Iterator[StreamEvent]:
        if event.get("item"):
            wire = readable_item(event["item"])
            item = self._get_item(event.get("output_index"), wire.get("id"), wire)
            yield from self._add_snapshot(item, wire)

    def _add_snapshot(self, item: OutputItem, wire: Mapping[str, Any]) -> Iterator[StreamEvent]:
        if conflict := item.conflict(wire):
            raise self._stream_error(f"an item of the output changed: {conflict}")
        yield from item.add_snapshot(wire, self)

    def _on_text_delta(self, event: Mapping[str, Any]) -> Iterator[StreamEvent]:
        item = self._item_for(event, "message")
        yield from item.add_text(event.get("content_index"), event.get("delta"), self)

    def _on_text_done(self, event: Mapping[str, Any]) -> Iterator[StreamEvent]:
        item = self._item_for(event, "message")
        remaining = item.remaining("text", event.get("content_index"), event.get("text"))
        yield from item.add_text(event.get("content_index"), remaining, self)

    def _on_refusal_delta(self, event: Mapping[str, Any]) -> Iterator[StreamEvent]:
        item = self._item_for(event, "message")
        yield from item.add_refusal(event.get("content_index"), event.get("delta"))

    def _on_arguments_delta(self, event: Mapping[str, Any]) -> Iterator[StreamEvent]:
        kind = "custom_tool_call" if "custom" in event["type"] else "function_call"
        yield from self._item_for(event, kind).add_arguments(event.get("delta"), self)

    def _on_reasoning_delta(self, event: Mapping[str, Any]) -> Iterator[StreamEvent]:
        index = event.get("summary_index", event.get("content_index"))
        member = "content" if "reasoning_text" in event["type"] else "summary"
        item = self._item_for(event, "reasoning")
        yield from item.add_reasoning(member, index, event.get("delta"))

    def _on_annotation(self, event: Mapping[str, Any]) -> Iterator[StreamEvent]:
        item = self._item_for(event, "message")
        yield from item.add_citation(
            event.get("content_index"), event.get("annotation_index"), event.get("annotation")
        )

    def _on_response(self, event: Mapping[str, Any]) -> tuple[StreamEvent, ...]:
        self._response.update(as_mapping(event.get("response")))
        return ()

    def _on_unknown(self, kind: str, event: Mapping[str, Any]) -> None:
        self._on_response(event)
        if kind not in self._unknown_types:
            self._unknown_types.add(kind)
            logger.debug(
                "unknown_event type=%.100r: it is ignored; the reply is what the last event holds",
                kind,
                extra={"aimlapi": {"event": "unknown_event", "type": kind}},
            )

    def next_tool_call_index(self) -> int:
        """The index for a new tool call."""
        self._tool_call_count += 1
        return self._tool_call_count - 1

    def message_separator(self) -> str:
        """The separator before the text of a new message, "" for the first."""
        self._message_count += 1
        return SEPARATOR if self._message_count > 1 else ""

    def _reported_error(self, event: Mapping[str, Any]) -> AIMLAPIError:
        self._response.update(as_mapping(event.get("response")))  # with usage and cost
        message = f"the service reported: {failure_message(event)}"
        return self._stream_error(message, _error_code(event), event)


_Handler: TypeAlias = Callable[[ResponseAccumulator, Mapping[str, Any]], Iterable[StreamEvent]]
_EVENT_HANDLERS: dict[str, _Handler] = {
    "response.created": ResponseAccumulator._on_response,
    "response.queued": ResponseAccumulator._on_response,
    "response.in_progress": ResponseAccumulator._on_response,
    "response.output_item.added": ResponseAccumulator._on_output_item,
    "response.output_item.done": ResponseAccumulator._on_output_item,
    "response.output_text.delta": ResponseAccumulator._on_text_delta,
    "response.output_text.done": ResponseAccumulator._on_text_done,
    "response.output_text.annotation.added": ResponseAccumulator._on_annotation,
    "response.refusal.delta": ResponseAccumulator._on_refusal_delta,
    "response.function_call_arguments.delta": ResponseAccumulator._on_arguments_delta,
    "response.custom_tool_call_input.delta": ResponseAccumulator._on_arguments_delta,
    "response.reasoning_summary_text.delta": ResponseAccumulator._on_reasoning_delta,
    "response.reasoning_text.delta": ResponseAccumulator._on_reasoning_delta,
}
# With those above and those that end a stream, the 53 types of the vendor's schema
# [D gpt-5-2-pro-RESPONSES.json]. What they hold is also in the item of `output_item.done` and in
# the last event, but for audio, which no request asks for.
_IGNORED_EVENTS = frozenset(
    """
    response.audio.delta response.audio.done response.audio.transcript.delta
    response.audio.transcript.done response.code_interpreter_call.completed
    response.code_interpreter_call.in_progress response.code_interpreter_call.interpreting
    response.code_interpreter_call_code.delta response.code_interpreter_call_code.done
    response.content_part.added response.content_part.done
    response.custom_tool_call_input.done response.file_search_call.completed
    response.file_search_call.in_progress response.file_search_call.searching
    response.function_call_arguments.done response.image_generation_call.completed
    response.image_generation_call.generating response.image_generation_call.in_progress
    response.image_generation_call.partial_image response.mcp_call.completed
    response.mcp_call.failed response.mcp_call.in_progress response.mcp_call_arguments.delta
    response.mcp_call_arguments.done response.mcp_list_tools.completed
    response.mcp_list_tools.failed response.mcp_list_tools.in_progress
    response.reasoning_summary_part.added response.reasoning_summary_part.done
    response.reasoning_summary_text.done response.reasoning_text.done response.refusal.done
    response.web_search_call.completed response.web_search_call.in_progress
    response.web_search_call.searching
    """.split()
)


def _error_code(event: Mapping[str, Any]) -> str | None:
    response = as_mapping(event.get("response"))
    code = as_mapping((response or event).get("error")).get("code") or event.get("code")
    return None if code is None else str(code)
