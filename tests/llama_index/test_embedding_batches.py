"""Many texts: how many requests, how many at once, in which order, and what a failure costs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.rate_limiter import BaseRateLimiter
from llama_index.core.schema import TextNode
from llama_index.core.storage.kvstore import SimpleKVStore

from aimlapi_core import (
    AuthenticationError,
    InvalidRequestError,
    ServerError,
    UnexpectedReplyError,
    track_costs,
)
from aimlapi_emulator import Emulator, Fault
from llama_index_aimlapi import AIMLAPIEmbedding
from llama_index_aimlapi._embedding_batches import shares
from tests.vectors import vector
from tests.waiting import wait_until

Make = Callable[..., AIMLAPIEmbedding]
TEXTS = [f"text number {i}" for i in range(1000)]
SIZE = 16
WAYS = pytest.mark.parametrize("way", ["get_text_embedding_batch", "aget_text_embedding_batch"])


async def embed(model: AIMLAPIEmbedding, way: str, texts: list[str], **kwargs: Any) -> Any:
    made = getattr(model, way)(texts, **kwargs)
    return await made if way.startswith("a") else made


def sent(emu: Emulator) -> list[list[str]]:
    """The texts of each request, in the order of the texts."""
    inputs = [seen.body["input"] for seen in emu.requests]
    lists = [[given] if isinstance(given, str) else given for given in inputs]
    return sorted(lists, key=lambda texts: int(texts[0].split()[2]))


@WAYS
@pytest.mark.parametrize(
    ("arguments", "sizes"),
    [
        ({"dimensions": 64}, [1000]),
        ({"embed_batch_size": 300, "dimensions": 64}, [300, 300, 300, 100]),
        ({"model": "voyage-2"}, [1000]),
        ({"model": "alibaba/qwen-text-embedding-v3", "dimensions": 64}, [10] * 100),
        ({"model": "alibaba/qwen-text-embedding-v3", "embed_batch_size": 25}, [10, 10, 5] * 40),
    ],
)
async def test_as_few_requests_as_the_limits_allow(
    embedder: Make, emu: Emulator, way: str, arguments: dict[str, Any], sizes: list[int]
) -> None:
    model = embedder(**arguments)
    found = await embed(model, way, TEXTS)
    assert [len(texts) for texts in sent(emu)] == sizes
    assert [text for texts in sent(emu) for text in texts] == TEXTS
    assert all(seen.problems == () for seen in emu.requests)
    for position in (0, 1, 9, 10, 127, 128, 500, 999):
        expected = vector(TEXTS[position], len(found[position]))
        assert found[position] == pytest.approx(expected, abs=1e-6)
    assert len(found) == 1000


@WAYS
async def test_batches_whose_vectors_differ_in_length_are_an_error(
    embedder: Make, emu: Emulator, way: str
) -> None:
    """A store would take the first ones, and refuse or misjudge the rest."""
    for numbers in ([1, 2], [1, 2, 3]):
        body = {"data": [{"index": 0, "embedding": numbers}]}
        emu.faults.append(Fault(raw_body=json.dumps(body).encode()))
    with pytest.raises(UnexpectedReplyError, match="vectors of 2 and 3 numbers"):
        await embed(embedder(embed_batch_size=1), way, TEXTS[:2])


@WAYS
async def test_large_texts_go_in_more_requests(embedder: Make, emu: Emulator, way: str) -> None:
    texts = [f"text number {i} {'word ' * 400}" for i in range(1000)]
    found = await embed(embedder(dimensions=SIZE), way, texts)
    # 2,048 texts would fit by count; 300,000 tokens of two bytes bound the size.
    most = 600_000 // len(texts[-1])
    assert len(emu.requests) == -(-1000 // most)
    assert [text for batch in sent(emu) for text in batch] == texts
    assert found[-1] == pytest.approx(vector(texts[-1], SIZE), abs=1e-6)
    assert all(seen.problems == () for seen in emu.requests)


@WAYS
async def test_only_the_batch_that_failed_is_sent_again(
    embedder: Make, emu: Emulator, way: str
) -> None:
    texts = [*TEXTS[:550], "text number 550 [[fault status=429 headers.Retry-After=0 times=2]]"]
    texts += TEXTS[551:]
    model = embedder(embed_batch_size=100, max_retries=2, dimensions=SIZE)
    found = await embed(model, way, texts)
    assert len(emu.requests) == 12
    assert [seen.status for seen in emu.requests].count(429) == 2
    assert [texts[0] for texts in sent(emu)].count(TEXTS[500]) == 3
    assert found == [pytest.approx(vector(text, SIZE), abs=1e-6) for text in TEXTS]


@WAYS
async def test_a_failure_ends_the_call_and_no_more_batches_begin(
    embedder: Make, emu: Emulator, way: str
) -> None:
    texts = [f"{text} [[fault delay_head_s=1]]" for text in TEXTS]
    texts[0] = "text number 0 [[fault status=503]]"
    with pytest.raises(ServerError):
        await embed(embedder(embed_batch_size=10, dimensions=SIZE), way, texts)
    await asyncio.sleep(2.5)
    assert len(emu.requests) <= 8  # of 100; two more rounds of four would have begun by now


FAILURES = {"401": AuthenticationError, "Ctrl-C": KeyboardInterrupt, "callback": ZeroDivisionError}
LONG_S = 120


class _Failing(BaseRateLimiter):
    """Fails for the first batch; the others are under way by then."""

    def __init__(self, emu: Emulator) -> None:
        self._emu, self._first = emu, threading.Lock()

    def acquire(self) -> None:
        if self._first.acquire(blocking=False):
            wait_until(lambda: len(self._emu.requests) >= 2)
            raise ZeroDivisionError

    async def async_acquire(self) -> None:
        if self._first.acquire(blocking=False):
            await asyncio.to_thread(wait_until, lambda: len(self._emu.requests) >= 2)
            raise ZeroDivisionError


def in_a_loop_if_async(way: str, model: AIMLAPIEmbedding) -> None:
    if way.startswith("a"):
        asyncio.run(model.aget_text_embedding_batch(TEXTS))
    else:  # an event loop would take the interrupt for itself
        model.get_text_embedding_batch(TEXTS)


@WAYS
@pytest.mark.parametrize("failure", FAILURES)
def test_it_ends_at_its_first_failure_whatever_the_others_do(way: str, failure: str) -> None:
    """Promised is a second: an ingestion is not to wait for what is thrown away."""
    with Emulator() as emu:  # not the one of all tests: it goes on with what nobody waits for
        refused = [Fault(status=401)] if failure == "401" else []
        emu.faults.extend([*refused, *[Fault(delay_head_s=LONG_S)] * 8])
        more = {"rate_limiter": _Failing(emu)} if failure == "callback" else {}
        model = AIMLAPIEmbedding(
            api_key="k", base_url=emu.base_url, embed_batch_size=10, concurrent_batches=3,
            max_retries=0, dimensions=SIZE, **more,
        )  # fmt: skip
        if failure == "Ctrl-C":
            _interrupt_when(lambda: len(emu.requests) >= 3)
        began = time.monotonic()
        with track_costs() as costs, pytest.raises(FAILURES[failure]):
            in_a_loop_if_async(way, model)
        assert time.monotonic() - began < LONG_S / 10
        assert len(emu.requests) <= 3
        assert costs.in_flight == 0
        assert len(costs.unknown) >= len(emu.requests) - len(refused)


def _interrupt_when(holds: Callable[[], bool]) -> None:
    def run() -> None:
        wait_until(holds)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=run).start()


@pytest.mark.half("batch_size", "name", "way", "bound")
@pytest.mark.parametrize("bound", [1, 3, 8])
@pytest.mark.parametrize(
    ("way", "name"),
    [
        ("get_text_embedding_batch", "concurrent_batches"),
        ("aget_text_embedding_batch", "concurrent_batches"),
        ("aget_text_embedding_batch", "num_workers"),
    ],
)
@pytest.mark.parametrize("batch_size", [10, 50, 500])
async def test_never_more_at_once_than_allowed(
    embedder: Make, emu: Emulator, way: str, name: str, bound: int, batch_size: int
) -> None:
    """10 texts a request: batches of one request, of five, and one batch of all."""
    model = embedder(
        model="alibaba/qwen-text-embedding-v3",
        dimensions=64,
        embed_batch_size=batch_size,
        **{name: bound},
    )
    emu.faults += [Fault(delay_head_s=0.02)] * 20
    await embed(model, way, TEXTS[:200])
    assert len(emu.requests) == 20
    # At most: a connection that a test before left idle is used again, and is not counted.
    assert emu.peak_connections <= bound


@pytest.mark.parametrize("bound", range(1, 10))
@pytest.mark.parametrize("batches", range(0, 12))
def test_the_shares_use_the_bound_and_keep_to_it(bound: int, batches: int) -> None:
    at_once, each = shares(bound, batches)
    assert each >= 1
    assert bound // 2 < at_once * each <= bound


@WAYS
@pytest.mark.parametrize("shown", [False, True])
async def test_the_progress_bar_has_the_frameworks_switch(
    embedder: Make, capfd: pytest.CaptureFixture[str], way: str, shown: bool
) -> None:
    model = embedder(embed_batch_size=100, dimensions=SIZE)
    await embed(model, way, TEXTS, show_progress=shown)
    bar = capfd.readouterr().err
    assert ("Generating embeddings: 100%" in bar and "10/10" in bar) is shown


@WAYS
async def test_the_progress_bar_of_one_batch(
    embedder: Make, capfd: pytest.CaptureFixture[str], way: str
) -> None:
    await embed(embedder(), way, ["a", "b"], show_progress=True)
    assert "Generating embeddings: 100%" in capfd.readouterr().err


@WAYS
async def test_one_event_a_batch(embedder: Make, way: str) -> None:
    seen = LlamaDebugHandler(print_trace_on_end=False)
    model = embedder(
        embed_batch_size=100, dimensions=SIZE, callback_manager=CallbackManager([seen])
    )
    await embed(model, way, TEXTS)
    pairs = seen.get_event_pairs(CBEventType.EMBEDDING)
    assert len(pairs) == 10
    told = [text for _, end in pairs for text in end.payload["chunks"]]
    assert sorted(told) == sorted(TEXTS)
    assert len(pairs[0][1].payload["embeddings"]) == 100


@WAYS
async def test_the_cache_is_asked_first(embedder: Make, emu: Emulator, way: str) -> None:
    model = embedder(embeddings_cache=SimpleKVStore(), embed_batch_size=100, dimensions=SIZE)
    first = await embed(model, way, TEXTS[:500])
    again = await embed(model, way, TEXTS[:505])
    assert again[:500] == first
    assert len(emu.requests) == 6
    assert emu.requests[-1].body["input"] == TEXTS[500:505]
    assert again[504] == pytest.approx(vector(TEXTS[504], SIZE), abs=1e-6)


@WAYS
async def test_the_rate_limiter_is_asked_once_a_batch(embedder: Make, way: str) -> None:
    class Counting(BaseRateLimiter):
        turns = 0

        def acquire(self, num_tokens: int = 0) -> None:
            self.turns += 1

        async def async_acquire(self, num_tokens: int = 0) -> None:
            self.turns += 1

    limiter = Counting()
    model = embedder(rate_limiter=limiter, embed_batch_size=100, dimensions=SIZE)
    await embed(model, way, TEXTS)
    assert limiter.turns == 10


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_nodes_are_embedded_with_their_metadata(
    embedder: Make, emu: Emulator, asynchronous: bool
) -> None:
    nodes = [TextNode(text=text, metadata={"file_name": "a.txt"}) for text in TEXTS[:20]]
    model = embedder(dimensions=SIZE)
    done = await model.acall(nodes) if asynchronous else model(nodes)
    assert emu.requests[0].body["input"][3] == "file_name: a.txt\n\ntext number 3"
    expected = vector("file_name: a.txt\n\ntext number 3", SIZE)
    assert done[3].embedding == pytest.approx(expected, abs=1e-6)


async def test_a_cancelled_call_sends_no_more(embedder: Make, emu: Emulator) -> None:
    emu.faults += [Fault(delay_head_s=3600)] * 100
    model = embedder(embed_batch_size=10, dimensions=SIZE)
    task = asyncio.ensure_future(model.aget_text_embedding_batch(TEXTS))
    await asyncio.to_thread(wait_until, lambda: len(emu.requests) == 4)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for left in asyncio.all_tasks() - {asyncio.current_task()}:  # would send more, and not end
        await asyncio.wait([left])
    assert len(emu.requests) == 4


COLLECTIONS: dict[str, Callable[[list[str]], Any]] = {
    "generator": lambda texts: (text for text in texts),
    "map": lambda texts: map(str, texts),
    "keys": lambda texts: dict.fromkeys(texts).keys(),
    "values": lambda texts: dict(enumerate(texts)).values(),
    "deque": deque,
    "tuple": tuple,
    "array": lambda texts: pytest.importorskip("numpy").array(texts),
}


@WAYS
@pytest.mark.parametrize("kind", COLLECTIONS)
@pytest.mark.parametrize("size", [2, 100])
async def test_texts_in_any_collection(
    embedder: Make, emu: Emulator, way: str, kind: str, size: int
) -> None:
    given = COLLECTIONS[kind](TEXTS[:5])
    assert len(await embed(embedder(embed_batch_size=size), way, given)) == 5
    assert [text for texts in sent(emu) for text in texts] == TEXTS[:5]


@WAYS
@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["a", "b", "c", None], "Text 3 is NoneType"),
        (["a", "b", "c", ""], "Text 3 is empty"),
        ("one text", "put it into a list"),
        (5, "not a int"),
        (None, "not a NoneType"),
    ],
)
async def test_what_is_no_list_of_texts_is_named_by_its_place(
    embedder: Make, emu: Emulator, way: str, texts: Any, said: str
) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        await embed(embedder(embed_batch_size=2), way, texts)
    assert emu.requests == []
