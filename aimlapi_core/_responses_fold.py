"""Responses read whole or event by event.

The last event holds the whole response, so a stream's Reply is that object decoded; the events
before it are only handed on; what they left out is handed on with the last. Events are told
apart by `data.type`: whether frames carry an `event:` line is not documented. Event types not
named here (53 are in the schema) carry nothing that the last event lacks and are passed over on
purpose.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aimlapi_core._chat_fold import came
from aimlapi_core._read import index as as_index
from aimlapi_core._read import integer, loads, mapping, rows, text
from aimlapi_core.cost import cost_of
from aimlapi_core.errors import (
    StreamCutError,
    StreamFailedError,
    UnexpectedReplyError,
    failure_in,
)
from aimlapi_core.types import (
    Choice,
    CitationDelta,
    Finished,
    Part,
    ProviderItem,
    Reasoning,
    ReasoningDelta,
    Refusal,
    RefusalDelta,
    Reply,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)

logger = logging.getLogger("aimlapi")

# Between two messages, or two parts of a summary, of one answer.
GAP = "\n\n"

# Members with a field of their own, and those that only repeat the request.
_NOT_EXTRA = frozenset(
    "id object created_at model status output output_text usage meta error incomplete_details "
    "instructions tools tool_choice temperature top_p text truncation parallel_tool_calls "
    "reasoning store background max_output_tokens max_tool_calls metadata previous_response_id "
    "prompt prompt_cache_key prompt_cache_retention safety_identifier top_logprobs user "
    "frequency_penalty presence_penalty".split()
)
_REASONS = {"max_output_tokens": "length"}


def decode(payload: Any, headers: Mapping[str, str]) -> Reply:
    """The Reply of a whole response. Raises UnexpectedReplyError for anything else."""
    response = mapping(payload)
    has_output = isinstance(response.get("output"), list) or text(response.get("output_text"))
    status = response.get("status")
    if not has_output or response.get("error") or status not in (None, "completed", "incomplete"):
        what = f"status {status!r}, {_why(payload)}" if has_output else came(payload)
        raise UnexpectedReplyError(
            f"The service answered with success, but not with a finished response: {what}",
            body=what,
            request_id=headers.get("x-request-id"),
        )
    return _reply(response, _parts(_output_of(response)), headers)


class Fold:
    """A stream's payloads in, events out. Feed many times, close once.

    `done` after `response.completed`, `response.incomplete` or `[DONE]`: what follows is
    ignored.
    """

    def __init__(self, expected: int = 1, *, usage_expected: bool = False) -> None:
        self.done = False
        self._response: dict[str, Any] = {}
        self._items: dict[int, _Item] = {}
        self._by_id: dict[str, int] = {}
        self._calls = 0
        self._texts = 0
        self._usage_expected = usage_expected

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
        kind = str(frame.get("type") or name)
        frame = {**frame, "type": kind}
        if kind in ("error", "response.failed", "response.cancelled") or failure_in(frame):
            raise self._failed(f"the service reported: {_why(frame)}", _code(frame), frame)
        if kind in ("response.completed", "response.incomplete"):
            return self._end(frame)
        handler = _HANDLERS.get(kind)
        if handler is None:
            self._response.update(mapping(frame.get("response")))
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
        output = [self._items[index].wire() for index in sorted(self._items)]
        return _reply({**self._response, "status": "in_progress"}, _parts(output), headers)

    def _end(self, frame: Mapping[str, Any]) -> list[StreamEvent]:
        given = mapping(frame.get("response"))
        status = given.get("status") or str(frame["type"]).removeprefix("response.")
        if given.get("error") or status not in ("completed", "incomplete"):
            raise self._failed(f"the service reported: {_why(frame)}", _code(frame), frame)
        response = {**self._response, **given, "status": status}
        if not rows(response.get("output")):
            response["output"] = [self._items[index].wire() for index in sorted(self._items)]
        self._response = response
        reply = decode(response, {})
        events = list(self._missing(_output_of(response)))
        self.done = True
        if self._usage_expected and reply.usage is None:
            logger.warning("Stream %s ended well but brought no usage: it is None.", reply.id)
        return [*events, Finished(reply)]

    def _missing(self, output: list[Any]) -> Iterator[StreamEvent]:
        """What the last event holds and no delta brought."""
        streamed = [item for _, item in sorted(self._items.items())]
        for wire in rows(output):
            # By its id; else the first of its kind that is left: the last event may lack items.
            same = [item for item in streamed if item.is_form_of(wire)]
            item = same[0] if same else self._item(None, wire.get("id"), wire)
            if same:
                streamed.remove(item)
            yield from item.take(wire, self)

    def _item(self, index: Any, item_id: Any, head: Mapping[str, Any]) -> _Item:
        """The item at this place of the output, or of this id, or a new one."""
        place = as_index(index)
        if place is None and text(item_id):
            place = self._by_id.get(item_id)
        if place is None:
            place = max(self._items, default=-1) + 1
        if text(item_id):
            self._by_id.setdefault(item_id, place)
        if place not in self._items:
            self._items[place] = _Item(dict(head))
        return self._items[place]

    def _of(self, frame: Mapping[str, Any], kind: str) -> _Item:
        """The item that a delta belongs to."""
        item_id = frame.get("item_id")
        head = {"type": kind, "id": item_id} if text(item_id) else {"type": kind}
        return self._item(frame.get("output_index"), item_id, head)

    def _item_event(self, frame: Mapping[str, Any]) -> Iterator[StreamEvent]:
        wire = mapping(frame.get("item"))
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


class _Item:
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
        if text(mine) and text(theirs):
            return bool(mine == theirs)
        return bool(self._head.get("type") == wire.get("type"))

    def text(self, part: Any, delta: Any, fold: Fold) -> Iterator[StreamEvent]:
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

    def argue(self, delta: Any, fold: Fold) -> Iterator[StreamEvent]:
        if isinstance(delta, str) and delta:
            self._arguments += delta
            yield ToolCallDelta(self._number(fold), arguments=delta)

    def take(self, wire: Mapping[str, Any], fold: Fold) -> Iterator[StreamEvent]:
        """A whole item, early or final: events for what its deltas have not brought."""
        self._head.update(wire)
        kind = wire.get("type")
        if kind == "function_call":
            yield from self._take_call(wire, fold)
        for position, part in enumerate(rows(wire.get("content"))):
            if kind == "reasoning":
                rest = self.rest("content", position, part.get("text"))
                yield from self.reason("content", position, rest)
            elif part.get("type") == "refusal":
                rest = self.rest("refusal", position, part.get("refusal"))
                yield from self.refuse(position, rest)
            else:
                rest = self.rest("text", position, part.get("text"))
                yield from self.text(position, rest, fold)
                for citation in rows(part.get("annotations")):
                    yield from self.cite(position, citation)
        for position, part in enumerate(rows(wire.get("summary"))):
            rest = self.rest("summary", position, part.get("text"))
            yield from self.reason("summary", position, rest)

    def _take_call(self, wire: Mapping[str, Any], fold: Fold) -> Iterator[StreamEvent]:
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

    def _number(self, fold: Fold) -> int:
        if self._call is None:
            self._call = fold.next_call()
        return self._call

    def _grow(self, member: str, part: Any, delta: str) -> None:
        self._parts.setdefault((member, _index(part)), []).append(delta)

    def rest(self, member: str, part: Any, whole: Any) -> str:
        """What `whole` has beyond the deltas."""
        so_far = "".join(self._parts.get((member, _index(part)), ()))
        return _rest_of(whole, so_far) if isinstance(whole, str) else ""


def _reply(
    response: Mapping[str, Any], parts: tuple[Part, ...], headers: Mapping[str, str]
) -> Reply:
    return Reply(
        id=text(response.get("id")),
        model=text(response.get("model")),
        created=integer(response.get("created_at")),
        choices=(Choice(0, parts, _finish_reason(response, parts)),),
        usage=usage_of(response.get("usage")),
        cost=cost_of(headers, response.get("meta")),
        endpoint="responses",
        extra={k: v for k, v in response.items() if v is not None and k not in _NOT_EXTRA},
    )


def _finish_reason(response: Mapping[str, Any], parts: tuple[Part, ...]) -> str | None:
    """The chat endpoint's word for how a response ended."""
    status = response.get("status")
    if status == "in_progress":
        return None
    if status == "incomplete":
        reason = mapping(response.get("incomplete_details")).get("reason")
        return _REASONS.get(str(reason), str(reason or "length"))
    return "tool_calls" if any(isinstance(part, ToolCall) for part in parts) else "stop"


