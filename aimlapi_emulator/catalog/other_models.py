"""Models of other developers, by the vendor's OpenAPI files, state 2026-08-21.

Prices are of the size of the developers'; the real ones are in the vendor's catalogue. Claude's
file is written in Anthropic's form, and that of `anthropic/claude-sonnet-5` in OpenAI's too; the
page on function calling lists Claude among the models that take OpenAI's tools. OpenAI's form is
taken here, with the members of the body of both. Mistral's window is not documented.
"""

from __future__ import annotations

from dataclasses import replace

from aimlapi_emulator.catalog.chat_model_row import ChatModelRow
from aimlapi_emulator.catalog.features import (
    BOTH_PATHS,
    EFFORTS,
    LOGPROBS,
    OPENROUTER,
    SAMPLING,
    VERSIONED_PATH,
    ChatFeatures,
    ChatParam,
)

_PENALTIES: frozenset[ChatParam] = frozenset(
    {"frequency_penalty", "presence_penalty", "repetition_penalty", "prediction"}
)

_ANTHROPIC: frozenset[ChatParam] = frozenset(
    {"top_k", "stop", "stop_sequences", "system", "metadata", "thinking"}
)
_GOOGLE: frozenset[ChatParam] = frozenset(
    {
        *("n", "seed", "stop", "max_completion_tokens", "normalize_tool_schemas"),
        *("frequency_penalty", "presence_penalty", "prediction"),
    }
)

_CLAUDE = ChatFeatures(
    paths=VERSIONED_PATH,
    params=SAMPLING | _ANTHROPIC,
    newer_form=True,
    response_format=False,
    upstream="anthropic",
)
_GEMINI = ChatFeatures(
    paths=VERSIONED_PATH,
    params=SAMPLING | _GOOGLE,
    efforts=EFFORTS,
    newer_form=True,
    developer_role=False,
    upstream="google",
)
_DEEPSEEK = ChatFeatures(
    paths=BOTH_PATHS,
    params=SAMPLING | LOGPROBS | _PENALTIES | {"seed", "stop", "echo", "min_p", "top_k"},
    efforts=EFFORTS,
    images=False,
    pdfs=False,
    newer_form=True,
    developer_role=False,
    upstream="deepseek",
)
_QWEN_MAX = ChatFeatures(
    paths=VERSIONED_PATH,
    params=SAMPLING
    | LOGPROBS
    | {"stop", "logit_bias", "max_completion_tokens", "normalize_tool_schemas"},
    efforts=EFFORTS,
    images=False,
    pdfs=False,
    newer_form=True,
    response_format=False,
    developer_role=False,
)
_QWEN_3_32B = ChatFeatures(
    paths=BOTH_PATHS,
    params=SAMPLING
    | LOGPROBS
    | _PENALTIES
    | {"seed", "stop", "max_completion_tokens", "enable_thinking", "thinking_budget"},
    images=False,
    pdfs=False,
    developer_role=False,
)
_LLAMA = ChatFeatures(
    paths=BOTH_PATHS,
    params=SAMPLING
    | LOGPROBS
    | _PENALTIES
    | {"n", "seed", "stop", "echo", "logit_bias", "min_p", "top_k"},
    images=False,
    pdfs=False,
    response_format=False,
)
_DEEPSEEK_R1 = ChatFeatures(
    paths=BOTH_PATHS,
    params=SAMPLING | _PENALTIES | {"n", "seed", "stop", "echo", "logit_bias", "min_p", "top_k"},
    images=False,
    response_format=False,
    upstream="deepseek",
)


def _row(
    name: str,
    answers_as: str,
    developer: str,
    context: int,
    usd: tuple[float, float],
    chat: ChatFeatures,
    aliases: tuple[str, ...] = (),
) -> ChatModelRow:
    return ChatModelRow(
        id=name,
        response_model_name=answers_as,
        aliases=aliases,
        in_usd_per_million=usd[0],
        out_usd_per_million=usd[1],
        default_effort="none",
        context_length=context,
        output_max=32_000,
        developer=developer,
        chat=chat,
    )


_D1_ROUTER = ChatModelRow(  # the vendor's page, commit 42154be3, sample of 2026-10-05
    id="liquid/d1-router",
    response_model_name="gpt-6-luna",
    in_usd_per_million=0.13,
    out_usd_per_million=0.65,
    default_effort="none",
    context_length=1_050_000,
    output_max=384_000,
    developer="Liquid AI",
    routed_to="openai/gpt-6-luna",
    chat=replace(OPENROUTER, upstream="openai", newer_form=True),
)

OTHER_MODELS: tuple[ChatModelRow, ...] = (
    _row(
        "anthropic/claude-sonnet-4.5",
        "claude-sonnet-4-5-20250929",
        "Anthropic",
        200_000,
        (3.9, 19.5),
        _CLAUDE,
        ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
    ),
    _row(
        "google/gemini-3-5-flash",
        "google/gemini-3.5-flash",
        "Google",
        1_000_000,
        (0.65, 3.9),
        _GEMINI,
    ),
    _row(
        "deepseek/deepseek-v4-flash",
        "deepseek-v4-flash",
        "DeepSeek",
        1_000_000,
        (0.182, 0.364),
        _DEEPSEEK,
    ),
    _row(
        "deepseek/deepseek-r1",
        "deepseek-reasoner",
        "DeepSeek",
        128_000,
        (0.715, 2.847),
        _DEEPSEEK_R1,
        ("deepseek-reasoner",),
    ),
    _row("alibaba/qwen3.7-max", "qwen3.7-max", "Alibaba Cloud", 1_000_000, (1.56, 7.8), _QWEN_MAX),
    _row("alibaba/qwen3-32b", "qwen3-32b", "Alibaba Cloud", 131_000, (0.21, 0.84), _QWEN_3_32B),
    _row(
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "Meta",
        128_000,
        (1.144, 1.144),
        _LLAMA,
    ),
    _row(
        "mistralai/mistral-large-2512",
        "mistralai/mistral-large-2512",
        "Mistral AI",
        262_144,
        (0.65, 1.95),
        OPENROUTER,
    ),
    _D1_ROUTER,
)
