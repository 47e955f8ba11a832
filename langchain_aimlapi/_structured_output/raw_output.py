"""Structured output with `include_raw`: raw message, parsed object and parsing error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableGenerator
from langchain_core.runnables.utils import AddableDict

from langchain_aimlapi._structured_output.parser import AnswerParser, PartialObjectParser


class _RawOutput(AddableDict):
    """A chunk of `{"raw", "parsed", "parsing_error"}`. Raw messages are added; of the rest the last
    wins, and `parsed` is None after an error.
    """

    def __add__(self, other: Mapping[str, Any]) -> _RawOutput:
        total = _RawOutput({**self, **other})
        if "raw" in self and "raw" in other:
            total["raw"] = self["raw"] + other["raw"]
        if total.get("parsing_error") is not None:
            total["parsed"] = None
        return total


class _ParseAttempt:
    """Parses one answer; an error becomes `parsing_error`. Feed many times, close once."""

    def __init__(self, parser: AnswerParser) -> None:
        self._partial_parser = PartialObjectParser(parser)
        self._error: Exception | None = None

    def feed(self, message: BaseMessage) -> Iterator[_RawOutput]:
        yield _RawOutput(raw=message)
        yield from self._outputs(self._partial_parser.feed(message))

    def close(self) -> Iterator[_RawOutput]:
        yield from self._outputs(self._partial_parser.close())
        if self._error is None:
            yield _RawOutput(parsed=self._partial_parser.last, parsing_error=None)
        else:
            yield _RawOutput(parsed=None, parsing_error=self._error)

    def _outputs(self, values: Iterator[Any]) -> Iterator[_RawOutput]:
        try:
            for value in values:
                yield _RawOutput(parsed=value)
        except Exception as exc:  # a caller's validator may raise anything
            self._error = exc


class _RawOutputParser:
    """Messages to outputs. Methods, not functions inside a function: these cannot be pickled."""

    def __init__(self, parser: AnswerParser) -> None:
        self._parser = parser

    def transform(self, messages: Iterator[BaseMessage]) -> Iterator[_RawOutput]:
        attempt = _ParseAttempt(self._parser)
        for message in messages:
            yield from attempt.feed(message)
        yield from attempt.close()

    async def atransform(self, messages: AsyncIterator[BaseMessage]) -> AsyncIterator[_RawOutput]:
        attempt = _ParseAttempt(self._parser)
        async for message in messages:
            for output in attempt.feed(message):
                yield output
        for output in attempt.close():
            yield output


def include_raw(llm: Runnable[Any, Any], parser: AnswerParser) -> Runnable[Any, Any]:
    """`{"raw": message, "parsed": object or None, "parsing_error": exception or None}`."""
    output = _RawOutputParser(parser)
    # The model is the first step itself, not below a RunnableMap, which drops what is bound later.
    return llm | RunnableGenerator(output.transform, output.atransform)
