"""Structured answers that are streamed: objects that grow, and the raw message beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableMap
from langchain_core.runnables.utils import AddableDict
from langchain_core.utils.json import parse_partial_json

if TYPE_CHECKING:
    from langchain_aimlapi._structured import AnswerParser


class Growth:
    """The objects of one streamed answer. Feed many times, close once."""

    def __init__(self, parser: AnswerParser) -> None:
        self._parser = parser
        self._whole: AIMessageChunk | BaseMessage | None = None
        self.last: Any = None

    def feed(self, piece: str | BaseMessage) -> Iterator[Any]:
        """What has grown. Nothing for classes: half an object does not validate."""
        message = AIMessageChunk(content=piece) if isinstance(piece, str) else piece
        if isinstance(message, AIMessageChunk) and isinstance(self._whole, AIMessageChunk):
            self._whole = self._whole + message
        else:
            self._whole = message
        if self._parser.target is not None or not isinstance(message, AIMessageChunk):
            return
        value = _half(self._pending())
        if value and value != self.last:
            self.last = value
            yield value

    def close(self) -> Iterator[Any]:
        """The whole object, unless it was the last that was given out."""
        if self._whole is None:
            return
        value = self._parser._object(self._whole)
        if self.last is None or value != self.last:
            self.last = value
            yield value

    def _pending(self) -> str:
        whole = self._whole
        if self._parser.tool_name is None or not isinstance(whole, AIMessageChunk):
            return self._parser._answer(whole) if whole is not None else ""
        pieces = [c for c in whole.tool_call_chunks if c["name"] == self._parser.tool_name]
        return (pieces[0]["args"] or "") if pieces else ""


def _half(text: str) -> dict[str, Any] | None:
    """The object that a beginning of its JSON shows so far; None when it shows none."""
    try:
        value = parse_partial_json(text) if text.strip() else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


class _Outcome(AddableDict):
    """A piece of `{"raw", "parsed", "parsing_error"}`. Messages add up; of the rest the last wins,
    and nothing is parsed where there was an error.
    """

    def __add__(self, other: Mapping[str, Any]) -> _Outcome:
        total = _Outcome({**self, **other})
        if "raw" in self and "raw" in other:
            total["raw"] = self["raw"] + other["raw"]
        if total.get("parsing_error") is not None:
            total["parsed"] = None
        return total


class _Attempt:
    """The parsing of one answer, whose error is an outcome. Feed many times, close once."""

    def __init__(self, parser: AnswerParser) -> None:
        self._growth = Growth(parser)
        self._error: Exception | None = None

    def feed(self, piece: Mapping[str, Any]) -> Iterator[_Outcome]:
        yield _Outcome(raw=piece["raw"])
        yield from self._outcomes(self._growth.feed(piece["raw"]))

    def close(self) -> Iterator[_Outcome]:
        yield from self._outcomes(self._growth.close())
        if self._error is None:
            yield _Outcome(parsed=self._growth.last, parsing_error=None)
        else:
            yield _Outcome(parsed=None, parsing_error=self._error)

    def _outcomes(self, values: Iterator[Any]) -> Iterator[_Outcome]:
        try:
            for value in values:
                yield _Outcome(parsed=value)
        except Exception as exc:  # whatever a caller's validator raises is the outcome too
            self._error = exc


def with_raw(llm: Runnable[Any, Any], parser: AnswerParser) -> Runnable[Any, Any]:
    """`{"raw": message, "parsed": object or None, "parsing_error": exception or None}`."""

    def outcomes(pieces: Iterator[Mapping[str, Any]]) -> Iterator[_Outcome]:
        attempt = _Attempt(parser)
        for piece in pieces:
            yield from attempt.feed(piece)
        yield from attempt.close()

    async def aoutcomes(pieces: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[_Outcome]:
        attempt = _Attempt(parser)
        async for piece in pieces:
            for outcome in attempt.feed(piece):
                yield outcome
        for outcome in attempt.close():
            yield outcome

    return RunnableMap(raw=llm) | RunnableGenerator(outcomes, aoutcomes)
