"""Embeddings: batches, order, what comes back; and over sockets, retries of one batch alone."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import os
import signal
import threading
import time
import warnings
from array import array
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aimlapi_core import (
    EMBEDDINGS,
    AnswerFailedError,
    AsyncClient,
    AuthenticationError,
    BadRequestError,
    Client,
    EmbeddingReply,
    EmbeddingRequest,
    InvalidRequestError,
    NotFoundError,
    ServerError,
    Settings,
    UnexpectedReplyError,
    UnsupportedParameterError,
    UnsupportedParameterWarning,
    embedding_info,
    track_costs,
)
from aimlapi_core._values import warn_once
from aimlapi_core._wire.embeddings import (
    _SEPARATE_PIECES,
    _most_pieces,
    decode,
    prepare_batches,
)
from aimlapi_emulator import Emulator, Fault
from tests.waiting import LONG_S, wait_until

SMALL = "text-embedding-3-small"


def bodies(model: str, *texts: str, **more: Any) -> list[dict[str, Any]]:
    return [p.body for p in prepare_batches(EmbeddingRequest(model, texts, **more))]


def row(index: int, *numbers: float) -> dict[str, Any]:
    return {"object": "embedding", "index": index, "embedding": list(numbers)}


def test_the_narrowest_requests() -> None:
    assert bodies(SMALL, "one\ntext") == [
        {"model": SMALL, "input": "one\ntext", "encoding_format": "base64"}
    ]
    assert bodies("acme/embed", "a", "b", dimensions=5, input_type="query") == [
        {"model": "acme/embed", "input": ["a", "b"], "dimensions": 5, "input_type": "query"}
    ]
    assert bodies(SMALL) == []


@pytest.mark.parametrize(
    ("model", "requests"),
    [
        (SMALL, 1),
        ("openai/text-embedding-3-large", 1),
        ("alibaba/qwen-text-embedding-v4", 100),
        ("voyage-2", 1),
        ("text-multilingual-embedding-002", 4),
        ("acme/embed", 10),
    ],
)
def test_a_thousand_texts_take_as_few_requests_as_the_limits_allow(
    model: str, requests: int
) -> None:
    texts = tuple(f"text {i}" for i in range(1000))
    sent = bodies(model, *texts)
    assert len(sent) == requests
    assert [text for body in sent for text in body["input"]] == list(texts)


def test_batches_by_size() -> None:
    big = "x" * 250_000
    assert [len(b["input"]) for b in bodies(SMALL, *[big] * 5)] == [2, 2, 250_000]
    assert [b["input"] for b in bodies(SMALL, "a", "b", "c", batch_size=2)] == [["a", "b"], "c"]
    assert len(bodies(SMALL, *["a"] * 3000, batch_size=9999)) == 2
    assert [len(b["input"]) for b in bodies("voyage-2", *["a"] * 1500)] == [1000, 500]
    assert len(bodies("voyage-law-2", *["é" * 800] * 300)) == 2  # 480,000 bytes


@pytest.mark.parametrize(
    ("text", "tokens"),
    [  # tokens of one text, as cl100k_base counts them
        ("1 2 3 4 " * 1_000, 8_000),
        ("12,7,40," * 1_000, 6_000),
        ("17.25\n03.50\n" * 1_000, 8_000),
    ],
)
def test_tables_of_numbers_are_within_the_limit_of_tokens(text: str, tokens: int) -> None:
    batches = bodies("text-embedding-3-small", *[text] * 60)
    assert all(len(body["input"]) * tokens <= 300_000 for body in batches)
    assert len(batches) == 2


def test_words_are_estimated_at_two_bytes_a_token() -> None:
    assert len(bodies("text-embedding-3-small", *["Words of plain English. "] * 2_048)) == 1
    assert len(bodies("text-embedding-3-small", *["x" * 495] * 2_048)) == 2


_PARTS = ["lake", "a", "Äpfel", "水", " ", "\n", "\u00a0", ",", "_", "-", "1", "1234", "٣", "é"]


@example("a,a,a,aaaaaaa")
@example("a 1 a 1 aaaaaaaaaaaaaaa")
@given(st.lists(st.sampled_from(_PARTS), min_size=1, max_size=60).map("".join))
def test_the_quick_estimate_of_a_text_is_the_exact_one(text: str) -> None:
    """Where there are few enough pieces to say so without counting them, their bytes count."""
    data = text.encode()
    exact = max(len(data), 2 * len(_SEPARATE_PIECES.findall(text)))
    assert max(len(data), 2 * _most_pieces(text, data)) == exact


def test_voyages_long_texts_go_alone() -> None:
    long = "y" * 801
    assert [b["input"] for b in bodies("voyage-2", "a", long, "b", "c")] == ["a", long, ["b", "c"]]
    with pytest.raises(InvalidRequestError, match="Text 1 has 8,001 characters"):
        bodies("voyage-2", "a", "y" * 8001)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (EmbeddingRequest(SMALL, ("a", "")), "Text 1 is empty"),
        (EmbeddingRequest(SMALL, ("a", [1])), "Text 1 is list"),  # type: ignore[arg-type]  # the fault under test
        (EmbeddingRequest("", ("a",)), "model must be"),
        (EmbeddingRequest(SMALL, ("a",), batch_size=0), "batch_size"),
        (EmbeddingRequest(SMALL, ("a",), dimensions=1537), "from 1 to 1536"),
        (EmbeddingRequest("voyage-2", ("a",), input_type="query"), "document"),
        (EmbeddingRequest(SMALL, ("a",), client_request_id="a b"), "client_request_id"),
    ],
)
def test_bad_requests_are_named_before_any_is_sent(request_: EmbeddingRequest, says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        prepare_batches(request_)


def test_what_a_model_does_not_take() -> None:
    warn_once._warned.clear()
    ada = "text-embedding-ada-002"
    with pytest.warns(UnsupportedParameterWarning, match="'dimensions' was left out"):
        assert "dimensions" not in bodies(ada, "a", dimensions=256)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "dimensions" not in bodies(ada, "a", dimensions=1536)[0]
    with pytest.raises(UnsupportedParameterError):
        bodies(ada, "a", dimensions=256, unsupported_params="raise")
    sent = bodies(ada, "a", dimensions=256, input_type="x", unsupported_params="send")[0]
    assert (sent["dimensions"], sent["input_type"]) == (256, "x")


@pytest.mark.parametrize("info", EMBEDDINGS.values(), ids=lambda info: info.id)
def test_rows_are_found_by_exact_names_alone(info: Any) -> None:
    assert all(embedding_info(name) is info for name in (info.id, *info.aliases))
    assert embedding_info(info.id + "x") is None


def test_rows_in_any_order_come_back_in_the_texts_order() -> None:
    encoded = base64.b64encode(array("f", [0.5, -1.0]).tobytes()).decode()
    shuffled = [row(2, 3, 3), {"index": 0, "embedding": encoded}, row(1, 2, 2)]
    reply = decode({"data": shuffled, "model": "m", "usage": {"total_tokens": 4}}, {}, 3)
    assert reply.vectors == ([0.5, -1.0], [2.0, 2.0], [3.0, 3.0])
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.total_tokens) == (4, 4)
    assert reply.cost is None


@pytest.mark.parametrize(
    "payload",
    [
        {"data": [row(0, 1)]},
        {"data": [row(0, 1), row(0, 2)]},
        {"data": [row(0, 1), row(2, 2)]},
        {"data": [row(0, 1), {"index": 1}]},
        {"data": [row(0, 1), {"index": 1, "embedding": "???"}]},
        {"data": [row(0, 1), {"index": 1, "embedding": ["x"]}]},
        {"data": [row(0, 1), 7]},
        {"data": "x"},
        {"data": []},
        {"object": "image"},
        ["x"],
        "<html>",
        None,
    ],
)
def test_anything_but_the_vectors_asked_for_is_an_error(payload: Any) -> None:
    with pytest.raises(UnexpectedReplyError, match="not with the vectors"):
        decode(payload, {}, 2)


NAN, INF = float("nan"), float("inf")


def packed(*numbers: float) -> str:
    return base64.b64encode(array("f", numbers).tobytes()).decode()


@pytest.mark.parametrize(
    "vector",
    [
        [NAN, 1.0],
        [1.0, INF],
        [INF, -INF],
        [10**400],
        [],
        "",
        packed(NAN, 1),
        packed(1, -INF),
        packed(),
        [1e999],
        [1.0],
        [1.0, 2.0, 3.0],
        packed(1),
        packed(1, 2)[:-2],
        None,
        {},
        7,
    ],
    ids=str,
)
@pytest.mark.parametrize("position", [0, 1])
def test_vectors_that_no_store_can_search_are_errors(vector: Any, position: int) -> None:
    """Not finite, empty, or of another length than the other's."""
    rows = [row(0, 1, 2), row(1, 3, 4)]
    rows[position]["embedding"] = vector
    with pytest.raises(UnexpectedReplyError, match="not with the vectors"):
        decode({"data": rows}, {}, 2)


