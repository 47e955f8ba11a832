"""A worker with its actor, in one process: which errors are a row's, and which end the run."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aimlapi_core import (
    AuthenticationError,
    BudgetExceededError,
    ConnectionLostError,
    InsufficientFundsError,
    NotFoundError,
    UnknownCostError,
    track_costs,
)
from aimlapi_emulator import Emulator, Fault
from aimlapi_ray.journal import Journal, RowState
from aimlapi_ray.journal_actor import JournalActor, RunResult
from aimlapi_ray.report import Report
from aimlapi_ray.worker import AnswerFunction, NoTextError, Worker
from langchain_aimlapi import ChatAIMLAPI
from tests.waiting import wait_until

JOB: dict[str, Any] = {"job": "lakes", "model": "openai/gpt-5-2"}
ROWS = [{"id": n, "text": f"Row {n}."} for n in range(20)]


async def ask(model: ChatAIMLAPI, row: dict[str, Any]) -> str:
    return (await model.ainvoke(row["text"])).text


class Cell:
    """A journal actor and workers that call it as Ray's actors are called, without Ray."""

    def __init__(self, path: Path, emu: Emulator) -> None:
        self.path = path
        self._emu = emu
        with Journal(path, **JOB) as journal:
            journal.start_run(row["id"] for row in ROWS)
        self._actor = JournalActor(path, **JOB)
        asyncio.run(self._actor.open())
        names = ("finished_rows", "begin", "end")
        methods = {name: SimpleNamespace(remote=getattr(self._actor, name)) for name in names}
        self._handle = SimpleNamespace(**methods)
        self._workers: list[Worker[Any]] = []

    def answers(
        self, ask: AnswerFunction[Any] = ask, key: str = "sk-x", concurrency: int = 4
    ) -> list[RowState]:
        """The states of all rows, by one worker."""
        worker = self.worker(ask, key, concurrency)
        states: list[RowState] = worker._run(worker._process_rows(ROWS))
        return states

    def worker(
        self, ask: AnswerFunction[Any], key: str = "sk-x", concurrency: int = 4
    ) -> Worker[Any]:
        model = ChatAIMLAPI(
            model="openai/gpt-5-2", base_url=self._emu.base_url, api_key=key, max_retries=0
        )
        worker = Worker(model, ask, self._handle, id_column="id", concurrency=concurrency)
        self._workers.append(worker)
        return worker

    def close(self) -> tuple[Exception | None, Report]:
        """What ended the run early, and its report."""
        closed: RunResult = self._workers[0]._run(self._actor.close())
        self._workers.clear()
        return closed.fatal_error, closed.report


@pytest.fixture
def cell(tmp_path: Path, emu: Emulator) -> Iterator[Cell]:
    made = Cell(tmp_path / "lakes.sqlite", emu)
    yield made
    made._actor._journal.close()
    made._workers.clear()
    gc.collect()  # a worker that a cycle holds must not be dropped in a server's thread


def test_each_row_has_its_own_answer_and_costs_add_up(cell: Cell, emu: Emulator) -> None:
    states = cell.answers()
    assert all(f"Row {n}." in (state.answer or "") for n, state in enumerate(states))
    fatal_error, report = cell.close()
    assert (fatal_error, report.answered, report.calls) == (None, 20, 20)
    assert report.cost.credits == emu.ledger.credits > 0


def test_a_second_worker_asks_nothing_that_is_answered(cell: Cell, emu: Emulator) -> None:
    assert cell.answers() == cell.answers()
    assert len(emu.requests) == 20
    cell.close()


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_rows_are_asked_at_once_than_allowed(
    cell: Cell, emu: Emulator, concurrency: int
) -> None:
    now = most = 0

    async def counted(model: ChatAIMLAPI, row: dict[str, Any]) -> str:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        answer = await ask(model, row)
        now -= 1
        return answer

    cell.answers(counted, concurrency=concurrency)
    assert most == concurrency
    cell.close()


