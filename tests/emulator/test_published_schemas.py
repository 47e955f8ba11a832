"""Answers against the vendor's own response schemas.

AIMLAPI_OPENAPI_DIR names a folder of its OpenAPI files (https://docs.aimlapi.com), which are not
part of this project.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.emulator.asking import (
    CHAT,
    CODEX,
    DOTTED,
    LATEST,
    PRO,
    STRING,
    Asker,
    events,
    flat_tool,
    refusal,
    tool,
)

DOTTED_PRO = "openai/gpt-5.2-pro"
EMBED = "text-embedding-3-small"
FOLDER = os.environ.get("AIMLAPI_OPENAPI_DIR")
pytestmark = pytest.mark.skipif(not FOLDER, reason="AIMLAPI_OPENAPI_DIR is not set")
FILES = {
    CHAT: "gpt-5-2.json",
    LATEST: "gpt-5-2-chat-latest.json",
    DOTTED: "gpt-5.2-chat.json",
    DOTTED_PRO: "gpt-5.2-pro.json",
    PRO: "gpt-5-2-pro-RESPONSES.json",
    CODEX: "gpt-5-2-codex-RESPONSES.json",
    EMBED: "text-embedding-3-small.json",
}


def _nullable(node: Any) -> Any:
    """The schema with OpenAPI's `nullable` in JSON Schema's words."""
    if isinstance(node, list):
        return [_nullable(one) for one in node]
    if not isinstance(node, dict):
        return node
    inner = {key: _nullable(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [inner, {"type": "null"}]} if node.get("nullable") is True else inner


def specification(model: str) -> Any:
    return json.loads((Path(str(FOLDER)) / FILES[model]).read_text())


def published_members(model: str) -> set[str]:
    operation = next(iter(specification(model)["paths"].values()))["post"]
    return set(operation["requestBody"]["content"]["application/json"]["schema"]["properties"])


def published(model: str, media: str) -> Any:
    spec = specification(model)
    operation = next(iter(spec["paths"].values()))["post"]
    schema = _nullable(operation["responses"]["200"]["content"][media]["schema"])
    return {**schema, "components": _nullable(spec.get("components"))}


@pytest.mark.parametrize("model", [CHAT, LATEST, DOTTED, DOTTED_PRO, PRO, CODEX])
def test_members_of_a_request(ask: Asker, model: str) -> None:
    """Of all members that any model's file has, those of its own alone are known."""
    every = set().union(*map(published_members, FILES))
    send = ask.responses if model in (PRO, CODEX) else ask.chat
    body = {name: ["wrong"] for name in every - {"input", "messages", "model"}}
    reasons = refusal(send("x", model=model, **body))
    unknown = {name for name, reason in reasons.items() if reason.startswith("Unrecognized")}
    assert set(body) - unknown == published_members(model) - {"input", "messages", "model"}


@pytest.mark.parametrize("model", [CHAT, LATEST, DOTTED])
def test_chat_answers(ask: Asker, model: str) -> None:
    schema = published(model, "application/json")
    jsonschema.validate(ask.chat("Hello", model=model).json(), schema)
    called = ask.chat("weather", model=model, tools=[tool("weather", city=STRING)]).json()
    # Beside calls the upstream answers null where the published schema says string.
    called["choices"][0]["message"]["content"] = ""
    jsonschema.validate(called, schema)


@pytest.mark.parametrize("model", [PRO, CODEX])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tools": [flat_tool("weather", city=STRING)]},
        {"tools": [{"type": "web_search_preview"}]},
        {"tools": [{"type": "mcp", "server_label": "a", "server_url": "http://127.0.0.1:1"}]},
    ],
)
def test_responses(ask: Asker, model: str, body: dict[str, Any]) -> None:
    said = "search for the weather in Paris"
    jsonschema.validate(
        ask.responses(said, model, **body).json(), published(model, "application/json")
    )
    schema = published(model, "text/event-stream")
    kinds = {
        option["properties"]["type"]["enum"][0]: option
        for option in schema.get("oneOf") or schema["anyOf"]
    }
    for event in events(ask.responses(said, model, stream=True, **body).text):
        jsonschema.validate(event, kinds[event["type"]])


def test_embeddings(ask: Asker) -> None:
    """Its `object` is `list`, as every published sample says; the schema says `object`."""
    answer = ask.client.post("/embeddings", json={"model": EMBED, "input": ["Hello"]}).json()
    assert answer.pop("object") == "list"
    schema = published(EMBED, "application/json")
    jsonschema.validate({**answer, "object": "object"}, schema)
