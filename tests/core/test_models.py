"""The table, row by row, and the names that lead to a row."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from aimlapi_core import MODELS, model_info, nearest_model

CHAT = {
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "max_output_tokens",
    "seed",
}
SAMPLING = {"temperature", "top_p"}
LOGPROBS = {"logprobs", "top_logprobs"}
REASONING = {"reasoning_effort", "reasoning_summary"}
RESPONSES = (CHAT - {"seed"}) | {
    "instructions",
    "previous_response_id",
    "store",
    "truncation",
    "include",
}

GPT_5 = (
    {"chat": CHAT | {"n", "reasoning_effort"}, "responses": RESPONSES | REASONING},
    ("low", "medium", "high"),
    {"chat", "responses"},
    400_000,
    128_000,
    True,
)
PRO = ({"responses": RESPONSES}, (), {"responses"}, 1_000_000, 128_000, False)


def on_openrouter(context: int | None, output: int | None) -> tuple[Any, ...]:
    params = CHAT | SAMPLING | LOGPROBS | {"reasoning_effort", "stop"}
    return {"chat": params}, ("low", "medium", "high"), {"chat"}, context, output, False


INPUT_LIMITS = {400_000: 272_000, 1_000_000: 922_000, 1_050_000: 922_000}

# id: ({endpoint: parameters}, efforts, images on, context, largest output, reasoning replayed)
MATRIX: dict[str, tuple[Any, ...]] = {
    "openai/gpt-5-2": (
        {
            "chat": CHAT | SAMPLING | LOGPROBS | {"n", "reasoning_effort"},
            "responses": RESPONSES | SAMPLING | REASONING,
        },
        ("none", "low", "medium", "high"),
        {"chat"},
        400_000,
        128_000,
        True,
    ),
    "openai/gpt-5-2-chat-latest": (
        {"chat": CHAT | {"n"}, "responses": RESPONSES},
        (),
        {"chat", "responses"},
        128_000,
        16_000,
        False,
    ),
    "openai/gpt-5-2-pro": ({"responses": RESPONSES}, (), set(), 400_000, 128_000, False),
    "openai/gpt-5-2-codex": (
        {"responses": RESPONSES | REASONING},
        ("low", "medium", "high"),
        set(),
        400_000,
        128_000,
        True,
    ),
    "openai/gpt-5.2-chat": (
        {"chat": CHAT | SAMPLING | LOGPROBS | {"reasoning_effort", "stop"}},
        ("low", "medium", "high"),
        {"chat"},
        128_000,
        16_384,
        False,
    ),
    "openai/gpt-5.2-pro": (
        {"chat": CHAT | SAMPLING | LOGPROBS | {"reasoning_effort", "stop"}},
        ("low", "medium", "high"),
        {"chat"},
        400_000,
        128_000,
        False,
    ),
    # The GPT family beside GPT-5.2.
    "openai/gpt-5-2025-08-07": GPT_5,
    "openai/gpt-5-mini-2025-08-07": GPT_5,
    "openai/gpt-5-nano-2025-08-07": GPT_5,
    "openai/gpt-5-1": (
        {
            "chat": CHAT | SAMPLING | LOGPROBS | {"n", "reasoning_effort"},
            "responses": RESPONSES | SAMPLING | REASONING,
        },
        ("none", "low", "medium", "high"),
        {"chat"},
        128_000,
        None,
        True,
    ),
    "openai/gpt-5-3-codex": (
        {"responses": RESPONSES | REASONING},
        ("low", "medium", "high"),
        set(),
        400_000,
        128_000,
        True,
    ),
    "openai/gpt-5-4": (
        {"responses": RESPONSES | SAMPLING | REASONING},
        ("none", "low", "medium", "high"),
        {"responses"},
        1_000_000,
        128_000,
        True,
    ),
    "openai/gpt-5-4-pro": PRO,
    "openai/gpt-5.4-mini": on_openrouter(400_000, 128_000),
    "openai/gpt-5.4-nano": on_openrouter(400_000, 128_000),
    "openai/gpt-5.4-pro": on_openrouter(1_050_000, 128_000),
    "openai/gpt-5-5": (*GPT_5[:3], 1_000_000, 128_000, True),
    "openai/gpt-5-5-pro": PRO,
    "openai/gpt-5.5-pro": on_openrouter(None, None),
    **{
        f"openai/gpt-5.6-{name}": (
            {"chat": CHAT | {"n", "reasoning_effort"}},
            ("low", "medium", "high"),
            {"chat"},
            1_050_000,
            128_000,
            False,
        )
        for name in ("luna", "luna-pro", "sol", "sol-pro", "terra", "terra-pro")
    },
    "openai/gpt-latest": (
        {"chat": CHAT | {"n", "reasoning_effort"}},
        ("low", "medium", "high"),
        {"chat"},
        400_000,
        128_000,
        False,
    ),
}


def test_every_row_is_pinned() -> None:
    assert list(MODELS) == list(MATRIX)


@pytest.mark.parametrize("model_id", MATRIX)
def test_row(model_id: str) -> None:
    info = MODELS[model_id]
    params, efforts, images, context, output, replays = MATRIX[model_id]
    assert {endpoint: set(names) for endpoint, names in info.params.items()} == params
    assert info.endpoints == tuple(params)
    assert info.reasoning_efforts == efforts
    assert info.images == images
    assert (info.context_window, info.max_output_tokens) == (context, output)
    assert info.max_input_tokens == INPUT_LIMITS.get(context)
    assert info.replays_reasoning is replays
    assert (info.tools, info.structured_output, info.pdfs) == (True, True, True)
    assert info.chat_limit == "max_tokens"
    assert info.gates_params
    assert re.search(r"\[[DLCVU]\]", info.source)
    assert date.fromisoformat(info.checked) <= date.today()
    assert info.temperature is ("temperature" in params[info.endpoints[0]])


@pytest.mark.parametrize(
    ("name", "endpoint", "bounds"),
    [
        ("temperature", "chat", (0, 2)),
        ("top_p", "responses", (0.01, 1)),
        ("n", "chat", (1, None)),
        ("seed", "chat", (1, None)),
        ("top_logprobs", "chat", (0, 20)),
        ("max_output_tokens", "chat", (1, None)),
        ("max_output_tokens", "responses", (16, None)),
        ("store", "responses", None),
    ],
)
def test_bounds(name: str, endpoint: Any, bounds: Any) -> None:
    assert MODELS["openai/gpt-5-2"].bounds(name, endpoint) == bounds


@pytest.mark.parametrize(
    ("alias", "model_id"),
    [
        ("gpt-5.2-2025-12-11", "openai/gpt-5-2"),
        ("openai/gpt-5.2-2025-12-11", "openai/gpt-5-2"),
        ("gpt-5.2-chat-latest", "openai/gpt-5-2-chat-latest"),
        ("openai/gpt-5.2-chat-latest", "openai/gpt-5-2-chat-latest"),
        ("gpt-5.2-pro-2025-12-11", "openai/gpt-5-2-pro"),
        ("openai/gpt-5.2-pro-2025-12-11", "openai/gpt-5-2-pro"),
        ("gpt-5.2-codex", "openai/gpt-5-2-codex"),
        ("openai/gpt-5.2-codex", "openai/gpt-5-2-codex"),
    ],
)
def test_listed_aliases_lead_to_their_row(alias: str, model_id: str) -> None:
    assert model_info(alias) is MODELS[model_id]
    assert nearest_model(alias) is None


@pytest.mark.parametrize(
    "other",
    ["openai/gpt-5-2-no-such-model", "openai/gpt-5", "gpt-5-2", "openai/gpt-5-2 ", "", "no"],
)
def test_nothing_else_has_a_row(other: str) -> None:
    assert model_info(other) is None


def test_only_other_spellings_of_a_listed_id_are_near() -> None:
    assert nearest_model("gpt_5.2_pro") == "openai/gpt-5-2-pro"
    assert nearest_model("openai/gpt-5-3") is None
    assert nearest_model("acme/gpt-5-2") is None
