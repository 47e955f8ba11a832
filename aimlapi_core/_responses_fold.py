"""Responses read whole or event by event.

The last event holds the whole response, so a stream's Reply is that object decoded; the events
before it are only handed on, and checked against it. Events are told apart by `data.type`:
whether frames carry an `event:` line is not documented. Event types not named here (53 are in
the schema) carry nothing that the last event lacks and are passed over on purpose.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aimlapi_core._chat_fold import came
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
    is_response = isinstance(payload, Mapping) and (
        isinstance(payload.get("output"), list) or isinstance(payload.get("output_text"), str)
    )
    status = payload.get("status") if is_response else None
    if not is_response or status not in (None, "completed", "incomplete"):
        what = f"status {status!r}, {_why(payload)}" if status else came(payload)
        raise UnexpectedReplyError(
            f"The service answered with success, but not with a finished response: {what}",
            body=what,
            request_id=headers.get("x-request-id"),
        )
    return _reply(payload, _parts(payload["output"] or _bare(payload)), headers)


class Fold:
    """A stream's payloads in, events out. Feed many times, close once.

    `done` after `response.completed`, `response.incomplete` or `[DONE]`: what follows is
    ignored.
    """

    def __init__(self, expected: int = 1, *, usage_expected: bool = False) -> None:
        self.done = False
        self._response: dict[str, Any] = {}
        self._items: dict[int, _Item] = {}
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
            frame = json.loads(data)
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
            if isinstance(frame.get("response"), Mapping):
                self._response.update(frame["response"])
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
        given = frame.get("response")
        response = {**self._response, **(given if isinstance(given, Mapping) else {})}
        response["status"] = str(frame["type"]).removeprefix("response.")
        if not response.get("output"):
            response["output"] = [self._items[index].wire() for index in sorted(self._items)]
        self._response = response
        reply = decode(response, {})
        events = list(self._missing(response["output"]))
        self.done = True
        if self._usage_expected and reply.usage is None:
            logger.warning("Stream %s ended well but brought no usage: it is None.", reply.id)
        return [*events, Finished(reply)]

    def _missing(self, output: list[Any]) -> Iterator[StreamEvent]:
        """What the last event holds and no delta brought."""
        for index, wire in enumerate(output):
            if isinstance(wire, Mapping):
                yield from self._item(index, wire).take(wire, self)

    def _item(self, index: Any, wire: Mapping[str, Any] | None = None) -> _Item:
        index = index if isinstance(index, int) else len(self._items)
        if index not in self._items:
            self._items[index] = _Item(dict(wire or {}))
        return self._items[index]

    def _item_event(self, frame: Mapping[str, Any]) -> Iterator[StreamEvent]:
        wire = frame.get("item")
        if isinstance(wire, Mapping):
            item = self._item(frame.get("output_index"), wire)
            item.done = item.done or frame["type"] == "response.output_item.done"
            yield from item.take(wire, self)

    def _text(self, frame: Mapping[str, Any]) -> Iterator[StreamEvent]:
        item = self._item(frame.get("output_index"), {"type": "message"})
        yield from item.text(frame.get("content_index"), frame.get("delta"), self)

    def _refusal(self, frame: Mapping[str, Any]) -> Iterator[StreamEvent]:
        item = self._item(frame.get("output_index"), {"type": "message"})
        yield from item.refuse(frame.get("content_index"), frame.get("delta"))

    def _arguments(self, frame: Mapping[str, Any]) -> Iterator[StreamEvent]:
        item = self._item(frame.get("output_index"), {"type": "function_call"})
        yield from item.argue(frame.get("delta"), self)

    def _summary(self, frame: Mapping[str, Any]) -> Iterator[StreamEvent]:
        item = self._item(frame.get("output_index"), {"type": "reasoning"})
        part = frame.get("summary_index", frame.get("content_index"))
        member = "content" if "reasoning_text" in frame["type"] else "summary"
        yield from item.reason(member, part, frame.get("delta"))

    def _citation(self, frame: Mapping[str, Any]) -> Iterator[StreamEvent]:
        item = self._item(frame.get("output_index"), {"type": "message"})
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
    "response.output_text.annotation.added": Fold._citation,
    "response.refusal.delta": Fold._refusal,
    "response.function_call_arguments.delta": Fold._arguments,
    "response.reasoning_summary_text.delta": Fold._summary,
    "response.reasoning_text.delta": Fold._summary,
}


class _Item:
    """One output item, growing. Each method gives events for what is new."""

    def __init__(self, head: dict[str, Any]) -> None:
        self.done = False
        self._head = head
        self._final: Mapping[str, Any] | None = None
        self._parts: dict[tuple[str, int], list[str]] = {}
        self._citations: dict[int, list[Mapping[str, Any]]] = {}
        self._arguments = ""
        self._call: int | None = None
        self._named = False
        self._said_anything = False

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
        for position, part in enumerate(_rows(wire.get("content"))):
            if kind == "reasoning":
                rest = self._rest("content", position, part.get("text"))
                yield from self.reason("content", position, rest)
            elif part.get("type") == "refusal":
                rest = self._rest("refusal", position, part.get("refusal"))
                yield from self.refuse(position, rest)
            else:
                rest = self._rest("text", position, part.get("text"))
                yield from self.text(position, rest, fold)
                for citation in _rows(part.get("annotations")):
                    yield from self.cite(position, citation)
        for position, part in enumerate(_rows(wire.get("summary"))):
            rest = self._rest("summary", position, part.get("text"))
            yield from self.reason("summary", position, rest)

    def _take_call(self, wire: Mapping[str, Any], fold: Fold) -> Iterator[StreamEvent]:
        if not self._named and wire.get("name"):
            self._named = True
            call_id = str(wire.get("call_id") or wire.get("id") or "")
            yield ToolCallDelta(self._number(fold), id=call_id, name=str(wire["name"]))
        given = wire.get("arguments")
        if isinstance(given, str) and given.startswith(self._arguments):
            yield from self.argue(given[len(self._arguments) :], fold)

    def wire(self) -> dict[str, Any]:
        """The item in wire form, its growing members as far as they have come."""
        kind = self._head.get("type")
        wire = dict(self._head)
        if kind == "function_call":
            wire["arguments"] = self._arguments
        elif kind == "message":
            rows = sorted((i, m) for m, i in self._parts if m in ("text", "refusal"))
            wire["content"] = [
                {
                    "type": "refusal" if member == "refusal" else "output_text",
                    member: "".join(self._parts[member, i]),
                    "annotations": self._citations.get(i, []),
                }
                for i, member in rows
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

    def _rest(self, member: str, part: int, whole: Any) -> str:
        so_far = "".join(self._parts.get((member, part), ()))
        if not isinstance(whole, str) or not whole.startswith(so_far):
            return ""  # an early, still empty form of the item
        return whole[len(so_far) :]


def _reply(
    response: Mapping[str, Any], parts: tuple[Part, ...], headers: Mapping[str, str]
) -> Reply:
    created = response.get("created_at")
    return Reply(
        id=response.get("id"),
        model=response.get("model"),
        created=int(created) if isinstance(created, (int, float)) else None,
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
        details = response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, Mapping) else None
        return _REASONS.get(str(reason), str(reason or "length"))
    return "tool_calls" if any(isinstance(part, ToolCall) for part in parts) else "stop"


def _parts(output: Any) -> tuple[Part, ...]:
    """The parts of an output, in its order; the text of all messages in one Text."""
    parts: list[Part] = []
    texts: list[str] = []
    citations: list[Mapping[str, Any]] = []
    place = -1
    for item in _rows(output):
        kind = item.get("type")
        if kind == "message":
            rows = _rows(item.get("content"))
            text = "".join(str(r.get("text") or "") for r in rows if r.get("type") != "refusal")
            refusal = "".join(str(r.get("refusal") or "") for r in rows if "refusal" in r)
            citations += [c for row in rows for c in _rows(row.get("annotations"))]
            texts += [text] if text else []
            if place < 0 and text:
                place = len(parts)
                parts.append(Text(""))
            if refusal:
                parts.append(Refusal(refusal))
        elif kind == "function_call":
            call_id = str(item.get("call_id") or item.get("id") or "")
            arguments = str(item.get("arguments") or "")
            parts.append(ToolCall(call_id, str(item.get("name") or ""), arguments, item.get("id")))
        elif kind == "reasoning":
            rows = [*_rows(item.get("summary")), *_rows(item.get("content"))]
            parts.append(Reasoning(GAP.join(str(row.get("text") or "") for row in rows), item))
        elif kind:
            parts.append(ProviderItem(item))
    if place >= 0:
        parts[place] = Text(GAP.join(texts), tuple(citations))
    return tuple(parts)


def _bare(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """An output made of `output_text`, for a response that has nothing else."""
    text = payload.get("output_text")
    return [{"type": "message", "content": [{"type": "output_text", "text": text}]}] if text else []


def usage_of(wire: Any) -> Usage | None:
    """Token counts of a response; None where there are none.

    The documents' one sample of `openai/gpt-5-2-pro` counts credits here instead of tokens
    (contract 2); nothing in an answer tells the two apart, so they are passed on as they come.
    """
    if not isinstance(wire, Mapping) or wire.get("input_tokens") is None:
        return None
    sent, got = int(wire["input_tokens"]), int(wire.get("output_tokens") or 0)
    total = wire.get("total_tokens")
    return Usage(
        input_tokens=sent,
        output_tokens=got,
        total_tokens=sent + got if total is None else int(total),
        cached_tokens=(wire.get("input_tokens_details") or {}).get("cached_tokens"),
        reasoning_tokens=(wire.get("output_tokens_details") or {}).get("reasoning_tokens"),
        raw=wire,
    )


def _why(frame: Any) -> str:
    """The sentence of a failure: of an `error` event, or of a failed response."""
    holders = [frame, frame.get("response")] if isinstance(frame, Mapping) else []
    for holder in holders:
        if isinstance(holder, Mapping):
            error = holder.get("error")
            text = error.get("message") if isinstance(error, Mapping) else error
            if text or holder.get("message"):
                return str(text or holder["message"])
    return came(frame)


def _code(frame: Mapping[str, Any]) -> str | None:
    response = frame.get("response")
    error = (response if isinstance(response, Mapping) else frame).get("error")
    code = error.get("code") if isinstance(error, Mapping) else frame.get("code")
    return None if code is None else str(code)


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _index(value: Any) -> int:
    return value if isinstance(value, int) else 0
