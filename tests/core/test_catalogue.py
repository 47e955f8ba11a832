"""The catalogue of documented models: its data, and what is sent to each of them."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from aimlapi_core import (
    MODELS,
    ChatRequest,
    Client,
    InvalidRequestError,
    Message,
    NotFoundError,
    Settings,
    Text,
    Tool,
    UnknownModelWarning,
    listed_models,
    model_info,
    nearest_model,
)
from aimlapi_core._wire.endpoint import PreparedRequest, prepare_request
from aimlapi_core.models import catalogue, lookup
from aimlapi_emulator import Emulator, Fault

ROOT = Path(__file__).parents[2]
DATA: dict[str, Any] = json.loads(catalogue.PATH.read_text("utf-8"))
PATHS = {"chat": "/chat/completions", "responses": "/responses"}
WEATHER = Tool("weather", {"type": "object", "properties": {"city": {"type": "string"}}})
SONNET = "anthropic/claude-sonnet-4.5"
NO_TOOLS = "deepseek/deepseek-chat"  # its documents list none


def prepared(model: str, *, stream: bool = False, **given: Any) -> PreparedRequest:
    request = ChatRequest(model, (Message("user", (Text("Hello"),)),), **given)
    return prepare_request(request, stream=stream)


def schemas(model: str) -> dict[str, dict[str, Any]]:
    """What the data file says of a model, by endpoint, the preferred one first."""
    row = DATA["models"][model]
    return {end: DATA[end][row[end][0]] for end in PATHS if end in row}


def test_a_plain_request_with_tools_is_what_the_catalogue_says_for_every_id() -> None:
    """Path, name of the output limit, and no member that the documents do not have."""
    for model in DATA["models"]:
        endpoint, schema = next(iter(schemas(model).items()))
        sent = prepared(model, tools=(WEATHER,), max_output_tokens=64)
        fields = set(schema["fields"].split())
        assert sent.path == PATHS[endpoint], model
        limit = "max_output_tokens" if endpoint == "responses" else "max_tokens"
        assert sent.body[limit] == 64, model
        assert limit in fields, model
        others = sent.body.keys() - {"model", "messages", "input"}
        assert others == {"tools", limit}, model  # tools are sent where none are documented too
        info = model_info(model)
        assert info is not None, model
        assert info.tools is ("tools" in fields), model


def test_a_row_says_what_the_data_says_for_every_id() -> None:
    for model, row in DATA["models"].items():
        info, by_endpoint = model_info(model), schemas(model)
        if model in MODELS:
            continue
        assert info is not None, model
        assert info.endpoints == tuple(by_endpoint), model
        sizes = (row.get("context"), row.get("output"))
        assert (info.context_window, info.max_output_tokens) == sizes, model
        with_images = {end for end, schema in by_endpoint.items() if schema.get("images")}
        assert info.images == with_images, model
        first = next(iter(by_endpoint.values()))
        assert info.pdfs is first.get("pdfs", False), model
        assert " ".join(info.reasoning_efforts) == first.get("efforts", ""), model
        assert info.gates_params is False, model
        assert all(row[end][1] in info.source for end in by_endpoint), model
        assert info.checked == DATA["date"], model


def test_the_data_has_its_shape() -> None:
    assert DATA.keys() == {"source", "date", "chat", "responses", "models"}
    assert re.fullmatch(r"aimlapi/api-docs at [0-9a-f]{8,}(; GET /v1/models)?", DATA["source"])
    assert date.fromisoformat(DATA["date"]) <= date.today()
    used = {(end, row[end][0]) for row in DATA["models"].values() for end in PATHS if end in row}
    assert used == {(end, at) for end in PATHS for at in range(len(DATA[end]))}
    for schema in (*DATA["chat"], *DATA["responses"]):
        assert schema.keys() <= {"fields", "images", "pdfs", "efforts"}
        assert set(schema.get("fields", "").split()) <= catalogue.SENT
        assert set(schema.get("efforts", "").split()) <= {
            "none",
            "minimal",
            "low",
            "medium",
            "high",
        }
    for name, row in DATA["models"].items():
        assert name == name.strip()
        assert row.keys() <= {"chat", "responses", "context", "output"}
        assert any(end in row for end in PATHS)
        assert all(isinstance(row.get(size, 1), int) for size in ("context", "output"))


def test_the_data_is_small() -> None:
    assert catalogue.PATH.stat().st_size < 80_000


def test_checked_rows_win_over_the_catalogue() -> None:
    info = model_info("openai/gpt-5-2")
    assert info is MODELS["openai/gpt-5-2"]
    assert info.gates_params


def test_the_catalogue_is_read_at_the_first_id_without_a_checked_row() -> None:
    code = (
        "import sys, aimlapi_core as core\n"
        "name = 'aimlapi_core.models.catalogue'\n"
        "core.model_info('openai/gpt-5-2')\n"
        "assert name not in sys.modules\n"
        "core.model_info('google/gemini-2.5-pro')\n"
        "assert name in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_an_endpoint_that_is_set_is_not_refused(endpoint: Any) -> None:
    """The documents and the service differ: the caller's word counts."""
    assert prepared(SONNET, endpoint=endpoint).path == PATHS[endpoint]


