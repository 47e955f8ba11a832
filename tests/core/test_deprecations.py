"""Models that are being withdrawn: the feed, and what errors, doctor and command make of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from aimlapi_core import (
    AsyncClient,
    ChatRequest,
    Client,
    Deprecation,
    EmbeddingRequest,
    Message,
    NotFoundError,
    Settings,
    Text,
    UnexpectedReplyError,
)
from aimlapi_core.__main__ import main
from aimlapi_core._io.doctor import run_checks
from aimlapi_core.models import deprecations
from aimlapi_core.models.deprecations import find_deprecation, parse_deprecations
from aimlapi_emulator import Deprecation as Withdrawn
from aimlapi_emulator import Emulator, Fault

GONE = "openai/gpt-5.3-chat"  # of the feed's published sample
# The feed has the service's own id, the documents another spelling.
REPLACED = (
    "withdrawn on 2026-08-10, replaced by 'openai/gpt-5.3-codex' "
    "(documented as 'openai/gpt-5-3-codex')"
)


@pytest.fixture
def emu() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    deprecations._known.clear()
    yield
    deprecations._known.clear()


@pytest.fixture(params=["sync", "async"])
def how(request: pytest.FixtureRequest) -> Any:
    return request.param


def settings(emu: Emulator, **given: Any) -> Settings:
    return Settings(**{"base_url": emu.base_url, "api_key": "sk-test", "max_retries": 0, **given})


def read(how: str, setup: Settings, times: int = 1) -> tuple[Deprecation, ...]:
    if how == "sync":
        with Client(setup) as client:
            return [client.deprecations() for _ in range(times)][-1]

    async def read_async() -> tuple[Deprecation, ...]:
        async with AsyncClient(setup) as client:
            return [await client.deprecations() for _ in range(times)][-1]

    return asyncio.run(read_async())


def ask(emu: Emulator, model: str) -> None:
    with Client(settings(emu)) as client:
        client.complete(ChatRequest(model, (Message("user", (Text("Hello"),)),)))


def test_the_feed_needs_no_key(how: str, emu: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AIMLAPI_API_KEY", "AIML_API_KEY", "AIMLAPI_KEY"):
        monkeypatch.delenv(name, raising=False)
    entries = read(how, settings(emu, api_key=None))
    assert [entry.status for entry in entries] == ["withdrawn", "withdrawn", "superseded"]
    first = entries[0]
    assert (first.id, first.aliases) == (GONE, ("gpt-5.3-chat",))
    assert first.shutdown_at == first.deprecated_at == date(2026, 8, 10)
    assert (first.replaced_by, first.reason) == ("openai/gpt-5.3-codex", "provider_delisted")
    assert first.is_withdrawn
    assert first.raw["status"] == "withdrawn"


def test_no_key_is_sent(how: str, emu: Emulator) -> None:
    read(how, settings(emu))
    (request,) = emu.requests
    assert "authorization" not in request.headers


def test_a_feed_that_did_not_change_is_not_sent_again(how: str, emu: Emulator) -> None:
    """The second reading is a 304 without a body, by the weak ETag."""
    twice = read(how, settings(emu), times=2)
    first, second = emu.requests
    assert "if-none-match" not in first.headers
    assert second.headers["if-none-match"].startswith("W/")
    assert twice == read(how, settings(emu))


@pytest.mark.parametrize("model", [GONE, "gpt-5.3-chat"])
def test_a_404_names_the_replacement_where_the_feed_was_read(model: str, emu: Emulator) -> None:
    """By id or alias; no other endpoint is advised, and no request is made for it."""
    read("sync", settings(emu))
    emu.clear()
    with pytest.raises(NotFoundError) as caught:
        ask(emu, model)
    assert REPLACED in str(caught.value)
    assert "endpoint=" not in str(caught.value)
    assert len(emu.requests) == 1


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        ("openai/gpt-5-2-codex", "openai/gpt-5.2-codex"),  # the row's alias
        ("openai/gpt-5.3-codex", "openai/gpt-5-3-codex"),  # the service's spelling, the documents'
        (GONE, "OpenAI/gpt-5.3-chat "),
        ("openai/gpt-5-2", "openai/gpt-5.2-2025-12-11"),
    ],
)
def test_a_404_names_the_replacement_whichever_spelling_is_asked(
    listed: str, asked: str, emu: Emulator
) -> None:
    emu.deprecations[:] = [Withdrawn(listed, aliases=(asked,), replaced_by="openai/gpt-5-5")]
    entry = Deprecation(listed, (), "withdrawn", replaced_by="openai/gpt-5-5")
    deprecations.remember_deprecations(settings(emu).resolved_base_url(), (entry,))
    with pytest.raises(NotFoundError, match="is withdrawn, replaced by 'openai/gpt-5-5'"):
        ask(emu, asked)


def test_two_models_of_like_ids_are_not_taken_for_each_other() -> None:
    entry = Deprecation("openai/gpt-5-2-pro", (), "withdrawn")
    assert find_deprecation("openai/gpt-5-2-pro", [entry]) is entry
    assert find_deprecation("openai/gpt-5.2-pro", [entry]) is None
    dated = Deprecation("openai/gpt-5.2-2025-12-11", (), "withdrawn")
    assert find_deprecation("openai/gpt-5-2", [dated]) is None


@pytest.mark.parametrize(
    ("status", "end", "says", "other_endpoint"),
    [
        ("deprecated", date(2020, 1, 1), "that model is deprecated.*down on 2020", False),
        ("deprecated", date(2999, 1, 1), "That model is deprecated.*shut down on 2999", True),
        ("superseded", None, "That model is superseded", True),
    ],
)
def test_a_404_after_an_early_reading_of_the_feed_names_the_replacement(
    status: str, end: date | None, says: str, other_endpoint: bool, emu: Emulator
) -> None:
    """A process that runs on past the announced end read the feed before it."""
    entry = Deprecation("openai/gpt-5-2", (), status, shutdown_at=end, replaced_by="openai/gpt-5-5")
    deprecations.remember_deprecations(settings(emu).resolved_base_url(), (entry,))
    emu.faults.append(Fault(status=404))
    with pytest.raises(NotFoundError, match=f"{says}.*replaced by 'openai/gpt-5-5'") as caught:
        ask(emu, "openai/gpt-5-2")
    assert ("endpoint=" in str(caught.value)) is other_endpoint


def test_a_404_says_who_knows_where_the_feed_was_not_read(emu: Emulator) -> None:
    with pytest.raises(NotFoundError) as caught:
        ask(emu, GONE)
    assert f"`python -m aimlapi_core deprecations {GONE}`" in str(caught.value)
    assert "replaced" not in str(caught.value)
    assert "endpoint=" not in str(caught.value)
    assert len(emu.requests) == 1


def test_the_feed_of_another_address_says_nothing(emu: Emulator) -> None:
    with Emulator() as other:
        read("sync", settings(other))
    with pytest.raises(NotFoundError) as caught:
        ask(emu, GONE)
    assert "replaced" not in str(caught.value)


def test_a_deprecated_model_answers(emu: Emulator) -> None:
    emu.deprecations.append(Withdrawn("openai/gpt-5-2", status="deprecated"))
    read("sync", settings(emu))
    ask(emu, "openai/gpt-5-2")


def test_embeddings_name_the_replacement_too(emu: Emulator) -> None:
    emu.deprecations.append(
        Withdrawn("text-embedding-3-small", replaced_by="text-embedding-3-large")
    )
    read("sync", settings(emu))
    with (
        Client(settings(emu)) as client,
        pytest.raises(NotFoundError, match="replaced by 'text-embedding-3-large'"),
    ):
        client.embed(EmbeddingRequest("text-embedding-3-small", ("a",)))


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"status": "withdrawn"}, "withdrawn, no replacement"),
        (
            {"status": "deprecated", "shutdown_at": "2027-01-01", "replaced_by": "b"},
            "deprecated, to be shut down on 2027-01-01, replaced by 'b'",
        ),
        (
            {"status": "superseded", "deprecated_at": "2026-06-26", "replaced_by": "b"},
            "superseded on 2026-06-26, replaced by 'b'",
        ),
        ({"status": "new\nword", "deprecated_at": 7, "aliases": None}, "new word, no replacement"),
        ({}, "deprecated, no replacement"),
        ({"replaced_by": "x" * 500}, f"deprecated, replaced by '{'x' * 99}…'"),
    ],
)
def test_what_an_entry_says(row: dict[str, Any], says: str) -> None:
    (entry,) = parse_deprecations({"data": [{"id": "a", **row}, "odd", {"id": None}]})
    assert entry.describe() == says


@pytest.mark.parametrize("payload", [None, [], {}, {"data": {}}, "text"])
def test_what_is_no_feed_is_an_error(payload: Any) -> None:
    with pytest.raises(UnexpectedReplyError, match="No deprecations"):
        parse_deprecations(payload)


def results(emu: Emulator, *models: str) -> dict[str, str]:
    """What the doctor says of models, with its state."""
    checks = run_checks(settings(emu), models)
    return {text: state for state, text in ((c.state, c.text) for c in checks)}


def test_the_doctor_says_what_replaces_a_model_in_use(emu: Emulator) -> None:
    emu.deprecations.append(
        Withdrawn("openai/gpt-5-2", status="deprecated", shutdown_at="2027-01-01")
    )
    found = results(emu, GONE, "openai/gpt-5-2", "openai/gpt-5-4", "gpt-5-2")
    assert found[f"{GONE}: {REPLACED}"] == "wrong"
    soon = "openai/gpt-5-2: deprecated, to be shut down on 2027-01-01, no replacement"
    assert found[soon] == "note"
    assert found["openai/gpt-5-4: offered on the responses endpoint"] == "ok"
    assert found["gpt-5-2: not in the catalogue; did you mean 'openai/gpt-5-2'?"] == "wrong"


def test_the_doctor_looks_for_gpt_5_2_where_no_model_is_named(emu: Emulator) -> None:
    assert results(emu)["openai/gpt-5-2-pro: offered on the responses endpoint"] == "ok"


@pytest.mark.parametrize(
    ("models", "code", "says"),
    [
        ([], 0, f"{GONE}: {REPLACED}"),
        ([GONE], 1, f"{GONE}: {REPLACED}"),
        (["aura-2-zeus-en"], 0, "aura-2-zeus-en: superseded on 2026-06-26, replaced by"),
        (["openai/gpt-5-2"], 0, "openai/gpt-5-2: not deprecated"),
        (["gpt-5-2"], 0, "gpt-5-2: not listed as deprecated; did you mean 'openai/gpt-5-2'?"),
    ],
)
def test_the_command_lists_them(
    models: list[str], code: int, says: str, emu: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deprecations", *models, "--base-url", emu.base_url]) == code
    assert says in capsys.readouterr().out


def test_the_command_says_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    with Emulator() as stopped:
        address = stopped.base_url
    assert main(["deprecations", "--base-url", address]) == 1
    assert "No connection" in capsys.readouterr().out


def test_the_doctor_command_takes_models(
    emu: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIMLAPI_API_KEY", "sk-test")
    assert main(["doctor", "--base-url", emu.base_url, "--model", GONE]) == 1
    assert REPLACED in capsys.readouterr().out
