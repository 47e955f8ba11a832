"""Mixed calls against a faulting emulator for a while: `make soak SECONDS=900`.

Both frameworks, sync from threads and async from event loops, whole and streamed, read to the end
and left early, on both endpoints, and embeddings. Every call carries its own number, so that each
request that reached the server is known to belong to it. The run fails when a request was sent
more often than the policy allows, when an answer came out shorter than it is, when an error is not
ours or shows the key, in a traceback with the locals of our frames too, or when sockets or memory
are left behind.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import random
import resource
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aimlapi_core import AIMLAPIError
from aimlapi_emulator import Emulator
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding

MODELS = ("openai/gpt-5-2", "openai/gpt-5-2-pro")
RETRIES = 1
KEY = "sk-soak-0123456789"
DIMENSIONS = 8  # of vectors: few, since some faults send a body byte by byte
TEXT = "Grüße aus Łódź, 世界 🌍, call {number} is done"

# (fault, most requests that it may cost). A number in each makes `times` count for one call.
FAULTS = (
    ("", 1),
    ("", 1),
    ("", 1),
    ("status=429 headers.Retry-After=0 times=1", 2),
    ("status=500 headers.Retry-After=0 times=1", 2),
    ("status=503 shape=html headers.Retry-After=0", 2),
    ("status=400", 1),
    ("status=401 shape=legacy", 1),
    ('status=429 message="Free-tier limit"', 1),
    ("drop=after_read", 1),
    ("drop=after_read drop_with=rst", 1),
    ("cut_after_bytes=300", 1),
    ("cut_after_bytes=300 drop_with=rst", 1),
    ("cut_after_events=4 drop_with=end", 1),
    ("error_event=openai", 1),
    ("error_event=event", 1),
    ("malformed_event=true", 1),
    ("piece_size=1", 1),
    ('piece_size=7 newline="\\r\\n" comments=true', 1),
    ("done_sentinel=false", 1),
    ("usage=missing", 1),
    ("status=425 headers.Retry-After=0 times=1", 2),
    ("status=529 headers.Retry-After=0 times=1", 2),
    ("status=499", 1),
    ("status=307 headers.Location=/elsewhere", 1),
    ("status=503 headers.Retry-After=inf", 1),
    ("answer_error=top", 1),
    ("answer_error=choice", 1),
    ("content_form=strings", 1),
    ("content_form=object", 1),
    ("finish_reason=error", 1),
    ("cost_chunk=bare", 1),
    ("cost_metadata=false", 1),
    ("usage=negative", 1),
    ("repeat_event=1", 1),
    ("split_characters=true", 1),
    ("bom=true", 1),
    ("close_after=true", 1),
    ("final_blank_line=false", 1),
)


@dataclass
class Tally:
    """What happened, added up over all threads and loops."""

    calls: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    allowed: dict[int, int] = field(default_factory=dict)
    shortened: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, way: str, text: str, number: int) -> None:
        """Note an answer, and whether it is whole. One that was left early need not be."""
        with self.lock:
            self.calls[way] += 1
            if TEXT.format(number=number) not in text and "left early" not in way:
                self.shortened.append(f"{way} {number}: {text!r}")

    def failed(self, way: str, error: Exception) -> None:
        """Note an error, and whether it is one of ours."""
        with self.lock:
            self.calls[way] += 1
            self.errors[type(error).__name__] += 1
            if not isinstance(error, AIMLAPIError):
                self.unexpected.append(f"{way}: {error!r}")
            if KEY in shown(error):
                self.shown.append(f"{way}: {type(error).__name__}")

    def allow(self, number: int, requests: int) -> None:
        """Note how many requests a call may cost."""
        with self.lock:
            self.allowed[number] = requests


def shown(error: Exception) -> str:
    """What a reporter of errors sends: the traceback, with the locals of all frames but these."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    report.stack = traceback.StackSummary.from_list(
        [frame for frame in report.stack if frame.filename != __file__]
    )
    return "".join(report.format())