def test_a_rows_own_error_is_told_and_the_others_go_on(cell: Cell, emu: Emulator) -> None:
    emu.faults[:] = [None, Fault(status=400)]

    async def broken(model: ChatAIMLAPI, row: dict[str, Any]) -> str:
        return await ask(model, row) if row["id"] != 7 else row["no such column"]

    states = cell.answers(broken, concurrency=1)
    assert (states[1].error or "").startswith("BadRequestError: ")
    assert states[7].error == "KeyError: 'no such column'"
    fatal_error, report = cell.close()
    assert (fatal_error, report.answered, list(report.failed)) == (None, 18, [1, 7])


def test_a_lost_answer_is_of_unknown_cost_and_is_not_asked_again(cell: Cell, emu: Emulator) -> None:
    emu.faults[:] = [Fault(drop="after_read")]
    cell.answers(concurrency=1)
    _, report = cell.close()
    assert report.cost.unknown == 1
    assert list(report.failed) == [0]
    assert len(emu.requests) == 20


ENDINGS = [("sk-broke", None, InsufficientFundsError), ("sk-x", 401, AuthenticationError)]
ENDINGS += [("sk-x", 404, NotFoundError)]


@pytest.mark.parametrize(("key", "status", "kind"), ENDINGS)
def test_what_all_rows_would_meet_ends_the_run(
    cell: Cell, emu: Emulator, key: str, status: int | None, kind: type[Exception]
) -> None:
    emu.faults[:] = [Fault(status=status)] if status else []
    states = cell.answers(key=key, concurrency=1)
    assert len(emu.requests) == 1
    assert states[-1].error == "not asked: the run had ended"
    fatal_error, report = cell.close()
    assert isinstance(fatal_error, kind)
    assert (report.not_asked, len(report.failed)) == (19, 1)


def test_an_ask_that_gives_no_text_ends_the_run(cell: Cell, emu: Emulator) -> None:
    async def message(model: ChatAIMLAPI, row: dict[str, Any]) -> Any:
        return await model.ainvoke(row["text"])

    cell.answers(message, concurrency=1)
    fatal_error, report = cell.close()
    assert isinstance(fatal_error, NoTextError)
    assert "not AIMessage: take .text" in str(fatal_error)
    assert len(emu.requests) == 1
    assert report.cost.credits == emu.ledger.credits


def test_a_blocking_call_in_asyncios_thread_is_counted(cell: Cell, emu: Emulator) -> None:
    async def blocking(model: ChatAIMLAPI, row: dict[str, Any]) -> str:
        return (await asyncio.to_thread(model.invoke, row["text"])).text

    cell.answers(blocking)
    _, report = cell.close()
    assert report.calls == 20
    assert report.cost.credits == emu.ledger.credits > 0


def breaking(broken: Callable[[], Awaitable[Any]]) -> AnswerFunction[Any]:
    """An `ask` that does this in row 7, and answers the others."""

    async def asking(model: ChatAIMLAPI, row: dict[str, Any]) -> str:
        if row["id"] == 7:
            await broken()
        return await ask(model, row)

    return asking


def test_an_error_with_half_a_character_is_told(cell: Cell) -> None:
    async def broken() -> None:
        raise ValueError("half: \ud83d")

    states = cell.answers(breaking(broken))
    assert states[7].error == "ValueError: half: ?"
    fatal_error, report = cell.close()
    assert (fatal_error, report.answered, list(report.failed)) == (None, 19, [7])


def test_an_answer_with_half_a_character_is_kept(cell: Cell, emu: Emulator) -> None:
    async def half(model: ChatAIMLAPI, row: dict[str, Any]) -> str:
        return f"{await ask(model, row)} \ud83d"

    states = cell.answers(half)
    assert all((state.answer or "").endswith(" ?") for state in states)
    fatal_error, report = cell.close()
    assert (fatal_error, report.answered) == (None, 20)
    assert report.cost.credits == emu.ledger.credits


async def leave() -> None:
    sys.exit("enough")


async def interrupt() -> None:
    raise KeyboardInterrupt


async def cancel() -> None:
    raise asyncio.CancelledError


async def leave_in_a_task() -> None:
    await asyncio.create_task(leave())


