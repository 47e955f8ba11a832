"""The wire shapes of /v1/chat/completions: a whole answer, or the payloads of a stream.

A stream goes: role, text in single tokens, tool calls as a head and pieces of a few characters,
the finish reason, the usage chunk when it was asked for, the cost chunk, `[DONE]` (which
`sse.frames` adds). Order and members follow the vendor's samples
(https://docs.aimlapi.com, read 2026-11).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from aimlapi_emulator.answers.answer import Answer, ToolCall
from aimlapi_emulator.billing.usage import Usage
from aimlapi_emulator.catalog.chat_models import ChatModelRow
from aimlapi_emulator.faults.bad_usage import corrupt_usage
from aimlapi_emulator.faults.fault import Fault
from aimlapi_emulator.state import RequestContext
from aimlapi_emulator.text.words import count, pieces

_ARGUMENTS_PIECE = 6


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """All that a chat completion tells."""

    id: str
    created: int
    model: ChatModelRow
    answers: Sequence[Answer]
    call_ids: Sequence[Sequence[str]]
    usage: Usage
    fault: Fault
    top_logprobs: int | None = None
    """None when no logprobs were asked for."""
    include_usage: bool = False

    @property
    def reasoning_key(self) -> str:
        """How this model's upstream spells reasoning text."""
        return "reasoning" if self.model.family == "dotted" else "reasoning_content"


def chat_answer(
    context: RequestContext, model: ChatModelRow, answers: Sequence[Answer], usage: Usage
) -> ChatAnswer:
    """The answers to a valid request, with ids."""
    body, ids = context.body, context.state.ids
    asked = body.get("logprobs")
    return ChatAnswer(
        id=ids.next("gen-" if model.family == "dotted" else "chatcmpl-", 29),
        created=int(time.time()),
        model=model,
        answers=answers,
        call_ids=[[ids.next("call_", 24) for _ in made.calls] for made in answers],
        usage=usage,
        fault=context.fault,
        top_logprobs=int(body.get("top_logprobs") or 0) if asked else None,
        include_usage=bool((body.get("stream_options") or {}).get("include_usage")),
    )


def _token_logprob(token: str, index: int, top: int) -> dict[str, Any]:
    logprob = -0.01 * (1 + index % 7)
    best = [
        {
            "token": token if rank == 0 else f"{token}_{rank}",
            "logprob": round(logprob - rank, 4),
            "bytes": list((token if rank == 0 else f"{token}_{rank}").encode()),
        }
        for rank in range(top)
    ]
    return {
        "token": token,
        "logprob": round(logprob, 4),
        "bytes": list(token.encode()),
        "top_logprobs": best,
    }


def _logprobs(text: str, top: int | None) -> dict[str, Any] | None:
    if top is None:
        return None
    tokens = [_token_logprob(token, i, top) for i, token in enumerate(pieces(text))]
    return {"content": tokens, "refusal": None}


def _call(call: ToolCall, call_id: str) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call_id, "type": "function", "function": function}


