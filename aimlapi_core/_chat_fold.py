"""Chat completions read piece by piece: chunks of a stream, or one whole answer as one chunk.

A whole answer goes through the same code as a stream, so both give the same Reply. Any member
may be missing, null or unknown; what has no field of its own is kept in `extra`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from aimlapi_core._read import index as as_index
from aimlapi_core._read import integer, loads, mapping, real, rows, text
from aimlapi_core.cost import cost_of
from aimlapi_core.errors import StreamCutError, StreamFailedError, failure_in
from aimlapi_core.types import (
    Choice,
    CitationDelta,
    Finished,
    Part,
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


def came(payload: Any) -> str:
    """What came instead of an answer, in a few words: its error, or its shape."""
    if isinstance(payload, Mapping):
        failure = failure_in(payload)
        if failure:
            return f"an error: {failure[0]}"
        kind = payload.get("object")
        return (f"object={kind!r}, " if kind else "") + f"members {sorted(map(str, payload))}"
    return f"{type(payload).__name__} {str(payload)[:200]!r}"


class Fold:
    """A stream's payloads in, events out. Feed many times, close once; `done` after `[DONE]`.

    `expected` is the number of choices asked for. An answer is whole when every choice has its
    finish reason; what comes after that may add usage, cost or the same reason again, but no
    text. Whatever follows `[DONE]` is ignored.
    """

    def __init__(self, expected: int = 1, *, usage_expected: bool = False) -> None:
        self.done = False
        self._expected = expected
        self._usage_expected = usage_expected
        self._id: str | None = None
        self._model: str | None = None
        self._created: int | None = None
        self._usage: Any = None
        self._meta: Any = None
        self._extra: dict[str, Any] = {}
        self._choices: dict[int, _ChoiceFold] = {}

    @property
    def complete(self) -> bool:
        """Whether every expected choice has its finish reason: what follows is optional."""
        finished = sum(choice.finish_reason is not None for choice in self._choices.values())
        return finished >= max(self._expected, len(self._choices))

    def feed(self, name: str, data: str) -> list[StreamEvent]:
        """The events of one payload. Raises StreamFailedError when it reports a failure."""
        if self.done:
            return []
        if data.strip() == "[DONE]":
            self.done = True
            return [self._finish(asked=1)]
        if not data.strip():
            return []
        try:
            frame = loads(data)
        except ValueError:
            frame = None
        if not isinstance(frame, Mapping):
            raise self._failed(f"a payload of the stream is not a JSON object: {data[:200]!r}")
        failure = failure_in(frame, name)
        if failure:
            raise self._failed(f"the service reported: {failure[0]}", failure[1], frame)
        return list(self.absorb(frame))

    def close(self) -> list[StreamEvent]:
        """The end of the body: Finished, unless it was given out at `[DONE]`.

        Raises StreamCutError when a choice has no finish reason.
        """
        if self.done:
            return []
        self.done = True
        return [self._finish(asked=self._expected)]

    def absorb(self, frame: Mapping[str, Any], *, whole: bool = False) -> Iterator[StreamEvent]:
        """Take in one chunk, or with `whole` one unstreamed answer."""
        for key, value in frame.items():
            if value is None or key in ("object", "obfuscation"):  # padding that hides lengths
                continue
            if key == "choices":
                for position, row in enumerate(rows(value)):
                    yield from self._absorb_choice(row, position, whole)
            elif key == "id":
                self._id = text(value) or self._id
            elif key == "model":
                self._model = text(value) or self._model
            elif key == "created":
                self._created = integer(value)
            elif key == "usage":
                self._usage = value  # cumulative counts come too: the last one is the sum
            elif key == "meta":
                self._meta = value
            else:
                self._extra[key] = value

    def _absorb_choice(
        self, row: Mapping[str, Any], position: int, whole: bool
    ) -> Iterator[StreamEvent]:
        given = as_index(row.get("index"))
        index = position if given is None or (whole and given in self._choices) else given
        if row.get("error"):
            raise self._failed(f"the service reported: {came(row)}", details=row)
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _ChoiceFold(index)
        # Some servers stream whole messages where deltas belong, and the other way round.
        names = ("message", "delta") if whole else ("delta", "message")
        delta = mapping(row.get(names[0])) or mapping(row.get(names[1]))
        was_finished = choice.finish_reason is not None
        for event in choice.absorb(delta, row, whole):
            if was_finished:
                raise self._failed(f"choice {index} went on after its finish reason")
            yield event
        reason = real(row.get("finish_reason"))
        if reason is not None or whole:
            yield from choice.finish(reason, self._id)

    def _finish(self, *, asked: int) -> Finished:
        finished = [c for c in self._choices.values() if c.finish_reason is not None]
        if len(finished) < max(asked, len(self._choices)):
            raise StreamCutError(
                "The stream ended before the answer did (no finish reason): what came is not "
                "the whole answer. Ask again; the part that came is in .partial.",
                partial=self.reply({}),
            )
        if self._usage_expected and self._usage is None:
            logger.warning("Stream %s ended well but brought no usage: it is None.", self._id)
        return Finished(self.reply({}))

    def reply(self, headers: Mapping[str, str]) -> Reply:
        """All that has come so far."""
        return Reply(
            id=self._id,
            model=self._model,
            created=self._created,
            choices=tuple(self._choices[i].value() for i in sorted(self._choices)),
            usage=usage_of(self._usage),
            cost=cost_of(headers, self._meta),
            extra=self._extra,
        )

    def _failed(
        self, what: str, code: str | None = None, details: Mapping[str, Any] | None = None
    ) -> StreamFailedError:
        return StreamFailedError(
            f"The stream failed: {what}. The part that came is in .partial.",
            partial=self.reply({}),
            code=code,
            details=details,
        )


class _CallFold:
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


class _ChoiceFold:
    """One choice, growing. Events are given for what is new."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.finish_reason: str | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._citations: list[Mapping[str, Any]] = []
        self._calls: list[_CallFold] = []
        self._by_wire_index: dict[int, _CallFold] = {}
        self._logprobs: dict[str, Any] | None = None
        self._extra: dict[str, Any] = {}

    def absorb(
        self, delta: Mapping[str, Any], row: Mapping[str, Any], whole: bool
    ) -> Iterator[StreamEvent]:
        # Both names carry the same text on services that send both: one is enough.
        reasoning = _text_of(delta.get("reasoning") or delta.get("reasoning_content"))
        if reasoning:
            self._reasoning.append(reasoning)
            yield ReasoningDelta(reasoning, self.index)
        logprobs = row.get("logprobs")
        if isinstance(logprobs, Mapping):
            self._logprobs = _grown_logprobs(self._logprobs, logprobs)
        content = _text_of(delta.get("content"))
        if content:
            self._text.append(content)
            of_piece = logprobs if isinstance(logprobs, Mapping) and logprobs else None
            yield TextDelta(content, self.index, of_piece)
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            self._refusal.append(refusal)
            yield RefusalDelta(refusal, self.index)
        for citation in rows(delta.get("annotations")):
            self._citations.append(citation)
            yield CitationDelta(citation, self.index)
        for position, call in enumerate(rows(delta.get("tool_calls"))):
            yield from self._absorb_call(call, position if whole else None)
        for members, known in ((delta, _MESSAGE_MEMBERS), (row, _ROW_MEMBERS)):
            for key, value in members.items():
                if value is not None and key not in known:
                    self._extra[key] = _merged_extra(self._extra.get(key), value)

    def _absorb_call(self, wire: Mapping[str, Any], position: int | None) -> Iterator[StreamEvent]:
        function = mapping(wire.get("function"))
        call_id = real(wire.get("id"))
        name = real(function.get("name"))
        arguments = function.get("arguments")
        if isinstance(arguments, Mapping):
            arguments = json.dumps(arguments, ensure_ascii=False)
        arguments = arguments if isinstance(arguments, str) else ""
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
            yield ToolCallDelta(call.index, new_id, new_name, arguments, self.index)

    def _call_for(self, wire_index: int | None, call_id: str | None, name: str | None) -> _CallFold:
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
        call = _CallFold(len(self._calls))
        self._calls.append(call)
        if wire_index is not None:
            self._by_wire_index[wire_index] = call
        return call

    def finish(self, reason: str | None, reply_id: str | None) -> Iterator[StreamEvent]:
        """Close the choice; a call that never got an id gets one made of the answer's."""
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