def _parts(output: Any) -> tuple[Part, ...]:
    """The parts of an output, in its order; the text of all messages in one Text."""
    parts: list[Part] = []
    texts: list[str] = []
    citations: list[Mapping[str, Any]] = []
    place = -1
    for item in rows(output):
        kind = item.get("type")
        if kind == "message":
            content = rows(item.get("content"))
            said = "".join(
                text(row.get("text")) or "" for row in content if row.get("type") != "refusal"
            )
            refusal = "".join(text(row.get("refusal")) or "" for row in content)
            citations += [c for row in content for c in rows(row.get("annotations"))]
            texts += [said] if said else []
            if place < 0 and said:
                place = len(parts)
                parts.append(Text(""))
            if refusal:
                parts.append(Refusal(refusal))
        elif kind == "function_call":
            parts.append(_call_of(item))
        elif kind == "reasoning":
            thoughts = [*rows(item.get("summary")), *rows(item.get("content"))]
            thought = GAP.join(text(row.get("text")) or "" for row in thoughts)
            parts.append(Reasoning(thought, item))
        elif kind:
            parts.append(ProviderItem(item))
    if place >= 0:
        parts[place] = Text(GAP.join(texts), tuple(citations))
    return tuple(parts)


def _call_of(item: Mapping[str, Any]) -> ToolCall:
    return ToolCall(
        id=text(item.get("call_id")) or text(item.get("id")) or "",
        name=text(item.get("name")) or "",
        arguments=text(item.get("arguments")) or "",
        item_id=text(item.get("id")),
    )


