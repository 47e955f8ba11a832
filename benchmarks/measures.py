"""What calls, streams, agents and embed calls cost, one after another and in flight."""

from __future__ import annotations

import asyncio
import resource
from typing import Any

from benchmarks import agents, embedding_models, subjects
from benchmarks.goals import Figures
from benchmarks.payloads import texts
from benchmarks.server import Answer
from benchmarks.stopwatch import Stopwatch
from benchmarks.subjects import Calls

FILES = 20_000  # the limit on open files under which calls in flight are measured
WARM_UP = 1500  # texts


def _base(given: dict[str, Any], answer: Answer) -> str:
    return f"{given['origin']}{answer.path}/v1"


def _calls(given: dict[str, Any], answer: Answer) -> Calls:
    base = _base(given, answer)
    return subjects.calls(given["subject"], base, answer.kind, answer.count)


def call(given: dict[str, Any]) -> Figures:
    """Synchronous calls one after another."""
    calls = _calls(given, Answer())
    for _ in range(20):
        calls.call()
    watch = Stopwatch()
    for _ in range(given["times"]):
        calls.call()
    return watch.per(given["times"])


def acall(given: dict[str, Any]) -> Figures:
    """Asynchronous calls one after another."""
    calls = _calls(given, Answer())

    async def run() -> Figures:
        for _ in range(20):
            await calls.acall()
        watch = Stopwatch()
        for _ in range(given["times"]):
            await calls.acall()
        return watch.per(given["times"])

    return asyncio.run(run())


def stream(given: dict[str, Any]) -> Figures:
    """Streams one after another; figures are per chunk."""
    count, times = given["count"], given["times"]
    calls = _calls(given, Answer(kind=given["kind"], count=count))
    if times > 1:
        for _ in calls.stream():
            pass
    else:  # a long one, beside which a first chunk's cost is nothing
        calls.call()
    watch = Stopwatch()
    for _ in range(times):
        seen = sum(1 for _ in calls.stream())
        _must_be(seen >= count, f"{seen} chunks of {count}")
    return watch.per(count * times)


def astream(given: dict[str, Any]) -> Figures:
    """Asynchronous streams one after another; figures are per chunk."""
    count, times = given["count"], given["times"]
    calls = _calls(given, Answer(kind=given["kind"], count=count))

    async def run() -> Figures:
        async for _ in calls.astream():
            pass
        watch = Stopwatch()
        for _ in range(times):
            seen = 0
            async for _ in calls.astream():
                seen += 1
            _must_be(seen >= count, f"{seen} chunks of {count}")
        return watch.per(count * times)

    return asyncio.run(run())


def agent(given: dict[str, Any]) -> Figures:
    """Runs of a LangGraph agent, each of `steps` steps with two tool calls; figures per run."""
    steps = given["steps"]
    base = _base(given, Answer("agent", steps))
    run = agents.running(subjects.made(given["subject"], base, "agent", steps))
    _must_be(run() == 3 * steps + 2, "messages of another number")
    run()
    watch = Stopwatch()
    for _ in range(given["times"]):
        run()
    return watch.per(given["times"])


def embed(given: dict[str, Any]) -> Figures:
    """One call with `count` texts, after one with fewer."""
    documents = texts(given["count"])
    embed = embedding_models.MODELS[given["subject"]](_base(given, Answer("embeddings")))
    some = documents[:WARM_UP]
    _must_be(len(embed(some)) == len(some), "a vector for each text")
    watch = Stopwatch()
    embed(documents)
    return watch.per(1)


def in_flight(given: dict[str, Any]) -> Figures:
    """`count` asynchronous calls at once, each answered after `delay_ms`; figures per call.

    One call goes before; all other connections are opened within the figures. `soft_files` is the
    limit on open files that is found, which the calls have to raise.
    """
    resource.setrlimit(resource.RLIMIT_NOFILE, (given.get("soft_files", FILES), FILES))
    calls = _calls(given, Answer(delay_ms=given["delay_ms"]))
    count = given["count"]

    async def run() -> Figures:
        await calls.acall()
        watch = Stopwatch()
        ended = await asyncio.gather(*(calls.acall() for _ in range(count)), return_exceptions=True)
        figures = watch.per(count)
        errors = [one for one in ended if isinstance(one, BaseException)]
        return {**figures, "errors": len(errors), "total_s": figures["wall_us"] * count / 1e6}

    return asyncio.run(run())


def together(given: dict[str, Any]) -> Figures:
    """`streams` at once: how far, in per cent, the last was at the first's last delta."""
    count, streams = given["count"], given["streams"]
    calls = _calls(given, Answer(count=count, paced=True))
    seen = [0] * streams
    least: list[int] = []

    async def one(number: int) -> None:
        async for _ in calls.astream():
            seen[number] += 1
            if seen[number] == count:
                least.append(min(seen))

    async def run() -> Figures:
        watch = Stopwatch()
        await asyncio.gather(*(one(number) for number in range(streams)))
        _must_be(min(seen) >= count, f"{min(seen)} chunks of {count}")
        return {**watch.per(streams * count), "progress": 100 * least[0] / count}

    return asyncio.run(run())


def _must_be(fact: bool, what: str) -> None:
    if not fact:
        raise AssertionError(what)
