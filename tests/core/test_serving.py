"""Who answered: model, provider and the service's own times, in every way of calling."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from aimlapi_core import ChatRequest, Finished, Message, Reply, Serving, Text
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_core._wire.usage import parse_serving

# As published on the vendor's page of `liquid/d1-router` (commit 42154be3).
META: Mapping[str, Any] = {
    "model": "openai/gpt-6-luna",
    "provider": "openai",
    "usage": {"credits_used": 11, "usd_spent": 0.0000055},
    "metrics": {"duration_ms": 617, "ttft_ms": 616, "tps": 8.1},
}
DETAILS = {"cached_tokens": 0, "cache_write_tokens": 9}
SERVING = Serving("openai/gpt-6-luna", "openai", META["metrics"])
CHAT_USAGE = {
    "prompt_tokens": 14,
    "completion_tokens": 5,
    "total_tokens": 19,
    "prompt_tokens_details": DETAILS,
}
RESPONSES_USAGE = {
    "input_tokens": 14,
    "output_tokens": 5,
    "total_tokens": 19,
    "input_tokens_details": DETAILS,
}


def answers(endpoint: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(the whole answer, the events of the same in a stream)."""
    if endpoint == "chat":
        head = {"id": "c", "created": 1, "model": "gpt-6-luna"}
        message = {"role": "assistant", "content": "Paris."}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        whole = {**head, "choices": [choice], "usage": CHAT_USAGE, "meta": META}
        delta = {"index": 0, "delta": message, "finish_reason": None}
        end = {"index": 0, "delta": {}, "finish_reason": "stop"}
        last = {**head, "choices": [], "usage": CHAT_USAGE, "meta": META}
        return whole, [{**head, "choices": [delta]}, {**head, "choices": [end]}, last]
    part = {"type": "output_text", "text": "Paris.", "annotations": []}
    item = {"type": "message", "id": "m", "role": "assistant", "content": [part]}
    whole = {
        "id": "r",
        "object": "response",
        "created_at": 1,
        "model": "gpt-6-luna",
        "status": "completed",
        "output": [item],
        "usage": RESPONSES_USAGE,
        "meta": META,
    }
    return whole, [{"type": "response.completed", "response": whole}]


def reply(endpoint: Any, way: str, headers: Mapping[str, str] = {}) -> Reply:
    request = ChatRequest("x/y", (Message("user", (Text("Hi"),)),), endpoint=endpoint)
    prepared = prepare_request(request, stream=way != "whole")
    whole, events = answers(endpoint)
    if way == "whole":
        return prepared.decode(whole, headers)
    late = events.pop() if way == "late" and endpoint == "chat" else None
    reader = prepared.stream_reader()
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    (done,) = [e for e in (*reader.feed(text.encode()), *reader.close()) if type(e) is Finished]
    if late is None:
        return done.reply
    reader.feed_rest(f"data: {json.dumps(late)}\n\n".encode())
    return reader.finished(done.reply)


@pytest.mark.parametrize("way", ["whole", "streamed", "late"])
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_a_reply_says_who_answered(endpoint: str, way: str) -> None:
    got = reply(endpoint, way)
    assert got.serving == SERVING
    assert got.model == "gpt-6-luna"
    assert got.usage is not None
    assert (got.usage.cache_write_tokens, got.usage.cached_tokens) == (9, 0)


HEADERS = {"x-aimlapi-model": "acme/other", "x-aimlapi-provider": "acme"}


@pytest.mark.parametrize(
    ("headers", "meta", "expected"),
    [
        ({}, META, SERVING),
        (HEADERS, META, SERVING),
        (HEADERS, None, Serving("acme/other", "acme")),
        (HEADERS, {"model": 7, "provider": "", "metrics": []}, Serving("acme/other", "acme")),
        ({}, {"usage": {"credits_used": 1}}, None),
        ({}, None, None),
        ({}, "odd", None),
    ],
)
def test_the_body_is_read_first_and_odd_values_are_none(
    headers: dict[str, str], meta: Any, expected: Serving | None
) -> None:
    assert parse_serving(headers, meta) == expected
