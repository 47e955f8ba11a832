"""The chunks of a streamed chat completion.

Order of a stream: role, text in single tokens, tool calls as a head and pieces of a few characters,
the finish reason, the usage chunk if it was requested, `[DONE]` (which `sse.frames` adds). Order
and members follow the vendor's samples (https://docs.aimlapi.com, read 2026-11).

The cost, `meta`, is a member of the usage chunk, else of the last chunk. The vendor's page on
request tracing shows it as a chunk of its own that holds nothing else, which its chunk schema does
not allow and which ends the streams of npm `openai`, the Vercel AI SDK, OpenAILike, autogen and
`llm`: `Fault.cost_chunk` and `Emulator(cost_chunk="bare")` send that form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from aimlapi_emulator.answers.answer import ToolCall
from aimlapi_emulator.endpoints.chat_format import (
    ChatCompletion,
    call_object,
    cost_object,
    opaque_members,
    reasoning_members,
    token_logprob,
    usage_object,
)
from aimlapi_emulator.text.words import count_tokens, tokenize

_ARGUMENTS_PIECE_SIZE = 6


def render_stream(completion: ChatCompletion) -> Iterator[dict[str, Any]]:
    """The chunks of a stream, choices interleaved; the last one has the cost."""
    chunks = _chunks(completion)
    if not completion.fault.cost_metadata:
        yield from chunks
        return
    cost = {"meta": cost_object(completion)}
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
        chunk["usage"] = usage_object(completion)
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
        yield _delta_chunk(reasoning_members(completion, text))
    for text in _text_deltas(completion, answer.refusal):
        yield _delta_chunk({"refusal": text})
    if not has_no_text:
        for place, text in enumerate(_text_deltas(completion, answer.text)):
            probs = None
            if completion.top_logprobs is not None:
                token = token_logprob(text, place, completion.top_logprobs)
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
        yield [{"index": i, **call_object(call, ids[i], upstream)} for i, call in enumerate(calls)]
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
    opaque = opaque_members(call_id, upstream)
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
