"""Chat completions as JSON: what whole and streamed ones have in common, and the whole ones."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.answers.answer import Answer, ToolCall
from aimlapi_emulator.billing.usage import Usage
from aimlapi_emulator.catalog.chat_model_row import ChatModelRow
from aimlapi_emulator.faults.bad_usage import corrupt_usage
from aimlapi_emulator.faults.fault import Fault
from aimlapi_emulator.state import RequestContext
from aimlapi_emulator.text.words import tokenize


@dataclass(frozen=True, slots=True)
class ChatCompletion:
    """A chat completion before it is rendered."""

    id: str
    created: int
    model: ChatModelRow
    answers: Sequence[Answer]
    call_ids: Sequence[Sequence[str]]
    usage: Usage
    fault: Fault
    top_logprobs: int | None = None
    """None if no logprobs were requested."""
    include_usage: bool = False
    has_bare_cost_chunk: bool = False

    @property
    def reasoning_key(self) -> str:
        """The key of reasoning text, by this model's upstream."""
        return "reasoning" if self.model.chat.upstream == "openrouter" else "reasoning_content"


def build_completion(
    context: RequestContext, model: ChatModelRow, answers: Sequence[Answer], usage: Usage
) -> ChatCompletion:
    """The completion of a valid request, with ids."""
    body, ids = context.body, context.state.ids
    wants_logprobs = body.get("logprobs")
    return ChatCompletion(
        id=ids.next("gen-" if model.chat.upstream == "openrouter" else "chatcmpl-", 29),
        created=int(time.time()),
        model=model,
        answers=answers,
        call_ids=[[ids.next("call_", 24) for _ in answer.calls] for answer in answers],
        usage=usage,
        fault=context.fault,
        top_logprobs=int(body.get("top_logprobs") or 0) if wants_logprobs else None,
        include_usage=bool((body.get("stream_options") or {}).get("include_usage")),
        has_bare_cost_chunk="bare" in (context.state.cost_chunk, context.fault.cost_chunk),
    )


def token_logprob(token: str, index: int, top: int) -> dict[str, Any]:
    """The log probability of a token, with `top` likeliest ones."""

    def entry(text: str, rank: int) -> dict[str, Any]:
        logprob = round(-0.01 * (1 + index % 7) - rank, 4)
        return {"token": text, "logprob": logprob, "bytes": list(text.encode())}

    best = [entry(f"{token}_{rank}" if rank else token, rank) for rank in range(top)]
    return {**entry(token, 0), "top_logprobs": best}


def _logprobs(text: str, top: int | None) -> dict[str, Any] | None:
    if top is None:
        return None
    tokens = [token_logprob(token, i, top) for i, token in enumerate(tokenize(text))]
    return {"content": tokens, "refusal": None}


def call_object(call: ToolCall, call_id: str, upstream: str) -> dict[str, Any]:
    """A whole tool call."""
    function = {"name": call.name, "arguments": call.arguments}
    return {
        "id": call_id,
        "type": "function",
        "function": function,
        **opaque_members(call_id, upstream),
    }


def opaque_members(call_id: str, upstream: str) -> dict[str, Any]:
    """What has to come back unchanged with a call, as the published Gemini answers have it."""
    if upstream != "google":
        return {}
    signature = b64encode(call_id.encode()).decode()
    return {"extra_content": {"google": {"thought_signature": signature}}}


def reasoning_members(completion: ChatCompletion, text: str | None) -> dict[str, Any]:
    """The members of a message or delta that hold this reasoning text."""
    if text is None:
        return {}
    if completion.model.chat.upstream != "openrouter":
        return {completion.reasoning_key: text}
    detail = {"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}
    return {"reasoning": text, "reasoning_details": [detail]}


def _choice(completion: ChatCompletion, index: int) -> dict[str, Any]:
    answer = completion.answers[index]
    has_no_text = answer.refusal is not None or bool(answer.calls)
    message: dict[str, Any] = {
        "role": "assistant",
        # The upstream answers null beside calls, although the published schema says string.
        "content": None if has_no_text else answer.text,
        "refusal": answer.refusal,
        "annotations": [],
        **reasoning_members(completion, answer.reasoning),
    }
    if answer.calls:
        ids = completion.call_ids[index]
        message["tool_calls"] = [
            call_object(c, i, completion.model.chat.upstream)
            for c, i in zip(answer.calls, ids, strict=True)
        ]
    choice = {
        "index": index,
        "message": message,
        "logprobs": _logprobs(answer.text, completion.top_logprobs) if not has_no_text else None,
        "finish_reason": _finish_reason(completion, answer),
    }
    if completion.model.chat.upstream == "openrouter":
        choice["native_finish_reason"] = answer.finish_reason
    return choice


def _finish_reason(completion: ChatCompletion, answer: Answer) -> str:
    """Of an answer that is not streamed: a stream of Claude's ends with `stop` in the samples."""
    if completion.model.chat.upstream == "anthropic" and answer.finish_reason == "stop":
        return "end_turn"
    return answer.finish_reason


def render(completion: ChatCompletion) -> dict[str, Any]:
    """The body of a completion that is not streamed."""
    body: dict[str, Any] = {
        "id": completion.id,
        "object": "chat.completion",
        "created": completion.created,
        "model": completion.model.response_model_name,
        "choices": [_choice(completion, index) for index in range(len(completion.answers))],
        "usage": usage_object(completion),
        "service_tier": "default",
        "system_fingerprint": None,
        "meta": cost_object(completion),
    }
    if completion.fault.usage == "missing":
        del body["usage"]
    if not completion.fault.cost_metadata:
        del body["meta"]
    return body


def cost_object(completion: ChatCompletion) -> dict[str, Any]:
    """The cost, and of a router who answered and how fast, as in its published sample."""
    usage, served = completion.usage.meta(), completion.model.routed_to
    if served is None:
        return usage
    metrics = {"duration_ms": 617, "ttft_ms": 616, "tps": 8.1}
    return {"model": served, "provider": served.partition("/")[0], **usage, "metrics": metrics}


def usage_object(completion: ChatCompletion) -> dict[str, Any]:
    """The usage, as its fault corrupts it."""
    usage = completion.usage.chat()
    if completion.model.routed_to is not None:
        usage["prompt_tokens_details"]["cache_write_tokens"] = 0
    return corrupt_usage(usage, completion.fault.usage)
