"""Warnings are given once, at the line of the caller's program, and hold no memory for ever."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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


def test_the_oldest_keys_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_KEYS", 2)

    def work() -> None:
        for key in ("a", "b", "c", "c", "a"):
            warn_once((key,), key, UserWarning)

    assert len(lines_of(work)) == 4
    assert len(module._warned) == 2
