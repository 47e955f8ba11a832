"""The chat models that the emulator serves, by exact id or published alias: GPT-5.2 first.

Facts come from the vendor's OpenAPI files and catalogue pages (https://docs.aimlapi.com, read
2026-11) and, where said, from the newer live specification at
https://api.aimlapi.com/docs-yaml (read 2026-08-29). A prefix is never a match:
`openai/gpt-5-2-pro` (Responses only) and `openai/gpt-5.2-pro` (chat only) are different rows.
"""

from __future__ import annotations

from aimlapi_emulator.catalog.chat_model_row import ChatModelRow
from aimlapi_emulator.catalog.features import (
    BOTH_PATHS,
    BUILTIN_TOOLS,
    CODEX_RESPONSES,
    EFFORTS,
    INPUT_MAX,
    INTERPRETER,
    LIVE_PARAMS,
    LOGPROBS,
    OPENROUTER,
    RESPONSES_PATH,
    RESPONSES_WITH_SAMPLING,
    SAMPLING,
    ChatFeatures,
    ResponsesFeatures,
)
from aimlapi_emulator.catalog.gpt_models import GPT_MODELS
from aimlapi_emulator.catalog.other_models import OTHER_MODELS

CREDITS_PER_USD = 2_000_000

_GPT_5_2 = (
    ChatModelRow(
        id="openai/gpt-5-2",
        response_model_name="gpt-5.2-2025-12-11",
        aliases=("gpt-5.2-2025-12-11", "openai/gpt-5.2-2025-12-11"),
        in_usd_per_million=2.275,
        out_usd_per_million=18.2,
        default_effort="none",
        context_length=400_000,
        output_max=128_000,
        input_max=INPUT_MAX,
        chat=ChatFeatures(
            paths=BOTH_PATHS,
            params=SAMPLING | LOGPROBS | {"n", "seed"},
            efforts=("none", *EFFORTS),  # the live specification alone lists "none"
        ),
        responses=RESPONSES_WITH_SAMPLING,  # the live specification alone lists it there
    ),
    ChatModelRow(
        id="openai/gpt-5-2-chat-latest",
        response_model_name="gpt-5.2-chat-latest",
        aliases=("gpt-5.2-chat-latest", "openai/gpt-5.2-chat-latest"),
        in_usd_per_million=2.275,
        out_usd_per_million=18.2,
        default_effort="none",
        context_length=128_000,
        output_max=16_000,
        chat=ChatFeatures(
            paths=BOTH_PATHS,
            params=frozenset({"n", "seed"}),
            # The live specification lists it: "only the provider default is supported".
            live_params=LIVE_PARAMS | {"temperature"},
        ),
        responses=ResponsesFeatures(  # the live specification alone lists it there
            paths=RESPONSES_PATH,
            images=True,
            tools=BUILTIN_TOOLS | INTERPRETER,
        ),
    ),
    ChatModelRow(
        id="openai/gpt-5-2-pro",
        response_model_name="gpt-5.2-pro-2025-12-11",
        aliases=("gpt-5.2-pro-2025-12-11", "openai/gpt-5.2-pro-2025-12-11"),
        in_usd_per_million=27.3,
        out_usd_per_million=218.4,
        default_effort="medium",
        context_length=400_000,
        output_max=128_000,
        input_max=INPUT_MAX,
        responses=ResponsesFeatures(paths=RESPONSES_PATH),
    ),
    ChatModelRow(
        id="openai/gpt-5-2-codex",
        response_model_name="gpt-5.2-codex",
        aliases=("gpt-5.2-codex", "openai/gpt-5.2-codex"),
        in_usd_per_million=4.55,
        out_usd_per_million=36.4,
        default_effort="medium",
        context_length=400_000,
        output_max=128_000,
        input_max=INPUT_MAX,
        responses=CODEX_RESPONSES,
    ),
    ChatModelRow(
        id="openai/gpt-5.2-chat",
        response_model_name="openai/gpt-5.2-chat",
        in_usd_per_million=2.275,
        out_usd_per_million=18.2,
        default_effort="none",
        context_length=128_000,
        output_max=16_384,
        chat=OPENROUTER,
    ),
    ChatModelRow(
        id="openai/gpt-5.2-pro",
        response_model_name="openai/gpt-5.2-pro",
        in_usd_per_million=27.3,
        out_usd_per_million=218.4,
        default_effort="medium",
        context_length=400_000,
        output_max=128_000,
        input_max=INPUT_MAX,
        chat=OPENROUTER,
    ),
)

CHAT_MODELS: tuple[ChatModelRow, ...] = (*_GPT_5_2, *GPT_MODELS, *OTHER_MODELS)
_BY_ID = {name: row for row in CHAT_MODELS for name in (row.id, *row.aliases)}


def find(model: str, path: str) -> ChatModelRow | None:
    """The row of `model` on `path`, or None, for which the service responds with a 404."""
    row = _BY_ID.get(model)
    served = row and path in (*row.chat.paths, *row.responses.paths)
    return row if served else None
