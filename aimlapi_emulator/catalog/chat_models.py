"""The GPT-5.2 rows that the emulator serves, by exact id or published alias.

Facts come from the vendor's OpenAPI files and catalogue pages (https://docs.aimlapi.com, read
2026-11) and, where said, from the newer live specification at
https://api.aimlapi.com/docs-yaml (read 2026-08-29). A prefix is never a match:
`openai/gpt-5-2-pro` (Responses only) and `openai/gpt-5.2-pro` (chat only) are different rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from aimlapi_emulator.catalog.features import (
    BUILTIN_TOOLS,
    LIVE_PARAMS,
    BuiltinTool,
    ChatFeatures,
    ChatParam,
    Effort,
    OpenRouterParam,
    ResponsesFeatures,
    check_words,
)

CREDITS_PER_USD = 2_000_000
_NO_CHAT = ChatFeatures()
_NO_RESPONSES = ResponsesFeatures()


@dataclass(frozen=True, slots=True)
class ChatModelRow:
    """One model: ids, prices, limits, and what each endpoint takes. A new model is one row."""

    id: str
    response_model_name: str
    """`model` in responses, which differs from the requested id."""
    aliases: tuple[str, ...]
    in_usd_per_million: float
    out_usd_per_million: float
    default_effort: Effort
    context_length: int
    output_max: int
    input_max: int | None = None
    """The most tokens of input; None: as many as the context holds."""
    developer: str = "Open AI"
    chat: ChatFeatures = _NO_CHAT
    responses: ResponsesFeatures = _NO_RESPONSES

    def __post_init__(self) -> None:
        check_words("default_effort", [self.default_effort], Effort)


# OpenAI's of GPT-5.x, by its refusal (cline#5474) and reports on 5.2 and 5.2-pro (coder/xum#1223,
# langchain#34419), seen 2026-11-29. That the service passes it on is likely, not proven.
_INPUT_MAX = 272_000

_VERSIONED = ("/v1/chat/completions",)
_BOTH = ("/v1/chat/completions", "/chat/completions")
_RESPONSES = ("/v1/responses",)
_EFFORTS: tuple[Effort, ...] = ("low", "medium", "high")
_SAMPLING: frozenset[ChatParam] = frozenset({"temperature", "top_p"})
_LOGPROBS: frozenset[ChatParam] = frozenset({"logprobs", "top_logprobs"})
_INTERPRETER: frozenset[BuiltinTool] = frozenset({"code_interpreter"})

_OPENROUTER = ChatFeatures(
    paths=_VERSIONED,
    params=frozenset(get_args(OpenRouterParam)),
    efforts=_EFFORTS,
    upstream="openrouter",
)

CHAT_MODELS: tuple[ChatModelRow, ...] = (
    ChatModelRow(
        id="openai/gpt-5-2",
        response_model_name="gpt-5.2-2025-12-11",
        aliases=("gpt-5.2-2025-12-11", "openai/gpt-5.2-2025-12-11"),
        in_usd_per_million=2.275,
        out_usd_per_million=18.2,
        default_effort="none",
        context_length=400_000,
        output_max=128_000,
        input_max=_INPUT_MAX,
        chat=ChatFeatures(
            paths=_BOTH,
            params=_SAMPLING | _LOGPROBS | {"n", "seed"},
            efforts=("none", *_EFFORTS),  # the live specification alone lists "none"
        ),
        responses=ResponsesFeatures(  # the live specification alone lists it there
            paths=_RESPONSES,
            params=frozenset({"temperature", "top_p"}),
            efforts=("none", *_EFFORTS),
            reasoning_items=True,
            tools=BUILTIN_TOOLS | _INTERPRETER,
        ),
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
            paths=_BOTH,
            params=frozenset({"n", "seed"}),
            # The live specification lists it: "only the provider default is supported".
            live_params=LIVE_PARAMS | {"temperature"},
        ),
        responses=ResponsesFeatures(  # the live specification alone lists it there
            paths=_RESPONSES,
            images=True,
            tools=BUILTIN_TOOLS | _INTERPRETER,
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
        input_max=_INPUT_MAX,
        responses=ResponsesFeatures(paths=_RESPONSES),
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
        input_max=_INPUT_MAX,
        responses=ResponsesFeatures(
            paths=_RESPONSES,
            efforts=_EFFORTS,
            reasoning_items=True,
            tools=BUILTIN_TOOLS | {"local_shell"},
        ),
    ),
    ChatModelRow(
        id="openai/gpt-5.2-chat",
        response_model_name="openai/gpt-5.2-chat",
        aliases=(),
        in_usd_per_million=2.275,
        out_usd_per_million=18.2,
        default_effort="none",
        context_length=128_000,
        output_max=16_384,
        chat=_OPENROUTER,
    ),
    ChatModelRow(
        id="openai/gpt-5.2-pro",
        response_model_name="openai/gpt-5.2-pro",
        aliases=(),
        in_usd_per_million=27.3,
        out_usd_per_million=218.4,
        default_effort="medium",
        context_length=400_000,
        output_max=128_000,
        input_max=_INPUT_MAX,
        chat=_OPENROUTER,
    ),
)

_BY_ID = {name: row for row in CHAT_MODELS for name in (row.id, *row.aliases)}


def find(model: str, path: str) -> ChatModelRow | None:
    """The row of `model` on `path`, or None, for which the service responds with a 404."""
    row = _BY_ID.get(model)
    served = row and path in (*row.chat.paths, *row.responses.paths)
    return row if served else None
