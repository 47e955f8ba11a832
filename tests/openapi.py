"""Requests against the vendor's own OpenAPI files, which are no part of this project.

AIMLAPI_OPENAPI_DIR names a folder that holds them; each is used for the ids and the endpoint
that it describes. Its `nullable` is translated, and `oneOf` is read as `anyOf`: several of its
alternatives overlap, so that documented requests fit two of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from aimlapi_core import model_info

_FILES = {
    ("openai/gpt-5-2", "chat"): "gpt-5-2.json",
    ("openai/gpt-5-2-chat-latest", "chat"): "gpt-5-2-chat-latest.json",
    ("openai/gpt-5-2-pro", "responses"): "gpt-5-2-pro-RESPONSES.json",
    ("openai/gpt-5-2-codex", "responses"): "gpt-5-2-codex-RESPONSES.json",
    ("openai/gpt-5.2-chat", "chat"): "gpt-5.2-chat.json",
    ("openai/gpt-5.2-pro", "chat"): "gpt-5.2-pro.json",
}


def problems(folder: str, path: str, body: Any) -> Iterator[str]:
    """What the vendor's file says against a request; nothing where no file describes it."""
    info = model_info(body.get("model", "")) if isinstance(body, dict) else None
    endpoint = "responses" if path.endswith("/responses") else "chat"
    name = _FILES.get((info.id, endpoint)) if info else None
    if name is None:
        return
    schema, validator = _load(folder, name)
    if body.get("reasoning_effort") == "none":  # the live specification alone lists it
        body = {key: value for key, value in body.items() if key != "reasoning_effort"}
    for error in validator.iter_errors({**body, "model": schema["properties"]["model"]["enum"][0]}):
        yield f"{name} {error.json_path}: {error.message[:300]}"
    # The files let unknown members of the body pass; a client that sends one still errs.
    for key in sorted(set(body) - set(schema["properties"])):
        yield f"{name}: {key!r} is no member of the request"


@cache
def _load(folder: str, name: str) -> tuple[dict[str, Any], Any]:
    spec = json.loads((Path(folder) / name).read_text())
    operation = next(iter(spec["paths"].values()))["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    translated = _translated(schema)
    return translated, jsonschema.Draft202012Validator(translated)


def _translated(node: Any) -> Any:
    if isinstance(node, list):
        return [_translated(item) for item in node]
    if not isinstance(node, dict):
        return node
    out = {key: _translated(value) for key, value in node.items() if key != "nullable"}
    if "oneOf" in out:
        out["anyOf"] = [*out.pop("oneOf"), *out.get("anyOf", [])]
    return {"anyOf": [out, {"type": "null"}]} if node.get("nullable") is True else out
