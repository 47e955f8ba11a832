"""One measurement in a process of its own: `python -m benchmarks.worker '{"measure": …}'`.

It prints one JSON object of numbers. CPU time is the process's own, all threads together.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import ssl
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import agents, conversations, embedding_models, subjects
from benchmarks.payloads import MODEL, texts
from benchmarks.server import Answer
from benchmarks.subjects import Calls

Figures = dict[str, float]

FILES = 20_000  # the limit on open files under which calls in flight are measured
OWN = frozenset(("aimlapi_core", "langchain_aimlapi", "llama_index_aimlapi"))


class Stopwatch:
    """CPU and wall time since it was made."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def per(self, count: int) -> Figures:
        """Microseconds for each of `count` things."""
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        return {"cpu_us": cpu / count * 1e6, "wall_us": wall / count * 1e6}


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
    for _ in calls.stream():
        pass
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
    """One call with `count` texts; the server has made its answers before."""
    documents = texts(given["count"])
    embed = embedding_models.MODELS[given["subject"]](_base(given, Answer("embeddings")))
    _must_be(len(embed(documents)) == len(documents), "a vector for each text")
    watch = Stopwatch()
    embed(documents)
    return watch.per(1)


def in_flight(given: dict[str, Any]) -> Figures:
    """`count` asynchronous calls at once, each answered after `delay_ms`; figures per call.

    `cold`: no call went before, so connections and TLS are part of the figures.
    """
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    calls = _calls(given, Answer(delay_ms=given["delay_ms"]))
    count = given["count"]

    async def run() -> Figures:
        if not given.get("cold"):
            await calls.acall()
        watch = Stopwatch()
        ended = await asyncio.gather(*(calls.acall() for _ in range(count)), return_exceptions=True)
        figures = watch.per(count)
        errors = [one for one in ended if isinstance(one, BaseException)]
        return {**figures, "errors": len(errors), "total_s": figures["wall_us"] * count / 1e6}

    return asyncio.run(run())


def first_call(given: dict[str, Any]) -> Figures:
    """Making an object and its first answer, imports excepted."""
    subjects.imported(given["subject"])
    watch = Stopwatch()
    _calls(given, Answer()).call()
    return watch.per(1)


def construct(given: dict[str, Any]) -> Figures:
    """The first object, what it opened, and the later ones."""
    subject, base = given["subject"], f"{given['origin']}/v1"
    subjects.imported(subject)
    with Opened() as opened:
        watch = Stopwatch()
        subjects.made(subject, base)
        first = watch.per(1)
    times = given["times"]
    watch = Stopwatch()
    for _ in range(times):
        subjects.made(subject, base)
    return {**watch.per(times), "first_cpu_us": first["cpu_us"], "opened": len(opened.what)}


class Opened:
    """Files, sockets and TLS contexts that are made while it is entered."""

    def __init__(self) -> None:
        self.what: list[str] = []

    def __enter__(self) -> Opened:
        self._is_on = True
        sys.addaudithook(self._heard)
        made: Any = ssl.SSLContext.__new__
        self._made = made

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.what.append("TLS context")
            return made(*args, **kwargs)

        setattr(ssl.SSLContext, "__new__", counted)  # noqa: B010  # no audit event tells of one
        return self

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._is_on and (event == "open" or event.startswith("socket.")):
            self.what.append(f"{event} {arguments[0]!r}")

    def __exit__(self, *error: object) -> None:
        self._is_on = False
        setattr(ssl.SSLContext, "__new__", self._made)  # noqa: B010  # mypy takes no assignment


def imports(given: dict[str, Any]) -> Figures:
    """Our modules' share of the time that importing an adapter takes, in per cent."""
    statement = f"from {given['module']} import {given['subject']}"
    with tempfile.TemporaryDirectory() as cache:
        _import_times(statement, cache)  # writes the bytecode
        before, found = _import_times("pass", cache), _import_times(statement, cache)
    new = {name: time_us for name, time_us in found.items() if name not in before}
    own = sum(time_us for name, time_us in new.items() if name.split(".")[0] in OWN)
    return {"share": 100 * own / sum(new.values()), "own_us": own, "all_us": sum(new.values())}