def usage_of(wire: Any) -> Usage | None:
    """Token counts of a chat or an embeddings answer; None where there are none."""
    wire = mapping(wire)
    sent, got = integer(wire.get("prompt_tokens")), integer(wire.get("completion_tokens"))
    total = integer(wire.get("total_tokens"))
    if sent is None and got is None and total is None:
        return None
    return Usage(
        input_tokens=sent or 0,
        output_tokens=got or 0,
        total_tokens=(sent or 0) + (got or 0) if total is None else total,
        cached_tokens=integer(mapping(wire.get("prompt_tokens_details")).get("cached_tokens")),
        reasoning_tokens=integer(
            mapping(wire.get("completion_tokens_details")).get("reasoning_tokens")
        ),
        raw=wire,
    )


def _text_of(content: Any) -> str:
    """Text of a content member: a string, or parts of which the texts count."""
    if isinstance(content, str):
        return content
    return "".join(text(part.get("text")) or "" for part in rows(content))


def _grown_logprobs(grown: dict[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Any]:
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


def _merged_extra(old: Any, new: Any) -> Any:
    """Lists grow, pieces with the `index` of the last one grow it; of all else the last counts."""
    if not isinstance(new, list):
        return new
    merged = old if isinstance(old, list) else []  # a list of our own, once there is one
    for item in new:
        last = merged[-1] if merged else None
        same = mapping(item).get("index") is not None and isinstance(last, Mapping)
        if same and item["index"] == mapping(last).get("index"):
            merged[-1] = {**mapping(last), **item, **_grown_texts(mapping(last), item)}
        else:
            merged.append(item)
    return merged


def _grown_texts(last: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, str]:
    pairs = {key: (last.get(key), item.get(key)) for key in ("text", "summary")}
    return {
        key: old + new
        for key, (old, new) in pairs.items()
        if isinstance(old, str) and isinstance(new, str)
    }
