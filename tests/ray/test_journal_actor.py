"""The actor of a run: what ends it, and that nothing is answered before it is written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aimlapi_core import AuthenticationError, BudgetExceededError, Totals, UnknownCostError
from aimlapi_ray import DatasetError, JournalError, Spend, TooManyFailedError
from aimlapi_ray.journal import MAX_WORKER_LOSSES, Journal, RowState
from aimlapi_ray.journal_actor import JournalActor, unwrap_ray_error

JOB: dict[str, Any] = {"job": "lakes", "model": "m"}
COST = Spend({"m": Totals(calls=1, billed_calls=1, credits=1_000)})  # 0.0005 USD


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Journal(tmp_path / "lakes.sqlite", **JOB) as journal:
        journal.start_run(range(100))
    return tmp_path / "lakes.sqlite"


async def opened(path: Path, **given: Any) -> JournalActor:
    actor = JournalActor(path, **JOB, **given)
    await actor.open()
    return actor


async def asked(actor: JournalActor, row_id: int, answer: str | None = "yes") -> RowState:
    state = await actor.begin(row_id)
    if state.attempt is None:
        return state
    return await actor.end(state.attempt, answer, None if answer else "KeyError: 'text'", COST)


async def test_many_at_once_are_all_written(path: Path) -> None:
    actor = await opened(path)
    states = await asyncio.gather(*(asked(actor, n, str(n)) for n in range(100)))
    assert [state.answer for state in states] == [str(n) for n in range(100)]
    progress = await actor.progress()
    assert (progress.done, progress.failed, progress.cost.credits) == (100, 0, 100_000)
    closed = await actor.close()
    assert closed.fatal_error is None
    assert (closed.report.answered, closed.progress.done) == (100, 100)
    with Journal(path, **JOB) as journal:
        assert journal.report() == closed.report


async def test_the_budget_ends_the_run(path: Path) -> None:
    actor = await opened(path, budget_usd="0.0015")
    states = [await asked(actor, n) for n in range(5)]
    assert [state.answer for state in states] == ["yes"] * 3 + [None] * 2
    fatal_error = (await actor.close()).fatal_error
    assert isinstance(fatal_error, BudgetExceededError)
    assert "0.0015 USD spent by all runs" in str(fatal_error)


async def test_calls_under_way_are_held_back_from_the_budget(path: Path) -> None:
    actor = await opened(path, budget_usd="0.0015")
    await asked(actor, 0)
    states = await asyncio.gather(*(actor.begin(n) for n in range(1, 10)))
    assert sum(state.attempt is not None for state in states) == 2
    assert isinstance((await actor.close()).fatal_error, BudgetExceededError)


async def test_a_budget_is_one_for_all_runs(path: Path) -> None:
    first = await opened(path)
    await asked(first, 0)
    await first.close()
    again = await opened(path, budget_usd="0.0005")
    assert await again.begin(1) == RowState()
    await again.close()


async def test_an_error_that_all_rows_meet_ends_the_run_and_calls_under_way_end_well(
    path: Path,
) -> None:
    actor = await opened(path)
    other = (await actor.begin(0)).attempt
    refused = (await actor.begin(1)).attempt
    assert other is not None
    assert refused is not None
    wrong = AuthenticationError("no such key", status_code=401)
    await actor.end(refused, None, "AuthenticationError: no such key", Spend(), wrong)
    assert await actor.begin(2) == RowState()
    assert await actor.end(other, "yes", None, COST) == RowState(answer="yes")
    assert (await actor.close()).fatal_error is wrong


async def test_too_many_failed_rows_end_the_run(path: Path) -> None:
    actor = await opened(path, max_failed=1)
    for row_id in range(3):
        await asked(actor, row_id, None)
    assert await actor.begin(3) == RowState()
    fatal_error = (await actor.close()).fatal_error
    assert isinstance(fatal_error, TooManyFailedError)
    assert "2 rows have failed; the last: KeyError" in str(fatal_error)


async def test_rows_whose_worker_always_dies_have_failed(path: Path) -> None:
    actor = await opened(path, max_failed=0)
    for _ in range(MAX_WORKER_LOSSES):
        assert (await actor.begin(0)).attempt is not None
    assert "its worker died" in str((await actor.begin(0)).error)
    assert await actor.begin(1) == RowState()
    fatal_error = (await actor.close()).fatal_error
    assert isinstance(fatal_error, TooManyFailedError)
    assert "1 rows have failed; the last: WorkerLostError" in str(fatal_error)


async def test_a_row_that_cannot_be_written_costs_no_other_its_answer(path: Path) -> None:
    actor = await opened(path, max_failed=0)
    attempts = [(await actor.begin(n)).attempt or 0 for n in range(3)]
    texts = [("yes", None), (None, "ValueError: \ud83d"), ("of course", None)]
    ends = (actor.end(attempt, *text, COST) for attempt, text in zip(attempts, texts, strict=True))
    first, broken, last = await asyncio.gather(*ends, return_exceptions=True)
    assert (first, last) == (RowState(answer="yes"), RowState(answer="of course"))
    assert isinstance(broken, UnicodeEncodeError)
    closed = await actor.close()
    assert closed.fatal_error is broken
    assert (closed.report.answered, closed.report.cost.credits) == (2, 2_000)


async def test_an_id_that_is_not_known_costs_no_other_its_turn(path: Path) -> None:
    actor = await opened(path)
    known, unknown, strange = await asyncio.gather(
        actor.begin(1), actor.begin(1_000), actor.finished_rows([2**70]), return_exceptions=True
    )
    assert isinstance(known, RowState)
    assert known.attempt is not None
    assert "materialize" in str(unknown)
    assert isinstance(strange, DatasetError)
    assert await actor.begin(2) == RowState()
    assert isinstance((await actor.close()).fatal_error, DatasetError)


async def test_a_disk_that_takes_no_more_is_told_to_all_that_wait(path: Path) -> None:
    actor = await opened(path)
    attempts = [(await actor.begin(n)).attempt or 0 for n in range(2)]
    actor._journal._db.execute("PRAGMA max_page_count = 1")  # no page more than there are
    answers = await asyncio.gather(
        actor.end(attempts[0], "yes", None, COST),
        actor.end(attempts[1], "long " * 100_000, None, COST),
        return_exceptions=True,
    )
    assert all(isinstance(answer, JournalError) for answer in answers)
    closed = await actor.close()
    assert "full" in str(closed.fatal_error)
    assert (closed.report.answered, closed.report.cost.credits) == (0, 0)


UNTOLD = Spend({"m": Totals(calls=1)}, unknown=1)


async def test_a_budget_that_cannot_be_watched_ends_the_run(path: Path) -> None:
    actor = await opened(path, budget_usd=1)
    first, second = [(await actor.begin(n)).attempt or 0 for n in range(2)]
    await actor.end(first, "yes", None, UNTOLD)
    assert await actor.begin(2) == RowState()
    await actor.end(second, "yes", None, UNTOLD)
    fatal_error = (await actor.close()).fatal_error
    assert isinstance(fatal_error, UnknownCostError)
    assert "budget of 1 USD cannot be watched: what 1 row(s) cost never came" in str(fatal_error)
    again = await opened(path, budget_usd=1)
    assert await again.begin(2) == RowState()
    await again.close()


async def test_calls_under_way_or_of_no_cost_leave_a_budget_watched(path: Path) -> None:
    actor = await opened(path, budget_usd=1)
    states = [await actor.begin(n) for n in range(10)]
    await actor.end(states[0].attempt or 0, None, "KeyError: 'x'", Spend())
    assert all(state.attempt for state in [*states, await actor.begin(10)])
    await actor.close()


@pytest.mark.parametrize("told", [COST, Spend(COST.by_model, unknown=1)])
async def test_unknown_costs_are_held_back_once_a_cost_is_known(path: Path, told: Spend) -> None:
    actor = await opened(path, budget_usd=1)
    first, second = [(await actor.begin(n)).attempt or 0 for n in range(2)]
    await actor.end(first, "yes", None, told)
    await actor.end(second, "yes", None, UNTOLD)
    assert ((await actor.begin(2)).attempt is not None) is (told == COST)
    await actor.close()


async def test_a_lost_worker_leaves_a_budget_unwatched_until_the_next_run(path: Path) -> None:
    """Or one that dies each time would be paid for without end; yet a killed run can go on."""
    actor = await opened(path, budget_usd=1)
    for _ in range(2):
        assert (await actor.begin(0)).attempt is not None
    assert await actor.begin(1) == RowState()
    assert isinstance((await actor.close()).fatal_error, UnknownCostError)
    with Journal(path, **JOB) as journal:
        journal.start_run(range(100))
    again = await opened(path, budget_usd=1)
    assert (await again.begin(0)).attempt is not None
    assert (await again.begin(1)).attempt is not None
    await again.close()


async def test_no_budget_needs_no_costs(path: Path) -> None:
    actor = await opened(path)
    for row_id in range(3):
        attempt = (await actor.begin(row_id)).attempt
        assert attempt is not None
        await actor.end(attempt, "yes", None, UNTOLD)
    assert (await actor.close()).fatal_error is None


async def test_a_journal_in_use_is_the_actors_own_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimlapi_ray.journal._LOCK_TIMEOUT_S", 0.1)
    with Journal(path, **JOB), pytest.raises(JournalError, match="another run has it open"):
        await opened(path)


async def test_a_journal_that_another_run_took_meanwhile_is_left_to_it(path: Path) -> None:
    actor = JournalActor(path, **JOB)
    with Journal(path, **JOB) as other:
        other.start_run(range(10))
    with pytest.raises(JournalError, match="another run has begun meanwhile"):
        await actor.open(1)
    await actor.open(2)
    await actor.close()


def test_the_actors_own_error_is_told_apart_from_its_loss() -> None:
    own, wrapped, lost = JournalError("the disk is full"), RuntimeError("Ray"), RuntimeError("Ray")
    wrapped.cause = own  # type: ignore[attr-defined]  # as a RayTaskError has it
    assert unwrap_ray_error(wrapped) is own
    for error, words in ((lost, "was lost"), (TimeoutError(), "did not answer")):
        said = unwrap_ray_error(error)
        assert isinstance(said, JournalError)
        assert words in str(said)
