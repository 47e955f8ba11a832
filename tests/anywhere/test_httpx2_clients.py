"""Clients of httpx2 that a caller hands in: calls, streams and failures are as with httpx's."""

from __future__ import annotations

import asyncio
import gzip
from contextlib import nullcontext
from typing import Any

import httpx
import pytest

from aimlapi_core import (
    AIMLAPIError,
    AsyncClient,
    AuthenticationError,
    Client,
    ConfigurationError,
    ConnectFailedError,
    ConnectionLostError,
    EmbeddingRequest,
    RequestTimeoutError,
    ServerError,
    Settings,
    StreamCutError,
    track_costs,
)
from aimlapi_core.types import Finished
from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI
from tests.core.test_client import HELLO, both

httpx2 = pytest.importorskip("httpx2", reason="comes with langsmith, on some versions")

EMBEDDING = EmbeddingRequest("text-embedding-3-small", ("a", "b", "c"), batch_size=1)
WAYS = ("whole", "streamed", "embed")


def run(kind: str, way: str, settings: Settings) -> Any:
    if kind == "sync":
        with Client(settings) as client, settings.http_client or nullcontext():
            if way == "whole":
                return client.complete(HELLO)
            if way == "streamed":
                return list(client.stream(HELLO))
            return client.embed(EMBEDDING)

    async def call() -> Any:
        async with AsyncClient(settings) as own, settings.http_async_client or nullcontext():
            if way == "whole":
                return await own.complete(HELLO)
            if way == "streamed":
                return [event async for event in own.stream(HELLO)]
            return await own.embed(EMBEDDING)

    return asyncio.run(call())


def call_without_opening(kind: str, settings: Settings) -> None:
    if kind == "sync":
        Client(settings).complete(HELLO)
    else:
        asyncio.run(AsyncClient(settings).complete(HELLO))


def settings(kind: str, emu: Emulator, client: Any = None, **more: Any) -> Settings:
    if client is None:
        client = httpx2.Client() if kind == "sync" else httpx2.AsyncClient()
    name = "http_client" if kind == "sync" else "http_async_client"
    given = {"api_key": "sk-test-0000", "base_url": emu.base_url, "max_retries": 0, name: client}
    return Settings(**{**given, **more})


@both
@pytest.mark.parametrize("way", WAYS)
def test_calls_are_answered(emu: Emulator, kind: str, way: str) -> None:
    with track_costs() as costs:
        found = run(kind, way, settings(kind, emu))
    if way == "streamed":
        assert isinstance(found[-1], Finished)
    assert costs.total.calls == 1 if way != "embed" else costs.total.calls >= 1
    assert costs.unknown == ()
    assert {seen.headers["authorization"][-4:] for seen in emu.requests} == {"0000"}


@both
def test_the_callers_headers_and_time_outs_are_used(emu: Emulator, kind: str) -> None:
    cls = httpx2.Client if kind == "sync" else httpx2.AsyncClient
    client = cls(headers={"X-Mine": "1"}, timeout=httpx2.Timeout(0.2))
    run(kind, "whole", settings(kind, emu, client))
    assert emu.requests[-1].headers["x-mine"] == "1"
    emu.faults.append(Fault(delay_head_s=3))
    with pytest.raises(RequestTimeoutError) as caught:
        run(kind, "whole", settings(kind, emu, cls(timeout=httpx2.Timeout(0.2))))
    assert caught.value.request_sent is True


FAILURES: tuple[tuple[Fault, type[AIMLAPIError], type[AIMLAPIError]], ...] = (
    (Fault(status=401), AuthenticationError, AuthenticationError),
    (Fault(status=503), ServerError, ServerError),
    (Fault(drop="after_read"), ConnectionLostError, ConnectionLostError),
    (Fault(drop="after_read", drop_with="rst"), ConnectionLostError, ConnectionLostError),
    (Fault(cut_after_bytes=120), ConnectionLostError, StreamCutError),
)


@both
@pytest.mark.parametrize("way", ["whole", "streamed"])
@pytest.mark.parametrize("row", FAILURES, ids=lambda row: f"{row[0]}")
def test_failures_are_errors_of_ours_and_retried_alike(
    emu: Emulator, kind: str, way: str, row: Any
) -> None:
    fault, whole, streamed = row
    emu.faults.extend([fault, fault])
    with pytest.raises(whole if way == "whole" else streamed):
        run(kind, way, settings(kind, emu, max_retries=1))
    assert len(emu.requests) == (2 if fault.status == 503 else 1)


@both
def test_a_failure_to_connect_is_repeated_and_free(emu: Emulator, kind: str) -> None:
    with track_costs() as costs, pytest.raises(ConnectFailedError):
        run(kind, "whole", settings(kind, emu, base_url="http://127.0.0.1:9", max_retries=1))
    assert costs.unknown == ()


@both
def test_a_closed_client_is_a_configuration_error(emu: Emulator, kind: str) -> None:
    given = settings(kind, emu)
    run(kind, "whole", given)
    with pytest.raises(ConfigurationError, match="closed"):
        call_without_opening(kind, given)


@both
@pytest.mark.parametrize("way", ["whole", "streamed"])
def test_bodies_are_decoded(kind: str, way: str) -> None:
    body = b'{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}'
    headers = {"content-encoding": "gzip"}

    def answer(_: Any) -> Any:
        return httpx2.Response(200, headers=headers, content=gzip.compress(body))

    cls = httpx2.Client if kind == "sync" else httpx2.AsyncClient
    client = cls(transport=httpx2.MockTransport(answer))
    with Emulator() as emu:
        found = run(kind, way, settings(kind, emu, client))
    reply = found if way == "whole" else found[-1].reply
    assert reply.choices[0].text == "x"


def test_both_frameworks_take_one(emu: Emulator) -> None:
    how: dict[str, Any] = {"api_key": "sk-test-0000", "base_url": emu.base_url}
    with httpx2.Client() as client:
        timeout = httpx2.Timeout(20)
        chat = ChatAIMLAPI(http_client=client, timeout=timeout, **how)
        assert chat.invoke("hi").content
        llm = AIMLAPI(http_client=client, timeout=timeout, **how)
        assert llm.complete("hi").text
        assert all(chunk.delta is not None for chunk in llm.stream_complete("hi"))
    assert chat.timeout == httpx.Timeout(20)


def test_a_client_of_the_wrong_kind_is_refused() -> None:
    with httpx2.Client() as client, pytest.raises(ConfigurationError, match=r"httpx\.AsyncClient"):
        Settings(http_async_client=client)
