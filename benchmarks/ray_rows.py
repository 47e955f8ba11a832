"""Rows a second by Ray on one node, and by a plain asyncio loop with as many calls in flight.

Counted from the first row's beginning to the last one's end: the workers have begun by then.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import subjects
from benchmarks.goals import Figures
from benchmarks.server import Answer

WORKERS, CONCURRENCY = 2, 16  # the defaults
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # what makes it listen on the loopback alone
    "PYTHONPATH": str(Path(__file__).parents[1]),
}

_waited_s = 0.0  # by all rows of this worker, for the journal


class _Timed:
    """A remote method of the journal whose callers' waiting is counted."""

    def __init__(self, method: Any) -> None:
        self._method = method

    async def remote(self, *arguments: Any) -> Any:
        global _waited_s
        began = time.monotonic()
        try:
            return await self._method.remote(*arguments)
        finally:
            _waited_s += time.monotonic() - began


class TimedJournal:
    """The journal actor; the time that rows wait for it is counted."""

    def __init__(self, actor: Any) -> None:
        self.begin, self.end = _Timed(actor.begin), _Timed(actor.end)
        self.finished_rows = actor.finished_rows


def _worker_class() -> Any:
    worker: Any = import_module("aimlapi_ray.worker").Worker

    class TimedWorker(worker):  # type: ignore[misc]  # known at run time only
        def __init__(self, model: Any, ask: Any, journal: Any, **given: Any) -> None:
            super().__init__(model, ask, TimedJournal(journal), **given)

    return TimedWorker


async def ask(model: Any, row: dict[str, Any]) -> str:
    """The answer says when the row's call began and ended, and what its worker waited so far."""
    began = time.monotonic()
    await model.ainvoke(row["text"])
    return json.dumps([began, time.monotonic(), os.getpid(), _waited_s])


def _rows(count: int) -> list[dict[str, Any]]:
    return [{"id": number, "text": subjects.PROMPT} for number in range(count)]


def _model(given: dict[str, Any]) -> Any:
    base = f"{given['origin']}{Answer(delay_ms=given['delay_ms']).path}/v1"
    return subjects.made(given["subject"], base)


def figures(answers: list[str]) -> Figures:
    """What the rows' answers tell."""
    rows = [json.loads(answer) for answer in answers]
    calls_s = sum(ended - began for began, ended, *_ in rows)
    waited_s = sum(_latest(rows).values())
    took_s = max(ended for _, ended, *_ in rows) - min(began for began, *_ in rows)
    return {
        "rows_a_second": len(rows) / took_s,
        "journal": 100 * waited_s / (waited_s + calls_s),
    }


def _latest(rows: list[Any]) -> dict[int, float]:
    """By worker, what its rows had waited at the end."""
    out: dict[int, float] = {}
    for *_, pid, waited_s in rows:
        out[pid] = max(out.get(pid, 0.0), waited_s)
    return out


def asyncio_rows(given: dict[str, Any]) -> Figures:
    """The same calls in a plain loop."""
    model = _model(given)
    slots = asyncio.Semaphore(WORKERS * CONCURRENCY)

    async def one(row: dict[str, Any]) -> str:
        async with slots:
            return await ask(model, row)

    async def run() -> list[str]:
        return await asyncio.gather(*(one(row) for row in _rows(given["count"])))

    return figures(asyncio.run(run()))


def ray_rows(given: dict[str, Any]) -> Figures:
    """`answer_rows` on a cluster of this machine with two CPUs."""
    os.environ.update(_SETTINGS)
    ray: Any = import_module("ray")
    run: Any = import_module("aimlapi_ray.run")
    run.Worker = _worker_class()
    with (
        tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder,
        _cluster(ray, folder),
    ):
        began = time.monotonic()
        report = run.answer_rows(
            ray.data.from_items(_rows(given["count"]), override_num_blocks=4),
            model=_model(given),
            ask=ask,
            job="bench",
            journal=Path(folder, "journal.sqlite"),
            workers=WORKERS,
            concurrency=CONCURRENCY,
            on_progress=lambda progress: None,
        )
        took_s = time.monotonic() - began
        answers = [row["answer"] for row in report.dataset.take_all()]
    found = figures(answers)
    return {**found, "whole_s": took_s, "start_s": took_s - len(answers) / found["rows_a_second"]}


@contextmanager
def _cluster(ray: Any, folder: str) -> Iterator[None]:
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        object_store_memory=100_000_000,
        _temp_dir=folder,
    )
    try:
        ray.data.DataContext.get_current().enable_progress_bars = False
        yield
    finally:
        ray.shutdown()
