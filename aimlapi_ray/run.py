"""One run of a job on a Ray cluster: what is checked, started and put away again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import ray
from ray.data import ActorPoolStrategy
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from aimlapi_core.errors import ConfigurationError
from aimlapi_ray.checks import (
    BLOCKS_PER_WORKER,
    check_arguments,
    check_columns,
    model_id,
    rows_per_block,
)
from aimlapi_ray.journal import Journal
from aimlapi_ray.journal_actor import Closed, Keeper, said_by_keeper
from aimlapi_ray.report import JournalError, Progress, Report, RowsError, RunEndedError
from aimlapi_ray.worker import Ask, Worker

M = TypeVar("M")

logger = logging.getLogger("aimlapi")

_CLOSE_WITHIN_S = 120.0  # the report's sums are over all rows, which may be millions
# Workers wait for answers most of their time. Half a CPU each leaves room for reading the data.
_RAY_OPTIONS: Mapping[str, Any] = {"num_cpus": 0.5}


def answer_rows(
    dataset: Any,
    *,
    model: M,
    ask: Ask[M],
    job: str,
    journal: str | Path,
    id_column: str = "id",
    workers: int = 2,
    concurrency: int = 16,
    budget_usd: Decimal | float | str | None = None,
    max_failed: int | None = None,
    on_progress: Callable[[Progress], object] | None = None,
    progress_every_s: float = 10.0,
    ray_options: Mapping[str, Any] | None = None,
) -> Report:
    """Ask for every row of a Ray data set; rows that the journal has an answer of are not asked.

    `ask(model, row)` is a coroutine function that gives the answer as str; `row` is a dict. Each
    worker has a copy of `model`, key included, and asks `concurrency` rows at once; a model is
    anything that can be pickled and that `ask` can use. `max_retries` of the model is the only
    retry layer: Ray runs again what a killed worker had, and no more.

    `id_column`: str or int, each once. `job`: a name for all that makes the answers what they
    are; a journal of another job, or of another model, is refused. `journal`: a file on the disk
    of the node where this is called. `budget_usd`: of all runs of the job; calls under way at its
    end may exceed it, and calls whose cost is unknown end the run while none is known at all
    (UnknownCostError). `max_failed`: the run ends when more rows than that have failed.
    `on_progress` is called every `progress_every_s` seconds, in a thread; None logs at INFO.
    `ray_options` go to Ray Data's `map_batches`, e.g. `{"num_cpus": 1, "runtime_env": …}`.

    Raises RunEndedError where an error ended the run that every row would meet, RowsError for
    ids that are missing, of another type, or doubled, and JournalError. The first has the report.
    """
    check_arguments(ask, job, workers, concurrency, budget_usd, max_failed, progress_every_s)
    _refuse_ray_client()
    path = Path(journal).resolve()
    names = {"job": job, "model": model_id(model)}
    with Journal(path, **names) as book:
        rows = book.start_run(_ids(dataset, id_column))
        if not rows:
            return book.report(dataset)
    tell = on_progress or _log
    failure = None
    limits = {"budget_usd": budget_usd, "max_failed": max_failed}
    with _keeper(path, book.run, **names, **limits) as keeper:
        try:
            with _told(keeper, tell, progress_every_s):
                blocks = dataset.repartition(
                    target_num_rows_per_block=rows_per_block(rows, workers, concurrency)
                )
                worker = {"model": model, "ask": ask, "keeper": keeper}
                settings = {"id_column": id_column, "concurrency": concurrency}
                answered = _mapped(blocks, {**worker, **settings}, workers, ray_options or {})
        except RayError as exc:
            failure = exc
        finally:
            closed: Closed = _given(keeper.close.remote(), _CLOSE_WITHIN_S)
    ending = closed.ending
    if failure is not None:
        # What the keeper could not do comes back wrapped by Ray; its own word says it shorter.
        raise ending if isinstance(ending, JournalError | RowsError) else failure
    _tell(tell, closed.progress)
    report = replace(closed.report, dataset=answered)
    if ending is not None:
        raise RunEndedError(f"The run was ended by {_said(ending)}", report) from ending
    return report


def _ids(dataset: Any, id_column: str) -> Iterator[Any]:
    """All ids, read through once. Raises RowsError for columns that are missing or in the way."""
    columns = dataset.columns()
    if columns is None:  # no rows, no columns
        return
    check_columns(columns, id_column)
    batches = dataset.select_columns([id_column]).iter_batches(
        batch_size=4096, batch_format="pyarrow"
    )
    for batch in batches:
        yield from batch.column(id_column).to_pylist()


def _mapped(
    blocks: Any, worker: dict[str, Any], workers: int, ray_options: Mapping[str, Any]
) -> Any:
    """The answered data set, in the cluster's memory. Ray Data does the work."""
    pool = ActorPoolStrategy(
        size=workers,
        max_tasks_in_flight_per_actor=BLOCKS_PER_WORKER,
        max_concurrent_calls_per_actor=BLOCKS_PER_WORKER,
        enable_true_multi_threading=True,  # all calls share the worker's event loop
    )
    mapped = blocks.map_batches(
        Worker,
        fn_constructor_kwargs=worker,
        batch_size=None,
        batch_format="pyarrow",
        compute=pool,
        udf_modifying_row_count=False,
        **{**_RAY_OPTIONS, **ray_options},
    )
    return mapped.materialize()


@contextmanager
def _keeper(path: Path, run: int, **given: Any) -> Iterator[Any]:
    """The journal's process, on this node: its file is here. It dies with this program."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(Keeper).options(num_cpus=0, max_restarts=0, scheduling_strategy=here)
    keeper = actor.remote(path, **given)
    try:
        _given(keeper.open.remote(run))
        yield keeper
    finally:
        with suppress(RayError):
            ray.kill(keeper)


def _given(call: Any, within_s: float | None = None) -> Any:
    """What the keeper gives; its own error, or JournalError where it has no word any more."""
    try:
        return ray.get(call, timeout=within_s)
    except RayError as exc:
        raise said_by_keeper(exc) from exc


def _refuse_ray_client() -> None:
    if ray.util.client.ray.is_connected():
        raise ConfigurationError(
            "Over Ray Client (ray://) the journal would lie on another machine than this program: "
            "submit it as a Ray job, or run it on a node of the cluster."
        )


@contextmanager
def _told(keeper: Any, tell: Callable[[Progress], object], every_s: float) -> Iterator[None]:
    """Inside it, progress is told from time to time."""
    over = threading.Event()

    def telling() -> None:
        while not over.wait(every_s):
            try:
                progress = ray.get(keeper.progress.remote())
            except RayError:  # the run ends by it too, and says so
                return
            _tell(tell, progress)

    thread = threading.Thread(target=telling, name="aimlapi-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_CLOSE_WITHIN_S)


def _tell(tell: Callable[[Progress], object], progress: Progress) -> None:
    try:
        tell(progress)
    except Exception:  # a broken callback must not cost a run
        logger.exception("on_progress failed")


def _log(progress: Progress) -> None:
    logger.info("%s", progress)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
