"""`max_concurrency` through every object: kept for all of one account, and no slot is ever lost.

A stream that was begun and not ended holds a slot for as long as a test wants.
"""

from __future__ import annotations

import asyncio
import copy
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from typing import Any

import cloudpickle
import httpx
import langchain_core.exceptions as lc
import pytest

from aimlapi_core import (
    AIMLAPIError,
    AsyncClient,
    BadRequestError,
    Client,
    ConcurrencyTimeoutError,
    ConfigurationError,
    EmbeddingRequest,
    RetryPolicy,
    Settings,
    track_costs,
)
from aimlapi_core._io import concurrency_limit
from aimlapi_emulator import Emulator, Fault
from tests.anywhere.objects import ASYNC, KEY, MAKERS, REQUEST, SAY, SYNC, assert_whole, make
from tests.anywhere.test_cancelling import cancelled_at, stream, whole
from tests.waiting import wait_until

SOON = httpx.Timeout(30, pool=0.05)  # no slot within that time is an error
LATER = httpx.Timeout(None)
ADAPTERS = ("ChatAIMLAPI", "AIMLAPIEmbeddings", "AIMLAPI", "AIMLAPIEmbedding")


@contextmanager
def held(emu: Emulator, key: str = KEY, limit: int | None = 1, **more: Any) -> Iterator[Any]:
    """A stream that is open, so that its request is under way."""
    client = make("Client", emu.base_url, api_key=key, max_concurrency=limit, **more)
    with closing(client.stream(REQUEST)) as events:
        next(events)
        yield events
    client.close()


def assert_free(emu: Emulator) -> None:
    """Raise ConcurrencyTimeoutError where a slot was lost."""
    with make("Client", emu.base_url, max_concurrency=1, timeout=SOON) as client:
        client.complete(REQUEST)


def waiting() -> int:
    """How many requests wait for a slot, of all accounts."""
    return sum(len(limiter._waiting) for limiter in list(concurrency_limit._limiters.values()))


@pytest.mark.parametrize("limit", [1, 3])
def test_all_objects_in_threads_and_loops_keep_to_the_limit_of_their_account(
    emu: Emulator, limit: int
) -> None:
    how = {"max_concurrency": limit, "timeout": LATER}
    calls = [
        lambda way=way, name=name: assert_whole(way(make(name, emu.base_url, **how)))
        for name, ways in SYNC.items()
        for way in ways.values()
    ]
    things = {name: make(name, emu.base_url, **how) for name in ASYNC}
    texts = EmbeddingRequest("text-embedding-3-small", tuple("abcdef"), dimensions=8, batch_size=1)

    async def of_a_loop() -> None:
        ways = [(things[name], way) for name, ways in ASYNC.items() for way in ways.values()]
        for answer in await asyncio.gather(*(way(thing) for thing, way in ways)):
            assert_whole(answer)
        await things["AsyncClient"].embed(texts)

    calls += [lambda: asyncio.run(of_a_loop())] * 2
    calls += [lambda: make("Client", emu.base_url, **how).embed(texts)]
    requests = len(calls) - 3 + 2 * sum(map(len, ASYNC.values())) + 3 * 6
    emu.faults += [Fault(delay_head_s=1.0)] * limit  # all of them come while the first waits
    emu.faults += [Fault(delay_head_s=0.02)] * (requests - limit)
    with ThreadPoolExecutor(len(calls)) as threads:
        for done in [threads.submit(call) for call in calls]:
            done.result()
    assert len(emu.requests) == requests
    assert emu.peak_requests == limit


def test_another_key_and_another_origin_are_not_held_up(emu: Emulator) -> None:
    with held(emu), Emulator() as other:
        how = {"max_concurrency": 1, "timeout": SOON}
        make("Client", emu.base_url, api_key="sk-test-other", **how).complete(REQUEST)
        header = {"Authorization": "Bearer sk-test-third"}
        make("Client", emu.base_url, default_headers=header, **how).complete(REQUEST)
        make("Client", other.base_url, **how).complete(REQUEST)
        with pytest.raises(ConcurrencyTimeoutError):
            make("Client", emu.base_url, **how).complete(REQUEST)


def test_objects_without_a_limit_neither_wait_nor_count(emu: Emulator) -> None:
    def has_limiter() -> bool:
        return any(
            emu.base_url.startswith(origin) for origin, _ in list(concurrency_limit._limiters)
        )

    with held(emu, limit=None):
        assert not has_limiter()
        assert_free(emu)
    with held(emu):
        assert has_limiter()
        make("Client", emu.base_url, timeout=SOON).complete(REQUEST)


