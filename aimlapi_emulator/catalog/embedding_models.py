"""The embedding rows that the emulator serves, by exact id or published alias.

Facts come from the vendor's OpenAPI files and embedding pages (https://docs.aimlapi.com, read
2026-11). Prices are of the size that the published samples' credits tell (5 tokens of
`text-embedding-3-large` cost 2 credits); the real ones stand in the vendor's catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

PATH = "/v1/embeddings"


@dataclass(frozen=True, slots=True)
class Embedder:
    """One row: how it is called, what it answers as, what it takes, what it costs."""

    id: str
    family: str
    """Whose rules it has: openai, qwen, voyage or google."""
    served: str
    """The model name in answers."""
    aliases: tuple[str, ...]
    size: int
    """Dimensions of a vector when the request names none."""
    sizes: tuple[int, int] | None
    """The least and the most that `dimensions` may be; None when it may not be sent."""
    context_length: int
    usd_per_million: float


def _openai(name: str, served: str, size: int, takes: bool, price: float) -> Embedder:
    sizes = (1, size) if takes else None
    return Embedder(f"openai/{name}", "openai", served, (name,), size, sizes, 8192, price)


def _qwen(version: str) -> Embedder:
    name, short = f"qwen-text-embedding-{version}", f"text-embedding-{version}"
    # The published sample of v4 says `text-embedding-v3` too.
    return Embedder(
        id=f"alibaba/{name}",
        family="qwen",
        served="text-embedding-v3",
        aliases=(name, f"alibaba/{short}", short),
        size=1024,
        sizes=(64, 2048),
        context_length=32_000,
        usd_per_million=0.091,
    )


def _voyage(kind: str, size: int, context_length: int) -> Embedder:
    name = f"voyage-{kind}"
    return Embedder(name, "voyage", name, (f"voyage/{name}",), size, None, context_length, 0.156)


EMBEDDERS: tuple[Embedder, ...] = (
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
    Embedder(
        id="google/text-multilingual-embedding-002",
        family="google",
        served="text-multilingual-embedding-002",
        aliases=("text-multilingual-embedding-002",),
        size=768,
        sizes=(1, 768),
        context_length=2_048,
        usd_per_million=0.0325,
    ),
)

_BY_ID = {name: row for row in EMBEDDERS for name in (row.id, *row.aliases)}


def find_embedder(model: str) -> Embedder | None:
    """The row that embeds as `model`, or None, which the service answers with a 404."""
    return _BY_ID.get(model)
