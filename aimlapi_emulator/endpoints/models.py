"""GET /v1/models and /model/{id}: one entry per model and endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from aimlapi_emulator.catalog.chat_model_row import ChatModelRow
from aimlapi_emulator.catalog.chat_models import CHAT_MODELS
from aimlapi_emulator.catalog.deprecations import Deprecation, is_withdrawn
from aimlapi_emulator.catalog.embedding_models import EMBEDDING_MODELS, EmbeddingModelRow
from aimlapi_emulator.endpoints import error_bodies
from aimlapi_emulator.messages import APIError

_CHAT = "openai/chat-completions"
_RESPONSES = "openai/responses/submit"
_EMBEDDINGS = "openai/embeddings"


def _rows() -> Iterator[tuple[ChatModelRow | EmbeddingModelRow, str]]:
    for row in CHAT_MODELS:
        if row.chat.paths:
            yield row, _CHAT
        if row.responses.paths:
            yield row, _RESPONSES
    for embedding_model in EMBEDDING_MODELS:
        yield embedding_model, _EMBEDDINGS


def _price(direction: str, usd: float) -> dict[str, Any]:
    return {"name": "token", "measure": direction, "price": usd, "per": 1_000_000}


def _details(
    row: ChatModelRow | EmbeddingModelRow, kind: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(`info` members of this kind of row, members that a request has to include)."""
    if isinstance(row, EmbeddingModelRow):
        return {}, {
            "modalities": {"input": ["text"], "output": ["embedding"]},
            "capabilities": [],
            "pricing": [_price("input", row.usd_per_million)],
        }
    prices = (("input", row.in_usd_per_million), ("output", row.out_usd_per_million))
    takes = row.chat if kind == _CHAT else row.responses
    media = (("document", takes.pdfs), ("image", takes.images))
    inputs = ["text", *(name for name, is_taken in media if is_taken)]
    return {"outputMax": row.output_max}, {
        "modalities": {"input": inputs, "output": ["text"]},
        "capabilities": ["streaming", "tools", "structured_outputs"],
        "pricing": [_price(direction, usd) for direction, usd in prices],
    }


def _entry(row: ChatModelRow | EmbeddingModelRow, kind: str, include: set[str]) -> dict[str, Any]:
    info, extras = _details(row, kind)
    extras["pricing"] = {"kind": "fixed", "currency": "USD", "units": extras["pricing"]}
    return {
        "id": row.id,
        "aliases": list(row.aliases),
        "type": kind,
        "info": {
            "name": row.id.rpartition("/")[2],
            "description": "Emulated by rules; no model answers.",
            "contextLength": row.context_length,
            "developer": row.developer,
            **info,
        },
        "tags": [],
        **{name: extra for name, extra in extras.items() if include & {name, "all"}},
    }


def list_models(target: str, deprecations: Iterable[Deprecation] = ()) -> dict[str, Any]:
    """The models that match the query: `id` (or alias), `type`, `include`.

    Those that are withdrawn, or have a date of their end, are not listed.
    """
    gone = {
        name
        for row in deprecations
        if row.status == "withdrawn" or row.shutdown_at
        for name in (row.id, *row.aliases)
    }
    query = parse_qs(urlsplit(target).query)
    wanted = {part for value in query.get("id", ()) for part in value.split(",")}
    kind = query.get("type", [""])[0]
    include = {part for value in query.get("include", ()) for part in value.split(",")}
    if query.get("details", [""])[0] in ("true", "1"):
        include.add("all")
    rows = [
        _entry(row, name, include)
        for row, name in _rows()
        if (not wanted or wanted & {row.id, *row.aliases})
        and kind in ("", name)
        and row.id not in gone
    ]
    return {"object": "list", "data": rows}


def get_model(given: str, deprecations: Iterable[Deprecation] = ()) -> dict[str, Any]:
    """The entry of one model, by id or alias. Raises APIError if there is none."""
    name = unquote(given)
    for row, kind in _rows():
        if name in (row.id, *row.aliases) and not is_withdrawn(name, deprecations):
            return {"object": "model", "data": _entry(row, kind, {"all"})}
    raise APIError(404, error_bodies.MODEL_NOT_FOUND)
