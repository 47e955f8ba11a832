"""`python -m scripts.models`: the catalogue from the vendor's documents and from the service."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from aimlapi_core import CatalogModel
from aimlapi_core.models.catalogue import PATH
from aimlapi_emulator import Emulator
from scripts.models import (
    IMAGES_PAGE,
    LIST,
    SPECIFICATIONS,
    TOOLS_PAGE,
    Catalogue,
    Model,
    Schema,
    changes,
    from_docs,
    loads,
    main,
    with_live,
)

TABLE = """### Text Models (LLM)

<table><tbody><tr><td><a href="x.md">acme/both<br>acme/alias</a></td><td>Acme</td><td>400,000</td>
<td>-</td></tr><tr><td>acme/chat</td><td>Acme</td><td></td><td>-</td></tr></tbody></table>

### Video Models

<tr><td>acme/chat</td><td>Acme</td><td>7</td><td>-</td></tr>
"""


def spec(path: str, ids: list[str], **members: Any) -> str:
    """An OpenAPI file of one operation, in the vendor's form."""
    properties = {"model": {"enum": ids}, **members}
    schema = {"type": "object", "properties": properties}
    body = {"content": {"application/json": {"schema": schema}}}
    return json.dumps({"paths": {path: {"post": {"requestBody": body}}}})


def part(kind: str) -> dict[str, Any]:
    return {"type": "object", "properties": {"type": {"enum": [kind]}}}


def messages(*kinds: str) -> dict[str, Any]:
    content = {"anyOf": [{"type": "string"}, {"items": {"oneOf": [part(kind) for kind in kinds]}}]}
    return {"items": {"oneOf": [{"properties": {"content": content}}]}}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    files = {
        SPECIFICATIONS / "Acme/both.json": spec(
            "/v1/chat/completions",
            ["acme/both", "acme/alias"],
            messages=messages("text", "image_url", "file"),
            max_tokens={},
            tools={},
            logit_bias={},
            reasoning_effort={"enum": ["low", "high"]},
        ),
        SPECIFICATIONS / "Acme/both-RESPONSES.json": spec(
            "/v1/responses",
            ["acme/both"],
            input=messages("input_text", "image"),
            max_output_tokens={},
            reasoning={"properties": {"effort": {"enum": ["low"]}}},
        ),
        SPECIFICATIONS / "Acme/chat.json": spec("/chat/completions", ["acme/chat"], max_tokens={}),
        SPECIFICATIONS / "Acme/chat_BACKUP.json": spec("/chat/completions", ["acme/chat"], n={}),
        SPECIFICATIONS / "Acme/claude-MESSAGES.json": spec("/v1/messages", ["acme/other"]),
        LIST: TABLE,
        TOOLS_PAGE: "# Tools\n\n* [acme/chat](chat.md)\n",
        IMAGES_PAGE: "* [acme/chat](chat.md)\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "Documents"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    return tmp_path


BOTH = Model(
    (
        Schema("chat", ("max_tokens", "reasoning_effort", "tools"), True, True, ("low", "high")),
        # An image in a tool's output is no part of a message.
        Schema("responses", ("max_output_tokens", "reasoning"), False, False, ("low",)),
    ),
    ("Acme/both", "Acme/both-RESPONSES"),
    400_000,
)


def test_the_facts_are_those_of_the_documents(checkout: Path) -> None:
    found = from_docs(checkout)
    assert found.models == {
        "acme/both": BOTH,
        "acme/alias": Model(BOTH.schemas[:1], ("Acme/both",), 400_000),
        "acme/chat": Model(  # the first of two files, and what the two pages list
            (Schema("chat", ("max_tokens", "tool_choice", "tools"), True),), ("Acme/chat",)
        ),
    }
    assert found.source.startswith("aimlapi/api-docs at ")


def test_what_is_written_is_read_again(checkout: Path) -> None:
    found = from_docs(checkout)
    assert loads(found.dumps()) == found


def test_the_file_of_the_package_is_as_it_would_be_written() -> None:
    text = PATH.read_text("utf-8")
    assert loads(text).dumps() == text


def test_the_command_prints_what_changed(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "catalogue.json"
    gone = Model((Schema("chat", ("n",)),), ("Acme/gone",))
    before = {"acme/gone": gone, "acme/chat": Model((Schema("chat", ("n",)),), ("x",), 7)}
    file.write_text(Catalogue("old", "2026-01-01", before).dumps(), encoding="utf-8")
    assert main(["--docs", str(checkout), "--file", str(file)]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert lines == [
        "+ acme/alias: chat (3 fields, images, PDFs, efforts low/high), context 400000, "
        "output None",
        "+ acme/both: chat (3 fields, images, PDFs, efforts low/high), "
        "responses (2 fields, efforts low), context 400000, output None",
        "- acme/gone",
        "  acme/chat: chat (1 fields), context 7, output None -> "
        "chat (3 fields, images), context None, output None",
    ]
    assert "3 models, aimlapi/api-docs at" in last
    assert loads(file.read_text("utf-8")).models["acme/both"] == BOTH


def test_the_service_adds_models_endpoints_and_sizes() -> None:
    rows = [
        CatalogModel(
            id="acme/new",
            aliases=("new",),
            endpoint_type="openai/responses/submit",
            context_window=9,
            max_output_tokens=3,
            raw={"modalities": {"input": ["text", "image", "document"]}},
        ),
        CatalogModel("acme/chat", (), "openai/responses/submit", context_window=8, raw={}),
        CatalogModel("acme/vectors", (), "openai/embeddings", raw={}),
    ]
    chat = Schema("chat", ("n",))
    old = Catalogue("docs; GET /v1/models", "d", {"acme/chat": Model((chat,), ("Acme/chat",), 7)})
    new = with_live(old, rows, "2026-12-01")
    added = Model((Schema("responses", None, True, True),), ("live",), 9, 3)
    assert new.models == {
        "acme/chat": Model((chat, Schema("responses")), ("Acme/chat", "live"), 8),
        "acme/new": added,
        "new": added,
    }
    assert (new.source, new.date) == ("docs; GET /v1/models", "2026-12-01")
    assert loads(new.dumps()) == new
    assert len(list(changes(old, new))) == 3


def test_the_command_asks_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "catalogue.json"
    monkeypatch.setenv("AIMLAPI_API_KEY", "sk-test")
    with Emulator() as emu:
        monkeypatch.setenv("AIMLAPI_BASE_URL", emu.base_url)
        assert main(["--live", "--file", str(file)]) == 0
    written = loads(file.read_text("utf-8"))
    model = written.models["openai/gpt-5-4"]
    assert [schema.endpoint for schema in model.schemas] == ["responses"]
    assert (model.context, model.output) == (1_000_000, 128_000)
    assert "+ openai/gpt-5-4: responses" in capsys.readouterr().out


@pytest.mark.parametrize("has_pages", [True, False])
def test_a_folder_without_documents_is_named(tmp_path: Path, has_pages: bool) -> None:
    for page in (LIST, TOOLS_PAGE, IMAGES_PAGE) if has_pages else ():
        path = tmp_path / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with pytest.raises(SystemExit, match="give a checkout of https://"):
        from_docs(tmp_path)
