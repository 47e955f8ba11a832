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
class Variant:
    """One row: how it is called, what it answers as, where it lives, what it costs."""

    id: str
    family: str
    """Key of the tables in `validation.chat` and `validation.responses`."""
    served: str
    """The model name in answers, which differs from the one asked for."""
    aliases: tuple[str, ...]
    chat_paths: tuple[str, ...]
    responses: bool
    in_usd_per_million: float
    out_usd_per_million: float
    default_effort: str
    context_length: int
    output_max: int


_VERSIONED = ("/v1/chat/completions",)
_BOTH = ("/v1/chat/completions", "/chat/completions")

VARIANTS: tuple[Variant, ...] = (
    Variant(
        id="openai/gpt-5-2",
        family="gpt-5-2",
        served="gpt-5.2-2025-12-11",
        aliases=("gpt-5.2-2025-12-11", "openai/gpt-5.2-2025-12-11"),
        chat_paths=_BOTH,
        responses=True,  # the live specification alone lists it there
        in_usd_per_million=2.275,
        out_usd_per_million=18.2,
        default_effort="none",
        context_length=400_000,
        output_max=128_000,
    ),
    Variant(
        id="openai/gpt-5-2-chat-latest",
        family="chat-latest",
        served="gpt-5.2-chat-latest",
        aliases=("gpt-5.2-chat-latest", "openai/gpt-5.2-chat-latest"),
        chat_paths=_BOTH,
        responses=True,  # the live specification alone lists it there
        in_usd_per_million=2.275,
        out_usd_per_million=18.2,
        default_effort="none",
        context_length=128_000,
        output_max=16_000,
    ),
    Variant(
        id="openai/gpt-5-2-pro",
        family="pro",
        served="gpt-5.2-pro-2025-12-11",
        aliases=("gpt-5.2-pro-2025-12-11", "openai/gpt-5.2-pro-2025-12-11"),
        chat_paths=(),
        responses=True,
        in_usd_per_million=27.3,
        out_usd_per_million=218.4,
        default_effort="medium",
        context_length=400_000,
        output_max=128_000,
    ),
    Variant(
        id="openai/gpt-5-2-codex",
        family="codex",
        served="gpt-5.2-codex",
        aliases=("gpt-5.2-codex", "openai/gpt-5.2-codex"),
        chat_paths=(),
        responses=True,
        in_usd_per_million=4.55,
        out_usd_per_million=36.4,
        default_effort="medium",
        context_length=400_000,
        output_max=128_000,
    ),
    Variant(
        id="openai/gpt-5.2-chat",
        family="dotted",
        served="openai/gpt-5.2-chat",
        aliases=(),
        chat_paths=_VERSIONED,
        responses=False,
        in_usd_per_million=2.275,
        out_usd_per_million=18.2,
        default_effort="none",
        context_length=128_000,
        output_max=16_384,
    ),
    Variant(
        id="openai/gpt-5.2-pro",
        family="dotted",
        served="openai/gpt-5.2-pro",
        aliases=(),
        chat_paths=_VERSIONED,
        responses=False,
        in_usd_per_million=27.3,
        out_usd_per_million=218.4,
        default_effort="medium",
        context_length=400_000,
        output_max=128_000,
    ),
)

_BY_ID = {name: row for row in VARIANTS for name in (row.id, *row.aliases)}


def find(model: str, path: str) -> Variant | None:
    """The row that answers `model` on `path`, or None, which the service answers with a 404."""
    row = _BY_ID.get(model)
    if row is None:
        return None
    if path.endswith("/responses"):
        return row if row.responses else None
    return row if path in row.chat_paths else None