def test_the_key_that_a_function_gives_for_the_request_counts(emu: Emulator) -> None:
    keys = iter(["sk-test-one", KEY])
    with held(emu):
        client = make("Client", emu.base_url, api_key=lambda: next(keys), max_concurrency=1)
        client.complete(REQUEST)
    client.complete(REQUEST)
    assert_free(emu)


def test_questions_about_the_account_are_not_limited(emu: Emulator) -> None:
    with held(emu):
        client = make("Client", emu.base_url, max_concurrency=1, timeout=SOON)
        assert client.account().balance > 0


async def test_waiters_are_sent_in_the_order_in_which_they_came(emu: Emulator) -> None:
    llm = make("AIMLAPI", emu.base_url, max_concurrency=1, timeout=LATER)
    with held(emu):
        calls = [asyncio.ensure_future(llm.acomplete(f"number {n}")) for n in range(9)]
        await asyncio.to_thread(wait_until, lambda: waiting() == 9)
    await asyncio.gather(*calls)
    sent = [seen.body["messages"][0]["content"] for seen in emu.requests[1:]]
    assert sent == [f"number {n}" for n in range(9)]
    await llm.aclose()


@pytest.mark.parametrize("name", SYNC)
def test_no_slot_in_time_is_an_error_that_says_what_to_do(emu: Emulator, name: str) -> None:
    thing = make(name, emu.base_url, max_concurrency=1, timeout=SOON, max_retries=3)
    with held(emu), track_costs() as costs:
        for way in SYNC[name].values():
            with pytest.raises(ConcurrencyTimeoutError, match=r"0\.05 seconds.* billed") as caught:
                way(thing)
            assert "max_concurrency=1" in str(caught.value)
            assert not caught.value.request_sent
            assert caught.value.client_request_id is None
            is_langchains = isinstance(caught.value, lc.ModelTimeoutError)
            assert is_langchains == (name in ("ChatAIMLAPI", "AIMLAPIEmbeddings"))
    assert len(emu.requests) == 1
    assert costs.unknown == ()
    assert_free(emu)


@pytest.mark.parametrize("name", ASYNC)
async def test_no_slot_in_time_is_the_same_error_in_a_loop(emu: Emulator, name: str) -> None:
    thing = make(name, emu.base_url, max_concurrency=1, timeout=SOON, max_retries=3)
    with held(emu):
        for way in ASYNC[name].values():
            with pytest.raises(ConcurrencyTimeoutError):
                await way(thing)
    assert len(emu.requests) == 1
    await asyncio.to_thread(assert_free, emu)
    await thing.aclose()


