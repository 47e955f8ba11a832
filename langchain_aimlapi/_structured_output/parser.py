"""Parses a message, complete or streamed, as an instance of the schema.

Any other message raises a typed error that says why: refused, truncated, empty or invalid.
Dict schemas yield partial objects during a stream.
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
from aimlapi_core._adapters.model_json import json_text, loads_output
from aimlapi_core._adapters.output_errors import MAX_REFUSAL_CHARS
from aimlapi_core._values.readable import readable, readable_lines
from aimlapi_core.types import TRUNCATED_FINISH_REASONS
from langchain_aimlapi._request.messages import invalid_arguments
from langchain_aimlapi.errors import (
    OutputEmptyError,
    OutputError,
    OutputFilteredError,
    OutputInvalidError,
    OutputRefusedError,
    OutputTruncatedError,
)

_MAX_REASON_CHARS = 4_000  # of why an answer does not fit, in a message; `__cause__` has all


class AnswerParser(BaseTransformOutputParser[Any]):
    """Parses a message as an instance of `output_class`, or as a plain dict where that is None.

    `original_schema` is the caller's schema before it was made strict: the nulls that strictness
    added are removed by it. `tool_name` is the forced tool whose arguments are the answer, None
    when the text is.
    """

    output_class: Any = None
    original_schema: Mapping[str, Any] = Field(default_factory=dict)
    tool_name: str | None = None

    @property
    @override
    def OutputType(self) -> Any:
        """`output_class`, or dict."""
        return self.output_class or dict[str, Any]

    def parse(self, text: str) -> Any:
        """The object in an answer's text."""
        return self.parse_result([ChatGeneration(message=AIMessage(content=text))])

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """The object in a complete message. Raises OutputError."""
        generation = result[0]
        if isinstance(generation, ChatGeneration):
            return self._parse_message(generation.message)
        return self.parse(generation.text)

    def _transform(self, input: Iterator[str | BaseMessage]) -> Iterator[Any]:
        partial_parser = PartialObjectParser(self)
        for chunk in input:
            yield from partial_parser.feed(chunk)
        yield from partial_parser.close()

    async def _atransform(self, input: AsyncIterator[str | BaseMessage]) -> AsyncIterator[Any]:
        partial_parser = PartialObjectParser(self)
        async for chunk in input:
            for value in partial_parser.feed(chunk):
                yield value
        for value in partial_parser.close():
            yield value

    def _parse_message(self, message: BaseMessage) -> Any:
        refusal = message.additional_kwargs.get("refusal")
        if refusal:
            detail = f"The model refused: {readable(str(refusal), MAX_REFUSAL_CHARS)}"
            raise OutputRefusedError(detail, llm_output=str(refusal), raw_message=message)
        text = self._json_text(message)
        if not text.strip():
            if self.tool_name is None and getattr(message, "tool_calls", None):
                return None  # tools were bound too, and the model wants their results first
            raise self._no_output_error(message)
        try:
            data = drop_added_nulls(loads_output(text), self.original_schema)
            return self._validated(data)
        except ValueError as exc:
            why = readable_lines(str(exc), _MAX_REASON_CHARS)
            detail = f"The answer does not fit the schema: {why}"
            error = OutputInvalidError(detail, llm_output=text, raw_message=message)
            raise _truncated_error(message, text) or error from exc

    def _json_text(self, message: BaseMessage) -> str:
        """The JSON text of the object: the message's text, or the forced call's arguments."""
        if self.tool_name is None:
            return str(message.text)
        if not isinstance(message, AIMessage):
            return ""
        for call in message.tool_calls:
            if call["name"] == self.tool_name:
                return json.dumps(call["args"])
        calls = zip(message.invalid_tool_calls, invalid_arguments(message), strict=True)
        return next((text for call, text in calls if call["name"] == self.tool_name), "")

    def _validated(self, data: Any) -> Any:
        if self.output_class is None:
            if not isinstance(data, dict):
                raise ValueError(f"a JSON object was expected, not {type(data).__name__}")
            return data
        if hasattr(self.output_class, "parse_obj") and not hasattr(
            self.output_class, "model_validate"
        ):
            return self.output_class.parse_obj(data)  # a class of pydantic.v1
        # As JSON: a strict model takes a date, an Enum or a tuple from JSON only.
        return TypeAdapter(self.output_class).validate_json(json.dumps(data))

    def _no_output_error(self, message: BaseMessage) -> OutputError:
        text = str(message.text)
        wanted = f"no call of {self.tool_name!r}" if self.tool_name else "no text"
        instead = f"; it says: {text[:200]!r}" if text else ""
        detail = f"The answer holds {wanted}{instead}."
        return _truncated_error(message, "") or OutputEmptyError(
            detail, llm_output=text, raw_message=message
        )


def _truncated_error(message: BaseMessage, text: str) -> OutputTruncatedError | None:
    """The error where the token limit or a filter truncated the message, else None."""
    reason = message.response_metadata.get("finish_reason")
    if reason not in TRUNCATED_FINISH_REASONS:
        return None
    detail = f"The answer was cut before the object was whole (finish_reason {reason!r}): "
    if reason == "content_filter":
        detail += "the service's filter stopped it. Change the prompt, or use another model."
        return OutputFilteredError(detail, llm_output=text, raw_message=message)
    return OutputTruncatedError(detail + "raise max_tokens.", llm_output=text, raw_message=message)


class PartialObjectParser:
    """Parses the objects of one streamed message. Feed many times, close once."""

    def __init__(self, parser: AnswerParser) -> None:
        self._parser = parser
        self._message: AIMessageChunk | BaseMessage | None = None
        self.last: Any = None

    def feed(self, chunk: str | BaseMessage) -> Iterator[Any]:
        """The object so far, when it changed; nothing for a class, which a part does not fit."""
        message = AIMessageChunk(content=chunk) if isinstance(chunk, str) else chunk
        if isinstance(message, AIMessageChunk) and isinstance(self._message, AIMessageChunk):
            self._message = self._message + message
        else:
            self._message = message
        if self._parser.output_class is not None or not isinstance(message, AIMessageChunk):
            return
        value = _parse_partial_object(self._partial_json())
        if value and value != self.last:
            self.last = value
            yield value

    def close(self) -> Iterator[Any]:
        """The complete object, unless it was the last one yielded."""
        if self._message is None:
            return
        value = self._parser._parse_message(self._message)
        if self.last is None or value != self.last:
            self.last = value
            yield value

    def _partial_json(self) -> str:
        message = self._message
        if self._parser.tool_name is None or not isinstance(message, AIMessageChunk):
            return self._parser._json_text(message) if message is not None else ""
        chunks = [c for c in message.tool_call_chunks if c["name"] == self._parser.tool_name]
        return (chunks[0]["args"] or "") if chunks else ""


def _parse_partial_object(text: str) -> dict[str, Any] | None:
    """The object in a prefix of its JSON; None when there is none yet."""
    try:
        value = parse_partial_json(json_text(text)) if text.strip() else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
