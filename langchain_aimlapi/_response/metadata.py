"""Metadata of an answer: ids, usage and cost, in its message, its `llm_output` and its cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration

from aimlapi_core import Choice, Reply, Usage
from langchain_aimlapi._base import PROVIDER

_PASSTHROUGH_METADATA = ("service_tier", "system_fingerprint", "native_finish_reason")
_LLM_OUTPUT = ("model_provider", "model_name", "token_usage", "cost", "credits_used")
_COST = {"cost": 0.0, "credits_used": 0}
# langchain-core writes it into the usage of cached answers.
_CACHED_COST = "total_cost"


def response_metadata(
    reply: Reply, choice: Choice, model: str, *, per_call: bool, usage: bool = True
) -> dict[str, Any]:
    """`model_name` is the requested name (the service reports a dated one); `cost` is in USD.

    `served_model` is the canonical id of the model that answered where the service says it, else
    the name in the answer. `per_call` is false for the second and later choices of one call.
    `token_usage` has OpenAI's shape, for programs that read it from there; `usage_metadata` is
    LangChain's own.
    """
    metadata: dict[str, Any] = {
        "model_provider": PROVIDER,
        "model_name": model,
        "served_model": (reply.serving and reply.serving.model) or reply.model,
        "finish_reason": choice.finish_reason,
        "id": reply.id,
        "created": reply.created,
        "logprobs": dict(choice.logprobs) if choice.logprobs is not None else None,
    }
    if choice.extra or reply.extra:
        for name in _PASSTHROUGH_METADATA:
            metadata[name] = choice.extra.get(name, reply.extra.get(name))
    if reply.transport is not None:
        metadata["request_id"] = reply.transport.request_id
        metadata["inference_id"] = reply.transport.inference_id
        metadata["client_request_id"] = reply.transport.client_request_id
    if reply.serving is not None:
        metadata["provider"] = reply.serving.provider
        metadata["metrics"] = dict(reply.serving.metrics) or None
    if reply.usage is not None and per_call and usage:
        metadata["token_usage"] = _token_usage(reply.usage)
    if reply.cost is not None and per_call:
        metadata["cost"] = reply.cost.usd
        metadata["credits_used"] = reply.cost.credits
    return {name: value for name, value in metadata.items() if value is not None}


def extra_metadata(choice: Choice) -> dict[str, Any]:
    """Members of the choice that are neither in a field nor in `response_metadata`."""
    return {k: value for k, value in choice.extra.items() if k not in _PASSTHROUGH_METADATA}


def usage_metadata(usage: Usage | None) -> UsageMetadata | None:
    """LangChain's token counts."""
    if usage is None:
        return None
    metadata = UsageMetadata(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
    )
    details = InputTokenDetails()
    if usage.cached_tokens is not None:
        details["cache_read"] = usage.cached_tokens
    if usage.cache_write_tokens is not None:
        details["cache_creation"] = usage.cache_write_tokens
    if details:
        metadata["input_token_details"] = details
    if usage.reasoning_tokens is not None:
        metadata["output_token_details"] = OutputTokenDetails(reasoning=usage.reasoning_tokens)
    return metadata


def _token_usage(usage: Usage) -> dict[str, Any]:
    counts: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
    details = {}
    if usage.cached_tokens is not None:
        details["cached_tokens"] = usage.cached_tokens
    if usage.cache_write_tokens is not None:
        details["cache_write_tokens"] = usage.cache_write_tokens
    if details:
        counts["prompt_tokens_details"] = details
    if usage.reasoning_tokens is not None:
        counts["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return counts


def llm_output(generations: Sequence[ChatGeneration]) -> dict[str, Any] | None:
    """The `llm_output` of one call, made of its first message; None for an answer of a cache.

    langchain-core merges it into the message's metadata: the same keys, nothing new.
    """
    message = generations[0].message
    if _CACHED_COST in (getattr(message, "usage_metadata", None) or {}):
        return None
    metadata = message.response_metadata
    return {name: metadata[name] for name in _LLM_OUTPUT if name in metadata}


def combine_llm_outputs(outputs: Sequence[Mapping[str, Any] | None]) -> dict[str, Any]:
    """One `llm_output` for a batch: costs and tokens are added, other values are the first's."""
    total: dict[str, Any] = {}
    for output in outputs:
        for name, value in (output or {}).items():
            if name in ("cost", "credits_used", "token_usage") and name in total:
                total[name] = _added(total[name], value)
            else:
                total.setdefault(name, value)
    return total


def _added(one: Any, other: Any) -> Any:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        names = dict.fromkeys((*one, *other))
        return {name: _added(one.get(name, 0), other.get(name, 0)) for name in names}
    return other if not one else one if not other else one + other


def zero_cost(generation: ChatGeneration) -> ChatGeneration:
    """A generation from LangChain's cache, with its cost set to zero."""
    metadata = generation.message.response_metadata
    now = {**metadata, **{name: _COST[name] for name in _COST if name in metadata}}
    update: dict[str, Any] = {"response_metadata": now}
    # langchain-core writes its zero even without token counts: a usage that cannot be loaded.
    if "input_tokens" not in (getattr(generation.message, "usage_metadata", None) or {}):
        update["usage_metadata"] = None
    message = generation.message.model_copy(update=update)
    return ChatGeneration(message=message, generation_info=generation.generation_info)


def without_cost(message: BaseMessage) -> BaseMessage:
    """The message as a part of a cache's key: what it cost is no part of a conversation.

    An answer of the cache costs nothing, so the next turn would have another key.
    """
    if not isinstance(message, AIMessage):
        return message
    metadata = message.response_metadata
    usage: Mapping[str, Any] = message.usage_metadata or {}
    if _CACHED_COST not in usage and not metadata.keys() & _COST:
        return message
    update: dict[str, Any] = {
        "response_metadata": {k: v for k, v in metadata.items() if k not in _COST},
        "usage_metadata": {k: v for k, v in usage.items() if k != _CACHED_COST} or None,
    }
    return message.model_copy(update=update)