def test_finite_numbers_whose_sum_is_not_are_a_vector() -> None:
    assert decode({"data": [row(0, 1.7e308, 1.7e308)]}, {}, 1).vectors == ([1.7e308, 1.7e308],)


@pytest.mark.parametrize("dimensions", [3, 3.0])
def test_vectors_of_another_length_than_asked_for_are_errors(dimensions: Any) -> None:
    assert decode({"data": [row(0, 1, 2, 3)]}, {}, 1, dimensions).vectors == ([1, 2, 3],)
    with pytest.raises(UnexpectedReplyError, match="3 were asked for"):
        decode({"data": [row(0, 1, 2)]}, {}, 1, dimensions)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_length_that_was_asked_for_is_checked(emu: Emulator, kind: str) -> None:
    emu.faults.append(Fault(raw_body=json.dumps({"data": [row(0, 1, 2)]}).encode()))
    with pytest.raises(UnexpectedReplyError, match="8 were asked for"):
        embed(emu, kind, EmbeddingRequest(SMALL, ("a",), dimensions=8))


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_requests_of_one_call_whose_vectors_differ_in_length_are_an_error(
    emu: Emulator, kind: str
) -> None:
    for numbers in ((1, 2), (1, 2, 3)):
        emu.faults.append(Fault(raw_body=json.dumps({"data": [row(0, *numbers)]}).encode()))
    paid: list[EmbeddingReply] = []
    with pytest.raises(UnexpectedReplyError, match="vectors of 2 and 3 numbers"):
        embed(emu, kind, EmbeddingRequest(SMALL, ("a", "b"), batch_size=1), answered=paid.append)
    assert len(paid) == 2


