"""Both adapters on recorded answers, with no network: what was recorded comes out."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr
import yaml

from tests.cassettes.config import FOLDER, HOST, REPLAY
from tests.cassettes.scenarios import SCENARIOS, TEXTS, Scenario

KEY = "sk-replay-0000"
scenarios = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)


class Capturing(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Notes what today's code sends, then hands it to httpx, which vcrpy has patched."""

    def __init__(self) -> None:
        self.sent: list[httpx.Request] = []
        self._sync = httpx.HTTPTransport(verify=False)
        self._async = httpx.AsyncHTTPTransport(verify=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        return self._sync.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        return await self._async.handle_async_request(request)


HOW: dict[str, Any] = {"api_key": KEY, "max_retries": 0}


def play(scenario: Scenario, kind: str, capturing: Capturing) -> Any:
    if kind == "sync":
        with httpx.Client(transport=capturing) as http:
            return scenario.sync(http_client=http, **HOW)

    async def run() -> Any:
        async with httpx.AsyncClient(transport=capturing) as http:
            return await scenario.asynchronous(http_async_client=http, **HOW)

    return asyncio.run(run())


@scenarios
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_recorded_exchanges_are_all_played(scenario: Scenario, kind: str) -> None:
    capturing = Capturing()
    path = FOLDER / f"{scenario.name}.yaml"
    with vcr.use_cassette(str(path), **REPLAY) as cassette:
        result = play(scenario, kind, capturing)
    assert cassette.all_played
    assert len(capturing.sent) == len(cassette)
    for request in capturing.sent:
        assert request.url.host == HOST
        assert request.headers["authorization"] == f"Bearer {KEY}"
        body = json.loads(request.content)
        assert request.url.path == endpoint_of(body["model"])
        assert None not in body.values()
    if "embeddings" in scenario.name:
        assert result == recorded_vectors(path)
    else:
        assert said(result) in recorded_answer(path)


def endpoint_of(model: str) -> str:
    if "embedding" in model:
        return "/v1/embeddings"
    return "/v1/responses" if "pro" in model else "/v1/chat/completions"


def recorded_vectors(path: Path) -> list[list[float]]:
    """The vectors of the recorded answer, read without the library."""
    body = yaml.safe_load(path.read_text())["interactions"][-1]["response"]["body"]["string"]
    encoded = [row["embedding"] for row in json.loads(body)["data"]]
    assert len(encoded) == len(TEXTS)
    return [list(struct.unpack("<8f", base64.b64decode(vector))) for vector in encoded]


def said(result: Any) -> str:
    """The result as text that must stand in the recorded answer."""
    if isinstance(result, str):
        assert result
        return result
    if isinstance(result, list):
        assert [name for name, _ in result] == ["weather", "local_time"]
        return json.dumps([arguments for _, arguments in result])
    return json.dumps(result.model_dump())


def recorded_answer(path: Path) -> str:
    """The text and the tool arguments of the last recorded answer, read without the library."""
    body = yaml.safe_load(path.read_text())["interactions"][-1]["response"]["body"]["string"]
    text = body.decode() if isinstance(body, bytes) else body
    if text.startswith("{"):
        return _of_whole(json.loads(text))
    frames = [json.loads(f[6:]) for f in text.split("\n") if f.startswith("data: {")]
    deltas = [f["delta"] for f in frames if f.get("type") == "response.output_text.delta"]
    choices = [choice for frame in frames for choice in frame.get("choices") or ()]
    return "".join([*deltas, *(choice["delta"].get("content") or "" for choice in choices)])


def _of_whole(answer: dict[str, Any]) -> str:
    if "choices" in answer:
        message = answer["choices"][0]["message"]
        calls = [call["function"]["arguments"] for call in message.get("tool_calls") or ()]
        text = message.get("content") or ""
    else:
        items = answer["output"]
        calls = [item["arguments"] for item in items if item["type"] == "function_call"]
        text = "".join(
            part["text"] for item in items if item["type"] == "message" for part in item["content"]
        )
    if calls:
        return json.dumps([json.loads(arguments) for arguments in calls])
    try:
        return json.dumps(json.loads(text))
    except ValueError:
        return text


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_recorded_exchange_is_played_where_no_client_is_handed_in(kind: str) -> None:
    with vcr.use_cassette(str(FOLDER / f"{SCENARIOS[0].name}.yaml"), **REPLAY) as cassette:
        if kind == "sync":
            SCENARIOS[0].sync(**HOW)
        else:
            asyncio.run(SCENARIOS[0].asynchronous(**HOW))
    assert cassette.all_played


def test_every_cassette_belongs_to_a_scenario() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {s.name for s in SCENARIOS}


@scenarios
def test_cassettes_say_where_they_came_from_and_nothing_private(scenario: Scenario) -> None:
    text = (FOLDER / f"{scenario.name}.yaml").read_text()
    for row in yaml.safe_load(text)["interactions"]:
        assert row["response"]["headers"]["server"]
        assert row["response"]["headers"]["date"]
        assert set(row["request"]["headers"]) == {"content-type"}
    for private in ("authorization", "bearer", "sk-", "cookie", "127.0.0.1", "localhost"):
        assert private not in text.lower()


def test_a_request_without_its_cassette_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The matcher looks at the body: another question finds no recorded answer."""
    monkeypatch.setattr("tests.cassettes.scenarios.HELLO", "another question")
    path = FOLDER / f"{SCENARIOS[0].name}.yaml"
    with (
        vcr.use_cassette(str(path), **REPLAY),
        pytest.raises(vcr.errors.CannotOverwriteExistingCassetteException),
    ):
        play(SCENARIOS[0], "sync", Capturing())
