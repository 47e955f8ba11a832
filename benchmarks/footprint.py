"""What importing, making and using leave behind: time, files, sockets, memory."""

from __future__ import annotations

import asyncio
import gc
import os
import ssl
import subprocess
import sys
import tracemalloc
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import conversations, subjects
from benchmarks.goals import Figures
from benchmarks.payloads import MODEL
from benchmarks.server import Answer
from benchmarks.stopwatch import Stopwatch

OWN = frozenset(("aimlapi_core", "langchain_aimlapi", "llama_index_aimlapi"))


def first_call(given: dict[str, Any]) -> Figures:
    """Making an object and its first answer, imports excepted."""
    base = f"{given['origin']}{Answer().path}/v1"
    subjects.imported(given["subject"])
    watch = Stopwatch()
    subjects.calls(given["subject"], base).call()
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
    """Our modules' share of the time that importing an adapter takes, in per cent.

    `cache` is a folder that keeps the bytecode from round to round.
    """
    statement = f"from {given['module']} import {given['subject']}"
    cache = given["cache"]
    if not list(Path(cache).iterdir()):
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
