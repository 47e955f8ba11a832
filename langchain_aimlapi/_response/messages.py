"""Converts the core's Reply to a ChatResult, and its stream events to message chunks.

Both give the same final message. Each metadata key is sent once per stream, since LangChain
concatenates strings, adds integers and refuses unequal floats when it merges chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
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
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from aimlapi_core._adapters.model_cloner import ModelCloner
from langchain_aimlapi._base import PROVIDER
from langchain_aimlapi._request.messages import INVALID_ARGUMENTS_KEY
from langchain_aimlapi._response.tool_calls import (
    invalid_calls,
    invalid_json_suffix,
    to_tool_call,
)

_PASSTHROUGH_METADATA = ("service_tier", "system_fingerprint", "native_finish_reason")


def to_chat_result(reply: Reply, model: str) -> ChatResult:
    """The complete result. Only the first generation has usage and cost: they are per call."""
    empty = Choice(0, finish_reason=None)
    generations = [
        ChatGeneration(message=_message(reply, choice, model, first=position == 0))
        for position, choice in enumerate(reply.choices or (empty,))
    ]
    # langchain-core merges llm_output into the message's metadata: the same keys, nothing new.
    metadata = generations[0].message.response_metadata
    names = ("model_provider", "model_name", "cost", "credits_used")
    return ChatResult(
        generations=generations,
        llm_output={name: metadata[name] for name in names if name in metadata},
    )


def _message(reply: Reply, choice: Choice, model: str, *, first: bool) -> AIMessage:
    calls = [to_tool_call(call, choice.finish_reason) for call in choice.tool_calls]
    invalid = [call for call in calls if call["type"] == "invalid_tool_call"]
    kwargs = _final_kwargs(choice, {str(call["id"]): call["args"] or "" for call in invalid})
    if choice.reasoning:
        kwargs["reasoning_content"] = choice.reasoning
    if choice.refusal is not None:
        kwargs["refusal"] = choice.refusal
    if choice.citations:
        kwargs["annotations"] = [dict(citation) for citation in choice.citations]
    return AIMessage(
        content=choice.text,
        additional_kwargs=kwargs,
        tool_calls=[call for call in calls if call["type"] == "tool_call"],
        invalid_tool_calls=invalid,
        usage_metadata=_usage(reply.usage) if first else None,
        response_metadata=_metadata(reply, choice, model, per_call=first),
    )


def to_chunks(event: StreamEvent, model: str, *, usage: bool) -> list[ChatGenerationChunk]:
    """The chunks for one event. Text and tool calls never share one."""
    if type(event) is Finished:
        return [_generation(m) for m in _final_chunks(event.reply, model, usage=usage)]
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


def _citation(event: CitationDelta) -> AIMessageChunk:
    return _chunk(content="", additional_kwargs={"annotations": [dict(event.citation)]})


def _call(event: ToolCallDelta) -> AIMessageChunk:
    return _call_chunk(event.index, event.arguments, event.name, event.id)


def _call_chunk(
    index: int, arguments: str, name: str | None = None, call_id: str | None = None
) -> AIMessageChunk:
    tool_call_chunk = ToolCallChunk(
        name=name, args=arguments, id=call_id, index=index, type="tool_call_chunk"
    )
    return _chunk(content="", tool_call_chunks=[tool_call_chunk])


_DELTA_CONVERTERS: dict[type[Any], Callable[[Any], AIMessageChunk]] = {
    TextDelta: _text,
    ReasoningDelta: _reasoning,
    RefusalDelta: _refusal,
    CitationDelta: _citation,
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
        response_metadata=_metadata(reply, choice, model, per_call=True),
        usage_metadata=_usage(reply.usage) if usage else None,
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
    extras = {
        call.id: {
            key: value
            for key, value in (("item_id", call.item_id), ("extra", call.extra))
            if value is not None
        }
        for call in choice.tool_calls
    }
    opaque = [p.opaque for p in choice.parts if isinstance(p, Reasoning) and p.opaque is not None]
    items = [p.item for p in choice.parts if isinstance(p, ProviderItem)]
    provider_data = {
        "reasoning_details": [dict(o) for o in opaque],
        "provider_items": [dict(item) for item in items],
        "tool_call_extras": {key: value for key, value in extras.items() if value},
        INVALID_ARGUMENTS_KEY: dict(invalid_arguments),
    }
    extra = {key: value for key, value in choice.extra.items() if key not in _PASSTHROUGH_METADATA}
    return {**extra, **{key: value for key, value in provider_data.items() if value}}


def _metadata(reply: Reply, choice: Choice, model: str, *, per_call: bool) -> dict[str, Any]:
    """`model_name` is the requested name (the service reports a dated one); `cost` is in USD.

    `per_call` is false for the second and later choices of one call.
    """
    metadata: dict[str, Any] = {
        "model_provider": PROVIDER,
        "model_name": model,
        "served_model": reply.model,
        "finish_reason": choice.finish_reason,
        "id": reply.id,
        "created": reply.created,
        "logprobs": dict(choice.logprobs) if choice.logprobs is not None else None,
        **{name: choice.extra.get(name, reply.extra.get(name)) for name in _PASSTHROUGH_METADATA},
    }
    if reply.transport is not None:
        metadata["request_id"] = reply.transport.request_id
        metadata["inference_id"] = reply.transport.inference_id
        metadata["client_request_id"] = reply.transport.client_request_id
    if reply.cost is not None and per_call:
        metadata["cost"] = reply.cost.usd
        metadata["credits_used"] = reply.cost.credits
    return {name: value for name, value in metadata.items() if value is not None}


def _usage(usage: Usage | None) -> UsageMetadata | None:
    if usage is None:
        return None
    metadata = UsageMetadata(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
    )
    if usage.cached_tokens is not None:
        metadata["input_token_details"] = InputTokenDetails(cache_read=usage.cached_tokens)
    if usage.reasoning_tokens is not None:
        metadata["output_token_details"] = OutputTokenDetails(reasoning=usage.reasoning_tokens)
    return metadata


def combine_llm_outputs(outputs: Sequence[Mapping[str, Any] | None]) -> dict[str, Any]:
    """One `llm_output` for the calls of a batch: costs are added, other values are the first's."""
    given = [output for output in outputs if output]
    total: dict[str, Any] = {}
    for output in given:
        for name, value in output.items():
            adds = name in ("cost", "credits_used") and name in total
            total[name] = total[name] + value if adds else total.get(name, value)
    return total


def zero_cost(generation: ChatGeneration) -> ChatGeneration:
    """A generation from LangChain's cache, with its cost set to zero."""
    money = {"cost": 0.0, "credits_used": 0}
    metadata = generation.message.response_metadata
    now = {**metadata, **{name: money[name] for name in money if name in metadata}}
    update: dict[str, Any] = {"response_metadata": now}
    # langchain-core writes its zero even without token counts: a usage that cannot be loaded.
    if "input_tokens" not in (getattr(generation.message, "usage_metadata", None) or {}):
        update["usage_metadata"] = None
    message = generation.message.model_copy(update=update)
    return ChatGeneration(message=message, generation_info=generation.generation_info)
