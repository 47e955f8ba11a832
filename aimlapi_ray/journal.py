"""SQLite journal of a batch job: attempts, answers, errors and costs of its rows. No Ray.

One file, opened by one process. An attempt is written before its call is sent, and completed with
the answer. An attempt that was never completed was lost with its process: its row is attempted
again and counted as repeated, and the lost cost stays unknown.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self, TypeAlias

from aimlapi_core.costs.totals import Totals
from aimlapi_ray.checks import check_id, check_journal_file
from aimlapi_ray.report import DatasetError, JournalError, Progress, Report, RunningTotals, Spend

RowId: TypeAlias = str | int

MAX_WORKER_LOSSES = 3
"""A row fails after this many attempts in one run that were lost with their worker."""

_LOCK_TIMEOUT_S = 10.0  # a killed driver may hold the lock for some seconds
_FINISHED = "state IN ('answered', 'failed')"
_RUNNING_TOTALS = f"""SELECT (SELECT coalesce(sum(credits), 0) FROM spend),
    (SELECT count(*) FROM attempts WHERE {_FINISHED} AND unknown = 0),
    (SELECT count(*) FROM attempts WHERE NOT {_FINISHED} OR unknown > 0),
    (SELECT count(*) FROM attempts WHERE {_FINISHED} AND unknown > 0),
    (SELECT count(*) FROM rows WHERE error_run = ? AND answer IS NULL)"""
_LOSSES = "SELECT count(*) FROM attempts WHERE row_id = ? AND run = ? AND state IN ('open', 'lost')"
_SUMS = [field.name for field in fields(Totals)]
_FORMAT = f"1: {' '.join(_SUMS)}"  # the columns are the fields of Totals
_SUM_COLUMNS = ", ".join(f"{name} INTEGER" for name in _SUMS)
# Columns without a type: 1 and "1" are different ids.
_TABLES = f"""
CREATE TABLE facts (name TEXT PRIMARY KEY, value);
CREATE TABLE rows (id PRIMARY KEY, run INTEGER, answer TEXT, answer_run INTEGER,
    error TEXT, error_run INTEGER);
CREATE TABLE attempts (number INTEGER PRIMARY KEY, row_id, run INTEGER, state TEXT,
    repeated INTEGER, unknown INTEGER);