@pytest.mark.parametrize("error", ["out of luck", {"message": "out of luck"}])
def test_an_error_beside_vectors_is_an_error(error: Any) -> None:
    with pytest.raises(AnswerFailedError, match="out of luck"):
        decode({"data": [row(0, 1)], "error": error}, {}, 1)
    for nothing in (None, "", {}, {"message": None}):
        assert decode({"data": [row(0, 1)], "error": nothing}, {}, 1).vectors == ([1.0],)


def test_rows_without_an_index_are_in_order() -> None:
    """Missing or null; a row's own index, as another server may begin at 1, is an error."""
    null = [{**row(0, number), "index": None} for number in (3, 1, 2)]
    missing = [{"embedding": [number]} for number in (3, 1, 2)]
    for rows in (null, missing):
        assert decode({"data": rows}, {}, 3).vectors == ([3.0], [1.0], [2.0])
    for rows in ([row(1, 1), row(2, 2)], [{**row(0, 1), "index": "0"}, row(1, 2)]):
        with pytest.raises(UnexpectedReplyError, match="not with the vectors"):
            decode({"data": rows}, {}, 2)


def embed(emu: Emulator, kind: str, request: EmbeddingRequest, **how: Any) -> EmbeddingReply:
    setup = Settings(api_key="sk-test", base_url=emu.base_url, max_retries=how.pop("retries", 2))
    if kind == "sync":
        return Client(setup).embed(request, **how)
    return asyncio.run(AsyncClient(setup).embed(request, **how))


