"""Wire format of /v1/chat/completions: a body, or the chunks of a stream.

Order of a stream: role, text in single tokens, tool calls as a head and pieces of a few characters,
the finish reason, the usage chunk if it was requested, `[DONE]` (which `sse.frames` adds). Order
and members follow the vendor's samples (https://docs.aimlapi.com, read 2026-11).

The cost, `meta`, is a member of the usage chunk, else of the last chunk. The vendor's page on
request tracing shows it as a chunk of its own that holds nothing else, which its chunk schema does
not allow and which ends the streams of npm `openai`, the Vercel AI SDK, OpenAILike, autogen and
`llm`: `Fault.cost_chunk` and `Emulator(cost_chunk="bare")` send that form.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from aimlapi_emulator.answers.answer import Answer, ToolCall
from aimlapi_emulator.billing.usage import Usage
from aimlapi_emulator.catalog.chat_model_row import ChatModelRow
from aimlapi_emulator.faults.bad_usage import corrupt_usage
from aimlapi_emulator.faults.fault import Fault
from aimlapi_emulator.state import RequestContext
from aimlapi_emulator.text.words import count_tokens, tokenize

_ARGUMENTS_PIECE_SIZE = 6


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


def _token_logprob(token: str, index: int, top: int) -> dict[str, Any]:
    def entry(text: str, rank: int) -> dict[str, Any]:
        logprob = round(-0.01 * (1 + index % 7) - rank, 4)
        return {"token": text, "logprob": logprob, "bytes": list(text.encode())}

    best = [entry(f"{token}_{rank}" if rank else token, rank) for rank in range(top)]
    return {**entry(token, 0), "top_logprobs": best}


def _logprobs(text: str, top: int | None) -> dict[str, Any] | None:
    if top is None:
        return None
    tokens = [_token_logprob(token, i, top) for i, token in enumerate(tokenize(text))]
    return {"content": tokens, "refusal": None}


def _call(call: ToolCall, call_id: str, upstream: str) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call_id, "type": "function", "function": function, **_opaque(call_id, upstream)}


def _opaque(call_id: str, upstream: str) -> dict[str, Any]:
    """What has to come back unchanged with a call, as the published Gemini answers have it."""
    if upstream != "google":
        return {}
    signature = b64encode(call_id.encode()).decode()
    return {"extra_content": {"google": {"thought_signature": signature}}}


def _reasoning(completion: ChatCompletion, text: str | None) -> dict[str, Any]:
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
        **_reasoning(completion, answer.reasoning),
    }
    if answer.calls:
        ids = completion.call_ids[index]
        message["tool_calls"] = [
            _call(c, i, completion.model.chat.upstream)
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
        "usage": _usage(completion),
        "service_tier": "default",
        "system_fingerprint": None,
        "meta": _meta(completion),
    }
    if completion.fault.usage == "missing":
        del body["usage"]
    if not completion.fault.cost_metadata:
        del body["meta"]
    return body


def _meta(completion: ChatCompletion) -> dict[str, Any]:
    """The cost, and of a router who answered and how fast, as in its published sample."""
    usage, served = completion.usage.meta(), completion.model.routed_to
    if served is None:
        return usage
    metrics = {"duration_ms": 617, "ttft_ms": 616, "tps": 8.1}
    return {"model": served, "provider": served.partition("/")[0], **usage, "metrics": metrics}


def _usage(completion: ChatCompletion) -> dict[str, Any]:
    usage = completion.usage.chat()
    if completion.model.routed_to is not None:
        usage["prompt_tokens_details"]["cache_write_tokens"] = 0
    return corrupt_usage(usage, completion.fault.usage)


def render_stream(completion: ChatCompletion) -> Iterator[dict[str, Any]]:
    """The chunks of a stream, choices interleaved; the last one has the cost."""
    chunks = _chunks(completion)
    if not completion.fault.cost_metadata:
        yield from chunks
        return
    cost = {"meta": _meta(completion)}
    if completion.has_bare_cost_chunk:
        yield from chunks
        yield cost
        return
    last = next(chunks)
    for chunk in chunks:
        yield last
        last = chunk
    yield {**last, **cost}


def _chunks(completion: ChatCompletion) -> Iterator[dict[str, Any]]:
    tokens_sent = 0
    each = [_deltas(completion, index) for index in range(len(completion.answers))]
    for index, choice in _interleave(each):
        if completion.fault.usage == "cumulative":
            delta = choice["delta"]
            calls = delta.get("tool_calls") or ()
            parts = [c["function"].get("arguments") or "" for c in calls]
            tokens_sent += sum(map(count_tokens, [delta.get("content") or "", *parts]))
        yield _chunk(completion, [{"index": index, **choice}], tokens_sent)
    if completion.include_usage and completion.fault.usage != "missing":
        yield _chunk(completion, [], None)


def _interleave(
    each: Sequence[Iterator[dict[str, Any]]],
) -> Iterator[tuple[int, dict[str, Any]]]:
    for row in zip_longest(*each):
        for index, choice in enumerate(row):
            if choice is not None:
                yield index, choice


def _chunk(
    completion: ChatCompletion, choices: list[Any], tokens_sent: int | None
) -> dict[str, Any]:
    """One chunk; `tokens_sent`: completion tokens sent so far, None in the usage chunk."""
    chunk: dict[str, Any] = {
        "id": completion.id,
        "object": "chat.completion.chunk",
        "created": completion.created,
        "model": completion.model.response_model_name,
        "service_tier": "default",
        "system_fingerprint": None,
        "choices": choices,
    }
    if tokens_sent is None:
        chunk["usage"] = _usage(completion)
    elif completion.fault.usage == "cumulative":
        last = choices[0].get("finish_reason") is not None
        done = completion.usage.completion if last else completion.usage.reasoning + tokens_sent
        chunk["usage"] = completion.usage.chat(min(done, completion.usage.completion))
    elif completion.include_usage and completion.fault.usage != "missing":
        chunk["usage"] = None
    return chunk


def _text_deltas(completion: ChatCompletion, text: str | None) -> list[str]:
    """The pieces of a text, one for each delta."""
    if not text:
        return []
    return [text] if completion.fault.single_delta else list(tokenize(text))


def _deltas(completion: ChatCompletion, index: int) -> Iterator[dict[str, Any]]:
    answer = completion.answers[index]
    has_no_text = answer.refusal is not None or bool(answer.calls)
    first = {"role": "assistant", "content": None if has_no_text else "", "refusal": None}
    yield _delta_chunk(first)
    for text in _text_deltas(completion, answer.reasoning):
        yield _delta_chunk(_reasoning(completion, text))
    for text in _text_deltas(completion, answer.refusal):
        yield _delta_chunk({"refusal": text})
    if not has_no_text:
        for place, text in enumerate(_text_deltas(completion, answer.text)):
            probs = None
            if completion.top_logprobs is not None:
                token = _token_logprob(text, place, completion.top_logprobs)
                probs = {"content": [token], "refusal": None}
            yield {"delta": {"content": text}, "logprobs": probs, "finish_reason": None}
    for calls in _call_deltas(
        answer.calls,
        completion.call_ids[index],
        completion.fault.tool_delta if completion.fault.arguments_form == "text" else "one_chunk",
        completion.model.chat.upstream,
    ):
        yield _delta_chunk({"tool_calls": calls})
    end: dict[str, Any] = {"delta": {}, "logprobs": None, "finish_reason": answer.finish_reason}
    if completion.model.chat.upstream == "openrouter":
        end["native_finish_reason"] = answer.finish_reason
    yield end


def _delta_chunk(delta: dict[str, Any]) -> dict[str, Any]:
    return {"delta": delta, "logprobs": None, "finish_reason": None}


def _call_deltas(
    calls: Sequence[ToolCall], ids: Sequence[str], form: str, upstream: str
) -> Iterator[list[dict[str, Any]]]:
    if not calls:
        return
    if form == "one_chunk":
        yield [{"index": i, **_call(call, ids[i], upstream)} for i, call in enumerate(calls)]
        return
    each = [list(_call_pieces(call, ids[i], i, form, upstream)) for i, call in enumerate(calls)]
    if form == "interleaved":
        for row in zip_longest(*each):
            yield from ([delta] for delta in row if delta is not None)
        return
    for deltas in each:
        yield from ([delta] for delta in deltas)


def _call_pieces(
    call: ToolCall, call_id: str, index: int, form: str, upstream: str
) -> Iterator[dict[str, Any]]:
    place = {} if form == "no_index" else {"index": index}
    head = {"name": call.name, "arguments": ""}
    opaque = _opaque(call_id, upstream)
    yield {**place, "id": call_id, "type": "function", "function": head, **opaque}
    text = call.arguments
    for step, start in enumerate(range(0, len(text), _ARGUMENTS_PIECE_SIZE)):
        function: dict[str, Any] = {"arguments": text[start : start + _ARGUMENTS_PIECE_SIZE]}
        extra: dict[str, Any] = {}
        if form == "repeat":
            function["name"] = call.name
            extra = {"id": call_id, "type": "function"}
        elif form == "placeholder_id":
            extra = {"id": "" if step % 2 == 0 else "null"}
        yield {**place, **extra, "function": function}