CREATE TABLE spend (attempt INTEGER, run INTEGER, model TEXT, {_SUM_COLUMNS});
CREATE INDEX attempts_of_row ON attempts (row_id);
"""


@dataclass(frozen=True, slots=True)
class RowState:
    """State of a row: an `attempt` to make, or its final `answer` or `error`.

    All None: the run has ended, and the row is not processed.
    """

    attempt: int | None = None
    answer: str | None = None
    error: str | None = None


class Journal:
    """The journal file of one job, created if missing. Close it, or use it with `with`.

    `job` and `model` are stored in a new journal and must match when it is opened again.
    """

    def __init__(self, path: str | Path, *, job: str, model: str = "") -> None:
        self.path = Path(path)
        self.job = job
        self.run = 0
        self.totals = RunningTotals()
        check_journal_file(self.path)
        with translate_sqlite_errors(self.path):
            self._db = sqlite3.connect(
                self.path, timeout=_LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
        try:
            with translate_sqlite_errors(self.path):
                for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
                    self._db.execute(f"PRAGMA {pragma}")
                with self.transaction():
                    self._open(job, model)
                # Merge the WAL of a killed run, so that the file alone can be copied.
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """An atomic transaction, durable at its end."""
        self._db.execute("BEGIN IMMEDIATE")
        with self._rollback_on_error("ROLLBACK"):
            yield
            self._db.execute("COMMIT")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A nested transaction: an error rolls back only what was written inside."""
        self._db.execute("SAVEPOINT work")
        with self._rollback_on_error("ROLLBACK TO work"):
            yield
        self._db.execute("RELEASE work")

    @contextmanager
    def _rollback_on_error(self, statement: str) -> Iterator[None]:
        before = self.totals
        try:
            yield
        except BaseException:
            self.totals = before
            if self._db.in_transaction:  # a full disk ends it
                self._db.execute(statement)
            raise

    def _open(self, job: str, model: str) -> None:
        if not self._scalar("SELECT count(*) FROM sqlite_master"):
            for statement in _TABLES.split(";"):
                self._db.execute(statement)
            facts = {"format": _FORMAT, "job": job, "model": model, "run": 0}
            self._db.executemany("INSERT INTO facts VALUES (?, ?)", facts.items())
        found = dict(self._db.execute("SELECT name, value FROM facts"))
        if found.get("format") != _FORMAT:
            raise JournalError(f"{self.path}: a journal of another version of aimlapi_ray.")
        for name, expected in (("job", job), ("model", model)):
            if found[name] != expected:
                raise JournalError(
                    f"{self.path}: the journal's {name} is {found[name]!r}, not {expected!r}. Its "
                    "answers are left alone: give this job a journal of its own."
                )
        self.run = int(found["run"])
        self.totals = RunningTotals(*self._db.execute(_RUNNING_TOTALS, (self.run,)).fetchone())

    def _scalar(self, query: str, *params: Any) -> Any:
        return self._db.execute(query, params).fetchone()[0]

    def start_run(self, ids: Iterable[Any]) -> int:
        """Begin a run over the rows with these ids; returns how many.

        Raises DatasetError for an id that is not str or int, or duplicate; then nothing is written.
        """
        count, run = 0, self.run + 1
        with self.transaction():
            self._db.execute("UPDATE facts SET value = ? WHERE name = 'run'", (run,))
            for count, row_id in enumerate(ids, 1):
                check_id(row_id, f" (row {count})")
                done = self._db.execute(
                    "INSERT INTO rows (id, run) VALUES (?1, ?2) ON CONFLICT (id) "
                    "DO UPDATE SET run = ?2 WHERE run <> ?2",
                    (row_id, run),
                )
                if not done.rowcount:
                    raise DatasetError(f"The id {row_id!r} stands in the data set twice.")
        self.run = run
        self.totals = replace(self.totals, failed=0)
        return count

    def finished_rows(self, ids: Iterable[RowId]) -> dict[RowId, RowState]:
        """The states of those rows that are already finished in this run."""
        found = {row_id: self._finished_state(row_id) for row_id in ids}
        return {row_id: state for row_id, state in found.items() if state is not None}

    def _finished_state(self, row_id: RowId) -> RowState | None:
        check_id(row_id)
        found = self._db.execute(
            "SELECT run, answer, error, error_run FROM rows WHERE id = ?", (row_id,)
        ).fetchone()
        if found is None or found[0] != self.run:
            raise DatasetError(
                f"The id {row_id!r} came only when the data set was read again, so its ids change "
                "from one reading to the next: call materialize() on it before."
            )
        _, answer, error, error_run = found
        if answer is not None:
            return RowState(answer=answer)
        return RowState(error=error) if error_run == self.run else None

    def begin(self, row_id: RowId) -> RowState:
        """Begin an attempt at a row. Commit before the call is sent."""
        state = self._finished_state(row_id) or self._fail_poison_row(row_id)
        if state is not None:
            return state
        is_repeated = self._abandon_attempts(row_id)
        begun = self._db.execute(
            "INSERT INTO attempts (row_id, run, state, repeated, unknown) "
            "VALUES (?, ?, 'open', ?, 0)",
            (row_id, self.run, is_repeated),
        )
        self.totals += RunningTotals(unsettled=1)
        return RowState(attempt=begun.lastrowid)

    def _abandon_attempts(self, row_id: RowId) -> bool:
        """Mark the open attempts of a row as lost; returns whether there were any."""
        update = "UPDATE attempts SET state = 'lost' WHERE row_id = ? AND state = 'open'"
        runs = [run for (run,) in self._db.execute(f"{update} RETURNING run", (row_id,))]
        self.totals += RunningTotals(unknown=runs.count(self.run))
        return bool(runs)

    def _fail_poison_row(self, row_id: RowId) -> RowState | None:
        """Fail a row after `MAX_WORKER_LOSSES` lost workers, so it is not retried forever."""
        if self._scalar(_LOSSES, row_id, self.run) < MAX_WORKER_LOSSES:
            return None
        self._abandon_attempts(row_id)
        error = (
            f"WorkerLostError: its worker died each of the {MAX_WORKER_LOSSES} times it was asked"
        )
        return self._write_result(row_id, None, error)

    def end(self, attempt: int, answer: str | None, error: str | None, spend: Spend) -> RowState:
        """Complete an attempt; returns the state of its row. The first answer is kept."""
        state = "failed" if answer is None else "answered"
        row_id, run, previous = self._db.execute(
            "SELECT row_id, run, state FROM attempts WHERE number = ?", (attempt,)
        ).fetchone()
        self._db.execute(
            "UPDATE attempts SET state = ?, unknown = ? WHERE number = ?",
            (state, spend.unknown, attempt),
        )
        marks = ", ".join("?" * (len(_SUMS) + 3))
        self._db.executemany(
            f"INSERT INTO spend VALUES ({marks})",
            [(attempt, run, model, *astuple(totals)) for model, totals in spend.by_model.items()],
        )
        known, was_lost = not spend.unknown, previous == "lost"  # its worker was presumed dead
        self.totals += RunningTotals(spend.credits, known, -known, (not known) - was_lost)
        return self._write_result(row_id, answer, error)

    def _write_result(self, row_id: RowId, answer: str | None, error: str | None) -> RowState:
        """Write the answer or the error of a row, unless it has an answer; returns its state."""
        before = self._finished_state(row_id) or RowState()
        columns = "error = ?, error_run = ?" if answer is None else "answer = ?, answer_run = ?"
        self._db.execute(
            f"UPDATE rows SET {columns} WHERE id = ? AND answer IS NULL",
            (error if answer is None else answer, self.run, row_id),
        )
        after = self._finished_state(row_id) or RowState(error=error)
        self.totals += RunningTotals(failed=(after.error is not None) - (before.error is not None))
        return after

    def spend(self, run: int | None = None, *, lost: str = "'lost', 'open'") -> Spend:
        """The cost of a run, or of all runs. `lost`: attempt states that count as unknown cost."""
        within = "" if run is None else f" WHERE run = {run:d}"
        sums = ", ".join(f"sum({name})" for name in _SUMS)
        found = self._db.execute(f"SELECT model, {sums} FROM spend{within} GROUP BY model")
        by_model = {model: Totals(*row) for model, *row in found}
        unknown = self._scalar(
            f"SELECT coalesce(sum(CASE WHEN state IN ({lost}) THEN 1 ELSE unknown END), 0) "
            f"FROM attempts{within}"
        )
        return Spend(by_model, int(unknown))

    def progress(self) -> Progress:
        """The progress of this run."""
        rows, done, failed = self._db.execute(
            "SELECT count(*), count(answer), coalesce(sum(answer IS NULL AND error_run = ?1), 0) "
            "FROM rows WHERE run = ?1",
            (self.run,),
        ).fetchone()
        return Progress(rows, done, failed, self.spend(self.run, lost="'lost'"))

    def report(self, dataset: Any = None) -> Report:
        """The result of this run."""
        progress = self.progress()
        answered = self._scalar("SELECT count(*) FROM rows WHERE answer_run = ?", self.run)
        failed = self._db.execute(
            "SELECT id, error FROM rows WHERE run = ?1 AND error_run = ?1 AND answer IS NULL",
            (self.run,),
        )
        return Report(
            job=self.job,
            rows=progress.rows,
            answered=answered,
            skipped=progress.done - answered,
            failed=dict(failed),
            repeated=self._scalar(
                "SELECT count(*) FROM attempts WHERE run = ? AND repeated", self.run
            ),
            cost=self.spend(self.run),
            job_cost=self.spend(),
            dataset=dataset,
        )


@contextmanager
def translate_sqlite_errors(path: Path) -> Iterator[None]:
    """Raise SQLite errors as JournalError, with the file and what to do."""
    try:
        yield
    except sqlite3.Error as exc:
        locked = "locked" in str(exc)
        advice = "another run has it open; wait for its end" if locked else str(exc)
        raise JournalError(f"{path}: the journal cannot be used: {advice}.") from exc
