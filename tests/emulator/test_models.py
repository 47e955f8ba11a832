"""What each id takes on each endpoint, and what is refused there; rows with unknown words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

import pytest

from aimlapi_emulator.catalog import chat_models
from aimlapi_emulator.catalog.chat_models import CHAT_MODELS
from aimlapi_emulator.catalog.embedding_models import EMBEDDING_MODELS
from aimlapi_emulator.catalog.features import (
    BuiltinTool,
    ChatFeatures,
    ChatParam,
    ResponsesFeatures,
    ResponsesParam,
    check_complete,
)
from aimlapi_emulator.messages import Request
from aimlapi_emulator.server.router import route
from aimlapi_emulator.state import State
from tests.emulator.asking import KEY, Asker, called, refusal, result, user
from tests.emulator.test_validation import PDF, PNG

Samples = Mapping[str, Mapping[str, Any]]

BARE = {"name": "f"}
WORDS = {"cache_control": {"type": "ephemeral"}, "type": "text", "text": "x"}
NULL_CONTENT = [user("x"), {**called(("a", "f", "{}")), "content": None}, result("a", "1")]
CHAT: Samples = {
    "temperature": {"temperature": 0.5},
    "top_p": {"top_p": 0.5},
    "n": {"n": 2},
    "seed": {"seed": 7},
    "logprobs": {"logprobs": True},
    "top_logprobs": {"logprobs": True, "top_logprobs": 2},
    "stop": {"stop": ["x"]},
    "max_completion_tokens": {"max_completion_tokens": 900},
    "frequency_penalty": {"frequency_penalty": 1},
    "presence_penalty": {"presence_penalty": 1},
    "repetition_penalty": {"repetition_penalty": 1},
    "logit_bias": {"logit_bias": {"5": 1}},
    "prediction": {"prediction": {"type": "content", "content": "x"}},
    "web_search_options": {"web_search_options": {"search_context_size": "low"}},
    "search_mode": {"search_mode": "web"},
    "search_domain_filter": {"search_domain_filter": ["example.com"]},
    "search_recency_filter": {"search_recency_filter": "day"},
    "search_after_date_filter": {"search_after_date_filter": "1/1/2026"},
    "search_before_date_filter": {"search_before_date_filter": "1/1/2026"},
    "last_updated_after_filter": {"last_updated_after_filter": "1/1/2026"},
    "last_updated_before_filter": {"last_updated_before_filter": "1/1/2026"},
    "return_images": {"return_images": True},
    "return_related_questions": {"return_related_questions": True},
    "echo": {"echo": True},
    "min_p": {"min_p": 0.5},
    "top_k": {"top_k": 3},
    "top_a": {"top_a": 0.5},
    "provider": {"provider": "x"},
    "normalize_tool_schemas": {"normalize_tool_schemas": True},
    "stop_sequences": {"stop_sequences": ["x"]},
    "system": {"system": "x"},
    "metadata": {"metadata": {"a": "b"}},
    "thinking": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    "enable_thinking": {"enable_thinking": True},
    "thinking_budget": {"thinking_budget": 9},
    "effort none": {"reasoning_effort": "none"},
    "effort low": {"reasoning_effort": "low"},
    "effort medium": {"reasoning_effort": "medium"},
    "effort high": {"reasoning_effort": "high"},
    "effort xhigh": {"reasoning_effort": "xhigh"},
    "reasoning": {"reasoning": {"effort": "low", "max_tokens": 9, "exclude": True}},
    "image": {"messages": [user([{"type": "image_url", "image_url": {"url": PNG}}])]},
    "pdf": {
        "messages": [user([{"type": "file", "file": {"file_data": PDF, "filename": "a.pdf"}}])]
    },
    "cached text": {"messages": [user([WORDS])]},
    "null content": {"messages": NULL_CONTENT},
    "bare tool": {"tools": [{"type": "function", "function": BARE}]},
    "custom tool": {"tools": [{"type": "custom", "custom": BARE}]},
    # Of nobody.
    "user": {"user": "me"},
    "verbosity": {"verbosity": "low"},
    "temperature 3": {"temperature": 3},
}
SHELL_CALL = {
    "type": "local_shell_call",
    "action": {"type": "exec", "command": ["ls"], "env": {}},
    "call_id": "c",
    "id": "i",
}
RESPONSES: Samples = {
    "temperature": {"temperature": 0.5},
    "top_p": {"top_p": 0.5},
    "effort none": {"reasoning": {"effort": "none"}},
    "effort low": {"reasoning": {"effort": "low"}},
    "effort medium": {"reasoning": {"effort": "medium"}},
    "effort high": {"reasoning": {"effort": "high"}},
    "effort xhigh": {"reasoning": {"effort": "xhigh"}},
    "summary": {"reasoning": {"summary": "auto"}},
    "web_search_preview": {"tools": [{"type": "web_search_preview"}]},
    "web_search_preview_2025_03_11": {"tools": [{"type": "web_search_preview_2025_03_11"}]},
    "mcp": {"tools": [{"type": "mcp", "server_label": "a", "server_url": "http://127.0.0.1:1"}]},
    "local_shell": {"tools": [{"type": "local_shell"}]},
    "code_interpreter": {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]},
    "image": {"input": [user([{"type": "input_image", "image_url": PNG}])]},
    "pdf": {"input": [user([{"type": "input_file", "file_data": PDF, "filename": "a.pdf"}])]},
    "reasoning item": {"input": [{"type": "reasoning", "id": "r", "summary": []}, user("x")]},
    "shell item": {"input": [user("x"), {**SHELL_CALL, "status": "completed"}]},
    # Of nobody.
    "n": {"n": 2},
    "seed": {"seed": 7},
    "stop": {"stop": ["x"]},
    "logprobs": {"logprobs": True},
    "user": {"user": "me"},
    "file_search": {"tools": [{"type": "file_search", "vector_store_ids": ["v"]}]},
    "temperature 3": {"temperature": 3},
}

EFFORTS = {"effort low", "effort medium", "effort high"}
SEARCH_AND_MCP = {"web_search_preview", "web_search_preview_2025_03_11", "mcp"}
SAMPLING = {"temperature", "top_p"}
OPENROUTER = {
    *(SAMPLING | EFFORTS),
    *("seed", "logprobs", "top_logprobs", "stop", "max_completion_tokens"),
    *("frequency_penalty", "presence_penalty", "repetition_penalty", "logit_bias"),
    *("prediction", "web_search_options", "search_mode", "search_domain_filter"),
    *("search_recency_filter", "search_after_date_filter", "search_before_date_filter"),
    *("last_updated_after_filter", "last_updated_before_filter"),
    *("return_images", "return_related_questions", "echo", "min_p", "top_k", "top_a"),
    *("provider", "normalize_tool_schemas", "reasoning"),
    *("image", "pdf", "cached text", "null content", "bare tool", "custom tool"),
}
# (id, endpoint): (what the strict schema takes, what the live one refuses: it lets unknown
# members of the body pass)
MATRIX: dict[tuple[str, str], tuple[set[str], set[str]]] = {
    ("openai/gpt-5-2", "chat"): (
        SAMPLING
        | EFFORTS
        | {"effort none", "n", "seed", "logprobs", "top_logprobs", "image", "pdf", "cached text"},
        {"effort xhigh", "temperature 3"},
    ),
    ("openai/gpt-5-2", "responses"): (
        SAMPLING
        | EFFORTS
        | SEARCH_AND_MCP
        | {"effort none", "summary", "code_interpreter", "pdf", "reasoning item"},
        {"effort xhigh", "local_shell", "image", "shell item", "file_search", "temperature 3"},
    ),
    ("openai/gpt-5-2-chat-latest", "chat"): (
        {"n", "seed", "image", "pdf", "cached text"},
        {"temperature 3"},
    ),
    ("openai/gpt-5-2-chat-latest", "responses"): (
        SEARCH_AND_MCP | {"code_interpreter", "image", "pdf"},
        {"local_shell", "reasoning item", "shell item", "file_search"},
    ),
    ("openai/gpt-5-2-pro", "responses"): (
        SEARCH_AND_MCP | {"pdf"},
        {"local_shell", "code_interpreter", "image", "reasoning item", "shell item", "file_search"},
    ),
    ("openai/gpt-5-2-codex", "responses"): (
        EFFORTS
        | SEARCH_AND_MCP
        | {"summary", "local_shell", "shell item", "pdf"}
        # Reasoning is sent back to it.
        | {"reasoning item"},
        {"effort none", "effort xhigh", "code_interpreter", "image", "file_search"},
    ),
    ("openai/gpt-5.2-chat", "chat"): (
        OPENROUTER,
        {"effort none", "effort xhigh", "temperature 3"},
    ),
    ("openai/gpt-5.2-pro", "chat"): (
        OPENROUTER,
        {"effort none", "effort xhigh", "temperature 3"},
    ),
}
GPT_5_CHAT: tuple[set[str], set[str]] = (
    EFFORTS | {"n", "seed", "max_completion_tokens", "provider", "image", "pdf", "cached text"},
    {"effort none", "effort xhigh"},
)
GPT_5_RESPONSES: tuple[set[str], set[str]] = (
    EFFORTS | SEARCH_AND_MCP | {"summary", "code_interpreter", "image", "pdf", "reasoning item"},
    {"effort none", "effort xhigh", "local_shell", "shell item", "file_search"},
)
MATRIX |= {
    **{
        (f"openai/{name}-2025-08-07", endpoint): pinned
        for name in ("gpt-5", "gpt-5-mini", "gpt-5-nano")
        for endpoint, pinned in (("chat", GPT_5_CHAT), ("responses", GPT_5_RESPONSES))
    },
    ("openai/gpt-5-1", "chat"): (
        MATRIX["openai/gpt-5-2", "chat"][0] | {"max_completion_tokens"},
        MATRIX["openai/gpt-5-2", "chat"][1],
    ),
    ("openai/gpt-5-1", "responses"): MATRIX["openai/gpt-5-2", "responses"],
    ("openai/gpt-5-3-codex", "responses"): MATRIX["openai/gpt-5-2-codex", "responses"],
    ("openai/gpt-5-4", "responses"): (
        MATRIX["openai/gpt-5-2", "responses"][0] | {"image"},
        MATRIX["openai/gpt-5-2", "responses"][1] - {"image"},
    ),
    ("openai/gpt-5-4-pro", "responses"): MATRIX["openai/gpt-5-2-chat-latest", "responses"],
    ("openai/gpt-5.4-mini", "chat"): MATRIX["openai/gpt-5.2-pro", "chat"],
    ("openai/gpt-5.4-nano", "chat"): MATRIX["openai/gpt-5.2-pro", "chat"],
    ("openai/gpt-5.4-pro", "chat"): MATRIX["openai/gpt-5.2-pro", "chat"],
    ("openai/gpt-5-5", "chat"): (
        GPT_5_CHAT[0] - {"max_completion_tokens", "provider"},
        GPT_5_CHAT[1],
    ),
    ("openai/gpt-5-5", "responses"): GPT_5_RESPONSES,
    ("openai/gpt-5-5-pro", "responses"): MATRIX["openai/gpt-5-2-chat-latest", "responses"],
    ("openai/gpt-5.5-pro", "chat"): MATRIX["openai/gpt-5.2-pro", "chat"],
    **{
        (f"openai/gpt-5.6-{name}", "chat"): (
            EFFORTS
            | {"n", "seed", "provider", "normalize_tool_schemas", "image", "pdf"}
            | {"cached text", "null content", "bare tool", "custom tool"},
            {"effort none", "effort xhigh"},
        )
        for name in ("luna", "luna-pro", "sol", "sol-pro", "terra", "terra-pro")
    },
    ("openai/gpt-latest", "chat"): GPT_5_CHAT,
}
# Of other developers, by their OpenAPI files.
NEWER_FORM = {"cached text", "null content", "bare tool", "custom tool"}
PENALTIES = {"frequency_penalty", "presence_penalty", "repetition_penalty", "prediction"}
TOGETHER = SAMPLING | PENALTIES | {"cached text", "seed", "stop", "echo", "min_p", "top_k"}
NO_MEDIA = {"image", "pdf", "temperature 3"}
MATRIX |= {
    ("anthropic/claude-sonnet-4.5", "chat"): (
        SAMPLING
        | NEWER_FORM
        | {"top_k", "stop", "stop_sequences", "system", "metadata", "thinking", "image", "pdf"},
        {"temperature 3"},
    ),
    ("google/gemini-3-5-flash", "chat"): (
        SAMPLING
        | NEWER_FORM
        | EFFORTS
        | {"n", "seed", "stop", "max_completion_tokens", "normalize_tool_schemas", "image", "pdf"}
        | (PENALTIES - {"repetition_penalty"}),
        {"effort none", "effort xhigh", "temperature 3"},
    ),
    ("deepseek/deepseek-v4-flash", "chat"): (
        TOGETHER | NEWER_FORM | EFFORTS | {"logprobs", "top_logprobs"},
        {"effort none", "effort xhigh"} | NO_MEDIA,
    ),
    ("deepseek/deepseek-r1", "chat"): (TOGETHER | {"n", "logit_bias", "pdf"}, NO_MEDIA - {"pdf"}),
    ("alibaba/qwen3.7-max", "chat"): (
        SAMPLING
        | NEWER_FORM
        | EFFORTS
        | {"logprobs", "top_logprobs", "stop", "logit_bias", "max_completion_tokens"}
        | {"normalize_tool_schemas"},
        {"effort none", "effort xhigh"} | NO_MEDIA,
    ),
    ("alibaba/qwen3-32b", "chat"): (
        SAMPLING
        | PENALTIES
        | {"logprobs", "top_logprobs", "seed", "stop", "max_completion_tokens", "cached text"}
        | {"enable_thinking", "thinking_budget"},
        NO_MEDIA,
    ),
    ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "chat"): (
        TOGETHER | {"n", "logit_bias", "logprobs", "top_logprobs"},
        NO_MEDIA,
    ),
    ("mistralai/mistral-large-2512", "chat"): MATRIX["openai/gpt-5.2-pro", "chat"],
    ("liquid/d1-router", "chat"): (
        MATRIX["openai/gpt-5.2-pro", "chat"][0] - {"reasoning"},
        MATRIX["openai/gpt-5.2-pro", "chat"][1],
    ),
}
DEVELOPER = [{"role": "developer", "content": "Be brief."}, user("x")]
PLAIN: Samples = {"chat": {"messages": [user("x")]}, "responses": {"input": "x"}}
PLACES = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}


def taken(model: str, endpoint: str, *, live: bool = False) -> set[str]:
    state, found = State(live=live), set()
    for name, sample in (CHAT if endpoint == "chat" else RESPONSES).items():
        body = {"model": model, **PLAIN[endpoint], **sample}
        answer = route(
            Request("POST", PLACES[endpoint], KEY, json.dumps(body).encode()), state, None
        )
        assert answer.status in (200, 400), answer.body
        if answer.status == 200:
            found.add(name)
    return found


def test_every_row_is_pinned() -> None:
    served = [
        (row.id, endpoint)
        for row in CHAT_MODELS
        for endpoint, features in (("chat", row.chat), ("responses", row.responses))
        if PLACES[endpoint] in features.paths
    ]
    assert served == list(MATRIX)


def test_every_word_of_a_row_is_tried() -> None:
    assert set(get_args(ChatParam)) <= set(CHAT)
    assert {*get_args(ResponsesParam), *get_args(BuiltinTool)} <= set(RESPONSES)


@pytest.mark.parametrize(("model", "endpoint"), MATRIX)
def test_what_a_row_takes(model: str, endpoint: str) -> None:
    assert taken(model, endpoint) == MATRIX[model, endpoint][0]


@pytest.mark.parametrize(("model", "endpoint"), MATRIX)
def test_what_a_row_refuses_by_the_live_specification(model: str, endpoint: str) -> None:
    samples = CHAT if endpoint == "chat" else RESPONSES
    assert set(samples) - taken(model, endpoint, live=True) == MATRIX[model, endpoint][1]


@pytest.mark.parametrize("value", ["xhigh", True, {"effort": "xhigh"}])
@pytest.mark.parametrize(("model", "endpoint"), MATRIX)
def test_what_the_live_specification_lets_pass_does_nothing(
    ask_live: Asker, model: str, endpoint: str, value: Any
) -> None:
    """The service drops unknown members in silence, whatever they hold."""
    plain = PLAIN[endpoint]
    samples = (*CHAT.values(), *RESPONSES.values())
    names = {name for body in samples for name in body} - set(plain)
    body = {"model": model, **dict.fromkeys(names, value), **plain}
    place = f"/{PLACES[endpoint].removeprefix('/v1/')}"
    checked = refusal(ask_live.client.post(place, json=body))
    passed = {key: value for key, value in body.items() if not any(key in p for p in checked)}
    assert ask_live.client.post(place, json=passed).status_code == 200


@pytest.mark.parametrize(
    ("model", "member", "value", "takes"),
    [
        ("anthropic/claude-sonnet-4.5", "response_format", {"type": "json_object"}, False),
        ("alibaba/qwen3.7-max", "response_format", {"type": "json_object"}, False),
        ("deepseek/deepseek-v4-flash", "response_format", {"type": "json_object"}, True),
        ("google/gemini-3-5-flash", "messages", DEVELOPER, False),
        ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "messages", DEVELOPER, True),
    ],
)
def test_what_each_gpt_takes_and_others_may_not(
    ask: Asker, model: str, member: str, value: Any, takes: bool
) -> None:
    body = {"model": model, "messages": [user("some JSON")], member: value}
    answer = ask.client.post("/chat/completions", json=body)
    assert answer.status_code == (200 if takes else 400)


def test_a_new_model_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any set of features can be given to an id, without a line anywhere else."""
    row = replace(
        CHAT_MODELS[0],
        id="acme/new",
        aliases=(),
        chat=ChatFeatures(
            paths=("/v1/chat/completions",),
            params=frozenset({"stop", "echo"}),
            efforts=("none", "high"),
            images=False,
        ),
        responses=ResponsesFeatures(
            paths=("/v1/responses",), efforts=("low",), images=True, pdfs=False, tools=frozenset()
        ),
    )
    monkeypatch.setitem(chat_models._BY_ID, row.id, row)
    expected = {"stop", "echo", "effort none", "effort high", "pdf", "cached text"}
    assert taken(row.id, "chat") == expected
    assert taken(row.id, "responses") == {"effort low", "summary", "image"}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ChatFeatures(params=frozenset({"tempreature"})), "params: 'tempreature'"),
        (lambda: ChatFeatures(efforts=("low", "huge")), "efforts: 'huge' is none of: none, low"),
        (lambda: ChatFeatures(live_params=frozenset({"x"})), "live_params: 'x'"),
        (lambda: ChatFeatures(upstream="acme"), "upstream: 'acme' is none of: openai, openrouter"),
        (lambda: ResponsesFeatures(params=frozenset({"stop"})), "params: 'stop'"),
        (lambda: ResponsesFeatures(efforts=("x",)), "efforts: 'x'"),
        (lambda: ResponsesFeatures(tools=frozenset({"file_search"})), "tools: 'file_search'"),
        (lambda: replace(CHAT_MODELS[0], default_effort="x"), "default_effort: 'x'"),
        (lambda: replace(EMBEDDING_MODELS[0], family="acme"), "family: 'acme' is none of: openai"),
        (lambda: check_complete("t", ["top_p"], ResponsesParam), "t has no .* 'temperature'"),
    ],
)
def test_a_word_that_nothing_acts_on_is_an_error_when_the_row_is_made(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()
