"""A key, a base URL and headers that are almost right: they work, or one sentence says why not."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from aimlapi_core import ConfigurationError, ConnectionLostError
from aimlapi_emulator import Emulator
from tests.anywhere.objects import ASYNC, ASYNC_NAMES, KEY, SYNC, assert_whole, make

PASTED = [f'"{KEY}"', f"Bearer {KEY}", f" {KEY}\n", f"'Bearer {KEY}'"]
PASTED += [f"export AIMLAPI_API_KEY='{KEY}'", f"AIML_API_KEY={KEY}"]


@pytest.mark.parametrize("name", SYNC)
@pytest.mark.parametrize("key", PASTED)
@pytest.mark.parametrize("source", ["argument", "function", "environment"])
def test_a_pasted_key_is_sent_as_it_is(
    monkeypatch: pytest.MonkeyPatch, name: str, key: str, source: str
) -> None:
    sent: list[str] = []

    def refuse(transport: Any, request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"])
        raise httpx.ReadError("not sent")

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", refuse)
    if source == "environment":
        monkeypatch.setenv("AIMLAPI_API_KEY", key)
    given: Any = {"argument": key, "function": lambda: key, "environment": None}[source]
    thing = make(name, "http://127.0.0.1:9", api_key=given)
    for call in SYNC[name].values():
        with pytest.raises(ConnectionLostError):
            call(thing)
    assert set(sent) == {f"Bearer {KEY}"}


@pytest.mark.parametrize("path", ["/chat/completions", "/responses", "/embeddings/"])
@pytest.mark.parametrize("name", SYNC)
def test_the_url_of_an_endpoint_is_a_base_url(emu: Emulator, name: str, path: str) -> None:
    thing = make(name, f'"{emu.base_url}{path}"')
    for call in SYNC[name].values():
        assert_whole(call(thing))


@pytest.mark.parametrize("header", ["Content-Length", "transfer-encoding"])
@pytest.mark.parametrize("name", [*SYNC, "AsyncClient"])
def test_a_header_of_the_body_is_refused(emu: Emulator, name: str, header: str) -> None:
    thing = make(name, emu.base_url, default_headers={header: "5"})
    calls = [*SYNC.get(name, {}).values()]
    if name in ASYNC_NAMES:
        calls += [lambda thing, way=way: asyncio.run(way(thing)) for way in ASYNC[name].values()]
    for call in calls:
        with pytest.raises(ConfigurationError, match=f"'{header}' cannot be set"):
            call(thing)
    assert emu.requests == []
