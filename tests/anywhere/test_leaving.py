"""Breaking off and cancelling close the connection at once, and the server sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from aimlapi_emulator import Emulator, Fault
from tests.anywhere.objects import REQUEST, SAY, make
from tests.waiting import wait_until

SLOW = Fault(delay_between_s=0.2)  # the server sees the close at its next write, if not before

STREAMS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "langchain": ("ChatAIMLAPI", lambda m: m.stream(SAY)),
    "llama_index": ("AIMLAPI", lambda m: m.stream_complete(SAY)),
    "core": ("Client", lambda c: c.stream(REQUEST)),
}


async def _langchain(model: Any) -> Any:
    return model.astream(SAY)


async def _llama_index(llm: Any) -> Any:
    return await llm.astream_complete(SAY)


async def _core(client: Any) -> Any:
    return client.stream(REQUEST)


ASYNC_STREAMS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "langchain": ("ChatAIMLAPI", _langchain),
    "llama_index": ("AIMLAPI", _llama_index),
    "core": ("AsyncClient", _core),
}
WHOLE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "langchain": ("ChatAIMLAPI", lambda m: m.ainvoke(SAY)),
    "llama_index": ("AIMLAPI", lambda m: m.acomplete(SAY)),
    "core": ("AsyncClient", lambda c: c.complete(REQUEST)),
}


@pytest.mark.parametrize(("name", "open_stream"), STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("way", ["close", "break", "exception"])
def test_a_stream_that_is_left_closes_its_connection(
    emu: Emulator, name: str, open_stream: Any, way: str
) -> None:
    emu.faults.append(SLOW)
    thing = make(name, emu.base_url)
    stream = open_stream(thing)
    next(stream)
    assert emu.open_connections == 1
    if way == "close":
        stream.close()
    elif way == "break":
        for _ in stream:
            break
        del stream
    else:
        with pytest.raises(KeyError):
            stream.throw(KeyError("the caller's own"))
    emu.faults.clear()
    assert list(open_stream(thing))
    assert emu.connections == 2  # the one that was left is not used again
    assert len(emu.requests) == 2
    thing.close()
    wait_until(lambda: emu.open_connections == 0)


@pytest.mark.parametrize(("name", "open_stream"), ASYNC_STREAMS.values(), ids=ASYNC_STREAMS)
@pytest.mark.parametrize("way", ["aclose", "cancel"])
async def test_an_async_stream_that_is_left_closes_its_connection(
    emu: Emulator, name: str, open_stream: Any, way: str
) -> None:
    emu.faults.append(SLOW)
    thing = make(name, emu.base_url)
    begun = asyncio.Event()

    async def read() -> None:
        stream = await open_stream(thing)
        async for _ in stream:
            begun.set()
            if way == "aclose":
                await stream.aclose()
                return

    task = asyncio.create_task(read())
    await begun.wait()
    if way == "cancel":
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await task if way == "aclose" else None
    await asyncio.to_thread(wait_until, lambda: emu.open_connections == 0)
    assert len(emu.requests) == 1
    await thing.aclose()


@pytest.mark.parametrize(("name", "call"), WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("slow", [Fault(delay_head_s=1.0), Fault(delay_body_s=1.0)], ids=str)
async def test_a_cancelled_call_closes_its_connection(
    emu: Emulator, name: str, call: Any, slow: Fault
) -> None:
    emu.faults.append(slow)
    thing = make(name, emu.base_url)
    task = asyncio.ensure_future(call(thing))
    await asyncio.to_thread(wait_until, lambda: len(emu.requests) == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(wait_until, lambda: emu.open_connections == 0)
    assert len(emu.requests) == 1
    await thing.aclose()