def test_what_is_not_documented_is_sent_with_a_line_of_the_debug_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="aimlapi")
    body = prepared(NO_TOOLS, tools=(WEATHER,), seed=7, reasoning_effort="xhigh").body
    assert body["reasoning_effort"] == "xhigh"
    assert body["tools"]
    assert [
        record.getMessage().partition(" is not documented")[0] for record in caplog.records
    ] == [
        "'reasoning_effort'",
        "'tools'",
    ]
    assert "DeepSeek/deepseek-chat" in caplog.text
    assert all(record.levelno == logging.DEBUG for record in caplog.records)


@pytest.mark.parametrize(
    ("model", "is_cut_here"), [(SONNET, True), ("google/gemini-2.5-pro", False)]
)
def test_stop_sequences_hold_whether_they_are_documented_or_not(
    model: str, is_cut_here: bool
) -> None:
    """They are sent; where the documents do not list them the answer is cut here as well."""
    sent = prepared(model, stop=("END",))
    assert sent.body["stop"] == ["END"]
    assert sent.client_stop == (("END",) if is_cut_here else ())


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("gpt-5-2", "openai/gpt-5-2"),
        ("gpt-5.2", "openai/gpt-5-2"),
        ("openai/gpt-5.2", "openai/gpt-5-2"),
        ("openai/gpt-5-2 ", "openai/gpt-5-2"),
        (" openai/gpt 5.2", "openai/gpt-5-2"),
        ("OpenAI/GPT-5-2", "openai/gpt-5-2"),
        ("openai/gpt-5.4", "openai/gpt-5-4"),
        ("openai/gpt-5", "openai/gpt-5-2025-08-07"),
        ("gpt-5", "openai/gpt-5-2025-08-07"),
        ("google/gemini-2-5-pro", "google/gemini-2.5-pro"),
        ("deepseek-v4-flash", "deepseek/deepseek-v4-flash"),
        ("aimlapi:openai/gpt-5-2", "openai/gpt-5-2"),
        ("aimlapi/openai/gpt-5-4", "openai/gpt-5-4"),
        ("openai:gpt-5-2", "openai/gpt-5-2"),
        ("openai//gpt-5-2", "openai/gpt-5-2"),
        ("openai/gpt\u20115\u20112", "openai/gpt-5-2"),  # hyphens of a web page
        ("\u200bopenai/gpt-5-2\ufeff", "openai/gpt-5-2"),
        ("openai/gtp-5-2", "openai/gpt-5-2"),  # two letters changed places
        ("openai/gpt-5-2-pr", "openai/gpt-5-2-pro"),  # one is missing
        ("openai/gpt-5-2-codexx", "openai/gpt-5-2-codex"),  # one too many
        ("anthropic/clause-opus-4-5", "anthropic/claude-opus-4-5"),  # another one
        ("openai/gtp-5-3-pr", None),  # two errors
        ("openai/gpt-5-2-max", None),  # may be a new model, as are other numbers
        ("openai/gpt-52", None),
        ("acme/gpt-5-2", None),
        ("openai/gpt-5-3", None),
    ],
)
def test_near_misses_are_looked_for_in_both(given: str, near: str | None) -> None:
    assert nearest_model(given) == near


