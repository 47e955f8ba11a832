"""Converts the core's Reply to a ChatResult, and its stream events to message chunks.

Both give the same final message. Each metadata key is sent once per stream, since LangChain
concatenates strings, adds integers and refuses unequal floats when it merges chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from aimlapi_core import (
    Choice,
    CitationDelta,
    Finished,
    ProviderItem,
    Reasoning,
    ReasoningDelta,
    RefusalDelta,
    Reply,
    StreamError,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from aimlapi_core._adapters.model_cloner import ModelCloner
from langchain_aimlapi._base import PROVIDER
from langchain_aimlapi._request.messages import INVALID_ARGUMENTS_KEY
from langchain_aimlapi._response.metadata import (
    extra_metadata,
    llm_output,
    response_metadata,
    usage_metadata,
)
from langchain_aimlapi._response.tool_calls import (
    invalid_calls,
    invalid_json_suffix,
    to_tool_call,
)


def to_chat_result(reply: Reply, model: str) -> ChatResult:
    """The complete result. Only the first generation has usage and cost: they are per call."""
    generations: list[ChatGeneration] = []
    for choice in reply.choices or (Choice(0, finish_reason=None),):
        message = _message(reply, choice, model, first=not generations)
        generations.append(_GENERATION.copy({"message": message, "text": message.content}))
    return _RESULT.copy({"generations": generations, "llm_output": llm_output(generations)})


_MESSAGE = ModelCloner(AIMessage(content=""))
_GENERATION = ModelCloner(ChatGeneration(message=AIMessage(content="")))
_RESULT = ModelCloner(ChatResult(generations=[]))


def _message(reply: Reply, choice: Choice, model: str, *, first: bool) -> AIMessage:
    calls: list[Any] = []
    invalid: list[Any] = []
    for call in choice.tool_calls:
        made = to_tool_call(call, choice.finish_reason)
        (calls if made["type"] == "tool_call" else invalid).append(made)
    texts = {str(call["id"]): call["args"] or "" for call in invalid} if invalid else {}
    kwargs = _final_kwargs(choice, texts)
    if reasoning := choice.reasoning:
        kwargs["reasoning_content"] = reasoning
    if (refusal := choice.refusal) is not None:
        kwargs["refusal"] = refusal
    members: dict[str, Any] = {
        "content": choice.text,
        "additional_kwargs": kwargs,
        "tool_calls": calls,
        "invalid_tool_calls": invalid,
        "usage_metadata": usage_metadata(reply.usage) if first else None,
        "response_metadata": response_metadata(reply, choice, model, per_call=first),
    }
    if "tool_calls" in kwargs:  # a validator of the class reads them
        return AIMessage(**members)
    return _MESSAGE.copy(members)


def to_chunks(event: StreamEvent, model: str, *, usage: bool) -> list[ChatGenerationChunk]:
    """The chunks for one event. Text and tool calls never share one.

    Citations are in the last: langchain-core's sum would merge those with the same `index`.
    """
    if type(event) is Finished:
        return [_generation(m) for m in _final_chunks(event.reply, model, usage=usage)]
    if type(event) is CitationDelta:
        return []
    return [_generation(_DELTA_CONVERTERS[type(event)](event))]


def _chunk(**members: Any) -> AIMessageChunk:
    # Every chunk may hold the provider's name: it is one of three keys that merge by equality,
    # and content_blocks of a single chunk needs it.
    return AIMessageChunk(response_metadata={"model_provider": PROVIDER}, **members)


_CHUNK_TEMPLATE = ModelCloner(_chunk(content="", additional_kwargs={}))
_GENERATION_TEMPLATE = ModelCloner(ChatGenerationChunk(message=_chunk(content="")))


def _generation(message: AIMessageChunk) -> ChatGenerationChunk:
    return _GENERATION_TEMPLATE.copy({"message": message, "text": message.content})


def _text(event: TextDelta) -> AIMessageChunk:
    return _CHUNK_TEMPLATE.copy({"content": event.text})


def _reasoning(event: ReasoningDelta) -> AIMessageChunk:
    return _CHUNK_TEMPLATE.copy({"additional_kwargs": {"reasoning_content": event.text}})


def _refusal(event: RefusalDelta) -> AIMessageChunk:
    return _chunk(content="", additional_kwargs={"refusal": event.text})


def _call(event: ToolCallDelta) -> AIMessageChunk:
    return _call_chunk(event.index, event.arguments, event.name, event.id)


def _call_chunk(
    index: int, arguments: str, name: str | None = None, call_id: str | None = None
) -> AIMessageChunk:
    tool_call_chunk = ToolCallChunk(
        name=name, args=arguments, id=call_id, index=index, type="tool_call_chunk"
    )
    chunk: Any = _CHUNK_TEMPLATE.copy({"tool_call_chunks": [tool_call_chunk]})
    read: AIMessageChunk = chunk.init_tool_calls()  # the only validator that reads them
    return read


_DELTA_CONVERTERS: dict[type[Any], Callable[[Any], AIMessageChunk]] = {
    TextDelta: _text,
    ReasoningDelta: _reasoning,
    RefusalDelta: _refusal,
    ToolCallDelta: _call,
}


def _final_chunks(reply: Reply, model: str, *, usage: bool) -> Iterator[AIMessageChunk]:
    choice = reply.choices[0] if reply.choices else Choice(0)
    invalid = invalid_calls(choice, choice.finish_reason)
    yield from _invalidating_chunks(invalid)
    yield AIMessageChunk(
        content="",
        additional_kwargs=_final_kwargs(
            choice, {call.id: call.arguments for call in invalid.values()}
        ),
        response_metadata=response_metadata(reply, choice, model, per_call=True, usage=usage),
        usage_metadata=usage_metadata(reply.usage) if usage else None,
        chunk_position="last",
    )


def chunks_on_stream_error(error: StreamError) -> Iterator[ChatGenerationChunk]:
    """Chunks to emit after a stream error, so that partial tool calls merge as invalid."""
    for choice in (error.partial.choices if error.partial else ())[:1]:
        # Truncated, like an answer that reached its limit.
        yield from map(_generation, _invalidating_chunks(invalid_calls(choice, "length")))


def _invalidating_chunks(calls: Mapping[int, ToolCall]) -> Iterator[AIMessageChunk]:
    for index, call in calls.items():
        yield _call_chunk(index, invalid_json_suffix(call.arguments))


def _final_kwargs(choice: Choice, invalid_arguments: Mapping[str, str]) -> dict[str, Any]:
    """What is known only at the end of an answer, for messages that send it back.

    `invalid_arguments`: the model's text of each invalid call, by its id: the sum of a stream's
    chunks ends in `invalid_json_suffix`, which the service must not see.
    """
    details, items, citations = [], [], []
    extras: dict[str, dict[str, Any]] = {}
    for part in choice.parts:
        if isinstance(part, Text):
            citations += [dict(citation) for citation in part.citations]
        elif isinstance(part, ToolCall):
            if part.item_id is not None:
                extras.setdefault(part.id, {})["item_id"] = part.item_id
            if part.extra is not None:
                extras.setdefault(part.id, {})["extra"] = part.extra
        elif isinstance(part, Reasoning):
            if part.opaque is not None:
                details.append(dict(part.opaque))
        elif isinstance(part, ProviderItem):
            items.append(dict(part.item))
    provider_data = {
        "reasoning_details": details,
        "provider_items": items,
        "tool_call_extras": extras,
        INVALID_ARGUMENTS_KEY: dict(invalid_arguments),
        "annotations": citations,
    }
    given = extra_metadata(choice) if choice.extra else {}
    for key, value in provider_data.items():
        if value:
            given[key] = value
    return given
