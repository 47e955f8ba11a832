"""The embedding rows that the emulator serves, by exact id or published alias.

Facts come from the vendor's OpenAPI files and embedding pages (https://docs.aimlapi.com, read
2026-11). Prices are of the size that the published samples' credits tell (5 tokens of
`text-embedding-3-large` cost 2 credits); the real ones are in the vendor's catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aimlapi_emulator.catalog.features import check_words

PATH = "/v1/embeddings"
EmbeddingFamily = Literal["openai", "qwen", "voyage", "google"]


@dataclass(frozen=True, slots=True)
class EmbeddingModelRow:
    """One model: ids, dimensions, limits and price. A new model is one row."""

    id: str
    family: EmbeddingFamily
    """Whose request schema it has."""
    developer: str
    """As `/v1/models` spells it."""
    response_model_name: str
    """`model` in responses."""
    aliases: tuple[str, ...]
    size: int
    """Dimensions of a vector when the request names none."""
    sizes: tuple[int, int] | None
    """Minimum and maximum of `dimensions`; None if the model does not take it."""
    context_length: int
    usd_per_million: float
    is_in_table: bool = True
    """Whether anything is known of it; False for a row of `any_model`."""

    def __post_init__(self) -> None:
        check_words("family", [self.family], EmbeddingFamily)


def _openai(name: str, answers_as: str, size: int, takes: bool, price: float) -> EmbeddingModelRow:
    sizes = (1, size) if takes else None
    return EmbeddingModelRow(
        f"openai/{name}", "openai", "Open AI", answers_as, (name,), size, sizes, 8192, price
    )


def _qwen(version: str) -> EmbeddingModelRow:
    name, short = f"qwen-text-embedding-{version}", f"text-embedding-{version}"
    # The published sample of v4 says `text-embedding-v3` too.
    return EmbeddingModelRow(
        id=f"alibaba/{name}",
        family="qwen",
        developer="Alibaba Cloud",
        response_model_name="text-embedding-v3",
        aliases=(name, f"alibaba/{short}", short),
        size=1024,
        sizes=(64, 2048),
        context_length=32_000,
        usd_per_million=0.091,
    )


def _voyage(kind: str, size: int, context_length: int) -> EmbeddingModelRow:
    name = f"voyage-{kind}"
    return EmbeddingModelRow(
        name, "voyage", "Anthropic", name, (f"voyage/{name}",), size, None, context_length, 0.156
    )


EMBEDDING_MODELS: tuple[EmbeddingModelRow, ...] = (
    _openai("text-embedding-3-small", "text-embedding-3-small", 1536, True, 0.026),
    _openai("text-embedding-3-large", "text-embedding-3-large", 3072, True, 0.169),
    _openai("text-embedding-ada-002", "text-embedding-ada-002-v2", 1536, False, 0.13),
    _qwen("v3"),
    _qwen("v4"),
    _voyage("2", 1024, 4_000),
    _voyage("code-2", 1536, 16_000),
    _voyage("finance-2", 1024, 32_000),
    _voyage("large-2", 1536, 16_000),
    _voyage("large-2-instruct", 1024, 16_000),
    _voyage("law-2", 1024, 16_000),
    _voyage("multilingual-2", 1024, 32_000),
    EmbeddingModelRow(
        id="google/text-multilingual-embedding-002",
        family="google",
        developer="Google",
        response_model_name="text-multilingual-embedding-002",
        aliases=("text-multilingual-embedding-002",),
        size=768,
        sizes=(1, 768),
        context_length=2_048,
        usd_per_million=0.0325,
    ),
)

_BY_ID = {name: row for row in EMBEDDING_MODELS for name in (row.id, *row.aliases)}


def find_embedding_model(model: str) -> EmbeddingModelRow | None:
    """The row of `model`, or None, for which the service responds with a 404."""
    return _BY_ID.get(model)