async def cancel_a_task() -> None:
    task = asyncio.create_task(asyncio.sleep(9))
    asyncio.get_running_loop().call_soon(task.cancel)
    await task


LEAVING = [
    (leave, "SystemExit: enough"),
    (leave_in_a_task, "SystemExit: enough"),
    (interrupt, "KeyboardInterrupt: "),
    (cancel, "CancelledError: "),
    (cancel_a_task, "CancelledError: "),
]


@pytest.mark.parametrize(("broken", "error"), LEAVING)
def test_an_ask_that_leaves_fails_its_row_alone(
    cell: Cell, broken: Callable[[], Awaitable[None]], error: str
) -> None:
    states = cell.answers(breaking(broken))
    assert states[7].error == error
    fatal_error, report = cell.close()
    assert (fatal_error, report.answered, list(report.failed)) == (None, 19, [7])


def test_a_worker_that_is_cancelled_leaves_its_rows(cell: Cell) -> None:
    """Their end is not known: they are no failed rows."""
    began, left = threading.Semaphore(0), threading.Semaphore(0)

    async def waiting(model: Any, row: dict[str, Any]) -> str:
        began.release()
        try:
            await asyncio.Event().wait()
        finally:
            left.release()
        return ""

    worker = cell.worker(waiting)
    states = asyncio.run_coroutine_threadsafe(worker._process_rows(ROWS), worker._loop)
    for _ in range(4):
        began.acquire()
    states.cancel()
    for _ in range(4):
        left.acquire()
    _, report = cell.close()
    assert (report.failed, report.cost.unknown) == ({}, 4)


def test_an_error_of_a_group_ends_the_run_as_a_bare_one(cell: Cell, emu: Emulator) -> None:
    async def grouped(model: ChatAIMLAPI, row: dict[str, Any]) -> str:
        async with asyncio.TaskGroup() as outer, asyncio.TaskGroup() as inner:
            outer.create_task(asyncio.sleep(0))
            answer = inner.create_task(ask(model, row))
        return answer.result()

    cell.answers(grouped, key="sk-broke", concurrency=1)
    fatal_error, report = cell.close()
    assert isinstance(fatal_error, InsufficientFundsError)
    assert (len(emu.requests), report.not_asked) == (1, 19)


def test_a_group_of_a_rows_own_errors_is_the_rows(cell: Cell) -> None:
    async def broken() -> None:
        raise ExceptionGroup("two", [ValueError("no"), KeyError("x")])

    states = cell.answers(breaking(broken))
    assert states[7].error == "ExceptionGroup: two (2 sub-exceptions)"
    assert cell.close()[0] is None


@pytest.mark.parametrize("kind", [BudgetExceededError, UnknownCostError])
def test_a_budget_of_the_rows_own_is_no_end_of_the_run(
    cell: Cell, emu: Emulator, kind: type[Exception]
) -> None:
    is_lost = kind is UnknownCostError
    emu.faults[:] = [Fault(drop="after_read")] if is_lost else []

    async def frugal(model: ChatAIMLAPI, row: dict[str, Any]) -> str:
        with track_costs(budget_usd="0.000001", on_unknown_cost="raise"):
            if row["id"] == 0:
                with suppress(ConnectionLostError):
                    await ask(model, row)
            return await ask(model, row)

    states = cell.answers(frugal, concurrency=1)
    assert (states[0].error or "").startswith(f"{kind.__name__}: ")
    fatal_error, report = cell.close()
    assert (fatal_error, report.answered, list(report.failed)) == (None, 19, [0])


def test_a_dropped_worker_closes_its_model(cell: Cell, emu: Emulator) -> None:
    cell.answers()
    assert emu.open_connections > 0
    cell.close()
    wait_until(lambda: emu.open_connections == 0)


def test_a_dropped_worker_closes_a_model_of_any_kind() -> None:
    closed: list[str] = []

    class Model:
        async def aclose(self) -> None:
            closed.append("closed")

    async def ask(model: Model, row: dict[str, Any]) -> str:
        return ""

    worker = Worker(Model(), ask, None, id_column="id", concurrency=1)
    del worker
    assert closed == ["closed"]
