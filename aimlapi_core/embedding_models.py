"""Capabilities of the embedding models: one row per exact id, with sources and dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from aimlapi_core.models import CHECKED


@dataclass(frozen=True, slots=True)
class EmbeddingInfo:
    """One embedding model. `dimensions` is the default length of its vectors.

    `dimension_range`: the lengths that can be requested, None if it is fixed. `max_texts` and
    `max_tokens` are limits of one request. The service documents neither, so they are those of the
    upstream provider, from its own documents [U]; whether the service has lower ones is open.
    `max_item_chars` and `max_text_chars`: the longest text in an array, and alone.
    """

    id: str
    aliases: tuple[str, ...]
    dimensions: int
    context_window: int
    dimension_range: tuple[int, int] | None = None
    max_texts: int = 2_048
    max_tokens: int = 300_000
    max_item_chars: int | None = None
    max_text_chars: int | None = None
    base64: bool = False
    input_types: tuple[str, ...] = ()
    source: str = ""
    checked: str = CHECKED


# Limits of a request [U], seen 2026-11-23:
# OpenAI, 2,048 texts and 300,000 tokens (its OpenAPI file, in github.com/openai/openai-ruby
# embedding_create_params.rb);
# Alibaba, 10 texts of 8,192 tokens (alibabacloud.com/help/en/model-studio,
# text-embedding-synchronous-api);
# Voyage, 1,000 texts and 120,000 tokens, 320,000 for voyage-2 (docs.voyageai.com/reference/
# embeddings-api; models that it does not name have the smaller number);
# Google, 250 texts and 20,000 tokens (docs.langchain4j.dev VertexAiEmbeddingModel).
# The vendor's samples were made with OpenAI's SDK, which requests base64, so OpenAI's ids support
# it [D].
_OPENAI_BASE = EmbeddingInfo(
    id="text-embedding-3-small",
    aliases=("openai/text-embedding-3-small",),
    dimensions=1536,
    context_window=8_000,
    dimension_range=(1, 1536),
    base64=True,
    source="[D] text-embedding-3-small.json; limits of a request [U] OpenAI",
)
_QWEN_BASE = EmbeddingInfo(
    id="alibaba/qwen-text-embedding-v3",
    aliases=("qwen-text-embedding-v3", "alibaba/text-embedding-v3"),
    dimensions=1024,
    context_window=32_000,
    dimension_range=(64, 2560),  # "up to 2560" in the documents, 2048 elsewhere: the larger one
    max_texts=10,
    max_tokens=81_920,
    source="[D] qwen-text-embedding-v3.md; limits of a request [U] Alibaba",
)


def _voyage(
    name: str, dimensions: int, context_window: int, max_tokens: int = 120_000
) -> EmbeddingInfo:
    return EmbeddingInfo(
        id=name,
        aliases=(f"voyage/{name}",),
        dimensions=dimensions,
        context_window=context_window,
        max_texts=1_000,
        max_tokens=max_tokens,
        max_item_chars=800,
        max_text_chars=8_000,
        input_types=("document",),
        source=f"[D] {name}.md; limits of a request [U] Voyage",
    )


_EMBEDDINGS = (
    _OPENAI_BASE,
    replace(
        _OPENAI_BASE,
        id="text-embedding-3-large",
        aliases=("openai/text-embedding-3-large",),
        dimensions=3072,
        dimension_range=(1, 3072),
        source="[D] text-embedding-3-large.json; limits of a request [U] OpenAI",
    ),
    replace(
        _OPENAI_BASE,
        id="text-embedding-ada-002",
        aliases=("openai/text-embedding-ada-002",),
        dimension_range=None,
        source="[D] text-embedding-ada-002.json; limits of a request [U] OpenAI",
    ),
    _QWEN_BASE,
    replace(
        _QWEN_BASE,
        id="alibaba/qwen-text-embedding-v4",
        aliases=("qwen-text-embedding-v4", "alibaba/text-embedding-v4"),
        source="[D] qwen-text-embedding-v4.md; limits of a request [U] Alibaba",
    ),
    _voyage("voyage-2", 1024, 4_000, max_tokens=320_000),
    _voyage("voyage-code-2", 1536, 16_000),
    _voyage("voyage-finance-2", 1024, 32_000),
    _voyage("voyage-large-2", 1536, 16_000),
    _voyage("voyage-large-2-instruct", 1024, 16_000),
    _voyage("voyage-law-2", 1024, 16_000),
    _voyage("voyage-multilingual-2", 1024, 32_000),
    EmbeddingInfo(
        id="text-multilingual-embedding-002",
        aliases=("google/text-multilingual-embedding-002",),
        dimensions=768,
        context_window=2_000,
        dimension_range=(1, 768),
        max_texts=250,
        max_tokens=20_000,
        source="[D] text-multilingual-embedding-002.md; limits of a request [U] Google",
    ),
)
EMBEDDINGS: Mapping[str, EmbeddingInfo] = MappingProxyType({row.id: row for row in _EMBEDDINGS})
_EMBEDDING_BY_NAME = {name: row for row in _EMBEDDINGS for name in (row.id, *row.aliases)}


def embedding_info(model_id: str) -> EmbeddingInfo | None:
    """The row of this exact embedding id or alias; None for any other id."""
    return _EMBEDDING_BY_NAME.get(model_id)
