"""One layer of retries: through each object and in each way a call is exactly as many requests as
`max_retries` says. The frameworks add none; a wrapper that the user adds counts by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from aimlapi_core import (
    AIMLAPIError,
    ConnectFailedError,
    ConnectionLostError,
    RateLimitError,
    ServerError,
)
from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI
from tests.anywhere.objects import ASYNC, SAY, SYNC, make

BUSY = Fault(status=503, headers={"Retry-After": "0"})
LIMITED = Fault(status=429, headers={"Retry-After": "0"})


def _arun(way: Callable[[Any], Any]) -> Callable[[Any], Any]:
    async def run(thing: Any) -> Any:
        return await way(thing)

    return lambda thing: asyncio.run(run(thing))


# What goes through more of a framework's own layers than `objects` does.
MORE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "batch": ("ChatAIMLAPI", lambda m: m.batch([SAY])),
    "abatch": ("ChatAIMLAPI", _arun(lambda m: m.abatch([SAY]))),
    "generate": ("ChatAIMLAPI", lambda m: m.generate_prompt([m._convert_input(SAY)])),
    "streaming=True": ("ChatAIMLAPI", lambda m: m.bind(stream=True).invoke(SAY)),
    "chain": ("ChatAIMLAPI", lambda m: (m | (lambda message: message.text)).invoke(SAY)),
    "query": ("AIMLAPIEmbeddings", lambda e: e.embed_query(SAY)),
    "retrieval": ("AIMLAPIEmbedding", lambda e: e.get_query_embedding(SAY)),
}
WAYS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    **{f"{n} {w}": (n, way) for n, ways in SYNC.items() for w, way in ways.items()},
    **{f"{n} async {w}": (n, _arun(way)) for n, ways in ASYNC.items() for w, way in ways.items()},
    **{f"{name} {way}": (name, call) for way, (name, call) in MORE.items()},
}
each = pytest.mark.parametrize(("name", "call"), WAYS.values(), ids=WAYS)


@each
@pytest.mark.parametrize("retries", [0, 2])
@pytest.mark.parametrize(("fault", "error"), [(BUSY, ServerError), (LIMITED, RateLimitError)])
def test_max_retries_is_exact_in_every_way(
    emu: Emulator, name: str, call: Any, retries: int, fault: Fault, error: type[AIMLAPIError]
) -> None:
    emu.faults.extend([fault] * 9)
    with pytest.raises(error):
        call(make(name, emu.base_url, max_retries=retries))
    assert len(emu.requests) == retries + 1


@each
def test_a_lost_connection_is_never_asked_again(emu: Emulator, name: str, call: Any) -> None:
    emu.faults.extend([Fault(drop="after_read")] * 9)
    with pytest.raises(ConnectionLostError) as caught:
        call(make(name, emu.base_url, max_retries=5))
    assert caught.value.request_sent
    assert len(emu.requests) == 1


@each
def test_failures_to_connect_are_repeated_as_often_as_said(
    monkeypatch: pytest.MonkeyPatch, name: str, call: Any
) -> None:
    tries: list[httpx.Request] = []

    def refuse(transport: Any, request: httpx.Request) -> httpx.Response:
        tries.append(request)
        raise httpx.ConnectError("refused")

    async def arefuse(transport: Any, request: httpx.Request) -> httpx.Response:
        return refuse(transport, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", refuse)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", arefuse)
    monkeypatch.setattr("random.random", lambda: 0.0)
    with pytest.raises(ConnectFailedError) as caught:
        call(make(name, "http://127.0.0.1:9", max_retries=2))
    assert not caught.value.request_sent
    assert len(tries) == 3


def test_langchains_own_wrapper_counts_by_itself(
    emu: Emulator,
) -> None:
    chat = ChatAIMLAPI(api_key="k", base_url=emu.base_url, max_retries=0)
    emu.faults.extend([BUSY] * 9)
    patient = chat.with_retry(stop_after_attempt=3, wait_exponential_jitter=False)
    with pytest.raises(ServerError):
        patient.invoke(SAY)
    assert len(emu.requests) == 3
    emu.clear()
    emu.faults.extend([Fault(drop="after_read")] * 9)
    safe = chat.with_retry(retry_if_exception_type=(ServerError,), stop_after_attempt=3)
    with pytest.raises(ConnectionLostError):
        safe.invoke(SAY)
    assert len(emu.requests) == 1


def test_llama_indexs_own_wrapper_counts_by_itself(emu: Emulator) -> None:
    from llama_index.core.utils import ErrorToRetry, retry_on_exceptions_with_backoff

    llm = AIMLAPI(api_key="k", base_url=emu.base_url, max_retries=0)
    emu.faults.extend([BUSY] * 9)
    with pytest.raises(ServerError):
        retry_on_exceptions_with_backoff(
            lambda: llm.complete(SAY), [ErrorToRetry(ServerError)], max_tries=3, min_backoff_secs=0
        )
    assert len(emu.requests) == 3