@pytest.mark.parametrize("wrong", [0, -1, True, "x"], ids=repr)
@pytest.mark.parametrize("name", ADAPTERS)
def test_a_limit_that_is_none_is_refused_at_once(name: str, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_concurrency"):
        MAKERS[name](max_concurrency=wrong)


@pytest.mark.parametrize(
    "how",
    [
        copy.copy,
        copy.deepcopy,
        *(lambda t, p=p: p.loads(p.dumps(t)) for p in (pickle, cloudpickle)),
    ],
    ids=["copy", "deepcopy", "pickle", "cloudpickle"],
)
@pytest.mark.parametrize("name", [*ADAPTERS, "Client"])
def test_a_copy_keeps_the_limit_and_shares_the_account(
    emu: Emulator, name: str, how: Callable[[Any], Any]
) -> None:
    twin = how(make(name, emu.base_url, max_concurrency=1, timeout=SOON))
    with held(emu), pytest.raises(ConcurrencyTimeoutError):
        next(iter(SYNC[name].values()))(twin)


def test_a_call_of_langchain_may_bring_its_own_limit(emu: Emulator) -> None:
    chat = make("ChatAIMLAPI", emu.base_url, timeout=SOON)
    with held(emu):
        chat.invoke(SAY)
        with pytest.raises(ConcurrencyTimeoutError):
            chat.invoke(SAY, max_concurrency=1)
        chat.invoke(SAY, max_concurrency=2)


FAILING = {
    "400": Fault(status=400),
    "503, repeated": Fault(status=503, headers={"Retry-After": "0"}),
    "lost": Fault(drop="after_read"),
    "cut": Fault(cut_after_bytes=30),
    "no JSON": Fault(raw_body=b"<html>"),
}


@pytest.mark.parametrize("fault", FAILING.values(), ids=FAILING)
@pytest.mark.parametrize("name", ["Client", "AsyncClient"])
def test_a_call_that_fails_releases_its_slot(emu: Emulator, name: str, fault: Fault) -> None:
    thing = make(name, emu.base_url, max_concurrency=1, timeout=SOON, max_retries=2)

    async def run(way: Callable[[Any], Any]) -> None:
        await way(thing)

    for label, way in {**SYNC, **ASYNC}[name].items():
        emu.faults.extend([fault] * 3)
        with pytest.raises(AIMLAPIError) as caught:
            way(thing) if name == "Client" else asyncio.run(run(way))
        assert not isinstance(caught.value, ConcurrencyTimeoutError), label
        emu.faults.clear()
        assert_free(emu)  # while the error, and all that it was raised in, is still there


def test_a_call_that_a_budget_refuses_releases_its_slot(emu: Emulator) -> None:
    client = make("Client", emu.base_url, max_concurrency=1)
    with track_costs(budget_usd=0.000001):
        client.complete(REQUEST)
        with pytest.raises(AIMLAPIError, match="budget"):
            client.complete(REQUEST)
    assert_free(emu)


def test_a_call_that_waits_to_repeat_holds_no_slot(emu: Emulator) -> None:
    """The second, which waits for a slot, is sent between the two requests of the first."""
    first, second = (
        make("AIMLAPI", emu.base_url, max_concurrency=1, max_retries=1, timeout=LATER)
        for _ in range(2)
    )
    with ThreadPoolExecutor(2) as threads:
        with held(emu):
            emu.faults.append(Fault(status=503, headers={"Retry-After": "0"}))
            one = threads.submit(first.complete, "the first")
            wait_until(lambda: waiting() == 1)
            other = threads.submit(second.complete, "the second")
            wait_until(lambda: waiting() == 2)
        one.result()
        other.result()
    sent = [seen.body["messages"][0]["content"] for seen in emu.requests[1:]]
    assert sent == ["the first", "the second", "the first"]


@pytest.mark.parametrize("left", ["closed", "forgotten", "thrown into"])
def test_a_stream_that_is_left_releases_its_slot(emu: Emulator, left: str) -> None:
    client = make("Client", emu.base_url, max_concurrency=1)
    events = client.stream(REQUEST)
    next(events)
    if left == "closed":
        events.close()
    elif left == "forgotten":
        del events
    else:
        with pytest.raises(KeyError):
            events.throw(KeyError("the caller's own"))
    assert_free(emu)


def test_streams_left_in_a_loop_release_their_slots(emu: Emulator) -> None:
    kept = []

    async def leave(way: str) -> None:
        events = make("AsyncClient", emu.base_url, max_concurrency=1, timeout=SOON).stream(REQUEST)
        await anext(events)
        if way == "closed":
            await events.aclose()
        elif way == "kept":
            kept.append(events)

    for way in ("closed", "forgotten", "kept"):
        asyncio.run(leave(way))
        assert_free(emu)


@pytest.mark.parametrize("way", [whole, stream])
async def test_a_call_cancelled_at_any_wait_loses_no_slot(emu: Emulator, way: Any) -> None:
    """Its first wait is for its slot."""
    client: AsyncClient = make("AsyncClient", emu.base_url, max_concurrency=1, timeout=LATER)

    async def run(first: int) -> asyncio.Task[None]:
        task = asyncio.ensure_future(cancelled_at(way(client), (first,)))
        with held(emu):
            await asyncio.to_thread(wait_until, lambda: waiting() == 1 or task.done())
        await asyncio.wait([task])
        return task

    for first in count(1):
        task = await run(first)
        await whole(client)
        if not task.cancelled():
            break
    assert first > 3
    await client.aclose()


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no such signal")
def test_a_thread_interrupted_while_it_waits_loses_no_slot(emu: Emulator) -> None:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    def when_it_waits() -> None:
        wait_until(lambda: waiting() == 1)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, interrupt)
    helper = threading.Thread(target=when_it_waits)
    try:
        with held(emu):
            helper.start()
            with pytest.raises(KeyboardInterrupt):
                make("Client", emu.base_url, max_concurrency=1).complete(REQUEST)
            assert waiting() == 0
        assert_free(emu)
    finally:
        helper.join()
        signal.signal(signal.SIGUSR1, before)


def test_a_batch_that_fails_keeps_the_others_from_being_begun(emu: Emulator) -> None:
    texts = EmbeddingRequest("text-embedding-3-small", tuple("abcd"), dimensions=8, batch_size=1)
    emu.faults.append(Fault(status=400, delay_head_s=0.3))
    keys: list[str] = []  # one for each request that is begun, whether it waits or not

    def key() -> str:
        keys.append(KEY)
        return KEY

    with pytest.raises(BadRequestError):
        make("Client", emu.base_url, api_key=key, max_concurrency=1, timeout=LATER).embed(texts)
    assert len(emu.requests) == len(keys) == 1