both = pytest.mark.parametrize("kind", ["sync", "async"])
TEXTS = tuple(f"fact number {i} is about word{i}" for i in range(30))


@both
def test_all_texts_in_order_with_a_failed_batch_in_the_middle(
    emu: Emulator, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("random.random", lambda: 0.0)
    expected = [embed(emu, kind, EmbeddingRequest(SMALL, (text,))).vectors[0] for text in TEXTS]
    emu.clear()
    emu.faults.extend([None, Fault(status=500), None])
    done: list[int] = []
    request = EmbeddingRequest(SMALL, TEXTS, batch_size=10)
    reply = embed(emu, kind, request, progress=done.append, concurrent_batches=2)
    assert len(reply.vectors) == 30
    for got, wanted in zip(reply.vectors, expected, strict=True):
        assert got == pytest.approx(wanted)
    assert sorted(len(seen.body["input"]) for seen in emu.requests) == [10, 10, 10, 10]
    assert done == [10, 10, 10]
    assert len(reply.transports) == 3
    assert reply.usage is not None
    assert reply.usage.input_tokens > 30
    assert reply.cost is not None
    credits = [t.headers["x-aimlapi-credits-used"] for t in reply.transports]
    assert reply.cost.credits == sum(map(int, credits))


@both
def test_the_first_failure_ends_the_rest(emu: Emulator, kind: str) -> None:
    emu.faults.append(Fault(status=500))
    request = EmbeddingRequest(SMALL, TEXTS, batch_size=1)
    with pytest.raises(ServerError):
        embed(emu, kind, request, retries=0, concurrent_batches=2)
    assert len(emu.requests) < len(TEXTS)


# What is under way when another fails is given up, and nobody reads its answer.
@pytest.mark.parametrize(("kind", "at_once"), [("sync", 1), ("async", 1)])
def test_each_answered_request_is_told_also_when_another_fails(
    emu: Emulator, kind: str, at_once: int
) -> None:
    replies: list[EmbeddingReply] = []
    request = EmbeddingRequest(SMALL, (*TEXTS[:4], "no [[fault status=400]]"), batch_size=2)
    with pytest.raises(BadRequestError):
        embed(emu, kind, request, concurrent_batches=at_once, answered=replies.append)
    answered = [seen for seen in emu.requests if seen.status == 200]
    assert [len(reply.vectors) for reply in replies] == [2] * len(answered)
    told = {reply.transports[0].request_id for reply in replies}
    assert len(told) == len(answered) > 0
    assert all(reply.usage and reply.cost for reply in replies)


FAILURES = {"401": AuthenticationError, "Ctrl-C": KeyboardInterrupt}
LONG_AGO_S = LONG_S / 10  # promised is a second


def _interrupt_once(holds: Callable[[], bool]) -> None:
    def run() -> None:
        wait_until(holds)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=run).start()


@both
@pytest.mark.parametrize("failure", FAILURES)
def test_it_ends_at_its_first_failure_whatever_the_others_do(kind: str, failure: str) -> None:
    with Emulator() as emu:  # not the one of all tests: it goes on with what nobody waits for
        _end_at_the_first_failure(emu, kind, failure)


def _end_at_the_first_failure(emu: Emulator, kind: str, failure: str) -> None:
    refused = [Fault(status=401)] if failure == "401" else []
    emu.faults.extend([*refused, *[Fault(delay_head_s=LONG_S)] * 3])
    request = EmbeddingRequest(SMALL, TEXTS, batch_size=5)
    started_s = time.monotonic()
    if failure == "Ctrl-C":
        _interrupt_once(lambda: len(emu.requests) >= 3)
    with track_costs() as costs, pytest.raises(FAILURES[failure]):
        embed(emu, kind, request, retries=0, concurrent_batches=3)
    assert time.monotonic() - started_s < LONG_AGO_S
    assert len(emu.requests) <= 3
    assert not any("aimlapi-embed" in thread.name for thread in threading.enumerate())
    assert (costs.in_flight, costs.total.billed_calls) == (0, 0)
    assert len(costs.unknown) >= len(emu.requests) - len(refused)


