"""GET /v1/models: one row per model and endpoint, as the service lists them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .models import VARIANTS, Variant

_CHAT = "openai/chat-completions"
_RESPONSES = "openai/responses/submit"


def _rows() -> Iterator[tuple[Variant, str]]:
    for row in VARIANTS:
        if row.chat_paths:
            yield row, _CHAT
        if row.responses:
            yield row, _RESPONSES


def _entry(row: Variant, kind: str, include: set[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": row.id,
        "aliases": list(row.aliases),
        "type": kind,
        "info": {
            "name": row.id.removeprefix("openai/"),
            "developer": "Open AI",
            "description": "Emulated by rules; no model answers.",
            "contextLength": row.context_length,
            "outputMax": row.output_max,
        },
        "tags": [],
    }
    if include & {"modalities", "all"}:
        entry["modalities"] = {"input": ["text", "document"], "output": ["text"]}
        if kind == _CHAT:
            entry["modalities"]["input"].append("image")
    if include & {"capabilities", "all"}:
        entry["capabilities"] = ["streaming", "tools", "structured_outputs"]
    if include & {"pricing", "all"}:
        prices = (("input", row.in_usd_per_million), ("output", row.out_usd_per_million))
        units = [
            {
                "name": f"{way}_tokens",
                "measure": way,
                "output": way == "output",
                "price": price,
                "per": 1_000_000,
            }
            for way, price in prices
        ]
        entry["pricing"] = {"kind": "fixed", "currency": "USD", "units": units}
    return entry


def catalogue(target: str) -> dict[str, Any]:
    """The list that a request's query asks for: `id` (or alias), `type`, `include`."""
    query = parse_qs(urlsplit(target).query)
    wanted = query.get("id", [""])[0]
    kind = query.get("type", [""])[0]
    include = {part for value in query.get("include", ()) for part in value.split(",")}
    rows = [
        _entry(row, name, include)
        for row, name in _rows()
        if wanted in ("", row.id, *row.aliases) and kind in ("", name)
    ]
    return {"object": "list", "data": rows}
