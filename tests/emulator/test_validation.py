"""What each variant refuses, and in which words."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from aimlapi_emulator import Emulator
from aimlapi_emulator.validation import media
from tests.emulator.asking import (
    CHAT,
    CODEX,
    DOTTED,
    INTEGER,
    LATEST,
    PRO,
    STRING,
    Asker,
    called,
    flat_tool,
    object_schema,
    refusal,
    result,
    schema_format,
    tool,
    user,
)

WEATHER = tool("get_weather", city=STRING)
PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n").decode()
PDF = "data:application/pdf;base64," + base64.b64encode(b"%PDF-1.4\n").decode()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"temperature": None}, "temperature"),
        ({"temperature": 2.1}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"seed": 0}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"n": 0}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": 5}, "max_completion_tokens"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"stop": ["x"]}, "stop"),
        ({"user": "me"}, "user"),
        ({"banana_toggle": 1}, "banana_toggle"),
        ({"reasoning_effort": "xhigh"}, "reasoning_effort"),
        ({"stream": None}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"include_obfuscation": True}}, "stream_options"),
        ({"n": 129}, "n"),
        ({"tools": []}, "tools"),
        ({"tools": None}, "tools"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"parallel_tool_calls": True}, "parallel_tool_calls"),
        ({"tools": [WEATHER], "tool_choice": "any"}, "tool_choice"),
        ({"response_format": {"type": "text", "x": 1}}, "response_format.x"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    ],
)
def test_refused_on_gpt_5_2(ask: Asker, body: dict[str, Any], path: str) -> None:
    answer = ask.chat("x", **body)
    assert any(key.startswith(path) for key in refusal(answer)), answer.text
    assert answer.json()["error"]["name"] == "PublicApiValidationException"
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    "body",
    [
        {"temperature": 0.5, "top_p": 0.9, "seed": 1, "n": None, "logprobs": None},
        {"reasoning_effort": "high", "max_tokens": 2000},
        {"reasoning_effort": "none"},
        {"tools": [WEATHER], "tool_choice": "none", "parallel_tool_calls": False},
        {"stream": True, "stream_options": {"include_usage": False}},
        {"response_format": {"type": "text"}},
    ],
)
def test_accepted_on_gpt_5_2(emu: Emulator, ask: Asker, body: dict[str, Any]) -> None:
    assert ask.chat("x", **body).status_code == 200
    assert emu.requests[0].problems == ()


@pytest.mark.parametrize("key", ["temperature", "top_p", "logprobs", "reasoning_effort"])
def test_chat_latest_takes_no_sampling(ask: Asker, key: str) -> None:
    value: Any = {"logprobs": True, "reasoning_effort": "low"}.get(key, 1)
    assert key in refusal(ask.chat("x", model=LATEST, **{key: value}))


def test_dotted_row_takes_more_but_no_n(ask: Asker) -> None:
    body = {"stop": ["x"], "max_completion_tokens": 5, "frequency_penalty": 1, "top_k": 3}
    assert ask.chat("x", model=DOTTED, **body).status_code == 200
    assert "n" in refusal(ask.chat("x", model=DOTTED, n=2))


@pytest.mark.parametrize(
    ("messages", "path"),
    [
        ([], "messages"),
        ([{"role": "robot", "content": "x"}], "messages.0.role"),
        ([{"role": "user"}], "messages.0.content"),
        ([{"role": "user", "content": None}], "messages.0.content"),
        ([{"role": "user", "content": "x", "name": None}], "messages.0.name"),
        ([{"role": "system", "content": "x", "id": "1"}, user("x")], "messages.0.id"),
        ([user([{"type": "input_audio"}])], "messages.0.content.0.type"),
        ([user("x"), {"role": "assistant", "content": None}], "messages.1.content"),
        ([user("x"), {"role": "assistant"}], "messages.1"),
        ([user("x"), called(("a", "f", "{}"))], "messages"),
        ([user("x"), called(("a", "f", "{}")), user("y")], "messages.2"),
        ([user("x"), result("zz", "1")], "messages.1.tool_call_id"),
        (
            [
                user("x"),
                called(("a", "f", "{}")),
                {**result("a", ""), "content": [{"type": "text"}]},
            ],
            "messages.2.content",
        ),
        (
            [user("x"), {**called(("a", "f", "{}")), "content": None}, result("a", "1")],
            "messages.1.content",
        ),
        (
            [user("x"), {"role": "assistant", "content": "x", "tool_calls": []}, user("y")],
            "messages.1.tool_calls",
        ),
        ([{**user("x"), "name": "Research Agent"}], "messages.0.name"),
        ([{**user("x"), "name": "<ann>"}], "messages.0.name"),
        (
            [user("x"), {"role": "assistant", "content": "x", "name": "a/b"}, user("y")],
            "messages.1.name",
        ),
        (
            [user("x"), called(("a" * 41, "f", "{}")), result("a" * 41, "1")],
            "messages.1.tool_calls.0.id",
        ),
        (
            [user([{"type": "file", "file": {"file_data": PDF}}])],
            "messages.0.content.0.file.filename",
        ),
    ],
)
def test_refused_messages(ask: Asker, messages: list[Any], path: str) -> None:
    assert path in refusal(ask.chat(messages))


def test_names_and_ids_that_fit(ask: Asker) -> None:
    named = {**user("x"), "name": "Jürgen-1"}
    messages = [named, called(("a" * 40, "f", "{}")), result("a" * 40, "1")]
    assert ask.chat(messages).status_code == 200


def test_ids_of_calls_on_responses_have_at_most_64_characters(ask: Asker) -> None:
    def send(size: int) -> httpx.Response:
        call_id = "c" * size
        call = {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}"}
        output = {"type": "function_call_output", "call_id": call_id, "output": "1"}
        return ask.responses([user("x"), call, output])

    assert send(64).status_code == 200
    assert "input.1.call_id" in refusal(send(65))


def test_files_on_responses_have_a_name(ask: Asker) -> None:
    def send(**file: str) -> httpx.Response:
        return ask.responses([user([{"type": "input_file", "file_data": PDF, **file}])])

    assert send(filename="a.pdf").status_code == 200
    assert "input.0.content.0.filename" in refusal(send())


def test_image_urls(ask: Asker) -> None:
    def send(url: str) -> httpx.Response:
        return ask.chat([user([{"type": "image_url", "image_url": {"url": url}}])])

    assert send(PNG).status_code == 200
    assert send("https://example.com/cat.png").status_code == 200
    for bad in ("cat.png", "file:///cat.png", PNG.replace("png", "svg+xml"), "data:image/png,xx"):
        assert "messages.0.content.0.image_url.url" in refusal(send(bad))


def test_files_are_pdf(ask: Asker) -> None:
    def send(data: str) -> httpx.Response:
        part = {"type": "file", "file": {"file_data": data, "filename": "a.pdf"}}
        return ask.chat([user([part])])

    assert send(PDF).status_code == 200
    assert send(PDF.split(",")[1]).status_code == 200
    for bad in ("no base64!", base64.b64encode(b"hello").decode(), PNG):
        assert "messages.0.content.0.file.file_data" in refusal(send(bad))


def changed_tool(**changes: Any) -> dict[str, Any]:
    return {"type": "function", "function": {**WEATHER["function"], **changes}}


def test_tools(ask: Asker) -> None:
    no_parameters = {"type": "function", "function": {"name": "f"}}
    bad = {
        "tools.0.function.parameters": [no_parameters],
        "tools.0.function.name": [changed_tool(name="n" * 65)],
        "tools.0.function.extra": [changed_tool(extra=1)],
        "tools": [WEATHER] * 2,
    }
    for path, tools in bad.items():
        assert path in refusal(ask.chat("x", tools=tools))
    assert "tools.0.function.name" in refusal(ask.chat("x", tools=[changed_tool(name="a b")]))
    many = [tool(f"t{i}") for i in range(129)]
    assert "tools" in refusal(ask.chat("x", tools=many))
    assert ask.chat("x", tools=many[:128]).status_code == 200
    named = {"type": "function", "function": {"name": "other"}}
    assert "tool_choice" in refusal(ask.chat("x", tools=[WEATHER], tool_choice=named))


def test_strict_schemas_are_strict_valid(ask: Asker) -> None:
    good = object_schema(a=STRING, b={"anyOf": [INTEGER, {"type": "null"}]})
    assert ask.chat("x", response_format=schema_format(good)).status_code == 200
    loose = {**good, "additionalProperties": True}
    optional = {**good, "required": ["a"]}
    root_ref = {"$ref": "#/$defs/A", "$defs": {"A": good}}
    union = {"anyOf": [good]}
    nested = object_schema(inner=optional)
    beside_ref = object_schema(a={"$ref": "#/$defs/A", "description": "x"}) | {"$defs": {"A": good}}
    for bad in (loose, optional, root_ref, union, nested, beside_ref):
        refusal(ask.chat("x", response_format=schema_format(bad)))
        assert ask.chat("x", response_format=schema_format(bad, strict=False)).status_code == 200
    strict_tool = changed_tool(strict=True, parameters=optional)
    refusal(ask.chat("x", tools=[strict_tool]))


@pytest.mark.parametrize("model", [PRO, CODEX, "gpt-5.2-pro-2025-12-11", "text-embedding-3-small"])
def test_models_that_chat_does_not_serve(ask: Asker, model: str) -> None:
    answer = ask.chat("x", model=model)
    assert answer.status_code == 404
    assert answer.json()["message"] == "Model not found"


def test_models_on_responses(ask: Asker) -> None:
    for model in (PRO, CODEX, CHAT, LATEST, "gpt-5.2-codex"):
        assert ask.responses("x", model).status_code == 200
    for model in (DOTTED, "openai/gpt-5.2-pro", "text-embedding-3-small"):
        assert ask.responses("x", model).status_code == 404


@pytest.mark.parametrize(
    ("key", "status", "word"),
    [
        (None, 401, "requires a valid API key"),
        ("Bearer", 401, "empty string"),
        ("Bearer sk-bad", 401, "requires a valid API key"),
        ("Bearer invalid", 401, "requires a valid API key"),
        ("Bearer broke-1", 403, "run out of funds"),
    ],
)
def test_keys(emu: Emulator, key: str | None, status: int, word: str) -> None:
    body = {"model": CHAT, "messages": [user("x")]}
    headers = {"authorization": key} if key else {}
    answer = httpx.post(f"{emu.base_url}/chat/completions", json=body, headers=headers)
    assert answer.status_code == status
    assert word in answer.json()["message"]


def test_bodies_that_are_no_object(ask: Asker) -> None:
    for content in (b"", b"{", b"[]", b"null"):
        answer = ask.client.post("/chat/completions", content=content)
        assert answer.status_code == 400
        assert answer.json()["message"] == "Body validation error!"


@pytest.mark.parametrize(
    ("model", "body", "path"),
    [
        (PRO, {"temperature": 1}, "temperature"),
        (PRO, {"reasoning": {"effort": "low"}}, "reasoning"),
        (PRO, {"metadata": {}}, "metadata"),
        (PRO, {"max_output_tokens": 15}, "max_output_tokens"),
        (PRO, {"text": {}}, "text.format"),
        (PRO, {"text": {"format": {"type": "text", "x": 1}}}, "text.format.x"),
        (PRO, {"tools": [WEATHER]}, "tools.0.name"),
        (PRO, {"tools": [{**flat_tool("f"), "strict": None}]}, "tools.0.strict"),
        (PRO, {"tools": [], "tool_choice": "required"}, "tool_choice"),
        (PRO, {"tool_choice": {"type": "function", "name": "f"}}, "tool_choice"),
        (PRO, {"background": None}, "background"),
        (CODEX, {"reasoning": {"effort": "none"}}, "reasoning.effort"),
        (CODEX, {"temperature": 1}, "temperature"),
        (LATEST, {"reasoning": {"effort": "low"}}, "reasoning"),
    ],
)
def test_refused_on_responses(ask: Asker, model: str, body: dict[str, Any], path: str) -> None:
    assert path in refusal(ask.responses("x", model, **body))


def test_input_items_by_model(ask: Asker) -> None:
    reasoning = [{"type": "reasoning", "id": "rs_1", "summary": []}, user("x")]
    assert "input.0.type" in refusal(ask.responses(reasoning))
    assert ask.responses(reasoning, CODEX).status_code == 200
    image = [user([{"type": "input_image", "image_url": PNG}])]
    assert "input.0.content.0.type" in refusal(ask.responses(image))
    assert ask.responses(image, LATEST).status_code == 200
    assert ask.responses([{"role": "assistant", "content": "hi"}, user("x")]).status_code == 200


def test_outputs_answer_calls(ask: Asker) -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c1", "output": "1"}
    assert ask.responses([user("x"), call, output]).status_code == 200
    assert "input.0.call_id" in refusal(ask.responses([output]))
    assert "input" in refusal(ask.responses([user("x"), call]))
    bad = {**output, "output": {"a": 1}}
    assert "input.2.output" in refusal(ask.responses([user("x"), call, bad]))


def test_live_schema_is_looser(live: Emulator, ask_live: Asker) -> None:
    messages = [
        user("x"),
        {**called(("a", "f", "{}")), "content": None},
        {**result("a", ""), "content": [{"type": "text", "text": "1"}]},
    ]
    bare = {"type": "function", "function": {"name": "f"}}
    answer = ask_live.chat(messages, tools=[bare], banana=1, reasoning_effort="none")
    assert answer.status_code == 200
    assert any("banana" in problem for problem in live.requests[0].problems)
    assert ask_live.chat("x", temperature=None).status_code == 400
    assert ask_live.chat("x", model=LATEST, temperature=1).status_code == 200


def test_seen_requests_hide_the_key(emu: Emulator, ask: Asker) -> None:
    ask.chat("x", seed=0)
    seen = emu.requests[0]
    assert seen.headers["authorization"] == "Bearer ...1234"
    assert seen.method == "POST"
    assert seen.path == "/v1/chat/completions"
    assert seen.body["seed"] == 0
    assert seen.status == 400
    assert seen.problems == ("seed: Number must be greater than or equal to 1",)


@pytest.mark.parametrize("step", [4, 8, 1 << 20])
@pytest.mark.parametrize(
    ("data", "size"),
    [
        ("", 0),
        ("AAAA", 3),
        ("AAAAAA==", 4),
        ("AAAAAAAAAAA=", 8),
        ("AA==AAAA", None),
        ("AAAAA", None),
        ("AAAA AAAA", None),
        ("AAAA=AAA", None),
        ("AAAA\u00e4AAA", None),
    ],
)
def test_base64_is_judged_in_steps_as_in_one(
    monkeypatch: pytest.MonkeyPatch, step: int, data: str, size: int | None
) -> None:
    monkeypatch.setattr(media, "_STEP", step)
    for before in ("", "data:image/png;base64,"):
        found = media._decode(before + data, len(before))
        assert (found and found[1]) == size
