"""The GPT family beside GPT-5.2, by the ids and OpenAPI files of the vendor's documents.

Facts are read at https://docs.aimlapi.com, state 2026-08-21. Prices are of the size of OpenAI's;
the real ones are in the vendor's catalogue. A window that the documents do not say is 400,000.
"""

from __future__ import annotations

from dataclasses import replace

from aimlapi_emulator.catalog.chat_model_row import ChatModelRow
from aimlapi_emulator.catalog.features import (
    BOTH_PATHS,
    BUILTIN_TOOLS,
    CODEX_RESPONSES,
    EFFORTS,
    INPUT_MAX,
    INTERPRETER,
    LOGPROBS,
    OPENROUTER,
    RESPONSES_PATH,
    RESPONSES_WITH_SAMPLING,
    SAMPLING,
    VERSIONED_PATH,
    ChatFeatures,
    ResponsesFeatures,
)

_REASONING_CHAT = ChatFeatures(paths=BOTH_PATHS, params=frozenset({"n", "seed"}), efforts=EFFORTS)
_WITH_PROVIDER = replace(
    _REASONING_CHAT, params=frozenset({"n", "seed", "max_completion_tokens", "provider"})
)
_REASONING_RESPONSES = ResponsesFeatures(
    paths=RESPONSES_PATH,
    efforts=EFFORTS,
    reasoning_items=True,
    images=True,
    tools=BUILTIN_TOOLS | INTERPRETER,
)
_PRO_RESPONSES = ResponsesFeatures(
    paths=RESPONSES_PATH, images=True, tools=BUILTIN_TOOLS | INTERPRETER
)


def _gpt_5(name: str, in_usd: float, out_usd: float) -> ChatModelRow:
    return ChatModelRow(
        id=f"openai/{name}-2025-08-07",
        response_model_name=f"{name}-2025-08-07",
        in_usd_per_million=in_usd,
        out_usd_per_million=out_usd,
        default_effort="medium",
        context_length=400_000,
        output_max=128_000,
        input_max=INPUT_MAX,
        chat=_WITH_PROVIDER,
        responses=_REASONING_RESPONSES,
    )


def _on_openrouter(name: str, context: int, in_usd: float, out_usd: float) -> ChatModelRow:
    return ChatModelRow(
        id=f"openai/{name}",
        response_model_name=f"openai/{name}",
        in_usd_per_million=in_usd,
        out_usd_per_million=out_usd,
        default_effort="none",
        context_length=context,
        output_max=128_000,
        chat=OPENROUTER,
    )


def _pro(name: str, answers_as: str) -> ChatModelRow:
    return ChatModelRow(
        id=f"openai/{name}",
        response_model_name=answers_as,
        in_usd_per_million=39.0,
        out_usd_per_million=234.0,
        default_effort="medium",
        context_length=1_000_000,
        output_max=128_000,
        # Of 5.4 the OpenAPI file has no images, but the page on images lists it.
        responses=_PRO_RESPONSES,
    )


def _gpt_5_6(name: str, in_usd: float, out_usd: float) -> ChatModelRow:
    return ChatModelRow(
        id=f"openai/gpt-5.6-{name}",
        response_model_name=f"openai/gpt-5.6-{name}",
        in_usd_per_million=in_usd,
        out_usd_per_million=out_usd,
        default_effort="medium",
        context_length=1_050_000,
        output_max=128_000,
        chat=ChatFeatures(
            paths=VERSIONED_PATH,
            params=frozenset({"n", "seed", "provider", "normalize_tool_schemas"}),
            efforts=EFFORTS,
            newer_form=True,
        ),
    )


GPT_MODELS: tuple[ChatModelRow, ...] = (
    _gpt_5("gpt-5", 1.625, 13.0),
    _gpt_5("gpt-5-mini", 0.325, 2.6),
    _gpt_5("gpt-5-nano", 0.065, 0.52),
    ChatModelRow(
        id="openai/gpt-5-1",
        response_model_name="gpt-5.1-2025-11-13",
        in_usd_per_million=1.625,
        out_usd_per_million=13.0,
        default_effort="none",
        context_length=128_000,
        output_max=128_000,
        chat=ChatFeatures(
            paths=BOTH_PATHS,
            params=SAMPLING | LOGPROBS | {"n", "seed", "max_completion_tokens"},
            efforts=("none", *EFFORTS),  # the live specification alone lists "none"
        ),
        responses=RESPONSES_WITH_SAMPLING,
    ),
    ChatModelRow(
        id="openai/gpt-5-3-codex",
        response_model_name="gpt-5.3-codex",
        in_usd_per_million=2.275,
        out_usd_per_million=18.2,
        default_effort="medium",
        context_length=400_000,
        output_max=128_000,
        input_max=INPUT_MAX,
        responses=CODEX_RESPONSES,
    ),
    ChatModelRow(
        id="openai/gpt-5-4",
        response_model_name="gpt-5.4-2026-03-05",
        in_usd_per_million=3.25,
        out_usd_per_million=19.5,
        default_effort="none",
        context_length=1_000_000,
        output_max=128_000,
        # Images by the page on images; its OpenAPI file has none.
        responses=replace(RESPONSES_WITH_SAMPLING, images=True),
    ),
    _pro("gpt-5-4-pro", "gpt-5.4-pro-2026-03-05"),
    _on_openrouter("gpt-5.4-mini", 400_000, 0.975, 5.85),
    _on_openrouter("gpt-5.4-nano", 400_000, 0.26, 1.625),
    _on_openrouter("gpt-5.4-pro", 1_050_000, 39.0, 234.0),
    ChatModelRow(
        id="openai/gpt-5-5",
        response_model_name="gpt-5.5-2026-04-23",
        in_usd_per_million=6.5,
        out_usd_per_million=39.0,
        default_effort="medium",
        context_length=1_000_000,
        output_max=128_000,
        chat=_REASONING_CHAT,
        responses=_REASONING_RESPONSES,
    ),
    _pro("gpt-5-5-pro", "gpt-5.5-pro-2026-04-23"),
    _on_openrouter("gpt-5.5-pro", 400_000, 39.0, 234.0),
    _gpt_5_6("luna", 1.3, 7.8),
    _gpt_5_6("luna-pro", 13.0, 78.0),
    _gpt_5_6("sol", 6.5, 39.0),
    _gpt_5_6("sol-pro", 39.0, 234.0),
    _gpt_5_6("terra", 3.25, 19.5),
    _gpt_5_6("terra-pro", 26.0, 156.0),
    replace(
        _gpt_5("gpt-5", 1.625, 13.0),
        id="openai/gpt-latest",
        response_model_name="openai/gpt-latest",
        responses=ResponsesFeatures(),
    ),
)