def _import_times(statement: str, cache: str) -> dict[str, int]:
    """Own microseconds by module of a fresh interpreter, which keeps bytecode in `cache`."""
    command = [sys.executable, "-X", "importtime", "-c", statement]
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    ).stderr
    rows = [line.removeprefix("import time:").split("|") for line in told.splitlines()]
    return {name.strip(): int(own) for own, _, name in (r for r in rows if r[0].strip().isdigit())}


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


def held(given: dict[str, Any]) -> Figures:
    """What `streams` of the core, read at once, hold while they grow: bytes a chunk."""
    core = import_module("aimlapi_core")
    streams = given["streams"]

    async def one(client: Any) -> None:
        message = core.Message("user", (core.Text(subjects.PROMPT),))
        async for _ in client.stream(core.ChatRequest(messages=(message,), model=MODEL)):
            pass

    async def peak(count: int) -> int:
        base = f"{given['origin']}{Answer(count=count, paced=True).path}/v1"
        client = core.AsyncClient(core.Settings(base_url=base, api_key=subjects.KEY))
        await one(client)
        tracemalloc.start()
        await asyncio.gather(*(one(client) for _ in range(streams)))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        await client.aclose()
        return found

    async def run() -> Figures:
        short, long = await peak(given["count"] // 2), await peak(given["count"])
        grown = (long - short) / streams / (given["count"] // 2)
        return {"bytes_a_chunk": grown, "mb_short": short / 1e6, "mb_long": long / 1e6}

    return asyncio.run(run())


def objects(given: dict[str, Any]) -> Figures:
    """`count` objects: memory of each, and the sockets open after 200 of them have called."""
    base = f"{given['origin']}{Answer().path}/v1"
    subject, count = given["subject"], given["count"]
    kept = [subjects.made(subject, base) for _ in range(10)]
    gc.collect()
    tracemalloc.start()
    kept += [subjects.made(subject, base) for _ in range(count)]
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    for one in kept[-200:]:
        subjects.calls_of(subject, one).call()
    return {"bytes": size / count, "sockets": _sockets()}


def _sockets() -> int:
    files = Path("/proc/self/fd")
    links = (os.readlink(path) for path in files.iterdir() if path.is_symlink())
    return sum(link.startswith("socket:") for link in links)


def size_of_work(given: dict[str, Any]) -> Figures:
    """One call with a long conversation: CPU time, and the peak of memory over the body's size."""
    count = given["count"]
    conversation, body_bytes = conversations.made(given["subject"], count, images=count // 50)
    base = f"{given['origin']}{Answer().path}/v1"
    ask = conversations.asking(given["subject"], subjects.made(given["subject"], base))
    ask(conversation)
    watch = Stopwatch()
    for _ in range(given["times"]):
        ask(conversation)
    figures = watch.per(given["times"])
    gc.collect()
    tracemalloc.start()
    ask(conversation)
    peak = tracemalloc.get_traced_memory()[1]
    return {**figures, "peak_over_body": peak / body_bytes, "body_mb": body_bytes / 1e6}


def _must_be(fact: bool, what: str) -> None:
    if not fact:
        raise AssertionError(what)


MEASURES: dict[str, Callable[[dict[str, Any]], Figures]] = {
    "call": call,
    "acall": acall,
    "stream": stream,
    "astream": astream,
    "agent": agent,
    "embed": embed,
    "in_flight": in_flight,
    "first_call": first_call,
    "construct": construct,
    "imports": imports,
    "together": together,
    "held": held,
    "objects": objects,
    "size_of_work": size_of_work,
}


def main() -> None:
    """Measure what the argument says."""
    given = json.loads(sys.argv[1])
    print(json.dumps(MEASURES[given["measure"]](given)))


if __name__ == "__main__":
    main()
