"""The feed of models that are being withdrawn, as the vendor's page describes it."""

from __future__ import annotations

from typing import Any

import pytest

from aimlapi_emulator import Deprecation, Emulator
from tests.emulator.asking import Asker

FEED = "/models/deprecations"


def ids(ask: Asker, query: str = "") -> list[str]:
    return [row["id"] for row in ask.client.get(f"{FEED}{query}").json()["data"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["openai/gpt-5.3-chat", "openai/gpt-5-codex", "aura-2-zeus-en"]),
        ("?status=withdrawn", ["openai/gpt-5.3-chat", "openai/gpt-5-codex"]),
        ("?status=SUPERSEDED", ["aura-2-zeus-en"]),
        ("?status=deprecated", []),
        (
            "?status=superseded,withdrawn",
            ["openai/gpt-5.3-chat", "openai/gpt-5-codex", "aura-2-zeus-en"],
        ),
        ("?status=superseded&status=deprecated", ["aura-2-zeus-en"]),
        ("?status=nonsense", ["openai/gpt-5.3-chat", "openai/gpt-5-codex", "aura-2-zeus-en"]),
        ("?since=2026-08-01", ["openai/gpt-5.3-chat"]),
        ("?since=yesterday", ["openai/gpt-5.3-chat", "openai/gpt-5-codex", "aura-2-zeus-en"]),
    ],
)
def test_filters_fail_open(query: str, found: list[str], ask: Asker) -> None:
    assert ids(ask, query) == found


def test_each_path_serves_the_same_data_without_a_key(emu: Emulator, ask: Asker) -> None:
    root = emu.base_url.removesuffix("/v1")
    bodies = []
    for place in ("/v1", "", "/api/v1"):
        for name in ("deprecations", "deprecated"):
            answer = ask.client.get(f"{root}{place}/models/{name}", headers={"authorization": ""})
            assert answer.status_code == 200
            bodies.append(answer.json()["data"])
    assert bodies == bodies[:1] * 6


def test_the_tag_is_of_the_data_alone(emu: Emulator, ask: Asker) -> None:
    first = ask.client.get(FEED)
    assert first.headers["etag"].startswith('W/"')
    assert first.headers["cache-control"] == "public, max-age=300"
    tag = {"if-none-match": first.headers["etag"]}
    again = ask.client.get(FEED, headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    emu.deprecations.append(Deprecation("acme/old"))
    assert ask.client.get(FEED, headers=tag).status_code == 200


@pytest.mark.parametrize(
    ("row", "code", "is_listed"),
    [
        (Deprecation("openai/gpt-5-2"), 404, False),
        (Deprecation("x", aliases=("openai/gpt-5-2",)), 404, False),
        (Deprecation("openai/gpt-5-2", status="deprecated"), 200, True),
        (Deprecation("openai/gpt-5-2", status="deprecated", shutdown_at="2027-01-01"), 200, False),
        (Deprecation("openai/gpt-5-2", status="superseded"), 200, True),
    ],
)
def test_what_a_row_does_to_its_model(
    row: Deprecation, code: int, is_listed: bool, emu: Emulator, ask: Asker
) -> None:
    emu.deprecations.append(row)
    assert ask.chat("Hello").status_code == code
    listed = ask.client.get("/models?id=openai/gpt-5-2").json()["data"]
    assert bool(listed) is is_listed
    found = ask.client.get(f"{emu.base_url.removesuffix('/v1')}/model/openai%2Fgpt-5-2")
    assert found.status_code == code
    emu.clear()
    assert ask.chat("Hello").status_code == 200


def test_a_status_that_nothing_acts_on_is_an_error() -> None:
    status: Any = "gone"
    with pytest.raises(ValueError, match="status: 'gone' is none of: deprecated"):
        Deprecation("x", status=status)
