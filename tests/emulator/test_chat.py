"""Shapes of chat completions, whole and streamed."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from aimlapi_emulator import Emulator, Fault
from tests.emulator.asking import (
    DOTTED,
    INTEGER,
    KEY,
    LATEST,
    STRING,
    Asker,
    events,
    streamed_text,
    tool,
)

WEATHER = tool("get_weather", "Get the weather.", city=STRING)
CLOCK = tool("get_time", "Get the time.", city=STRING)


def test_answer_has_the_documented_members(ask: Asker) -> None:
    answer = ask.chat("Hello")
    body = answer.json()
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["server"].startswith("aimlapi-emulator/")
    assert body["object"] == "chat.completion"
    assert body["id"].startswith("chatcmpl-")
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["choices"][0]["message"]["role"] == "assistant"
    assert "Hello" in body["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("openai/gpt-5-2", "gpt-5.2-2025-12-11"),
        ("gpt-5.2-2025-12-11", "gpt-5.2-2025-12-11"),
        (LATEST, "gpt-5.2-chat-latest"),
        (DOTTED, "openai/gpt-5.2-chat"),
    ],
)
def test_served_model_is_named(ask: Asker, asked: str, served: str) -> None:
    assert ask.chat("Hi", model=asked).json()["model"] == served


def test_stream_is_role_text_finish_done(ask: Asker) -> None:
    answer = ask.chat("Hello there", stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "x-aimlapi-credits-used" not in answer.headers
    got = events(answer.text)
    assert got[0]["choices"][0]["delta"]["role"] == "assistant"
    assert got[-2]["choices"][0] == {
        "index": 0,
        "delta": {},
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert got[-1] == "[DONE]"
    assert len(got) > 5
    assert "Hello there" in streamed_text(got)


BARE = "[[fault cost_chunk=bare]]"
WITH_USAGE = {"stream_options": {"include_usage": True}}


@pytest.mark.parametrize(
    ("model", "body"),
    [
        ("openai/gpt-5-2", {}),
        ("openai/gpt-5-2", WITH_USAGE),
        ("openai/gpt-5-2", {"n": 3}),
        ("openai/gpt-5-2", {"n": 3, **WITH_USAGE}),
        ("openai/gpt-5-2", {"tools": [WEATHER]}),
        (DOTTED, {}),
        (DOTTED, WITH_USAGE),
    ],
)
@pytest.mark.parametrize("fault", ["", "[[fault usage=missing]]", "[[fault usage=cumulative]]"])
def test_the_last_chunk_has_the_cost_and_each_has_what_clients_read(
    ask: Asker, model: str, body: dict[str, Any], fault: str
) -> None:
    """npm `openai`, the Vercel AI SDK, OpenAILike, autogen and `llm` end at a chunk without."""
    answer = ask.chat(f"the weather in Paris {fault}", model=model, stream=True, **body)
    *chunks, last = events(answer.text)[:-1]
    assert all({"id", "object", "created", "model", "choices"} <= set(one) for one in chunks)
    assert not [one for one in chunks if "meta" in one]
    assert last["meta"]["usage"]["credits_used"] > 0
    if body.get("stream_options") and "missing" not in fault:
        assert last["choices"] == []
        assert last["usage"]["total_tokens"] > 0
    else:
        assert last["choices"][0]["finish_reason"] in ("stop", "tool_calls")


@pytest.mark.parametrize("body", [{}, WITH_USAGE, {"n": 2}])
@pytest.mark.parametrize("by", ["option", "fault", "directive"])
def test_the_bare_cost_chunk_is_an_option_and_a_fault(by: str, body: dict[str, Any]) -> None:
    with (
        Emulator(cost_chunk="bare" if by == "option" else "merged") as emu,
        httpx.Client(base_url=emu.base_url, headers=KEY) as client,
    ):
        if by == "fault":
            emu.faults.append(Fault(cost_chunk="bare"))
        said = f"Hi {BARE}" if by == "directive" else "Hi"
        chunks = events(Asker(client).chat(said, stream=True, **body).text)
        assert set(chunks[-2]) == {"meta"}
        assert chunks[-1] == "[DONE]"
        assert [one for one in chunks if "meta" in one] == [chunks[-2]]
        assert emu.requests[0].ineffective_fault_fields == ()


def test_an_unknown_form_of_the_cost_chunk_is_refused() -> None:
    with pytest.raises(ValueError, match="must be 'merged' or 'bare', not 'none'"):
        Emulator(cost_chunk="none")


def test_stream_says_what_the_whole_answer_says(ask: Asker) -> None:
    assert streamed_text(events(ask.chat("Say it", stream=True).text)) == ask.text("Say it")


def test_usage_chunk_comes_only_when_asked(ask: Asker) -> None:
    without = events(ask.chat("Hi", stream=True).text)
    assert not [c for c in without if isinstance(c, dict) and c.get("usage")]
    with_usage = events(ask.chat("Hi", stream=True, stream_options={"include_usage": True}).text)
    told = [c for c in with_usage if isinstance(c, dict) and c.get("usage")]
    assert [c["choices"] for c in told] == [[]]


def test_tool_calls_stream_as_head_and_pieces(ask: Asker) -> None:
    got = events(ask.chat("weather and time in Paris", tools=[WEATHER, CLOCK], stream=True).text)
    deltas = [
        call
        for chunk in got
        if isinstance(chunk, dict)
        for choice in chunk.get("choices", ())
        for call in choice["delta"].get("tool_calls", ())
    ]
    heads = [d for d in deltas if "id" in d]
    assert [h["function"]["name"] for h in heads] == ["get_weather", "get_time"]
    assert all(h["function"]["arguments"] == "" for h in heads)
    for index in (0, 1):
        pieces = [d["function"]["arguments"] for d in deltas if d["index"] == index]
        assert len(pieces) > 2
        assert json.loads("".join(pieces)) == {"city": "Paris"}


def test_several_choices_differ_and_interleave(ask: Asker) -> None:
    whole = [c["message"]["content"] for c in ask.chat("Hi", n=3).json()["choices"]]
    assert len(set(whole)) == 3
    got = events(ask.chat("Hi", n=3, stream=True).text)
    assert [streamed_text(got, index) for index in range(3)] == whole
    order = [c["choices"][0]["index"] for c in got if isinstance(c, dict) and c.get("choices")]
    assert order[:6] == [0, 1, 2, 0, 1, 2]


def test_logprobs_cover_the_text(ask: Asker) -> None:
    choice = ask.chat("Hi", logprobs=True, top_logprobs=2).json()["choices"][0]
    tokens = choice["logprobs"]["content"]
    assert "".join(t["token"] for t in tokens) == choice["message"]["content"]
    assert all(len(t["top_logprobs"]) == 2 and t["logprob"] < 0 for t in tokens)
    got = events(ask.chat("Hi", logprobs=True, top_logprobs=2, stream=True).text)
    streamed = [
        token["token"]
        for chunk in got
        if isinstance(chunk, dict)
        for choice in chunk.get("choices", ())
        if choice["logprobs"]
        for token in choice["logprobs"]["content"]
    ]
    assert "".join(streamed) == streamed_text(got)


def test_text_goes_out_as_raw_utf8(ask: Asker) -> None:
    said = "Grüße 你好 🎈"
    assert said.encode() in ask.chat(said).content
    assert "你".encode() in ask.chat(said, stream=True).content


def test_lone_surrogates_do_not_break_the_answer(emu: Emulator) -> None:
    raw = b'{"model":"openai/gpt-5-2","messages":[{"role":"user","content":"a \\ud800 b"}]}'
    answer = httpx.post(f"{emu.base_url}/chat/completions", content=raw, headers=KEY)
    assert answer.status_code == 200
    answer.json()


def test_max_tokens_cuts_with_length(ask: Asker) -> None:
    choice = ask.chat("one two three four five six", max_tokens=3).json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"] == "You said:"
    body = ask.chat("weather in Paris", tools=[WEATHER], max_tokens=4).json()
    assert body["choices"][0]["finish_reason"] == "length"
    with pytest.raises(json.JSONDecodeError):
        json.loads(body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"])


def test_headers_tell_ids(ask: Asker) -> None:
    answer = ask.client.post(
        "/chat/completions",
        json={"model": "openai/gpt-5-2", "messages": [{"role": "user", "content": "x"}]},
        headers={"X-Client-Request-Id": "run-1.a:b"},
    )
    assert answer.headers["x-client-request-id"] == "run-1.a:b"
    assert answer.headers["x-inference-id"]
    assert answer.headers["x-request-id"]
    bad = ask.client.post("/chat/completions", json={}, headers={"X-Client-Request-Id": "no way"})
    assert "x-client-request-id" not in bad.headers
    assert bad.headers["x-inference-id"] != answer.headers["x-inference-id"]


def test_ids_repeat_from_run_to_run() -> None:
    found = []
    for _ in range(2):
        with Emulator() as emu:
            url = f"{emu.base_url}/chat/completions"
            body = {"model": "openai/gpt-5-2", "messages": [{"role": "user", "content": "x"}]}
            found.append(httpx.post(url, json=body, headers=KEY).json()["id"])
    assert found[0] == found[1]


def test_unversioned_path_serves_what_publishes_it(emu: Emulator) -> None:
    url = emu.base_url.removesuffix("/v1") + "/chat/completions"
    body = {"model": "openai/gpt-5-2", "messages": [{"role": "user", "content": "x"}]}
    assert httpx.post(url, json=body, headers=KEY).status_code == 200
    assert httpx.post(url, json={**body, "model": DOTTED}, headers=KEY).status_code == 404


def test_dotted_rows_tell_reasoning_when_asked(ask: Asker) -> None:
    told = ask.message("Hi", model=DOTTED, reasoning_effort="low")
    assert told["reasoning"]
    assert told["reasoning_details"][0]["text"] == told["reasoning"]
    assert "reasoning" not in ask.message("Hi", model=DOTTED)
    assert "reasoning_content" not in ask.message("Hi", reasoning_effort="low")


def test_catalogue_lists_a_row_per_endpoint(emu: Emulator) -> None:
    rows = httpx.get(f"{emu.base_url}/models").json()["data"]
    kinds = {row["type"] for row in rows if row["id"] == "openai/gpt-5-2"}
    assert kinds == {"openai/chat-completions", "openai/responses/submit"}
    one = httpx.get(f"{emu.base_url}/models", params={"id": "gpt-5.2-codex", "include": "pricing"})
    assert [row["id"] for row in one.json()["data"]] == ["openai/gpt-5-2-codex"]
    assert one.json()["data"][0]["pricing"]["currency"] == "USD"


def test_unknown_paths_are_404(emu: Emulator) -> None:
    for method, path in (("GET", "/v1/nothing"), ("POST", "/v1/completions"), ("GET", "/v1/v1")):
        url = emu.base_url.removesuffix("/v1") + path
        answer = httpx.request(method, url, headers=KEY, json={} if method == "POST" else None)
        assert answer.status_code == 404
        assert answer.json()["status"] == 404


def test_parameters_of_tools_may_bound_numbers(ask: Asker) -> None:
    number = {**INTEGER, "exclusiveMinimum": -1000, "exclusiveMaximum": 1000}
    magic = tool("magic_function", "Apply a magic function to an input.", input=number)
    said = "What is the value of magic_function(3)? Use the tool."
    assert ask.calls(said, tools=[magic], tool_choice="required") == [
        ("magic_function", {"input": 3})
    ]
