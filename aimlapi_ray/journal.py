"""The journal of a job: the rows that were begun, answered or failed, and what that cost.

One SQLite file, and one process that has it open. A row is begun before its call is sent, and
ended when the answer has come. What was begun and never ended was lost with its process: it is
begun again, counted, and its cost stays unknown. Nothing here knows Ray.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self, TypeAlias

from aimlapi_core.costs.totals import Totals
from aimlapi_ray.checks import check_id
from aimlapi_ray.report import JournalError, Progress, Report, RowsError, Spend, Tally

RowId: TypeAlias = str | int

LOST_LIMIT = 3
"""So many times in one run a row is asked whose worker dies of it, or beside it."""

_FORMAT = 1
_LOCKED_S = 10.0  # a driver that was killed may take seconds to let go of the file
_ENDED = "state IN ('answered', 'failed')"
_TALLY = f"""SELECT (SELECT coalesce(sum(credits), 0) FROM spend),
    (SELECT count(*) FROM attempts WHERE {_ENDED} AND unknown = 0),
    (SELECT count(*) FROM attempts WHERE NOT {_ENDED} OR unknown > 0),
    (SELECT count(*) FROM attempts WHERE {_ENDED} AND unknown > 0),
    (SELECT count(*) FROM rows WHERE error_run = ? AND answer IS NULL)"""
_LOST = "SELECT count(*) FROM attempts WHERE row_id = ? AND run = ? AND state IN ('open', 'lost')"
_SUMS = [field.name for field in fields(Totals)]
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
class Turn:
    """What to do with a row: ask, as this `attempt`; or take the `answer` or `error` it has.

    All None: the run has ended, and the row is left.
    """

    attempt: int | None = None
    answer: str | None = None
    error: str | None = None


class Journal:
    """One job's file. Made where it is not there; close it, or use it with `with`.

    `job` and `model` are written into a new journal and must be the same ever after.
    """

    def __init__(self, path: str | Path, *, job: str, model: str = "") -> None:
        self.path = Path(path)
        self.job = job
        self.run = 0
        self.tally = Tally()
        with explained(self.path):
            self._db = sqlite3.connect(
                self.path, timeout=_LOCKED_S, isolation_level=None, check_same_thread=False
            )
        try:
            with explained(self.path):
                for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
                    self._db.execute(f"PRAGMA {pragma}")
                with self.transaction():
                    self._open(job, model)
                # What a killed run left beside the file: a copy of the file alone would lack it.
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written inside is on the disk at its end, or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        with self._undone("ROLLBACK"):
            yield
            self._db.execute("COMMIT")

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Inside a transaction: an error undoes what is written in here, and nothing else."""
        self._db.execute("SAVEPOINT work")
        with self._undone("ROLLBACK TO work"):
            yield
        self._db.execute("RELEASE work")

    @contextmanager
    def _undone(self, by: str) -> Iterator[None]:
        before = self.tally
        try:
            yield
        except BaseException:
            self.tally = before
            if self._db.in_transaction:  # a full disk has ended it already
                self._db.execute(by)
            raise

    def _open(self, job: str, model: str) -> None:
        if not self._one("SELECT count(*) FROM sqlite_master"):
            for statement in _TABLES.split(";"):
                self._db.execute(statement)
            facts = {"format": _FORMAT, "job": job, "model": model, "run": 0}
            self._db.executemany("INSERT INTO facts VALUES (?, ?)", facts.items())
        found = dict(self._db.execute("SELECT name, value FROM facts"))
        if found.get("format") != _FORMAT:
            raise JournalError(f"{self.path}: a journal of another version of aimlapi_ray.")
        for name, wanted in (("job", job), ("model", model)):
            if found[name] != wanted:
                raise JournalError(
                    f"{self.path}: the journal's {name} is {found[name]!r}, not {wanted!r}. Its "
                    "answers are left alone: give this job a journal of its own."
                )
        self.run = int(found["run"])
        self.tally = Tally(*self._db.execute(_TALLY, (self.run,)).fetchone())

    def _one(self, question: str, *given: Any) -> Any:
        return self._db.execute(question, given).fetchone()[0]

    def start_run(self, ids: Iterable[Any]) -> int:
        """Begin a run over the rows with these ids; gives how many. Raises RowsError.

        With an id that is no str or int, or that comes twice, the journal stays as it was.
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
                    raise RowsError(f"The id {row_id!r} stands in the data set twice.")
        self.run = run
        self.tally = replace(self.tally, failed=0)
        return count

    def ended(self, ids: Iterable[RowId]) -> dict[RowId, Turn]:
        """The turns of those rows that need not be asked any more in this run."""
        found = {row_id: self._turn(row_id) for row_id in ids}
        return {row_id: turn for row_id, turn in found.items() if turn is not None}

    def _turn(self, row_id: RowId) -> Turn | None:
        check_id(row_id)
        found = self._db.execute(
            "SELECT run, answer, error, error_run FROM rows WHERE id = ?", (row_id,)
        ).fetchone()
        if found is None or found[0] != self.run:
            raise RowsError(
                f"The id {row_id!r} came only when the data set was read again, so its ids change "
                "from one reading to the next: call materialize() on it before."
            )
        _, answer, error, error_run = found
        if answer is not None:
            return Turn(answer=answer)
        return Turn(error=error) if error_run == self.run else None

    def begin(self, row_id: RowId) -> Turn:
        """Note that a row is asked now. Commit before the call is sent."""
        turn = self._turn(row_id) or self._poisonous(row_id)
        if turn is not None:
            return turn
        is_repeated = self._lose(row_id)
        begun = self._db.execute(
            "INSERT INTO attempts (row_id, run, state, repeated, unknown) "
            "VALUES (?, ?, 'open', ?, 0)",
            (row_id, self.run, is_repeated),
        )
        self.tally += Tally(unsure=1)
        return Turn(attempt=begun.lastrowid)

    def _lose(self, row_id: RowId) -> bool:
        """Give up the attempts of a row that are under way; gives whether there were any."""
        lost = "UPDATE attempts SET state = 'lost' WHERE row_id = ? AND state = 'open'"
        runs = [run for (run,) in self._db.execute(f"{lost} RETURNING run", (row_id,))]
        self.tally += Tally(unknown=runs.count(self.run))
        return bool(runs)

    def _poisonous(self, row_id: RowId) -> Turn | None:
        """The end of a row whose worker died each time: or it would be paid for without end."""
        if self._one(_LOST, row_id, self.run) < LOST_LIMIT:
            return None
        self._lose(row_id)
        error = f"WorkerLostError: its worker died each of the {LOST_LIMIT} times it was asked"
        return self._note(row_id, None, error)

    def end(self, attempt: int, answer: str | None, error: str | None, spend: Spend) -> Turn:
        """Note how an attempt ended; gives what stands for its row: the first answer stays."""
        state = "failed" if answer is None else "answered"
        row_id, run, was = self._db.execute(
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
        known, was_lost = not spend.unknown, was == "lost"  # its worker was taken for dead
        self.tally += Tally(spend.credits, known, -known, (not known) - was_lost)
        return self._note(row_id, answer, error)

    def _note(self, row_id: RowId, answer: str | None, error: str | None) -> Turn:
        """Write what came of a row; gives what stands for it."""
        before = self._turn(row_id) or Turn()
        names = "error = ?, error_run = ?" if answer is None else "answer = ?, answer_run = ?"
        self._db.execute(
            f"UPDATE rows SET {names} WHERE id = ? AND answer IS NULL",
            (error if answer is None else answer, self.run, row_id),
        )
        after = self._turn(row_id) or Turn(error=error)
        self.tally += Tally(failed=(after.error is not None) - (before.error is not None))
        return after

    def spend(self, run: int | None = None, *, lost: str = "'lost', 'open'") -> Spend:
        """What a run cost, or all of them. `lost`: the states whose cost is taken as unknown."""
        within = "" if run is None else f" WHERE run = {run:d}"
        sums = ", ".join(f"sum({name})" for name in _SUMS)
        found = self._db.execute(f"SELECT model, {sums} FROM spend{within} GROUP BY model")
        by_model = {model: Totals(*row) for model, *row in found}
        unknown = self._one(
            f"SELECT coalesce(sum(CASE WHEN state IN ({lost}) THEN 1 ELSE unknown END), 0) "
            f"FROM attempts{within}"
        )
        return Spend(by_model, int(unknown))

    def progress(self) -> Progress:
        """How far this run is."""
        rows, done, failed = self._db.execute(
            "SELECT count(*), count(answer), coalesce(sum(answer IS NULL AND error_run = ?1), 0) "
            "FROM rows WHERE run = ?1",
            (self.run,),
        ).fetchone()
        return Progress(rows, done, failed, self.spend(self.run, lost="'lost'"))

    def report(self, dataset: Any = None) -> Report:
        """What this run came to."""
        at = self.progress()
        answered = self._one("SELECT count(*) FROM rows WHERE answer_run = ?", self.run)
        failed = self._db.execute(
            "SELECT id, error FROM rows WHERE run = ?1 AND error_run = ?1 AND answer IS NULL",
            (self.run,),
        )
        return Report(
            job=self.job,
            rows=at.rows,
            answered=answered,
            skipped=at.done - answered,
            failed=dict(failed),
            repeated=self._one(
                "SELECT count(*) FROM attempts WHERE run = ? AND repeated", self.run
            ),
            cost=self.spend(self.run),
            job_cost=self.spend(),
            dataset=dataset,
        )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """SQLite's errors, said with the file and what to do."""
    try:
        yield
    except sqlite3.Error as exc:
        locked = "locked" in str(exc)
        advice = "another run has it open; wait for its end" if locked else str(exc)
        raise JournalError(f"{path}: the journal cannot be used: {advice}.") from exc