def _reasoning(answer: ChatAnswer, text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    if answer.model.family != "dotted":
        return {answer.reasoning_key: text}
    detail = {"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}
    return {"reasoning": text, "reasoning_details": [detail]}


def _choice(answer: ChatAnswer, index: int) -> dict[str, Any]:
    made = answer.answers[index]
    silent = made.refusal is not None or bool(made.calls)
    message: dict[str, Any] = {
        "role": "assistant",
        # The upstream answers null beside calls, although the published schema says string.
        "content": None if silent else made.text,
        "refusal": made.refusal,
        "annotations": [],
        **_reasoning(answer, made.reasoning),
    }
    if made.calls:
        ids = answer.call_ids[index]
        message["tool_calls"] = [_call(c, i) for c, i in zip(made.calls, ids, strict=True)]
    choice = {
        "index": index,
        "message": message,
        "logprobs": _logprobs(made.text, answer.top_logprobs) if not silent else None,
        "finish_reason": made.finish,
    }
    if answer.model.family == "dotted":
        choice["native_finish_reason"] = made.finish
    return choice


def whole(answer: ChatAnswer) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    body: dict[str, Any] = {
        "id": answer.id,
        "object": "chat.completion",
        "created": answer.created,
        "model": answer.model.response_model_name,
        "choices": [_choice(answer, index) for index in range(len(answer.answers))],
        "usage": corrupt_usage(answer.usage.chat(), answer.fault.usage),
        "service_tier": "default",
        "system_fingerprint": None,
        "meta": answer.usage.meta(),
    }
    if answer.fault.usage == "missing":
        del body["usage"]
    if not answer.fault.cost_metadata:
        del body["meta"]
    return body


def stream(answer: ChatAnswer) -> Iterator[dict[str, Any]]:
    """The payloads of a stream, choices interleaved."""
    said = 0
    each = [_deltas(answer, index) for index in range(len(answer.answers))]
    for index, choice in _interleave(each):
        if answer.fault.usage == "cumulative":
            delta = choice["delta"]
            calls = delta.get("tool_calls") or ()
            parts = [c["function"].get("arguments") or "" for c in calls]
            said += sum(map(count, [delta.get("content") or "", *parts]))
        yield _chunk(answer, [{"index": index, **choice}], said)
    if answer.include_usage and answer.fault.usage != "missing":
        yield _chunk(answer, [], None)
    if answer.fault.cost_metadata:
        yield {"meta": answer.usage.meta()}


def _interleave(
    each: Sequence[Iterator[dict[str, Any]]],
) -> Iterator[tuple[int, dict[str, Any]]]:
    for row in zip_longest(*each):
        for index, choice in enumerate(row):
            if choice is not None:
                yield index, choice


def _chunk(answer: ChatAnswer, choices: list[Any], said: int | None) -> dict[str, Any]:
    """One chunk; `said` is how many tokens went so far, None in the usage chunk."""
    chunk: dict[str, Any] = {
        "id": answer.id,
        "object": "chat.completion.chunk",
        "created": answer.created,
        "model": answer.model.response_model_name,
        "service_tier": "default",
        "system_fingerprint": None,
        "choices": choices,
    }
    if said is None:
        chunk["usage"] = corrupt_usage(answer.usage.chat(), answer.fault.usage)
    elif answer.fault.usage == "cumulative":
        last = choices[0].get("finish_reason") is not None
        done = answer.usage.completion if last else answer.usage.reasoning + said
        chunk["usage"] = answer.usage.chat(min(done, answer.usage.completion))
    elif answer.include_usage and answer.fault.usage != "missing":
        chunk["usage"] = None
    return chunk


def _texts(answer: ChatAnswer, text: str | None) -> list[str]:
    """What each delta brings of a text."""
    if not text:
        return []
    return [text] if answer.fault.single_delta else list(pieces(text))


def _deltas(answer: ChatAnswer, index: int) -> Iterator[dict[str, Any]]:
    made = answer.answers[index]
    silent = made.refusal is not None or bool(made.calls)
    first = {"role": "assistant", "content": None if silent else "", "refusal": None}
    yield _piece(first)
    for text in _texts(answer, made.reasoning):
        yield _piece(_reasoning(answer, text))
    for text in _texts(answer, made.refusal):
        yield _piece({"refusal": text})
    if not silent:
        for place, text in enumerate(_texts(answer, made.text)):
            probs = None
            if answer.top_logprobs is not None:
                token = _token_logprob(text, place, answer.top_logprobs)
                probs = {"content": [token], "refusal": None}
            yield {"delta": {"content": text}, "logprobs": probs, "finish_reason": None}
    for calls in _call_deltas(made.calls, answer.call_ids[index], answer.fault.tool_delta):
        yield _piece({"tool_calls": calls})
    end: dict[str, Any] = {"delta": {}, "logprobs": None, "finish_reason": made.finish}
    if answer.model.family == "dotted":
        end["native_finish_reason"] = made.finish
    yield end


def _piece(delta: dict[str, Any]) -> dict[str, Any]:
    return {"delta": delta, "logprobs": None, "finish_reason": None}


def _call_deltas(
    calls: Sequence[ToolCall], ids: Sequence[str], form: str
) -> Iterator[list[dict[str, Any]]]:
    if not calls:
        return
    if form == "one_chunk":
        yield [{"index": i, **_call(call, ids[i])} for i, call in enumerate(calls)]
        return
    each = [list(_one_call(call, ids[i], i, form)) for i, call in enumerate(calls)]
    if form == "interleaved":
        for row in zip_longest(*each):
            yield from ([delta] for delta in row if delta is not None)
        return
    for deltas in each:
        yield from ([delta] for delta in deltas)


def _one_call(call: ToolCall, call_id: str, index: int, form: str) -> Iterator[dict[str, Any]]:
    place = {} if form == "no_index" else {"index": index}
    yield {
        **place,
        "id": call_id,
        "type": "function",
        "function": {"name": call.name, "arguments": ""},
    }
    text = call.arguments
    for step, start in enumerate(range(0, len(text), _ARGUMENTS_PIECE)):
        function: dict[str, Any] = {"arguments": text[start : start + _ARGUMENTS_PIECE]}
        extra: dict[str, Any] = {}
        if form == "repeat":
            function["name"] = call.name
            extra = {"id": call_id, "type": "function"}
        elif form == "placeholder_id":
            extra = {"id": "" if step % 2 == 0 else "null"}
        yield {**place, **extra, "function": function}