@pytest.mark.parametrize("given", ["gpt-5-2", "openai/gpt-5-4 ", "gemini-2.5 pro"])
def test_another_spelling_is_sent_with_a_warning_that_names_the_id(given: str) -> None:
    with pytest.warns(UnknownModelWarning, match=f"did you mean '{nearest_model(given)}'"):
        assert prepared(given).body["model"] == given


@pytest.mark.parametrize("given", ["", "   ", "\n", 5, None, ["openai/gpt-5-2"], {}])
def test_what_is_no_id_is_refused_before_anything_is_sent(given: Any) -> None:
    assert model_info(given) is nearest_model(given) is None
    with pytest.raises(InvalidRequestError, match="model must be a model id"):
        prepared(given)


def test_no_listed_id_is_taken_for_a_misspelling() -> None:
    assert all(nearest_model(name) is None for name in listed_models())


@pytest.fixture
def emu() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("openai/gpt-5.2", r"did you mean 'openai/gpt-5-2'\?$"),
        ("openai/gpt-5-2-por", r"did you mean 'openai/gpt-5-2-pro'\?$"),
        (
            "openai/gpt-5-2-porr",
            "did you mean 'openai/gpt-5-2-pro'.* If not, endpoint=\"responses\" is",
        ),
        ("x/unheard-of", 'endpoint="responses" is the other one to try'),
        ("openai/gpt-5-2", 'endpoint="responses" is the other one to try.*says whether it was'),
        (SONNET, "chat/completions. `python -m aimlapi_core deprecations .* says whether it was"),
    ],
)
def test_a_404_names_the_nearest_id(emu: Emulator, model: str, says: str) -> None:
    emu.faults.append(Fault(status=404))
    with (
        Client(Settings(base_url=emu.base_url, api_key="sk-test", max_retries=0)) as client,
        pytest.raises(NotFoundError, match=says),
    ):
        client.complete(ChatRequest(model, (Message("user", (Text("Hello"),)),)))


def test_messages_hold_a_part_of_a_long_id_with_its_spaces(emu: Emulator) -> None:
    emu.faults.append(Fault(status=404))
    spaced = f" openai/gpt-5-2{' ' * 5_000}"
    with (
        Client(Settings(base_url=emu.base_url, api_key="sk-test", max_retries=0)) as client,
        pytest.warns(UnknownModelWarning) as warned,
        pytest.raises(NotFoundError) as caught,
    ):
        client.complete(ChatRequest(spaced, (Message("user", (Text("Hello"),)),)))
    for message in (str(warned[0].message), str(caught.value)):
        assert "' openai/gpt-5-2  " in message
        assert "did you mean 'openai/gpt-5-2'?" in message
        assert len(message) < 400


def test_an_installation_without_the_data_file_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(catalogue, "PATH", tmp_path / "missing.json")
    caches = (catalogue._data, catalogue.catalogue_row, lookup._spellings)
    for cached in caches:
        cached.cache_clear()
    try:
        assert prepared(SONNET).path == "/chat/completions"
        assert "The catalogue of models cannot be read" in caplog.text
    finally:
        for cached in caches:
            cached.cache_clear()


def test_checked_models_are_gated_as_before() -> None:
    with pytest.raises(InvalidRequestError, match="responses endpoint only"):
        prepared("openai/gpt-5-2-pro", endpoint="chat")
