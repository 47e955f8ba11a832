"""Embedding models by name: ours, OpenAI's in both frameworks, and the limit.

The limit is raw httpx with JSON parsed by pydantic-core and base64 decoded by numpy: the least that
the vectors can cost as lists of floats.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import httpx
from pydantic_core import from_json

from benchmarks.subjects import KEY

Embed = Callable[[list[str]], list[list[float]]]
MODEL = "text-embedding-3-small"
_BATCH = 750  # about 300,000 tokens, the most that a request may hold


def raw(base: str) -> Embed:
    """Raw httpx, one request after the other."""
    numpy = import_module("numpy")
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    client = httpx.Client(headers=headers, timeout=60)

    def one(texts: list[str]) -> list[list[float]]:
        body = {"model": MODEL, "input": texts, "encoding_format": "base64"}
        answer = client.post(f"{base}/embeddings", content=json.dumps(body).encode())
        rows = from_json(answer.content)["data"]
        return [
            numpy.frombuffer(base64.b64decode(row["embedding"]), dtype="<f4").tolist()
            for row in rows
        ]

    def embed(texts: list[str]) -> list[list[float]]:
        batches = [texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH)]
        return [vector for batch in batches for vector in one(batch)]

    return embed


MODULES = {
    "embeddings limit": "numpy",
    "AIMLAPIEmbeddings": "langchain_aimlapi",
    "OpenAIEmbeddings": "langchain_openai",
    "AIMLAPIEmbedding": "llama_index_aimlapi",
    "OpenAIEmbedding": "llama_index.embeddings.openai",
}


def _langchain(name: str, **arguments: Any) -> Callable[[str], Embed]:
    def make(base: str) -> Embed:
        model = getattr(import_module(MODULES[name]), name)(
            model=MODEL, api_key=KEY, base_url=base, **arguments
        )
        embed: Embed = model.embed_documents
        return embed

    return make


def _llama_index(name: str) -> Callable[[str], Embed]:
    def make(base: str) -> Embed:
        made = getattr(import_module(MODULES[name]), name)
        model = made(model_name=MODEL, api_key=KEY, api_base=base)
        embed: Embed = model.get_text_embedding_batch
        return embed

    return make


MODELS: dict[str, Callable[[str], Embed]] = {
    "embeddings limit": raw,
    "AIMLAPIEmbeddings": _langchain("AIMLAPIEmbeddings"),
    # Its check of lengths needs tiktoken's tables, from the network.
    "OpenAIEmbeddings": _langchain("OpenAIEmbeddings", check_embedding_ctx_length=False),
    "AIMLAPIEmbedding": _llama_index("AIMLAPIEmbedding"),
    "OpenAIEmbedding": _llama_index("OpenAIEmbedding"),
}
