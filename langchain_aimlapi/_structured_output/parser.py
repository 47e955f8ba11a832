"""Parses a message, whole or streamed, as an instance of the schema.

A message that is no instance of it raises a typed error that says why: refused, cut,
empty or invalid. Objects for dict schemas are given out while they grow.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers.transform import BaseTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.utils.json import parse_partial_json
from pydantic import Field, TypeAdapter
from typing_extensions import override

from aimlapi_core import drop_added_nulls
from langchain_aimlapi.errors import (
    CutAnswerError,
    EmptyAnswerError,
    InvalidAnswerError,
    RefusedAnswerError,
    UnusableAnswerError,
)

_CUT_REASONS = frozenset({"length", "content_filter"})


class AnswerParser(BaseTransformOutputParser[Any]):
    """Reads a message as an instance of `target`.

    `target` is a class, or None for a plain dict. `own_schema` is the caller's schema before
    it was made strict: the nulls that strictness added are taken out by it. `tool_name` is the
    forced tool whose arguments are the answer, None when the text is.
    """

    target: Any = None
    own_schema: Mapping[str, Any] = Field(default_factory=dict)
    tool_name: str | None = None

    @property
    @override
    def OutputType(self) -> Any:
        """The class, or dict."""
        return self.target or dict[str, Any]

    def parse(self, text: str) -> Any:
        """The object of an answer's text."""
        return self.parse_result([ChatGeneration(message=AIMessage(content=text))])

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """The object of a whole message. Raises UnusableAnswerError."""
        generation = result[0]
        if isinstance(generation, ChatGeneration):
            return self._object(generation.message)
        return self.parse(generation.text)

    def _transform(self, input: Iterator[str | BaseMessage]) -> Iterator[Any]:
        growth = Growth(self)
        for piece in input:
            yield from growth.feed(piece)
        yield from growth.close()

    async def _atransform(self, input: AsyncIterator[str | BaseMessage]) -> AsyncIterator[Any]:
        growth = Growth(self)
        async for piece in input:
            for value in growth.feed(piece):
                yield value
        for value in growth.close():
            yield value

    def _object(self, message: BaseMessage) -> Any:
        refusal = message.additional_kwargs.get("refusal")
        if refusal:
            said = f"The model refused: {refusal}"
            raise RefusedAnswerError(said, llm_output=str(refusal), raw_message=message)
        text = self._answer(message)
        if not text.strip():
            if self.tool_name is None and getattr(message, "tool_calls", None):
                return None  # tools were bound too, and the model wants their results first
            raise self._nothing(message)
        try:
            data = drop_added_nulls(json.loads(text), self.own_schema)
            return self._validated(data)
        except ValueError as exc:
            raise self._broken(message, text, exc) from exc

    def _answer(self, message: BaseMessage) -> str:
        """The JSON text of the object: the message's text, or the forced call's arguments."""
        if self.tool_name is None:
            return str(message.text)
        if not isinstance(message, AIMessage):
            return ""
        for call in message.tool_calls:
            if call["name"] == self.tool_name:
                return json.dumps(call["args"])
        return next(
            (c["args"] or "" for c in message.invalid_tool_calls if c["name"] == self.tool_name), ""
        )

    def _validated(self, data: Any) -> Any:
        if self.target is None:
            if not isinstance(data, dict):
                raise ValueError(f"a JSON object was expected, not {type(data).__name__}")
            return data
        if hasattr(self.target, "parse_obj") and not hasattr(self.target, "model_validate"):
            return self.target.parse_obj(data)  # a class of pydantic.v1
        # As JSON: a strict model takes a date, an Enum or a tuple from JSON only.
        return TypeAdapter(self.target).validate_json(json.dumps(data))

    def _nothing(self, message: BaseMessage) -> UnusableAnswerError:
        reason = message.response_metadata.get("finish_reason")
        if reason in _CUT_REASONS:
            return CutAnswerError(_cut(reason), llm_output="", raw_message=message)
        text = str(message.text)
        wanted = f"no call of {self.tool_name!r}" if self.tool_name else "no text"
        instead = f"; it says: {text[:200]!r}" if text else ""
        said = f"The answer holds {wanted}{instead}."
        return EmptyAnswerError(said, llm_output=text, raw_message=message)

    def _broken(self, message: BaseMessage, text: str, exc: ValueError) -> UnusableAnswerError:
        reason = message.response_metadata.get("finish_reason")
        if reason in _CUT_REASONS:
            return CutAnswerError(_cut(reason), llm_output=text, raw_message=message)
        said = f"The answer does not fit the schema: {exc}"
        return InvalidAnswerError(said, llm_output=text, raw_message=message)


def _cut(reason: str) -> str:
    remedy = "raise max_tokens" if reason == "length" else "the service's filter stopped it"
    return f"The answer was cut before the object was whole (finish_reason {reason!r}): {remedy}."


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