def _output_of(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The output items; `output_text` as a message where no message holds it."""
    output = rows(response.get("output"))
    said = text(response.get("output_text"))
    if said and not any(item.get("type") == "message" for item in output):
        content = [{"type": "output_text", "text": said}]
        return [*output, {"type": "message", "content": content}]
    return output


def usage_of(wire: Any) -> Usage | None:
    """Token counts of a response; None where there are none.

    The documents' one sample of `openai/gpt-5-2-pro` counts credits here instead of tokens
    (contract 2); nothing in an answer tells the two apart, so they are passed on as they come.
    """
    wire = mapping(wire)
    sent, got = integer(wire.get("input_tokens")), integer(wire.get("output_tokens"))
    total = integer(wire.get("total_tokens"))
    if sent is None and got is None and total is None:
        return None
    return Usage(
        input_tokens=sent or 0,
        output_tokens=got or 0,
        total_tokens=(sent or 0) + (got or 0) if total is None else total,
        cached_tokens=integer(mapping(wire.get("input_tokens_details")).get("cached_tokens")),
        reasoning_tokens=integer(
            mapping(wire.get("output_tokens_details")).get("reasoning_tokens")
        ),
        raw=wire,
    )


def _why(frame: Any) -> str:
    """The sentence of a failure: of an `error` event, or of a failed response."""
    for holder in (mapping(frame), mapping(mapping(frame).get("response"))):
        error = holder.get("error")
        said = mapping(error).get("message") or (error if isinstance(error, str) else None)
        if said or holder.get("message"):
            return str(said or holder["message"])
    return came(frame)


def _code(frame: Mapping[str, Any]) -> str | None:
    response = mapping(frame.get("response"))
    code = mapping((response or frame).get("error")).get("code") or frame.get("code")
    return None if code is None else str(code)


def _rest_of(whole: str, so_far: str) -> str:
    """The end of `whole` behind `so_far`; "" for an early form of an item, which is shorter."""
    if whole.startswith(so_far):
        return whole[len(so_far) :]
    if not so_far.startswith(whole):
        logger.warning("The stream's deltas and its last event differ; the last event counts.")
    return ""


def _index(value: Any) -> int:
    found = as_index(value)
    return 0 if found is None else found
