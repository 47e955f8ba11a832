"""Validates a run's arguments, columns and row ids. No Ray."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from aimlapi_core.costs.totals import to_credits
from aimlapi_core.errors import ConfigurationError
from aimlapi_ray.report import DatasetError, JournalError

_INTEGERS = 2**63  # SQLite's are signed and of 64 bits
BLOCKS_PER_WORKER = 4
"""Blocks in flight per worker: rows of the next block fill the slots that a block frees."""


def check_arguments(
    ask: Any,
    job: Any,
    workers: int,
    concurrency: int,
    budget_usd: Decimal | float | str | None,
    max_failed: int | None,
    progress_every_s: float,
) -> None:
    """Raise ConfigurationError for an argument that cannot work."""
    if not inspect.iscoroutinefunction(ask):
        raise ConfigurationError(f"ask must be a coroutine function (async def), not {ask!r}")
    if not isinstance(job, str) or not job:
        raise ConfigurationError(f"job must be a name, not {job!r}")
    least = {"workers": (workers, 1), "concurrency": (concurrency, 1)}
    if max_failed is not None:
        least["max_failed"] = (max_failed, 0)
    for name, (value, low) in least.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < low:
            raise ConfigurationError(f"{name} must be a whole number from {low} on, not {value!r}")
    if not progress_every_s > 0:
        raise ConfigurationError(f"progress_every_s must be above 0, not {progress_every_s!r}")
    if budget_usd is not None:
        to_credits(budget_usd)


def check_columns(columns: Iterable[str], id_column: str) -> None:
    """Raise DatasetError if the id column is missing, or an output column already exists."""
    names = list(columns)
    if id_column not in names:
        raise DatasetError(f"There is no column {id_column!r}: id_column must be one of {names}.")
    for taken in ("answer", "error"):
        if taken in names:
            raise DatasetError(
                f"The column {taken!r} is added by this run: rename that of the data."
            )


def check_id(row_id: Any, where: str = "") -> None:
    """Raise DatasetError for an id that SQLite cannot store. `where` is added to the message."""
    if not isinstance(row_id, str | int) or isinstance(row_id, bool):
        raise DatasetError(f"Ids must be str or int, not {row_id!r}{where}.")
    if isinstance(row_id, int) and not -_INTEGERS <= row_id < _INTEGERS:
        raise DatasetError(f"The id {row_id!r}{where} has more than 64 bits: give the ids as str.")
    if isinstance(row_id, str) and without_surrogates(row_id) != row_id:
        raise DatasetError(
            f"The id {row_id!r}{where} has half a character in it, a lone surrogate: give the id "
            "as a str of whole characters, as ascii(id) does."
        )


def without_surrogates(text: str) -> str:
    """Replace lone surrogates by "?": neither SQLite nor Arrow accepts them.

    JSON can hold them, as `"\\ud83d"`, half of a surrogate pair.
    """
    return text.encode("utf-8", "replace").decode()


def model_id(model: Any) -> str:
    """The model id of a model object; "" for one without, as a chain."""
    found = (getattr(model, name, None) for name in ("model_name", "model"))
    return next((name for name in found if isinstance(name, str)), "")


def rows_per_block(rows: int, workers: int, concurrency: int) -> int:
    """Small enough to balance the workers, large enough to fill their slots."""
    return max(1, min(4 * concurrency, -(-rows // (workers * BLOCKS_PER_WORKER))))


def check_journal_file(path: Path) -> None:
    """Raise JournalError for what is left of a journal whose answers are gone.

    SQLite takes an empty file for a new database, and deletes a write-ahead log beside it.
    """
    log = path.with_name(f"{path.name}-wal")
    if path.exists() and not path.is_dir() and not path.stat().st_size:
        raise JournalError(
            f"{path}: the journal is an empty file, so what it held is gone. Put a copy in its "
            "place, or delete it: then the job starts over, and each row is asked and paid again."
        )
    if not path.exists() and log.exists() and log.stat().st_size:
        raise JournalError(
            f"{log} is there, but not the journal {path.name} that it belongs to: put both in one "
            "place, or delete it: then the job starts over, and each row is asked and paid again."
        )
