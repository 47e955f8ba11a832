"""The journal: what is begun, ended, lost and begun again, and what it cost. No Ray."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from aimlapi_core import Totals
from aimlapi_core._wire.usage import MAX_CREDITS
from aimlapi_ray import DatasetError, JournalError, Spend
from aimlapi_ray.journal import MAX_WORKER_LOSSES, Journal, RowState
from aimlapi_ray.report import RunningTotals

MODEL = "openai/gpt-5-2"


def cost(credits: int = 7, unknown: int = 0) -> Spend:
    billed_calls = int(credits > 0)
    return Spend({MODEL: Totals(calls=1, billed_calls=billed_calls, credits=credits)}, unknown)


def opened(path: Path, job: str = "lakes") -> Journal:
    return Journal(path, job=job, model=MODEL)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lakes.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with opened(path) as made:
        made.start_run([1, 2, 3, "1"])
        yield made


def ask(journal: Journal, row_id: int | str, answer: str | None, spend: Spend) -> None:
    attempt = journal.begin(row_id).attempt
    assert attempt is not None
    journal.end(attempt, answer, None if answer else "ValueError: no", spend)


def test_a_journal_with_other_columns_is_not_opened(path: Path) -> None:
    """The columns are the fields of Totals: a new field must not fail after a call is paid."""
    opened(path).close()
    with closing(sqlite3.connect(path)) as db, db:
        (stored,) = db.execute("SELECT value FROM facts WHERE name = 'format'").fetchone()
        assert stored.split()[1:] == [field.name for field in fields(Totals)]
        older = stored.rpartition(" ")[0]
        db.execute("UPDATE facts SET value = ? WHERE name = 'format'", (older,))
    with pytest.raises(JournalError, match="another version"):
        opened(path)


def test_an_answer_is_kept_for_all_runs(path: Path) -> None:
    with opened(path) as journal:
        assert journal.start_run(["a", "b"]) == 2
        ask(journal, "a", "yes", cost())
    with opened(path) as journal:
        journal.start_run(["a", "b"])
        assert journal.finished_rows(["a", "b"]) == {"a": RowState(answer="yes")}
        assert journal.begin("a") == RowState(answer="yes")
        report = journal.report()
    assert (report.rows, report.answered, report.skipped, report.not_asked) == (2, 0, 1, 1)
    assert (report.cost.credits, report.job_cost.credits) == (0, 7)


def test_a_number_and_its_text_are_two_ids(journal: Journal) -> None:
    ask(journal, 1, "number", cost())
    ask(journal, "1", "text", cost())
    assert {id_: state.answer for id_, state in journal.finished_rows([1, "1"]).items()} == {
        1: "number",
        "1": "text",
    }


def test_a_row_begun_and_not_ended_is_repeated_once_it_is_begun_again(journal: Journal) -> None:
    first, again = journal.begin(1), journal.begin(1)
    assert None not in (first.attempt, again.attempt)
    assert first.attempt != again.attempt
    journal.begin(2)
    report = journal.report()
    assert report.repeated == 1
    assert report.cost == Spend({}, 3)


def test_what_a_killed_driver_had_begun_is_repeated_by_the_next_run(path: Path) -> None:
    with opened(path) as journal:
        journal.start_run([1, 2])
        journal.begin(1)
    with opened(path) as journal:
        journal.start_run([1, 2])
        ask(journal, 1, "yes", cost(5))
        ask(journal, 2, "yes", cost(6))
        report = journal.report()
    assert (report.repeated, report.answered) == (1, 2)
    assert (report.cost.credits, report.cost.unknown) == (11, 0)
    assert (report.job_cost.credits, report.job_cost.unknown) == (11, 1)


def test_an_answer_of_a_worker_taken_for_dead_counts_with_its_cost(journal: Journal) -> None:
    slow, quick = journal.begin(1).attempt, journal.begin(1).attempt
    assert slow is not None
    assert quick is not None
    assert journal.end(quick, "quick", None, cost(2)) == RowState(answer="quick")
    assert journal.end(slow, "slow", None, cost(3)) == RowState(answer="quick")
    report = journal.report()
    assert (report.answered, report.repeated) == (1, 1)
    assert (report.cost.credits, report.cost.unknown) == (5, 0)


def test_a_lost_attempt_that_ends_after_all_is_no_longer_unknown(journal: Journal) -> None:
    slow = journal.begin(1).attempt
    journal.begin(1)
    assert slow is not None
    assert journal.totals == RunningTotals(unsettled=2, unknown=1)
    journal.end(slow, "slow", None, cost(0))
    assert journal.totals == RunningTotals(settled=1, unsettled=1)


def test_a_failed_row_is_not_asked_again_before_the_next_run(path: Path) -> None:
    with opened(path) as journal:
        journal.start_run([1])
        ask(journal, 1, None, cost(0))
        assert journal.begin(1) == RowState(error="ValueError: no")
        assert journal.report().failed == {1: "ValueError: no"}
    with opened(path) as journal:
        journal.start_run([1])
        assert journal.report().failed == {}
        ask(journal, 1, "yes", cost())
        report = journal.report()
    assert (report.answered, report.failed, report.repeated) == (1, {}, 0)


def test_a_row_whose_worker_always_dies_fails(journal: Journal) -> None:
    for _ in range(MAX_WORKER_LOSSES):
        assert journal.begin(1).attempt is not None
    turn = journal.begin(1)
    assert turn.attempt is None
    assert "its worker died" in (turn.error or "")
    report = journal.report()
    assert (report.repeated, report.cost.unknown) == (MAX_WORKER_LOSSES - 1, MAX_WORKER_LOSSES)
    assert journal.totals == RunningTotals(
        unsettled=MAX_WORKER_LOSSES, unknown=MAX_WORKER_LOSSES, failed=1
    )
    assert list(report.failed) == [1]


def test_unknown_costs_stand_apart_and_are_no_zeroes(journal: Journal) -> None:
    ask(journal, 1, "yes", cost(10))
    ask(journal, 2, "yes", cost(0, unknown=1))
    spend = journal.report().cost
    assert (spend.credits, spend.unknown) == (10, 1)
    assert journal.totals.expected_credits == 10


def test_a_call_under_way_is_expected_to_cost_the_mean(path: Path) -> None:
    with opened(path) as journal:
        journal.start_run([1, 2, 3, 4])
        assert journal.begin(4).attempt
        assert journal.totals.expected_credits == 0  # nothing is known before the first answer
        ask(journal, 1, "yes", cost(10))
        ask(journal, 2, "yes", cost(21))
        journal.begin(3)
        assert journal.totals.expected_credits == 31
    with opened(path) as journal:
        totals = journal.totals
        assert (
            totals.credits,
            totals.unsettled,
            totals.expected_credits,
        ) == (31, 2, 31)


@pytest.mark.parametrize("ids", [[1, 2, 1], ["a", "a"]])
def test_doubled_ids_are_refused(path: Path, ids: list[Any]) -> None:
    with opened(path) as journal, pytest.raises(DatasetError, match=f"{ids[0]!r} stands .* twice"):
        journal.start_run(ids)


@pytest.mark.parametrize("row_id", [None, 1.5, True, b"x", ["x"]])
def test_ids_of_other_types_are_refused(path: Path, row_id: Any) -> None:
    with opened(path) as journal, pytest.raises(DatasetError, match="str or int"):
        journal.start_run(["x", row_id])


@pytest.mark.parametrize("row_id", [2**63, -(2**63) - 1, "\ud83d"])
def test_ids_that_cannot_be_stored_are_refused_with_what_to_do(path: Path, row_id: Any) -> None:
    with opened(path) as journal, pytest.raises(DatasetError, match=r"row 2.*: give .* str"):
        journal.start_run([1, row_id])
    with opened(path) as journal:
        journal.start_run([2**63 - 1, -(2**63)])
        with pytest.raises(DatasetError, match=r"give .* str"):
            journal.finished_rows([row_id])


def test_refused_ids_leave_the_journal_as_it_was(path: Path) -> None:
    with opened(path) as journal:
        journal.start_run([1])
    with opened(path) as journal, pytest.raises(DatasetError):
        journal.start_run([2, 2])
    with opened(path) as journal:
        assert (journal.run, journal.report().rows) == (1, 1)
        with pytest.raises(DatasetError):
            journal.start_run([3, 3])
        assert (journal.run, journal.report().rows) == (1, 1)


def test_a_row_that_comes_only_at_the_second_reading_is_refused(journal: Journal) -> None:
    with pytest.raises(DatasetError, match="materialize"):
        journal.begin("new")


@pytest.mark.parametrize(("job", "model"), [("rivers", MODEL), ("lakes", "openai/gpt-5-2-pro")])
def test_a_journal_of_another_job_is_refused(path: Path, job: str, model: str) -> None:
    opened(path).close()
    with pytest.raises(JournalError, match="a journal of its own"):
        Journal(path, job=job, model=model)


def test_a_journal_in_use_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aimlapi_ray.journal._LOCK_TIMEOUT_S", 0.1)
    with opened(path), pytest.raises(JournalError, match="another run has it open"):
        opened(path)


def test_a_file_that_is_no_journal_is_refused(path: Path) -> None:
    path.write_text("id,answer\n" * 100)
    with pytest.raises(JournalError, match=r"lakes\.sqlite: the journal cannot be used"):
        opened(path)
    assert path.read_text().startswith("id,answer")


def test_an_emptied_journal_is_not_begun_anew_in_silence(path: Path) -> None:
    """All would be asked and paid again."""
    with opened(path) as journal:
        journal.start_run([1])
        ask(journal, 1, "paid", cost())
    path.write_bytes(b"")
    with pytest.raises(JournalError, match=r"lakes\.sqlite: .* is an empty file.*delete it"):
        opened(path)
    assert path.read_bytes() == b""
    path.unlink()
    with opened(path) as journal:
        assert journal.start_run([1]) == 1


def test_a_log_whose_journal_is_gone_is_not_deleted(path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    log.write_bytes(b"answers")
    with pytest.raises(JournalError, match="is there, but not the journal"):
        opened(path)
    assert log.read_bytes() == b"answers"


def test_the_largest_costs_and_counts_add_up(path: Path) -> None:
    """Whatever calls report: a sum that is too large would lock all answers away."""
    most = Totals(calls=1, credits=MAX_CREDITS, input_tokens=10**12, output_tokens=10**12)
    with opened(path) as journal:
        journal.start_run(range(100))
        for row_id in range(100):
            ask(journal, row_id, "paid", Spend({MODEL: most}, 0))
    with opened(path) as journal:
        assert journal.spend().credits == 100 * MAX_CREDITS


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="nowhere"):
        opened(tmp_path / "nowhere" / "lakes.sqlite")


def test_what_a_failed_transaction_wrote_is_gone(journal: Journal) -> None:
    def broken() -> None:
        with journal.transaction():
            journal.begin(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert journal.report().cost.unknown == 0


def fail_within(scope: Any, journal: Journal) -> None:
    with scope:
        ask(journal, 1, "yes", cost(5))
        ask(journal, 2, None, cost(0, unknown=1))
        raise ZeroDivisionError


def test_what_failed_apart_is_undone_alone_and_in_no_sum(journal: Journal) -> None:
    ask(journal, 3, "yes", cost(10))
    before = journal.totals
    with journal.transaction():
        with pytest.raises(ZeroDivisionError):
            fail_within(journal.savepoint(), journal)
        assert journal.totals == before
        ask(journal, "1", "yes", cost(20))
    assert journal.totals.credits == journal.report().cost.credits == 30
    assert (journal.report().answered, journal.report().failed) == (2, {})


def test_a_failed_transaction_is_in_no_sum(journal: Journal) -> None:
    before = journal.totals
    with pytest.raises(ZeroDivisionError):
        fail_within(journal.transaction(), journal)
    assert journal.totals == before


def test_sums_are_the_same_when_the_journal_is_opened_again(path: Path) -> None:
    with opened(path) as journal:
        journal.start_run([1, 2, 3, 4])
        ask(journal, 1, "yes", cost(10))
        ask(journal, 2, None, cost(0, unknown=1))
        ask(journal, 3, None, cost(0))
        before = journal.totals
    with opened(path) as journal:
        assert journal.totals == before
        assert (before.unknown, before.failed) == (1, 2)


def test_a_row_that_fails_twice_counts_once(journal: Journal) -> None:
    first, again = journal.begin(1).attempt, journal.begin(1).attempt
    assert first is not None
    assert again is not None
    journal.end(first, None, "ValueError: no", cost(0))
    journal.end(again, None, "ValueError: no", cost(0))
    assert journal.totals.failed == len(journal.report().failed) == 1
    ask_again = journal.begin(2).attempt, journal.begin(2).attempt
    for attempt, answer in zip(ask_again, (None, "yes"), strict=True):
        assert attempt is not None
        journal.end(attempt, answer, None if answer else "ValueError: no", cost(0))
    assert journal.totals.failed == len(journal.report().failed) == 1


def test_once_opened_again_the_file_alone_holds_all(path: Path, tmp_path: Path) -> None:
    """What a driver wrote that was killed lies beside the file, in `-wal`, until then."""
    killed, copied = tmp_path / "killed.sqlite", tmp_path / "copied.sqlite"
    with opened(path) as journal:
        journal.start_run([1])
        ask(journal, 1, "yes", cost())
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{killed}{end}")
    with opened(killed):
        shutil.copy(killed, copied)
    with closing(sqlite3.connect(copied)) as copy:
        assert copy.execute("SELECT id, answer FROM rows").fetchall() == [(1, "yes")]
