"""Many batches of texts at once, never more than a bound: threads here, tasks there.

LlamaIndex's own loops send one batch after the other in synchronous calls and all at once in
asynchronous ones. A failure ends both: batches that have not begun by then are not sent, and those
in flight are given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextvars import ContextVar, copy_context
from functools import partial
from typing import TypeVar

from llama_index.core.utils import get_tqdm_iterable

from aimlapi_core._io.call_group import GRACE_S, CallGroup, Threads, outer_group, start_tasks
from aimlapi_core._io.sockets.event_loop import require_event_loop
from aimlapi_core._wire.embeddings import check_same_length

Embedding = list[float]
Done = TypeVar("Done")

# How many requests one batch may have under way: set by those who run several batches at once.
requests_per_batch: ContextVar[int | None] = ContextVar("requests_per_batch", default=None)


def split(texts: Sequence[str], size: int) -> list[list[str]]:
    """The texts in batches of `size`, the last one smaller."""
    return [list(texts[start : start + size]) for start in range(0, len(texts), size)]


def shares(bound: int, batches: int) -> tuple[int, int]:
    """(batches at once, requests at once in each): their product is at most `bound`."""
    each = max(1, bound // max(1, batches))
    return bound // each, each


def in_threads(
    embed: Callable[[list[str]], list[Embedding]],
    batches: Sequence[list[str]],
    bound: int,
    show_progress: bool,
) -> list[Embedding]:
    """The vectors of all batches, in order. Each thread sees the caller's context variables.

    Raises the first failure, within a second: requests in flight are given up then, as in the
    core's `embed`. So does Ctrl-C.
    """
    at_once, each = shares(bound, len(batches))
    group = CallGroup()

    def one(batch: list[str]) -> list[Embedding]:
        if group.is_stopped:
            raise CancelledError
        requests_per_batch.set(each)
        outer_group.set(group)
        with group:
            return embed(batch)

    tasks = [partial(copy_context().run, one, batch) for batch in batches]
    threads: Threads[list[Embedding]] = Threads(tasks, min(at_once, len(tasks)))
    try:
        found = dict(_watched(batches, threads.results(), show_progress))
    except BaseException as exc:
        failure = group.stop(exc)
        threads.end(group, grace_s=GRACE_S if isinstance(exc, Exception) else 0.0)
        raise failure  # noqa: B904  # mostly exc itself, with its own cause
    return _joined([found[index] for index in range(len(batches))])


async def in_tasks(
    embed: Callable[[list[str]], Awaitable[list[Embedding]]],
    batches: Sequence[list[str]],
    bound: int,
    show_progress: bool,
) -> list[Embedding]:
    """`in_threads`, in the running event loop."""
    require_event_loop()
    at_once, each = shares(bound, len(batches))

    async def one(batch: list[str]) -> list[Embedding]:
        requests_per_batch.set(each)
        return await embed(batch)

    tasks = start_tasks([partial(one, batch) for batch in batches], at_once)
    try:
        for done in _watched(tasks, asyncio.as_completed(tasks), show_progress):
            await done
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    return _joined([task.result() for task in tasks])


def _joined(batches: Sequence[list[Embedding]]) -> list[Embedding]:
    check_same_length(batches)
    return [vector for vectors in batches for vector in vectors]


def _watched(all_of_them: Sequence[object], done: Iterable[Done], show: bool) -> Iterator[Done]:
    """What is done, as it gets done, under LlamaIndex's progress bar when `show`."""
    bar = get_tqdm_iterable(all_of_them, show, "Generating embeddings")
    return (item for _, item in zip(bar, done, strict=False))  # strict would ask for one more
