"""Warnings are given once, at the line of the caller's program, and hold no memory for ever."""

from __future__ import annotations

import asyncio
import linecache
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest

from aimlapi_core._values import warn_once as module
from aimlapi_core._values.warn_once import warn_once


@pytest.fixture(autouse=True)
def _warnings_not_yet_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_warned", {})


def lines_of(work: Callable[[], Any]) -> list[str]:
    """The files that the warnings of `work` point at."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        work()
    return [warning.filename for warning in caught]


def test_a_key_warns_once() -> None:
    def work() -> None:
        for key in ("a", "b", "a"):
            warn_once((key,), key, UserWarning)

    assert len(lines_of(work)) == 2


def in_a_library(key: str) -> None:
    """`warn_once` as a module of a framework calls it."""
    scope = {"__name__": "langchain_core.runnables", "warn_once": warn_once}
    exec(f"warn_once(({key!r},), 'x', UserWarning)", scope)  # a frame with that name


def test_the_line_is_that_of_the_callers_program() -> None:
    assert lines_of(lambda: in_a_library("a")) == [__file__]

    async def main() -> None:
        in_a_library("b")

    assert lines_of(lambda: asyncio.run(main())) == [__file__]


def test_a_thread_without_the_callers_program_warns_all_the_same() -> None:
    with ThreadPoolExecutor(1) as pool:
        found = lines_of(lambda: pool.submit(warn_once, ("a",), "x", UserWarning).result())
    assert len(found) == 1


def test_a_librarys_thread_warns_at_the_line_that_waits_for_it() -> None:
    """As of LangChain's `batch` and LangGraph's streams."""
    scope = {"__name__": "langchain_core.runnables", "warn_once": warn_once}
    exec(  # functions of a framework
        "def batch(pool):\n"
        "    return pool.submit(work).result()\n"
        "def work():\n"
        "    warn_once(('a',), 'x', UserWarning)\n",
        scope,
    )
    batch: Any = scope["batch"]
    with ThreadPoolExecutor(1) as pool, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        batch(pool)
    (warning,) = caught
    assert warning.filename == __file__
    assert "batch(pool)" in linecache.getline(__file__, warning.lineno)


def test_the_line_of_another_thread_is_not_guessed() -> None:
    scope: dict[str, Any] = {"__name__": "langchain_core.runnables", "warn_once": warn_once}
    exec("def work(started, end):\n    started.wait()\n    end.wait()\n", scope)
    started, end = Barrier(3), Event()
    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(lambda: scope["work"](started, end)) for _ in range(2)]
        started.wait()
        found = lines_of(lambda: pool.submit(warn_once, ("a",), "x", UserWarning).result())
        end.set()
        assert [one.result() for one in others] == [None, None]
    assert found != [__file__]


def test_the_oldest_keys_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_KEYS", 2)

    def work() -> None:
        for key in ("a", "b", "c", "c", "a"):
            warn_once((key,), key, UserWarning)

    assert len(lines_of(work)) == 4
    assert len(module._warned) == 2
