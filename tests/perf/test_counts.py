"""Work per chunk and per call, as counts of Python calls: they do not depend on the machine.

The bounds leave room of a third over what was counted; a bound that a change makes too wide is
to be lowered with it.
"""

from __future__ import annotations

import asyncio

import pytest

from benchmarks import subjects
from benchmarks.payloads import KINDS, Kind
from benchmarks.server import Answer
from tests.perf.counting import Counted

SIDES = {"ChatAIMLAPI": "memory", "AIMLAPI": "memory LlamaIndex"}
FEW, MANY, TIMES = 100, 600, 10

# Of our own functions, sync and async.
OWN_PER_CHUNK = {"ChatAIMLAPI": (38, 38), "AIMLAPI": (39, 39)}
OWN_PER_CALL = {"ChatAIMLAPI": (287, 323), "AIMLAPI": (315, 339)}
# Of all functions, ours and the libraries'.
CHUNK_OVER_LIMIT = 0.9
CALL_OVER_LIMIT = 0.7


def counts(subject: str, origin: str, answer: Answer, *, streaming: bool) -> Counted:
    """One stream, or TIMES calls, after one to warm up."""
    model = subjects.made(subject, f"{origin}{answer.path}/v1", answer.kind, answer.count)
    calls = subjects.calls_of(subject, model)

    def work() -> None:
        if streaming:
            assert sum(1 for _ in calls.stream()) >= answer.count
        else:
            for _ in range(TIMES):
                calls.call()

    work()
    with Counted() as found:
        work()
    if hasattr(model, "close"):
        model.close()
    return found


async def acounts(subject: str, origin: str, answer: Answer, *, streaming: bool) -> Counted:
    """`counts`, asynchronously."""
    model = subjects.made(subject, f"{origin}{answer.path}/v1", answer.kind, answer.count)
    calls = subjects.calls_of(subject, model)

    async def work() -> None:
        if streaming:
            assert len([0 async for _ in calls.astream()]) >= answer.count
        else:
            for _ in range(TIMES):
                await calls.acall()

    await work()
    with Counted() as found:
        await work()
    if hasattr(model, "aclose"):
        await model.aclose()
    return found


def either(
    subject: str, origin: str, answer: Answer, *, streaming: bool, is_async: bool
) -> Counted:
    """The counts of the sync or the async way."""
    if is_async:
        return asyncio.run(acounts(subject, origin, answer, streaming=streaming))
    return counts(subject, origin, answer, streaming=streaming)


def _per_chunk(subject: str, origin: str, kind: Kind, is_async: bool) -> tuple[float, float]:
    """(all calls, our calls) for each chunk: what a longer stream has more than a shorter one."""
    short, long = (
        either(subject, origin, Answer(kind, count), streaming=True, is_async=is_async)
        for count in (FEW, MANY)
    )
    chunks = MANY - FEW
    return (long.all - short.all) / chunks, (long.own - short.own) / chunks


def _per_call(subject: str, origin: str, is_async: bool) -> tuple[float, float]:
    found = either(subject, origin, Answer(), streaming=False, is_async=is_async)
    return found.all / TIMES, found.own / TIMES


@pytest.mark.heavy
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("subject", "memory"), SIDES.items())
def test_python_calls_for_each_chunk_stay_near_the_limit(
    origin: str, subject: str, memory: str, kind: Kind, is_async: bool
) -> None:
    ours, own = _per_chunk(subject, origin, kind, is_async)
    limit = sum(_per_chunk(one, origin, kind, is_async)[0] for one in (memory, "httpx"))
    assert own <= OWN_PER_CHUNK[subject][is_async]
    assert ours <= CHUNK_OVER_LIMIT * limit


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("subject", "memory"), SIDES.items())
def test_python_calls_for_each_call_stay_near_the_limit(
    origin: str, subject: str, memory: str, is_async: bool
) -> None:
    ours, own = _per_call(subject, origin, is_async)
    limit = sum(_per_call(one, origin, is_async)[0] for one in (memory, "httpx"))
    assert own <= OWN_PER_CALL[subject][is_async]
    assert ours <= CALL_OVER_LIMIT * limit
