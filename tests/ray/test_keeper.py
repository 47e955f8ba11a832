"""The keeper of a run: what ends it, and that nothing is answered before it is written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aimlapi_core import AuthenticationError, BudgetExceededError, Totals
from aimlapi_ray import RowsError, Spend, TooManyFailedError
from aimlapi_ray.journal import Journal, Turn
from aimlapi_ray.keeper import Keeper

JOB: dict[str, Any] = {"job": "lakes", "model": "m"}
COST = Spend({"m": Totals(calls=1, priced=1, credits=1_000)})  # 0.0005 USD


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Journal(tmp_path / "lakes.sqlite", **JOB) as journal:
        journal.start_run(range(100))
    return tmp_path / "lakes.sqlite"


async def asked(keeper: Keeper, row_id: int, answer: str | None = "yes") -> Turn:
    turn = await keeper.begin(row_id)
    if turn.attempt is None:
        return turn
    return await keeper.end(turn.attempt, answer, None if answer else "KeyError: 'text'", COST)


async def test_many_at_once_are_all_written(path: Path) -> None:
    keeper = Keeper(path, **JOB)
    turns = await asyncio.gather(*(asked(keeper, n, str(n)) for n in range(100)))
    assert [turn.answer for turn in turns] == [str(n) for n in range(100)]
    progress = await keeper.progress()
    assert (progress.done, progress.failed, progress.cost.credits) == (100, 0, 100_000)
    assert await keeper.close() is None
    with Journal(path, **JOB) as journal:
        assert journal.report().answered == 100


async def test_the_budget_ends_the_run(path: Path) -> None:
    keeper = Keeper(path, **JOB, budget_usd="0.0015")
    turns = [await asked(keeper, n) for n in range(5)]
    assert [turn.answer for turn in turns] == ["yes"] * 3 + [None] * 2
    ending = await keeper.close()
    assert isinstance(ending, BudgetExceededError)
    assert "0.0015 USD spent by all runs" in str(ending)


async def test_calls_under_way_are_held_back_from_the_budget(path: Path) -> None:
    keeper = Keeper(path, **JOB, budget_usd="0.0015")
    await asked(keeper, 0)
    turns = await asyncio.gather(*(keeper.begin(n) for n in range(1, 10)))
    assert sum(turn.attempt is not None for turn in turns) == 2
    assert isinstance(await keeper.close(), BudgetExceededError)


async def test_a_budget_is_one_for_all_runs(path: Path) -> None:
    first = Keeper(path, **JOB)
    await asked(first, 0)
    await first.close()
    again = Keeper(path, **JOB, budget_usd="0.0005")
    assert await again.begin(1) == Turn()
    await again.close()


async def test_an_error_that_all_rows_meet_ends_the_run_and_calls_under_way_end_well(
    path: Path,
) -> None:
    keeper = Keeper(path, **JOB)
    other = (await keeper.begin(0)).attempt
    refused = (await keeper.begin(1)).attempt
    assert other is not None
    assert refused is not None
    wrong = AuthenticationError("no such key", status_code=401)
    await keeper.end(refused, None, "AuthenticationError: no such key", Spend(), wrong)
    assert await keeper.begin(2) == Turn()
    assert await keeper.end(other, "yes", None, COST) == Turn(answer="yes")
    assert await keeper.close() is wrong


async def test_too_many_failed_rows_end_the_run(path: Path) -> None:
    keeper = Keeper(path, **JOB, max_failed=1)
    for row_id in range(3):
        await asked(keeper, row_id, None)
    assert await keeper.begin(3) == Turn()
    ending = await keeper.close()
    assert isinstance(ending, TooManyFailedError)
    assert "2 rows have failed; the last: KeyError" in str(ending)


async def test_what_cannot_be_written_is_told_to_all_that_wait(path: Path) -> None:
    keeper = Keeper(path, **JOB)
    answers = await asyncio.gather(keeper.begin(1), keeper.begin(1_000), return_exceptions=True)
    assert all("materialize" in str(answer) for answer in answers)
    assert await keeper.begin(2) == Turn()
    assert isinstance(await keeper.close(), RowsError)
