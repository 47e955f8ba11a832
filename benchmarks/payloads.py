"""The bytes that the local server answers with: whole answers and streams of n deltas.

Members and their order are those of the service's published samples of chat completions. Every
kind of delta says the same words, so that only its kind differs.
"""

from __future__ import annotations

import base64
import json
import random
from array import array
from collections.abc import Iterator
from typing import Any, Literal

Kind = Literal["text", "tool", "reasoning"]
KINDS: tuple[Kind, ...] = ("text", "tool", "reasoning")

MODEL = "openai/gpt-5-2"
WORD = " word"
CALL = {"id": "call_0", "name": "look_up"}
AGENT_TOOLS = ("look_up", "convert")
VECTOR_LENGTH = 1536
_HEAD = {"id": "chatcmpl-bench", "created": 1_760_000_000, "model": MODEL}
_TAIL = {"service_tier": "default", "system_fingerprint": "fp_bench"}
_META = {"usage": {"credits_used": 120, "usd_spent": 0.00006}}


def usage(count: int) -> dict[str, Any]:
    """Token counts of an answer of `count` words."""
    return {
        "prompt_tokens": 12,
        "completion_tokens": count,
        "total_tokens": 12 + count,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def whole(words: int) -> bytes:
    """An unstreamed chat completion."""
    return _completion({"role": "assistant", "content": WORD * words}, words, "stop")


def agent_calls(step: int) -> list[dict[str, Any]]:
    """The two tool calls of an agent's step: (id, name, arguments) as the wire has them."""
    return [
        {
            "id": f"call_{step}_{name}",
            "type": "function",
            "function": {"name": name, "arguments": f'{{"subject":"lake {step}","limit":5}}'},
        }
        for name in AGENT_TOOLS
    ]


def agent_step(step: int) -> bytes:
    """An unstreamed chat completion with two tool calls."""
    message = {"role": "assistant", "content": None, "tool_calls": agent_calls(step)}
    return _completion(message, 40, "tool_calls")


def _completion(message: dict[str, Any], words: int, finish: str) -> bytes:
    message = {**message, "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    answer = {"object": "chat.completion", **_HEAD, "choices": [choice]}
    return _json({**answer, "usage": usage(words), **_TAIL, "meta": _META})


def texts(count: int) -> list[str]:
    """Texts of about 200 tokens each, no two alike."""
    return [
        f"Number {number}. " + "A lake is water within land, fed by rivers. " * 19
        for number in range(count)
    ]


def embeddings(count: int) -> bytes:
    """An embeddings response of `count` vectors in base64, as OpenAI's client asks for them."""
    numbers = random.Random(0)
    vector = array("f", (numbers.uniform(-0.1, 0.1) for _ in range(VECTOR_LENGTH)))
    encoded = base64.b64encode(vector.tobytes()).decode()
    rows = [{"object": "embedding", "index": n, "embedding": encoded} for n in range(count)]
    tokens = {"prompt_tokens": 200 * count, "total_tokens": 200 * count}
    answer = {"object": "list", "data": rows, "model": "text-embedding-3-small", "usage": tokens}
    return _json({**answer, "meta": _META})


def arguments(count: int) -> Iterator[str]:
    """The pieces of a tool call's arguments, which together are a JSON object."""
    yield '{"words":"'
    for _ in range(count - 2):
        yield WORD
    yield '"}'


def chat_frames(kind: Kind, count: int) -> Iterator[bytes]:
    """A chat stream's payloads: `count` deltas of one kind, the end, usage; without [DONE]."""
    yield _frame({"role": "assistant", "content": ""})
    if kind == "tool":
        for position, piece in enumerate(arguments(count)):
            call: dict[str, Any] = {"index": 0, "function": {"arguments": piece}}
            if position == 0:
                call |= {"id": CALL["id"], "type": "function"}
                call["function"]["name"] = CALL["name"]
            yield _frame({"tool_calls": [call]})
    else:
        member = "content" if kind == "text" else "reasoning_content"
        yield from [_frame({member: WORD})] * count
    yield _frame({}, finish="tool_calls" if kind == "tool" else "stop")
    yield _json({"object": "chat.completion.chunk", **_HEAD, "choices": [], "usage": usage(count)})


def _frame(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return _json({"object": "chat.completion.chunk", **_HEAD, **_TAIL, "choices": [choice]})


def chat_events(kind: Kind, count: int) -> list[bytes]:
    """The same as server-sent events, [DONE] included."""
    return [b"data: %b\n\n" % data for data in [*chat_frames(kind, count), b"[DONE]"]]


def responses_whole(words: int) -> bytes:
    """An unstreamed answer of the Responses endpoint."""
    return _json(_response("text", words))


def responses_events(kind: Kind, count: int) -> list[bytes]:
    """A Responses stream as server-sent events."""
    kinds = {
        "text": "response.output_text.delta",
        "tool": "response.function_call_arguments.delta",
        "reasoning": "response.reasoning_summary_text.delta",
    }
    done = _response(kind, count)
    begun = {**done, "status": "in_progress", "output": [], "usage": None}
    item = done["output"][0]
    empty: dict[str, Any] = {**item, "status": "in_progress"}
    bare: dict[str, Any] = {"arguments": ""} if kind == "tool" else {"content": [], "summary": []}
    empty |= bare
    place = {"item_id": item["id"], "output_index": 0}
    part = (
        {} if kind == "tool" else {"summary_index" if kind == "reasoning" else "content_index": 0}
    )
    pieces = list(arguments(count)) if kind == "tool" else [WORD] * count
    rows: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": empty},
        *({"type": kinds[kind], **place, **part, "delta": piece} for piece in pieces),
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": done},
    ]
    return [
        b"event: %b\ndata: %b\n\n" % (row["type"].encode(), _json({**row, "sequence_number": n}))
        for n, row in enumerate(rows)
    ]


def _response(kind: Kind, count: int) -> dict[str, Any]:
    item: dict[str, Any] = {"id": "item_0", "status": "completed"}
    if kind == "tool":
        item |= {"type": "function_call", "call_id": CALL["id"], "name": CALL["name"]}
        item["arguments"] = "".join(arguments(count))
    elif kind == "reasoning":
        summary = [{"type": "summary_text", "text": WORD * count}]
        item |= {"type": "reasoning", "summary": summary}
    else:
        part = {"type": "output_text", "text": WORD * count, "annotations": []}
        item |= {"type": "message", "role": "assistant", "content": [part]}
    return {
        "id": "resp_bench",
        "object": "response",
        "created_at": _HEAD["created"],
        "status": "completed",
        "model": MODEL,
        "output": [item],
        "usage": {"input_tokens": 12, "output_tokens": count, "total_tokens": 12 + count},
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
