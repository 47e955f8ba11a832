"""`include_raw` of structured output: the raw message, the object and the parsing error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from langchain_core.runnables import Runnable, RunnableGenerator, RunnableMap
from langchain_core.runnables.utils import AddableDict

from langchain_aimlapi._structured_output.parser import AnswerParser, Growth


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