class Caller:
    """Makes one random call after the other with objects that live as long as the run."""

    def __init__(self, base_url: str, tally: Tally, numbers: count[int], seed: int) -> None:
        how: Any = {"api_key": KEY, "base_url": base_url, "max_retries": RETRIES}
        self.chats = [ChatAIMLAPI(model=model, **how) for model in MODELS]
        self.llms = [AIMLAPI(model=model, **how) for model in MODELS]
        how["dimensions"] = DIMENSIONS
        self.embeddings, self.embedding = AIMLAPIEmbeddings(**how), AIMLAPIEmbedding(**how)
        self.tally, self.numbers, self.random = tally, numbers, random.Random(seed)

    def prompt(self) -> tuple[int, str]:
        """The number and the prompt of the next call."""
        number = next(self.numbers)
        fault, requests = self.random.choice(FAULTS)
        self.tally.allow(number, requests)
        directive = f"[[fault {fault} headers.X-Call={number}]] " if fault else ""
        return number, f"{directive}Say: {TEXT.format(number=number)}"

    def sync_call(self) -> None:
        """One synchronous call."""
        number, prompt = self.prompt()
        chat, llm = self.random.choice(self.chats), self.random.choice(self.llms)
        ways: dict[str, Callable[[], str]] = {
            "langchain invoke": lambda: chat.invoke(prompt).text,
            "langchain stream": lambda: "".join(c.text for c in chat.stream(prompt)),
            "langchain stream left early": lambda: first(chat.stream(prompt)).text,
            "langchain embed": lambda: embedded(
                self.embeddings.embed_documents([prompt] * 3), number
            ),
            "llama_index complete": lambda: llm.complete(prompt).text,
            "llama_index stream": lambda: "".join(
                r.delta or "" for r in llm.stream_complete(prompt)
            ),
            "llama_index embed": lambda: embedded(
                self.embedding.get_text_embedding_batch([prompt] * 3), number
            ),
        }
        way = self.random.choice(list(ways))
        try:
            self.tally.answered(way, ways[way](), number)
        except Exception as error:  # any at all: one that is not ours is what is looked for
            self.tally.failed(way, error)

    async def async_call(self) -> None:
        """One asynchronous call."""
        number, prompt = self.prompt()
        chat, llm = self.random.choice(self.chats), self.random.choice(self.llms)

        async def ainvoke() -> str:
            return (await chat.ainvoke(prompt)).text

        async def astream() -> str:
            return "".join([chunk.text async for chunk in chat.astream(prompt)])

        async def left_early() -> str:
            stream = chat.astream(prompt)
            try:
                return (await anext(stream)).text
            finally:
                await stream.aclose()  # type: ignore[attr-defined]  # it is a generator

        async def aembed() -> str:
            return embedded(await self.embeddings.aembed_documents([prompt] * 3), number)

        async def acomplete() -> str:
            return (await llm.acomplete(prompt)).text

        async def astream_complete() -> str:
            return "".join([r.delta or "" async for r in await llm.astream_complete(prompt)])

        ways: dict[str, Callable[[], Awaitable[str]]] = {
            "langchain ainvoke": ainvoke,
            "langchain astream": astream,
            "langchain astream left early": left_early,
            "langchain aembed": aembed,
            "llama_index acomplete": acomplete,
            "llama_index astream": astream_complete,
        }
        way = self.random.choice(list(ways))
        try:
            self.tally.answered(way, await ways[way](), number)
        except Exception as error:  # any at all: one that is not ours is what is looked for
            self.tally.failed(way, error)

    async def several(self, until: float) -> None:
        """Asynchronous calls, four at a time, for a second at most: then the loop ends."""
        until = min(until, time.monotonic() + 1)
        while time.monotonic() < until:
            await asyncio.gather(*(self.async_call() for _ in range(4)))


def first(stream: Any) -> Any:
    """The first piece of a stream, which is then left."""
    try:
        return next(stream)
    finally:
        stream.close()


def embedded(vectors: list[list[float]], number: int) -> str:
    """The text that the call asks for, when a whole vector came for each of its three texts."""
    whole = len(vectors) == 3 and all(len(vector) == DIMENSIONS for vector in vectors)
    return TEXT.format(number=number) if whole else repr([len(vector) for vector in vectors])


def work(caller: Caller, kind: str, until: float) -> None:
    """One thread's calls. Each second of an asynchronous one has an event loop of its own."""
    while time.monotonic() < until:
        if kind == "sync":
            caller.sync_call()
        else:
            asyncio.run(caller.several(until))


def open_files() -> int:
    """Files and sockets that this process holds."""
    return len(os.listdir("/proc/self/fd"))


def memory_mb() -> float:
    """The most memory that this process, emulator included, has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(seconds: float) -> int:
    """The run and its figures; 1 when a promise was broken."""
    tally, numbers = Tally(), count()
    requests: Counter[int] = Counter()
    with Emulator() as emulator:
        files = open_files()
        until = time.monotonic() + seconds
        callers = [Caller(emulator.base_url, tally, numbers, seed) for seed in range(4)]
        threads = [
            threading.Thread(target=work, args=(caller, kind, until))
            for caller, kind in zip(callers, ("sync", "sync", "async", "async"), strict=True)
        ]
        for thread in threads:
            thread.start()
        early, peak = 0.0, 0
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.5)
            count_requests(emulator, requests)
            peak = max(peak, emulator.open_connections)
            if not early and time.monotonic() > until - 0.8 * seconds:
                early = memory_mb()
        for thread in threads:
            thread.join()
        count_requests(emulator, requests)
        for caller in callers:
            held: tuple[Any, ...] = (*caller.chats, *caller.llms)
            for one in (*held, caller.embeddings, caller.embedding):
                one.close()
        gc.collect()
        time.sleep(0.5)
        left = open_files() - files
    sent = sum(requests.values())
    doubled = [n for n, times in requests.items() if times > tally.allowed[n]]
    calls = sum(tally.calls.values())
    print(f"calls                 {calls} in {seconds:.0f} s: {dict(sorted(tally.calls.items()))}")
    print(f"requests              {sent}, of them {sent - calls} retries")
    print(f"errors by type        {dict(tally.errors.most_common())}")
    print(f"duplicates            {len(doubled)} {doubled[:5]}")
    print(f"silently shortened    {len(tally.shortened)} {tally.shortened[:3]}")
    print(f"errors of others      {len(tally.unexpected)} {tally.unexpected[:3]}")
    print(f"errors with the key   {len(tally.shown)} {tally.shown[:3]}")
    print(f"sockets               {peak} at most, {max(0, left)} left")
    print(
        f"memory, MB            {early:.0f} after a fifth of the run, {memory_mb():.0f} at its end"
    )
    grown = memory_mb() > 1.5 * early + 50
    return int(
        bool(
            doubled
            or tally.shortened
            or tally.unexpected
            or tally.shown
            or left > 0
            or grown
            or not calls
        )
    )


def count_requests(emulator: Emulator, requests: Counter[int]) -> None:
    """Count what has arrived, by the number in its prompt, and forget it."""
    seen = emulator.requests[:]
    del emulator.requests[: len(seen)]
    for one in seen:
        prompt = str(one.body.get("messages", one.body.get("input")))
        requests[int(prompt.rsplit("call ", 1)[1].split(" ", 1)[0])] += 1


if __name__ == "__main__":
    logging.disable()  # what the faults make the libraries say is not the point
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=900)
    sys.exit(run(parser.parse_args().seconds))
