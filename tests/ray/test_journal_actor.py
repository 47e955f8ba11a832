"""The keeper of a run: what ends it, and that nothing is answered before it is written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aimlapi_core import AuthenticationError, BudgetExceededError, Totals, UnknownCostError
from aimlapi_ray import JournalError, RowsError, Spend, TooManyFailedError
from aimlapi_ray.journal import LOST_LIMIT, Journal, Turn
from aimlapi_ray.journal_actor import Keeper, said_by_keeper

JOB: dict[str, Any] = {"job": "lakes", "model": "m"}
COST = Spend({"m": Totals(calls=1, billed_calls=1, credits=1_000)})  # 0.0005 USD


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Journal(tmp_path / "lakes.sqlite", **JOB) as journal:
        journal.start_run(range(100))
    return tmp_path / "lakes.sqlite"


async def opened(path: Path, **given: Any) -> Keeper:
    keeper = Keeper(path, **JOB, **given)
    await keeper.open()
    return keeper


async def asked(keeper: Keeper, row_id: int, answer: str | None = "yes") -> Turn:
    turn = await keeper.begin(row_id)
    if turn.attempt is None:
        return turn
    return await keeper.end(turn.attempt, answer, None if answer else "KeyError: 'text'", COST)


async def test_many_at_once_are_all_written(path: Path) -> None:
    keeper = await opened(path)
    turns = await asyncio.gather(*(asked(keeper, n, str(n)) for n in range(100)))
    assert [turn.answer for turn in turns] == [str(n) for n in range(100)]
    progress = await keeper.progress()
    assert (progress.done, progress.failed, progress.cost.credits) == (100, 0, 100_000)
    closed = await keeper.close()
    assert closed.ending is None
    assert (closed.report.answered, closed.progress.done) == (100, 100)
    with Journal(path, **JOB) as journal:
        assert journal.report() == closed.report


async def test_the_budget_ends_the_run(path: Path) -> None:
    keeper = await opened(path, budget_usd="0.0015")
    turns = [await asked(keeper, n) for n in range(5)]
    assert [turn.answer for turn in turns] == ["yes"] * 3 + [None] * 2
    ending = (await keeper.close()).ending
    assert isinstance(ending, BudgetExceededError)
    assert "0.0015 USD spent by all runs" in str(ending)


async def test_calls_under_way_are_held_back_from_the_budget(path: Path) -> None:
    keeper = await opened(path, budget_usd="0.0015")
    await asked(keeper, 0)
    turns = await asyncio.gather(*(keeper.begin(n) for n in range(1, 10)))
    assert sum(turn.attempt is not None for turn in turns) == 2
    assert isinstance((await keeper.close()).ending, BudgetExceededError)


async def test_a_budget_is_one_for_all_runs(path: Path) -> None:
    first = await opened(path)
    await asked(first, 0)
    await first.close()
    again = await opened(path, budget_usd="0.0005")
    assert await again.begin(1) == Turn()
    await again.close()


async def test_an_error_that_all_rows_meet_ends_the_run_and_calls_under_way_end_well(
    path: Path,
) -> None:
    keeper = await opened(path)
    other = (await keeper.begin(0)).attempt
    refused = (await keeper.begin(1)).attempt
    assert other is not None
    assert refused is not None
    wrong = AuthenticationError("no such key", status_code=401)
    await keeper.end(refused, None, "AuthenticationError: no such key", Spend(), wrong)
    assert await keeper.begin(2) == Turn()
    assert await keeper.end(other, "yes", None, COST) == Turn(answer="yes")
    assert (await keeper.close()).ending is wrong


async def test_too_many_failed_rows_end_the_run(path: Path) -> None:
    keeper = await opened(path, max_failed=1)
    for row_id in range(3):
        await asked(keeper, row_id, None)
    assert await keeper.begin(3) == Turn()
    ending = (await keeper.close()).ending
    assert isinstance(ending, TooManyFailedError)
    assert "2 rows have failed; the last: KeyError" in str(ending)


async def test_rows_whose_worker_always_dies_have_failed(path: Path) -> None:
    keeper = await opened(path, max_failed=0)
    for _ in range(LOST_LIMIT):
        assert (await keeper.begin(0)).attempt is not None
    assert "its worker died" in str((await keeper.begin(0)).error)
    assert await keeper.begin(1) == Turn()
    ending = (await keeper.close()).ending
    assert isinstance(ending, TooManyFailedError)
    assert "1 rows have failed; the last: WorkerLostError" in str(ending)


async def test_a_row_that_cannot_be_written_costs_no_other_its_answer(path: Path) -> None:
    keeper = await opened(path, max_failed=0)
    attempts = [(await keeper.begin(n)).attempt or 0 for n in range(3)]
    texts = [("yes", None), (None, "ValueError: \ud83d"), ("of course", None)]
    ends = (keeper.end(attempt, *text, COST) for attempt, text in zip(attempts, texts, strict=True))
    first, broken, last = await asyncio.gather(*ends, return_exceptions=True)
    assert (first, last) == (Turn(answer="yes"), Turn(answer="of course"))
    assert isinstance(broken, UnicodeEncodeError)
    closed = await keeper.close()
    assert closed.ending is broken
    assert (closed.report.answered, closed.report.cost.credits) == (2, 2_000)


async def test_an_id_that_is_not_known_costs_no_other_its_turn(path: Path) -> None:
    keeper = await opened(path)
    known, unknown, strange = await asyncio.gather(
        keeper.begin(1), keeper.begin(1_000), keeper.ended([2**70]), return_exceptions=True
    )
    assert isinstance(known, Turn)
    assert known.attempt is not None
    assert "materialize" in str(unknown)
    assert isinstance(strange, RowsError)
    assert await keeper.begin(2) == Turn()
    assert isinstance((await keeper.close()).ending, RowsError)


async def test_a_disk_that_takes_no_more_is_told_to_all_that_wait(path: Path) -> None:
    keeper = await opened(path)
    attempts = [(await keeper.begin(n)).attempt or 0 for n in range(2)]
    keeper._journal._db.execute("PRAGMA max_page_count = 1")  # no page more than there are
    answers = await asyncio.gather(
        keeper.end(attempts[0], "yes", None, COST),
        keeper.end(attempts[1], "long " * 100_000, None, COST),
        return_exceptions=True,
    )
    assert all(isinstance(answer, JournalError) for answer in answers)
    closed = await keeper.close()
    assert "full" in str(closed.ending)
    assert (closed.report.answered, closed.report.cost.credits) == (0, 0)


UNTOLD = Spend({"m": Totals(calls=1)}, unknown=1)


async def test_a_budget_that_cannot_be_watched_ends_the_run(path: Path) -> None:
    keeper = await opened(path, budget_usd=1)
    first, second = [(await keeper.begin(n)).attempt or 0 for n in range(2)]
    await keeper.end(first, "yes", None, UNTOLD)
    assert await keeper.begin(2) == Turn()
    await keeper.end(second, "yes", None, UNTOLD)
    ending = (await keeper.close()).ending
    assert isinstance(ending, UnknownCostError)
    assert "budget of 1 USD cannot be watched: what 1 row(s) cost never came" in str(ending)
    again = await opened(path, budget_usd=1)
    assert await again.begin(2) == Turn()
    await again.close()


async def test_calls_under_way_or_of_no_cost_leave_a_budget_watched(path: Path) -> None:
    keeper = await opened(path, budget_usd=1)
    turns = [await keeper.begin(n) for n in range(10)]
    await keeper.end(turns[0].attempt or 0, None, "KeyError: 'x'", Spend())
    assert all(turn.attempt for turn in [*turns, await keeper.begin(10)])
    await keeper.close()


@pytest.mark.parametrize("told", [COST, Spend(COST.by_model, unknown=1)])
async def test_unknown_costs_are_held_back_once_a_cost_is_known(path: Path, told: Spend) -> None:
    keeper = await opened(path, budget_usd=1)
    first, second = [(await keeper.begin(n)).attempt or 0 for n in range(2)]
    await keeper.end(first, "yes", None, told)
    await keeper.end(second, "yes", None, UNTOLD)
    assert ((await keeper.begin(2)).attempt is not None) is (told == COST)
    await keeper.close()


async def test_a_lost_worker_leaves_a_budget_unwatched_until_the_next_run(path: Path) -> None:
    """Or one that dies each time would be paid for without end; yet a killed run can go on."""
    keeper = await opened(path, budget_usd=1)
    for _ in range(2):
        assert (await keeper.begin(0)).attempt is not None
    assert await keeper.begin(1) == Turn()
    assert isinstance((await keeper.close()).ending, UnknownCostError)
    with Journal(path, **JOB) as journal:
        journal.start_run(range(100))
    again = await opened(path, budget_usd=1)
    assert (await again.begin(0)).attempt is not None
    assert (await again.begin(1)).attempt is not None
    await again.close()


async def test_no_budget_needs_no_costs(path: Path) -> None:
    keeper = await opened(path)
    for row_id in range(3):
        attempt = (await keeper.begin(row_id)).attempt
        assert attempt is not None
        await keeper.end(attempt, "yes", None, UNTOLD)
    assert (await keeper.close()).ending is None


async def test_a_journal_in_use_is_the_keepers_own_word(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimlapi_ray.journal._LOCKED_S", 0.1)
    with Journal(path, **JOB), pytest.raises(JournalError, match="another run has it open"):
        await opened(path)


async def test_a_journal_that_another_run_took_meanwhile_is_left_to_it(path: Path) -> None:
    keeper = Keeper(path, **JOB)
    with Journal(path, **JOB) as other:
        other.start_run(range(10))
    with pytest.raises(JournalError, match="another run has begun meanwhile"):
        await keeper.open(1)
    await keeper.open(2)
    await keeper.close()


def test_the_keepers_own_word_is_told_apart_from_its_loss() -> None:
    own, wrapped, lost = JournalError("the disk is full"), RuntimeError("Ray"), RuntimeError("Ray")
    wrapped.cause = own  # type: ignore[attr-defined]  # as a RayTaskError has it
    assert said_by_keeper(wrapped) is own
    for error, words in ((lost, "was lost"), (TimeoutError(), "did not answer")):
        said = said_by_keeper(error)
        assert isinstance(said, JournalError)
        assert words in str(said)