class Silent(httpx.BaseTransport):
    """Refuses the first request, if told to; the others are not answered before `end`."""

    def __init__(self, *, refuses: bool) -> None:
        self.end = threading.Event()
        self.requests = 0
        self._refuses = refuses
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        with self._lock:
            self.requests += 1
            is_refused = self._refuses and self.requests == 1
        if not is_refused:
            self.end.wait()
        return httpx.Response(401 if is_refused else 500, json={"message": "no"})


@pytest.mark.parametrize("failure", FAILURES)
def test_a_client_of_the_callers_does_not_hold_a_failure_back(failure: str) -> None:
    silent = Silent(refuses=failure == "401")
    request = EmbeddingRequest(SMALL, TEXTS, batch_size=5)
    started_s = time.monotonic()
    with httpx.Client(transport=silent) as http, track_costs() as costs:
        own = Client(Settings(api_key="k", base_url="http://127.0.0.1:9", http_client=http))
        if failure == "Ctrl-C":
            _interrupt_once(lambda: silent.requests == 3)
        with pytest.raises(FAILURES[failure]):
            own.embed(request, concurrent_batches=3)
        assert time.monotonic() - started_s < LONG_AGO_S
        in_flight = silent.requests - (failure == "401")
        assert (costs.in_flight, len(costs.unknown)) == (0, in_flight)
        silent.end.set()
        wait_until(lambda: not any("aimlapi-embed" in t.name for t in threading.enumerate()))
        assert len(costs.unknown) == in_flight


class Counting(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Counts how many requests are under way at once; they are answered `bound` by `bound`.

    The moment behind that is for one too many to come.
    """

    def __init__(self, bound: int) -> None:
        self.now = self.most = self.requests = 0
        self._lock = threading.Lock()
        self._together, self._atogether = threading.Barrier(bound), asyncio.Barrier(bound)

    def _count(self, step: int) -> None:
        with self._lock:
            self.now += step
            self.requests += step > 0
            self.most = max(self.most, self.now)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._count(1)
        self._together.wait()
        time.sleep(0.02)
        self._count(-1)
        return httpx.Response(200, json={"data": [row(0, 1.0), row(1, 2.0)]})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._count(1)
        await self._atogether.wait()
        await asyncio.sleep(0.02)
        self._count(-1)
        return httpx.Response(200, json={"data": [row(0, 1.0), row(1, 2.0)]})


@both
@pytest.mark.parametrize("bound", [1, 3])
def test_concurrency_is_bounded(kind: str, bound: int) -> None:
    counting = Counting(bound)
    request = EmbeddingRequest(SMALL, TEXTS, batch_size=2)
    setup: dict[str, Any] = {"api_key": "k", "base_url": "http://127.0.0.1:9"}
    with httpx.Client(transport=counting) as http:
        other = httpx.AsyncClient(transport=counting)  # opens nothing, so nothing is closed
        handed_in = Settings(http_client=http, http_async_client=other, **setup)
        if kind == "sync":
            Client(handed_in).embed(request, concurrent_batches=bound)
        else:
            asyncio.run(AsyncClient(handed_in).embed(request, concurrent_batches=bound))
    assert (counting.requests, counting.most) == (15, bound)


@both
def test_vectors_have_the_length_asked_for(emu: Emulator, kind: str) -> None:
    large = EmbeddingRequest("text-embedding-3-large", ("a cat",), dimensions=256)
    (vector,) = embed(emu, kind, large).vectors
    assert len(vector) == 256
    assert math.hypot(*vector) == pytest.approx(1, abs=1e-4)
    assert emu.requests[0].problems == ()


def test_a_model_that_is_not_found_names_no_other_endpoint(emu: Emulator) -> None:
    with pytest.raises(NotFoundError) as caught:
        embed(emu, "sync", EmbeddingRequest("acme/embed", ("a",)))
    assert "endpoint=" not in str(caught.value)
    assert "'acme/embed'" in str(caught.value)
