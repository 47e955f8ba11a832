"""One run of a job on a Ray cluster: what is checked, started and put away again."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import ray
from ray.data import ActorPoolStrategy
from ray.exceptions import RayActorError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from aimlapi_core.errors import AIMLAPIError, ConfigurationError
from aimlapi_core.totals import to_credits
from aimlapi_ray.journal import Journal, JournalError, RowsError
from aimlapi_ray.keeper import Keeper
from aimlapi_ray.report import Progress, Report, RunEndedError
from aimlapi_ray.worker import Ask, Worker

M = TypeVar("M")

logger = logging.getLogger("aimlapi")

# Blocks that a worker has at once: while the last rows of one are answered, others fill its slots.
_BLOCKS = 4
_CLOSE_WITHIN_S = 30.0
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
    end may exceed it. `max_failed`: the run ends when more rows than that have failed.
    `on_progress` is called every `progress_every_s` seconds, in a thread; None logs at INFO.
    `ray_options` go to Ray Data's `map_batches`, e.g. `{"num_cpus": 1, "runtime_env": …}`.

    Raises RunEndedError where an error ended the run that every row would meet, RowsError for
    ids that are missing, of another type, or doubled, and JournalError. The first has the report.
    """
    _check(ask, job, workers, concurrency, budget_usd, progress_every_s)
    path = Path(journal).resolve()
    names = {"job": job, "model": _model_id(model)}
    with Journal(path, **names) as book:
        rows = book.start_run(_ids(dataset, id_column))
        if not rows:
            return book.report(dataset)
    keeper = _keeper(path, **names, budget_usd=budget_usd, max_failed=max_failed)
    answered = ending = None
    try:
        with _told(keeper, on_progress or _log, progress_every_s):
            blocks = dataset.repartition(
                target_num_rows_per_block=rows_per_block(rows, workers, concurrency)
            )
            answered = blocks.map_batches(
                Worker,
                fn_constructor_args=(model, ask, keeper),
                fn_constructor_kwargs={"id_column": id_column, "concurrency": concurrency},
                batch_size=None,
                batch_format="pyarrow",
                compute=_pool(workers),
                udf_modifying_row_count=False,
                **{**_RAY_OPTIONS, **(ray_options or {})},
            ).materialize()
    except RayError as exc:
        raise _own(exc) or exc from None
    finally:
        ending = _closed(keeper)
    with Journal(path, **names) as book:
        report = book.report(answered)
        (on_progress or _log)(book.progress())
    if ending is not None:
        raise RunEndedError(f"The run was ended by {_said(ending)}", report) from ending
    return report


def rows_per_block(rows: int, workers: int, concurrency: int) -> int:
    """Small enough for all workers to have as much to do; large enough to fill their slots."""
    return max(1, min(4 * concurrency, -(-rows // (workers * _BLOCKS))))


def _check(
    ask: Any,
    job: str,
    workers: int,
    concurrency: int,
    budget_usd: Decimal | float | str | None,
    progress_every_s: float,
) -> None:
    if not inspect.iscoroutinefunction(ask):
        raise ConfigurationError(f"ask must be a coroutine function (async def), not {ask!r}")
    if not job or not isinstance(job, str):
        raise ConfigurationError(f"job must be a name, not {job!r}")
    for name, value in (("workers", workers), ("concurrency", concurrency)):
        if not isinstance(value, int) or value < 1:
            raise ConfigurationError(f"{name} must be a whole number of 1 or more, not {value!r}")
    if not progress_every_s > 0:
        raise ConfigurationError(f"progress_every_s must be above 0, not {progress_every_s!r}")
    if budget_usd is not None:
        to_credits(budget_usd)
    if ray.util.client.ray.is_connected():
        raise ConfigurationError(
            "Over Ray Client (ray://) the journal would lie on another machine than this program: "
            "submit it as a Ray job, or run it on a node of the cluster."
        )


def _model_id(model: Any) -> str:
    """The id that a model object goes by; "" where it has none, as a chain."""
    found = (getattr(model, name, None) for name in ("model_name", "model"))
    return next((name for name in found if isinstance(name, str)), "")


def _ids(dataset: Any, id_column: str) -> Iterator[Any]:
    """All ids, read through once. Raises RowsError for columns that are missing or in the way."""
    columns = dataset.columns()
    if columns is None:  # no rows, no columns
        return
    if id_column not in columns:
        raise RowsError(f"No column {id_column!r}: id_column must be one of {columns}.")
    taken = {"answer", "error"} & set(columns)
    if taken:
        raise RowsError(f"The data set has a column {taken.pop()!r}, which is ours: rename it.")
    for batch in dataset.select_columns([id_column]).iter_batches(
        batch_size=4096, batch_format="pyarrow"
    ):
        yield from batch.column(id_column).to_pylist()


def _pool(workers: int) -> Any:
    return ActorPoolStrategy(
        size=workers,
        max_tasks_in_flight_per_actor=_BLOCKS,
        max_concurrent_calls_per_actor=_BLOCKS,
        enable_true_multi_threading=True,
    )


def _keeper(path: Path, **given: Any) -> Any:
    """The journal's process, on this node: its file is here. It dies with this program."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(Keeper).options(num_cpus=0, max_restarts=0, scheduling_strategy=here)
    return actor.remote(path, **given)


def _closed(keeper: Any) -> Exception | None:
    """What ended the run early; the journal is closed."""
    try:
        ending: Exception | None = ray.get(keeper.close.remote(), timeout=_CLOSE_WITHIN_S)
    except RayError as exc:
        return JournalError(f"the end of the journal's process: {exc}")
    finally:
        with suppress(RayError):
            ray.kill(keeper)
    return ending


@contextmanager
def _told(keeper: Any, tell: Callable[[Progress], object], every_s: float) -> Iterator[None]:
    """Inside it, progress is told from time to time."""
    over = threading.Event()

    def telling() -> None:
        while not over.wait(every_s):
            try:
                tell(ray.get(keeper.progress.remote()))
            except RayActorError:
                return
            except Exception:  # a broken callback must not cost a run
                logger.exception("on_progress failed; no more progress is told")
                return

    thread = threading.Thread(target=telling, name="aimlapi-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_CLOSE_WITHIN_S)


def _log(progress: Progress) -> None:
    logger.info("%s", progress)


def _own(exc: BaseException) -> AIMLAPIError | None:
    """The error of this library that Ray has wrapped."""
    seen: BaseException | None = exc
    while seen is not None:
        if isinstance(seen, AIMLAPIError):
            return seen
        seen = getattr(seen, "cause", None) or seen.__cause__
    return None


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
