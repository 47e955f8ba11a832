"""The GPT-5.2 rows that the emulator serves, by exact id or published alias.

Facts come from the vendor's OpenAPI files and catalogue pages (https://docs.aimlapi.com, read
2026-11) and, where said, from the newer live specification at
https://api.aimlapi.com/docs-yaml (read 2026-08-29). A prefix is never a match:
`openai/gpt-5-2-pro` (Responses only) and `openai/gpt-5.2-pro` (chat only) are different rows.
"""

from __future__ import annotations

from dataclasses import dataclass

CREDITS_PER_USD = 2_000_000


@dataclass(frozen=True, slots=True)
class ChatModelRow:
    """One model: ids, endpoints, prices and limits. A new model is one row."""

    id: str
    family: str
    """Key of the tables in `validation.chat` and `validation.responses`."""
    response_model_name: str
    """`model` in responses, which differs from the requested id."""
    aliases: tuple[str, ...]
    chat_paths: tuple[str, ...]
    responses: bool
    in_usd_per_million: float
    out_usd_per_million: float
    default_effort: str
    context_length: int
    output_max: int
    input_max: int | None = None
    """The most tokens of input; None: as many as the context holds."""
    developer: str = "Open AI"


# OpenAI's of GPT-5.x, by its refusal (cline#5474) and reports on 5.2 and 5.2-pro (coder/xum#1223,
# langchain#34419), seen 2026-11-29. That the service passes it on is likely, not proven.
_INPUT_MAX = 272_000

_VERSIONED = ("/v1/chat/completions",)
_BOTH = ("/v1/chat/completions", "/chat/completions")

CHAT_MODELS: tuple[ChatModelRow, ...] = (
    ChatModelRow(
        id="openai/gpt-5-2",
        family="gpt-5-2",
        response_model_name="gpt-5.2-2025-12-11",
        aliases=("gpt-5.2-2025-12-11", "openai/gpt-5.2-2025-12-11"),
        chat_paths=_BOTH,
        responses=True,  # the live specification alone lists it there
        in_usd_per_million=2.275,
        out_usd_per_million=18.2,
        default_effort="none",
        context_length=400_000,
        output_max=128_000,
        input_max=_INPUT_MAX,
    ),
    ChatModelRow(
        id="openai/gpt-5-2-chat-latest",
        family="chat-latest",
        response_model_name="gpt-5.2-chat-latest",
        aliases=("gpt-5.2-chat-latest", "openai/gpt-5.2-chat-latest"),
        chat_paths=_BOTH,
        responses=True,  # the live specification alone lists it there
        in_usd_per_million=2.275,
        out_usd_per_million=18.2,
        default_effort="none",
        context_length=128_000,
        output_max=16_000,
    ),
    ChatModelRow(
        id="openai/gpt-5-2-pro",
        family="pro",
        response_model_name="gpt-5.2-pro-2025-12-11",
        aliases=("gpt-5.2-pro-2025-12-11", "openai/gpt-5.2-pro-2025-12-11"),
        chat_paths=(),
        responses=True,
        in_usd_per_million=27.3,
        out_usd_per_million=218.4,
        default_effort="medium",
        context_length=400_000,
        output_max=128_000,
        input_max=_INPUT_MAX,
    ),
    ChatModelRow(
        id="openai/gpt-5-2-codex",
        family="codex",
        response_model_name="gpt-5.2-codex",
        aliases=("gpt-5.2-codex", "openai/gpt-5.2-codex"),
        chat_paths=(),
        responses=True,
        in_usd_per_million=4.55,
        out_usd_per_million=36.4,
        default_effort="medium",
        context_length=400_000,
        output_max=128_000,
        input_max=_INPUT_MAX,
    ),
    ChatModelRow(
        id="openai/gpt-5.2-chat",
        family="dotted",
        response_model_name="openai/gpt-5.2-chat",
        aliases=(),
        chat_paths=_VERSIONED,
        responses=False,
        in_usd_per_million=2.275,
        out_usd_per_million=18.2,
        default_effort="none",
        context_length=128_000,
        output_max=16_384,
    ),
    ChatModelRow(
        id="openai/gpt-5.2-pro",
        family="dotted",
        response_model_name="openai/gpt-5.2-pro",
        aliases=(),
        chat_paths=_VERSIONED,
        responses=False,
        in_usd_per_million=27.3,
        out_usd_per_million=218.4,
        default_effort="medium",
        context_length=400_000,
        output_max=128_000,
        input_max=_INPUT_MAX,
    ),
)

_BY_ID = {name: row for row in CHAT_MODELS for name in (row.id, *row.aliases)}


def find(model: str, path: str) -> ChatModelRow | None:
    """The row of `model` on `path`, or None, for which the service responds with a 404."""
    row = _BY_ID.get(model)
    if row is None:
        return None
    if path.endswith("/responses"):
        return row if row.responses else None
    return row if path in row.chat_paths else None
