"""Metadata of a response: token counts, cost, ids, log probabilities, the plain `raw` dict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from llama_index.core.base.llms.types import LogProb

from aimlapi_core import Choice, Reply, ToolCall
from aimlapi_core._json_reading import as_float, as_index, as_mappings, nonempty_str


def to_logprobs(wire: Mapping[str, Any] | None) -> list[list[LogProb]] | None:
    """Per token the chosen one first, then the alternatives; None when there are none."""
    rows = as_mappings((wire or {}).get("content"))
    return [[_logprob(row), *_alternatives(row)] for row in rows] or None


def _alternatives(row: Mapping[str, Any]) -> list[LogProb]:
    others = as_mappings(row.get("top_logprobs"))
    return [_logprob(other) for other in others if other.get("token") != row.get("token")]


def _logprob(row: Mapping[str, Any]) -> LogProb:
    given = row.get("bytes") if isinstance(row.get("bytes"), list) else ()
    return LogProb(
        token=nonempty_str(row.get("token")) or "",
        logprob=as_float(row.get("logprob")) or 0.0,
        bytes=[one for one in given if as_index(one) is not None]
        if isinstance(given, list)
        else [],
    )


def response_metadata(reply: Reply, choice: Choice) -> dict[str, Any]:
    """Usage, cost, ids and finish reason as a flat dict, without None values."""
    usage, cost, transport = reply.usage, reply.cost, reply.transport
    serving = reply.serving
    known = {
        "prompt_tokens": usage.input_tokens if usage else None,
        "completion_tokens": usage.output_tokens if usage else None,
        "total_tokens": usage.total_tokens if usage else None,
        "cached_tokens": usage.cached_tokens if usage else None,
        "cache_write_tokens": usage.cache_write_tokens if usage else None,
        "reasoning_tokens": usage.reasoning_tokens if usage else None,
        "cost": cost.usd if cost else None,
        "credits_used": cost.credits if cost else None,
        "finish_reason": choice.finish_reason,
        "request_id": transport.request_id if transport else None,
        "inference_id": transport.inference_id if transport else None,
        "client_request_id": transport.client_request_id if transport else None,
        "response_id": reply.id,
        "served_model": (serving and serving.model) or reply.model,
        "provider": serving.provider if serving else None,
        "metrics": (serving and dict(serving.metrics)) or None,
        "refusal": choice.refusal,
    }
    return {name: value for name, value in known.items() if value is not None}


def raw_response(reply: Reply) -> dict[str, Any]:
    """The reply as a plain dict in the shape of a chat completion, on both endpoints."""
    out: dict[str, Any] = {
        **reply.extra,
        "id": reply.id,
        "model": reply.model,
        "created": reply.created,
        "endpoint": reply.endpoint,
        "choices": [_raw_choice(choice) for choice in reply.choices],
        "usage": None,
    }
    if reply.usage:
        counts = {
            "prompt_tokens": reply.usage.input_tokens,
            "completion_tokens": reply.usage.output_tokens,
            "total_tokens": reply.usage.total_tokens,
        }
        out["usage"] = {**reply.usage.raw, **counts}
    if reply.cost:
        out["meta"] = {"usage": {"credits_used": reply.cost.credits, "usd_spent": reply.cost.usd}}
    if serving := reply.serving:
        facts = {
            "model": serving.model,
            "provider": serving.provider,
            "metrics": dict(serving.metrics),
        }
        out["meta"] = {**{k: v for k, v in facts.items() if v}, **out.get("meta", {})}
    return out


def _raw_choice(choice: Choice) -> dict[str, Any]:
    message = {
        **choice.extra,
        "role": "assistant",
        "content": choice.text,
        "refusal": choice.refusal,
        "reasoning": choice.reasoning or None,
        "annotations": [dict(citation) for citation in choice.citations],
        "tool_calls": [openai_tool_call(call) for call in choice.tool_calls],
    }
    return {
        "index": choice.index,
        "message": {key: value for key, value in message.items() if value not in (None, [])},
        "finish_reason": choice.finish_reason,
        "logprobs": choice.logprobs,
    }


def openai_tool_call(call: ToolCall) -> dict[str, Any]:
    """A call as a plain dict in the shape of OpenAI's chat completions."""
    row = function_call_row(call)
    if call.item_id is not None:
        row["item_id"] = call.item_id
    if call.extra is not None:
        row["extra"] = dict(call.extra)
    return row


class _FunctionCall(Protocol):
    """A call of a function, whole or so far."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def arguments(self) -> str: ...


def function_call_row(call: _FunctionCall) -> dict[str, Any]:
    """A call as a plain dict with the members that each has."""
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
