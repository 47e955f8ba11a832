"""Responses read whole or event by event.

The last event holds the whole response, so a stream's Reply is that object decoded; the events
before it are only handed on; what they left out is handed on with the last. Events are told
apart by `data.type`: whether frames carry an `event:` line is not documented. Event types not
named here (53 are in the schema) carry nothing that the last event lacks and are passed over on
purpose.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aimlapi_core._json_reading import (
    as_index,
    as_int,
    as_mapping,
    as_mappings,
    loads,
    nonempty_str,
)
from aimlapi_core._wire import usage
from aimlapi_core._wire.chat_stream import came
from aimlapi_core._wire.reported_cost import parse_cost
from aimlapi_core._wire.responses_items import GAP, Item, output_items, parse_output
from aimlapi_core.errors import (
    StreamCutError,
    StreamFailedError,
    UnexpectedReplyError,
    failure_in,
)
from aimlapi_core.request_params import REQUEST_PARAMS
from aimlapi_core.types import Choice, Finished, Part, Refusal, Reply, StreamEvent, Text, ToolCall

logger = logging.getLogger("aimlapi")

# Members with a field of their own, and those that only repeat the request.
_NOT_EXTRA = frozenset(
    "id object created_at model status output output_text usage meta error incomplete_details "
    "tools tool_choice text parallel_tool_calls background max_tool_calls metadata "
    "prompt prompt_cache_key prompt_cache_retention safety_identifier user frequency_penalty "
    "presence_penalty".split()
) | frozenset(row.responses.partition(".")[0] for row in REQUEST_PARAMS.values())
_REASONS = {"max_output_tokens": "length"}
_REMEMBERED = 256  # events; one that comes twice comes soon after


def decode(payload: Any, headers: Mapping[str, str]) -> Reply:
    """The Reply of a whole response. Raises UnexpectedReplyError for anything else."""
    response = as_mapping(payload)
    output, output_text = response.get("output"), nonempty_str(response.get("output_text"))
    has_output = isinstance(output, list) or output_text
    status = response.get("status")
    if not has_output or response.get("error") or status not in (None, "completed", "incomplete"):
        what = f"status {status!r}, {_why(payload)}" if has_output else came(payload)
        raise UnexpectedReplyError(
            f"The service answered with success, but not with a finished response: {what}",
            body=what,
            request_id=headers.get("x-request-id"),
        )
    return _reply(response, parse_output(output_items(response)), headers)


class Fold:
    """A stream's payloads in, events out. Feed many times, close once.

    `done` after `response.completed`, `response.incomplete` or `[DONE]`: what follows is
    ignored, and so is an event that came before with the same number. A completed response that
    holds another text or call than its deltas brought raises; of an incomplete one, which a
    filter may have shortened, the last event counts.
    """

    def __init__(self, expected: int = 1, *, usage_expected: bool = False) -> None:
        self.done = False
        self._response: dict[str, Any] = {}
        self._items: dict[int, Item] = {}
        self._by_id: dict[str, int] = {}
        self._calls = 0
        self._texts = 0
        self._usage_expected = usage_expected
        self._seen: dict[int, int] | None = {}

    @property
    def complete(self) -> bool:
        """Whether the whole response has come."""
        return self.done

    def feed(self, name: str, data: str) -> list[StreamEvent]:
        """The events of one payload. Raises StreamFailedError when it reports a failure."""
        if self.done or not data.strip():
            return []
        if data.strip() == "[DONE]":
            return self.close()
        try:
            frame = loads(data)
        except ValueError:
            frame = None
        if not isinstance(frame, Mapping):
            raise self._failed(f"a payload of the stream is not a JSON object: {data[:200]!r}")
        if self._is_repeated(frame, data):
            return []
        kind = str(frame.get("type") or name)
        frame = {**frame, "type": kind}
        if kind in ("error", "response.failed", "response.cancelled") or failure_in(frame):
            raise self._failed(f"the service reported: {_why(frame)}", _code(frame), frame)
        if kind in ("response.completed", "response.incomplete"):
            return self._end(frame)
        handler = _HANDLERS.get(kind)
        if handler is None:
            self._response.update(as_mapping(frame.get("response")))
            return []
        return list(handler(self, frame))

    def close(self) -> list[StreamEvent]:
        """The end of the body. Raises StreamCutError: a whole response ends by its last event."""
        if self.done:
            return []
        self.done = True
        raise StreamCutError(
            "The stream ended before the response did (no response.completed): what came is "
            "not the whole answer. Ask again; the part that came is in .partial.",
            partial=self.reply({}),
        )

    def reply(self, headers: Mapping[str, str]) -> Reply:
        """All that has come so far."""
        parts = parse_output(self._streamed())
        return _reply({**self._response, "status": "in_progress"}, parts, headers)

    def _streamed(self) -> list[dict[str, Any]]:
        """The output items as far as events brought them."""
        return [self._items[index].wire() for index in sorted(self._items)]

    def _end(self, frame: Mapping[str, Any]) -> list[StreamEvent]:
        given = as_mapping(frame.get("response"))
        status = given.get("status") or str(frame["type"]).removeprefix("response.")
        if given.get("error") or status not in ("completed", "incomplete"):
            raise self._failed(f"the service reported: {_why(frame)}", _code(frame), frame)
        response = {**self._response, **given, "status": status}
        if not as_mappings(response.get("output")):
            response["output"] = self._streamed()
        self._response = response
        reply = decode(response, {})
        events = list(self._missing(output_items(response)))
        differs = _said(parse_output(self._streamed())) != _said(reply.choices[0].parts)
        if differs and status == "completed":
            raise self._failed("its deltas are not what its last event holds")
        self.done = True
        if self._usage_expected and reply.usage is None:
            logger.warning("Stream %s ended well but brought no usage: it is None.", reply.id)
        return [*events, Finished(reply)]

    def _is_repeated(self, frame: Mapping[str, Any], data: str) -> bool:
        """Whether this very event came before; numbers that events share tell nothing."""
        number = as_index(frame.get("sequence_number"))
        if number is None or self._seen is None:
            return False
        is_known = number in self._seen
        if self._seen.setdefault(number, hash(data)) != hash(data):
            self._seen = None
            return False
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return is_known

    def _missing(self, output: list[Any]) -> Iterator[StreamEvent]:
        """What the last event holds and no delta brought."""
        streamed = [item for _, item in sorted(self._items.items())]
        for wire in as_mappings(output):
            # By its id; else the first of its kind that is left: the last event may lack items.
            same = [item for item in streamed if item.is_form_of(wire)]
            item = same[0] if same else self._item(None, wire.get("id"), wire)
            if same:
                streamed.remove(item)
            yield from item.take(wire, self)

    def _item(self, index: Any, item_id: Any, head: Mapping[str, Any]) -> Item:
        """The item at this place of the output, or of this id, or a new one."""
        place = as_index(index)
        if place is None and nonempty_str(item_id):
            place = self._by_id.get(item_id)
        if place is None:
            place = max(self._items, default=-1) + 1
        if nonempty_str(item_id):
            self._by_id.setdefault(item_id, place)
        if place not in self._items:
            self._items[place] = Item(dict(head))
        return self._items[place]

    def _of(self, frame: Mapping[str, Any], kind: str) -> Item:
        """The item that a delta belongs to."""
        item_id = frame.get("item_id")
        head = {"type": kind, "id": item_id} if nonempty_str(item_id) else {"type": kind}
        return self._item(frame.get("output_index"), item_id, head)

    def _item_event(self, frame: Mapping[str, Any]) -> Iterator[StreamEvent]:
        wire = as_mapping(frame.get("item"))
        if wire:
            yield from self._item(frame.get("output_index"), wire.get("id"), wire).take(wire, self)

    def _text(self, frame: Mapping[str, Any]) -> Iterator[StreamEvent]:
        item = self._of(frame, "message")
        yield from item.text(frame.get("content_index"), frame.get("delta"), self)

    def _text_done(self, frame: Mapping[str, Any]) -> Iterator[StreamEvent]:
        item = self._of(frame, "message")
        rest = item.rest("text", frame.get("content_index"), frame.get("text"))
        yield from item.text(frame.get("content_index"), rest, self)

    def _refusal(self, frame: Mapping[str, Any]) -> Iterator[StreamEvent]:
        item = self._of(frame, "message")
        yield from item.refuse(frame.get("content_index"), frame.get("delta"))

    def _arguments(self, frame: Mapping[str, Any]) -> Iterator[StreamEvent]:
        yield from self._of(frame, "function_call").argue(frame.get("delta"), self)

    def _summary(self, frame: Mapping[str, Any]) -> Iterator[StreamEvent]:
        part = frame.get("summary_index", frame.get("content_index"))
        member = "content" if "reasoning_text" in frame["type"] else "summary"
        yield from self._of(frame, "reasoning").reason(member, part, frame.get("delta"))

    def _citation(self, frame: Mapping[str, Any]) -> Iterator[StreamEvent]:
        item = self._of(frame, "message")
        yield from item.cite(frame.get("content_index"), frame.get("annotation"))

    def next_call(self) -> int:
        """The number of a new tool call."""
        self._calls += 1
        return self._calls - 1

    def gap(self) -> str:
        """What separates a new message from the text before it."""
        self._texts += 1
        return GAP if self._texts > 1 else ""

    def _failed(
        self, what: str, code: str | None = None, details: Mapping[str, Any] | None = None
    ) -> StreamFailedError:
        return StreamFailedError(
            f"The stream failed: {what}. The part that came is in .partial.",
            partial=self.reply({}),
            code=code,
            details=details,
        )


_HANDLERS: dict[str, Callable[[Fold, Mapping[str, Any]], Iterator[StreamEvent]]] = {
    "response.output_item.added": Fold._item_event,
    "response.output_item.done": Fold._item_event,
    "response.output_text.delta": Fold._text,
    "response.output_text.done": Fold._text_done,
    "response.output_text.annotation.added": Fold._citation,
    "response.refusal.delta": Fold._refusal,
    "response.function_call_arguments.delta": Fold._arguments,
    "response.reasoning_summary_text.delta": Fold._summary,
    "response.reasoning_text.delta": Fold._summary,
}


def _reply(
    response: Mapping[str, Any], parts: tuple[Part, ...], headers: Mapping[str, str]
) -> Reply:
    return Reply(
        id=nonempty_str(response.get("id")),
        model=nonempty_str(response.get("model")),
        created=as_int(response.get("created_at")),
        choices=(Choice(0, parts, _finish_reason(response, parts)),),
        usage=usage.RESPONSES.read(response.get("usage")),
        cost=parse_cost(headers, response.get("meta")),
        endpoint="responses",
        extra={k: v for k, v in response.items() if v is not None and k not in _NOT_EXTRA},
    )


def _said(parts: tuple[Part, ...]) -> list[tuple[str, ...]]:
    """What parts say and call, however a gateway has spaced or escaped it."""
    texts = [("".join(p.text.split()),) for p in parts if isinstance(p, (Text, Refusal))]
    return [*texts, *((p.name, _plain(p.arguments)) for p in parts if isinstance(p, ToolCall))]


def _plain(arguments: str) -> str:
    try:
        return json.dumps(loads(arguments or "{}"), sort_keys=True)
    except ValueError:
        return arguments


def _finish_reason(response: Mapping[str, Any], parts: tuple[Part, ...]) -> str | None:
    """The chat endpoint's word for how a response ended."""
    status = response.get("status")
    if status == "in_progress":
        return None
    if status == "incomplete":
        reason = as_mapping(response.get("incomplete_details")).get("reason")
        return _REASONS.get(str(reason), str(reason or "length"))
    return "tool_calls" if any(isinstance(part, ToolCall) for part in parts) else "stop"


def _why(frame: Any) -> str:
    """The sentence of a failure: of an `error` event, or of a failed response."""
    for holder in (as_mapping(frame), as_mapping(as_mapping(frame).get("response"))):
        error = holder.get("error")
        said = as_mapping(error).get("message") or (error if isinstance(error, str) else None)
        if said or holder.get("message"):
            return str(said or holder["message"])
    return came(frame)


def _code(frame: Mapping[str, Any]) -> str | None:
    response = as_mapping(frame.get("response"))
    code = as_mapping((response or frame).get("error")).get("code") or frame.get("code")
    return None if code is None else str(code)
