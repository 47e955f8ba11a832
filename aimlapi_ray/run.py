"""`answer_rows`: validates the data set, starts the journal actor, maps the rows with Ray Data."""

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
from aimlapi_ray.journal_actor import JournalActor, RunResult, unwrap_ray_error
from aimlapi_ray.report import DatasetError, JournalError, Progress, Report, RunEndedError
from aimlapi_ray.worker import AnswerFunction, Worker

M = TypeVar("M")

logger = logging.getLogger("aimlapi")

_CLOSE_WITHIN_S = 120.0  # the report sums over all rows, which may be millions
# Workers mostly wait for answers. Half a CPU each leaves some for reading the data.
_RAY_OPTIONS: Mapping[str, Any] = {"num_cpus": 0.5}


def answer_rows(
    dataset: Any,
    *,
    model: M,
    ask: AnswerFunction[M],
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
    """Call `ask` for every row of a Ray data set that has no answer in the journal yet.

    `ask(model, row)` is a coroutine function that returns the answer as str; `row` is a dict. Each
    worker has a copy of `model`, including its key, and processes `concurrency` rows at once; a
    model is anything that can be pickled and that `ask` can use. `max_retries` of the model is the
    only retry layer: Ray repeats only the rows of a killed worker.

    `id_column`: unique str or int. `job`: a name for everything that determines the answers; the
    journal of another job, or of another model, is rejected. `journal`: a file on the disk of the
    node that calls this. `budget_usd`: for all runs of the job; calls in flight may exceed it, and
    calls of unknown cost end the run while no cost is known at all (UnknownCostError).
    `max_failed`: the run ends when more rows than that have failed. `on_progress` is called every
    `progress_every_s` seconds, in a thread; None logs at INFO. `ray_options` are passed to Ray
    Data's `map_batches`, e.g. `{"num_cpus": 1, "runtime_env": …}`.

    Raises RunEndedError, which has the report, if an error ended the run that every row would
    raise; DatasetError for ids that are missing, of another type or not unique; JournalError.
    """
    check_arguments(ask, job, workers, concurrency, budget_usd, max_failed, progress_every_s)
    _refuse_ray_client()
    path = Path(journal).resolve()
    names = {"job": job, "model": model_id(model)}
    with Journal(path, **names) as opened:
        rows = opened.start_run(_ids(dataset, id_column))
        if not rows:
            return opened.report(dataset)
    on_progress = on_progress or _log
    failure = None
    limits = {"budget_usd": budget_usd, "max_failed": max_failed}
    with _journal_actor(path, opened.run, **names, **limits) as actor:
        try:
            with _progress_reports(actor, on_progress, progress_every_s):
                blocks = dataset.repartition(
                    target_num_rows_per_block=rows_per_block(rows, workers, concurrency)
                )
                worker = {"model": model, "ask": ask, "journal": actor}
                settings = {"id_column": id_column, "concurrency": concurrency}
                answered = _map_rows(blocks, {**worker, **settings}, workers, ray_options or {})
        except RayError as exc:
            failure = exc
        finally:
            result: RunResult = _actor_result(actor.close.remote(), _CLOSE_WITHIN_S)
    fatal_error = result.fatal_error
    if failure is not None:
        # The actor's own error, which Ray has wrapped, has the better message.
        raise fatal_error if isinstance(fatal_error, JournalError | DatasetError) else failure
    _report_progress(on_progress, result.progress)
    report = replace(result.report, dataset=answered)
    if fatal_error is not None:
        cause = f"{type(fatal_error).__name__}: {fatal_error}"
        raise RunEndedError(f"The run was ended by {cause}", report) from fatal_error
    return report


def _ids(dataset: Any, id_column: str) -> Iterator[Any]:
    """All row ids, in one pass. Raises DatasetError for missing or conflicting columns."""
    columns = dataset.columns()
    if columns is None:  # no rows, no columns
        return
    check_columns(columns, id_column)
    batches = dataset.select_columns([id_column]).iter_batches(
        batch_size=4096, batch_format="pyarrow"
    )
    for batch in batches:
        yield from batch.column(id_column).to_pylist()


def _map_rows(
    blocks: Any, worker: dict[str, Any], workers: int, ray_options: Mapping[str, Any]
) -> Any:
    """Map the rows with Ray Data; returns the materialized data set."""
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
def _journal_actor(path: Path, run: int, **given: Any) -> Iterator[Any]:
    """The journal actor, on this node, where the file is. It ends with this program."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    options = {"num_cpus": 0, "max_restarts": 0, "scheduling_strategy": here}
    actor = ray.remote(JournalActor).options(**options).remote(path, **given)
    try:
        _actor_result(actor.open.remote(run))
        yield actor
    finally:
        with suppress(RayError):
            ray.kill(actor)


def _actor_result(call: Any, within_s: float | None = None) -> Any:
    """The result of a call to the actor. Raises the actor's own error, or JournalError."""
    try:
        return ray.get(call, timeout=within_s)
    except RayError as exc:
        raise unwrap_ray_error(exc) from exc


def _refuse_ray_client() -> None:
    if ray.util.client.ray.is_connected():
        raise ConfigurationError(
            "Over Ray Client (ray://) the journal would lie on another machine than this program: "
            "submit it as a Ray job, or run it on a node of the cluster."
        )


@contextmanager
def _progress_reports(
    actor: Any, on_progress: Callable[[Progress], object], every_s: float
) -> Iterator[None]:
    """Context manager that reports progress periodically, in a thread."""
    stopped = threading.Event()

    def report() -> None:
        while not stopped.wait(every_s):
            try:
                progress = ray.get(actor.progress.remote())
            except RayError:  # it ends the run too, and is raised there
                return
            _report_progress(on_progress, progress)

    thread = threading.Thread(target=report, name="aimlapi-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(_CLOSE_WITHIN_S)


def _report_progress(on_progress: Callable[[Progress], object], progress: Progress) -> None:
    try:
        on_progress(progress)
    except Exception:  # a failing callback must not end a run
        logger.exception("on_progress failed")


def _log(progress: Progress) -> None:
    logger.info("%s", progress)
