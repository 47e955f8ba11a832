"""Ids that no table has: answered by a permissive row, or refused in the emulator's name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from aimlapi_emulator import Emulator, RuleError
from tests.emulator.asking import (
    CHAT,
    CODEX,
    KEY,
    PRO,
    STRING,
    Asker,
    called,
    events,
    flat_tool,
    object_schema,
    refusal,
    result,
    schema_format,
    streamed_text,
    tool,
    user,
)
from tests.emulator.test_validation import PDF, PNG

IDS = ["gpt-4o", "acme/some-model-9", "anthropic/claude-of-tomorrow", "größe 1", "openai/gpt-5.2"]
WEATHER = tool("weather", city=STRING)
MARK = "x-emulator-model"


@pytest.fixture
def known() -> Iterator[Asker]:
    with (
        Emulator(only_known_models=True) as emu,
        httpx.Client(base_url=emu.base_url, headers=KEY, timeout=None) as client,
    ):
        yield Asker(client)


@pytest.mark.parametrize("model", IDS)
def test_any_chat_model_answers_whole_and_streamed(ask_either: Asker, model: str) -> None:
    whole = ask_either.chat("Hello", model=model)
    assert whole.json()["model"] == model
    assert "Hello" in whole.json()["choices"][0]["message"]["content"]
    assert whole.json()["meta"]["usage"]["credits_used"] > 0
    streamed = ask_either.chat("Hello", model=model, stream=True)
    assert "Hello" in streamed_text(events(streamed.text))
    responses = ask_either.responses("Hello", model)
    assert "Hello" in responses.json()["output_text"]
    assert {one.headers[MARK] for one in (whole, streamed, responses)} == {"not in its table"}
    assert MARK not in ask_either.chat("Hello").headers


@pytest.mark.parametrize("model", IDS)
def test_any_embedding_model_answers(ask_either: Asker, model: str) -> None:
    def rows(**more: Any) -> list[dict[str, Any]]:
        body = {"model": model, "input": ["a", "b"], **more}
        answer = ask_either.client.post("/embeddings", json=body)
        assert answer.headers[MARK] == "not in its table"
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    assert [len(row["embedding"]) for row in rows()] == [1024, 1024]
    assert len(rows(dimensions=256, input_type="query")[0]["embedding"]) == 256
    assert isinstance(rows(encoding_format="base64")[0]["embedding"], str)


def test_it_takes_what_any_model_may(ask_either: Asker) -> None:
    media = [
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "file", "file": {"file_data": PDF, "filename": "a.pdf"}},
    ]
    turn = [{**called(("c", "weather", "{}")), "content": None}, result("c", "18 degrees")]
    odd = {
        "top_p": 0,
        "seed": -1,
        "stop": "x",
        "top_k": 1,
        "reasoning_effort": "minimal",
        "user": "u",
    }
    answer = ask_either.chat([user(media), *turn], model="gpt-4o", tools=[WEATHER], **odd)
    assert answer.status_code == 200, answer.text
    assert ask_either.calls("weather in Paris", model="gpt-4o", tools=[WEATHER]) == [
        ("weather", {"city": "Paris"})
    ]
    form = schema_format(object_schema(city=STRING))
    assert '"city"' in ask_either.text("Paris", model="gpt-4o", response_format=form)
    assert len(ask_either.chat("x", model="gpt-4o", n=2).json()["choices"]) == 2
    how = {"reasoning": {"effort": "minimal"}, "metadata": {}, "tools": [flat_tool("f", a=STRING)]}
    assert ask_either.responses("x", "gpt-4o", **how).status_code == 200


def test_what_no_model_takes_is_refused(ask_either: Asker) -> None:
    assert "messages" in refusal(ask_either.chat([], model="gpt-4o"))
    assert "n" in refusal(ask_either.chat("x", model="gpt-4o", n=0))
    spaced = [{**user("x"), "name": "a b"}]
    assert "messages.0.name" in refusal(ask_either.chat(spaced, model="gpt-4o"))


@pytest.mark.parametrize("model", [PRO, CODEX, "text-embedding-3-small"])
def test_an_id_of_the_table_is_served_where_its_row_says(ask: Asker, model: str) -> None:
    answer = ask.chat("x", model=model)
    assert (answer.status_code, answer.json()["message"]) == (404, "Model not found")
    assert ask.client.post("/embeddings", json={"model": CHAT, "input": "x"}).status_code == 404


@pytest.mark.parametrize("model", IDS)
def test_known_models_alone(known: Asker, model: str) -> None:
    embedded = known.client.post("/embeddings", json={"model": model, "input": "x"})
    for answer in (known.chat("x", model=model), known.responses("x", model), embedded):
        assert answer.status_code == 404
        assert answer.json()["message"].startswith("Model not found: this emulator has no row for ")
        assert repr(model) in answer.json()["message"]
    assert known.chat("x").status_code == 200
    assert known.chat("x", model=PRO).json()["message"] == "Model not found"


def test_a_request_for_an_unknown_model_is_marked_on_the_log(emu: Emulator, ask: Asker) -> None:
    ask.chat("x", model="gpt-4o")
    ask.chat("x")
    assert "knows nothing of this model" in emu.requests[0].note
    assert "knows nothing" not in emu.requests[1].note


def test_rules_for_any_model(emu: Emulator, ask: Asker) -> None:
    emu.when("Hello", text="Scripted.", model="gpt-4o")
    assert ask.text("Hello", model="gpt-4o") == "Scripted."
    assert "Scripted" not in ask.text("Hello")
    strict = Emulator(only_known_models=True)
    with pytest.raises(RuleError, match="not served by any endpoint"):
        strict.when("x", text="y", model="gpt-4o")


ASK = """
import os, httpx
body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
key = {"Authorization": "Bearer " + os.environ["AIMLAPI_API_KEY"]}
answer = httpx.post(os.environ["AIMLAPI_BASE_URL"] + "/chat/completions", json=body, headers=key)
print(answer.status_code, answer.json().get("message", ""))
"""


@pytest.mark.parametrize(
    ("options", "said"),
    [((), "200"), (("--only-known-models",), "404 Model not found: this emulator has no row")],
)
def test_the_command(options: tuple[str, ...], said: str) -> None:
    command = [sys.executable, "-m", "aimlapi_emulator", *options, "--", sys.executable, "-c", ASK]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.startswith(said)
    assert ("knows nothing of this model" in done.stderr) == (options == ())