def test_a_batch_that_waits_for_its_slot_is_not_sent_once_another_has_failed(
    emu: Emulator,
) -> None:
    texts = EmbeddingRequest("text-embedding-3-small", tuple("abcd"), dimensions=8, batch_size=1)
    with held(emu, limit=2):
        sent = len(emu.requests)
        emu.faults.append(Fault(status=400, delay_head_s=0.3))
        with pytest.raises(BadRequestError):
            make("Client", emu.base_url, max_concurrency=2, timeout=LATER).embed(texts)
        assert len(emu.requests) == sent + 1
    assert_free(emu)


def test_a_batch_that_waits_behind_another_call_gives_up_once_another_batch_has_failed(
    emu: Emulator,
) -> None:
    """Batches: `a` is answered, `b` waits for its slot and fails, `c` waits behind `another`."""
    texts = EmbeddingRequest("text-embedding-3-small", tuple("abc"), dimensions=8, batch_size=1)
    how = {"max_concurrency": 2, "timeout": httpx.Timeout(None)}
    with held(emu, limit=2), ThreadPoolExecutor(2) as threads:
        emu.faults += [Fault(delay_head_s=0.5), Fault(status=400, delay_head_s=0.5)]
        fails = threads.submit(make("Client", emu.base_url, **how).embed, texts)
        wait_until(lambda: waiting() == 1)
        another = make("Client", emu.base_url, **how).stream(REQUEST)
        begun = threads.submit(next, another)
        with pytest.raises(BadRequestError):
            fails.result()
        begun.result()
        wait_until(lambda: waiting() == 0)  # while `another` still holds its slot
        another.close()
    assert_free(emu)


def test_the_wait_for_a_slot_is_no_part_of_the_policys_time(emu: Emulator) -> None:
    policy = RetryPolicy(max_retries=2, initial_delay_s=0, max_elapsed_s=1.0)
    client = make("Client", emu.base_url, max_concurrency=1, timeout=LATER, retry=policy)
    with ThreadPoolExecutor(1) as threads:
        with held(emu):
            sent = len(emu.requests)
            emu.faults += [Fault(status=503), Fault(status=503)]
            waits = threads.submit(client.complete, REQUEST)
            wait_until(lambda: waiting() == 1)
            threading.Event().wait(1.1)
        assert waits.result().choices
    assert len(emu.requests) == sent + 3


def test_clients_that_were_handed_in_are_limited_too() -> None:
    """Their answers may be closed before they are handed on."""
    answer = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=answer))
    with httpx.Client(transport=transport, timeout=0.05) as http:
        settings = Settings(
            api_key=KEY, base_url="https://a.test", http_client=http, max_concurrency=1
        )
        for _ in range(3):
            Client(settings).complete(REQUEST)
        other = concurrency_limit.slot_for(
            1, "https://a.test/v1", {"Authorization": f"Bearer {KEY}"}
        )
        other.acquire(0)
        with pytest.raises(ConcurrencyTimeoutError, match=r"0\.05 seconds"):  # its own time-out
            Client(settings).complete(REQUEST)
        other.release()


def test_the_retry_policy_does_not_wait_for_a_slot_again(emu: Emulator) -> None:
    patient = RetryPolicy(max_retries=9, initial_delay_s=30, max_delay_s=30)
    with held(emu), pytest.raises(ConcurrencyTimeoutError):
        make("Client", emu.base_url, retry=patient, max_concurrency=1, timeout=SOON).complete(
            REQUEST
        )


def _in_child(base_url: str, pipe: Any) -> None:
    try:
        make("Client", base_url, max_concurrency=1, timeout=SOON).complete(REQUEST)
        pipe.send("answered")
    except BaseException as error:  # whatever it is, the parent must hear of it
        pipe.send(repr(error))
    finally:
        pipe.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_starts_with_nothing_under_way(emu: Emulator) -> None:
    with ThreadPoolExecutor(1) as thread, held(emu):
        client = make("Client", emu.base_url, max_concurrency=1, timeout=LATER)
        waits = thread.submit(client.complete, REQUEST)
        wait_until(lambda: waiting() == 1)
        fork = multiprocessing.get_context("fork")
        here, there = fork.Pipe()
        process = fork.Process(target=_in_child, args=(emu.base_url, there))
        process.start()
        there.close()
        assert here.recv() == "answered"
        process.join()
        here.close()
        assert not waits.done()
    waits.result()
    assert_free(emu)
