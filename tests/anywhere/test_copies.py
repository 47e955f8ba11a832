"""One object, sent or copied anywhere, before and after its first call: it works, and each call is
one request."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import cloudpickle
import pytest

from aimlapi_emulator import Emulator
from tests.anywhere.objects import KEY, NAMES, make, requests_of, use

COPIES: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "cloudpickle": lambda thing: cloudpickle.loads(cloudpickle.dumps(thing)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}

every = pytest.mark.parametrize("name", NAMES)
called = pytest.mark.parametrize("called", [False, True], ids=["before use", "after use"])


@every
@called
@pytest.mark.parametrize("how", COPIES)
def test_a_copy_works_and_so_does_the_original(
    emu: Emulator, name: str, called: bool, how: str
) -> None:
    thing = make(name, emu.base_url)
    if called:
        use(thing)
    twin = COPIES[how](thing)
    assert type(twin) is type(thing)
    use(twin)
    if hasattr(twin, "close"):
        twin.close()  # its own claim, not the original's
    use(thing)
    assert len(emu.requests) == requests_of(name) * (2 + called)
    assert {seen.headers["authorization"][-4:] for seen in emu.requests} == {KEY[-4:]}


@pytest.fixture(scope="module")
def worker() -> Iterator[ProcessPoolExecutor]:
    """A process that was spawned: it knows nothing but what it is sent."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


@every
@called
def test_a_spawned_worker_calls_with_what_it_is_sent(
    emu: Emulator, worker: ProcessPoolExecutor, name: str, called: bool
) -> None:
    thing = make(name, emu.base_url)
    if called:
        use(thing)
    mine = {seen.connection for seen in emu.requests}
    emu.requests.clear()
    worker.submit(use, thing).result()
    assert len(emu.requests) == requests_of(name)
    assert mine.isdisjoint(seen.connection for seen in emu.requests)


def _in_child(thing: Any, pipe: Any) -> None:
    try:
        use(thing)
        pipe.send("used")
    except BaseException as error:  # whatever it is, the parent must hear of it
        pipe.send(repr(error))
    finally:
        pipe.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@every
@called
def test_a_forked_child_and_its_parent_both_go_on(emu: Emulator, name: str, called: bool) -> None:
    thing = make(name, emu.base_url)
    if called:
        use(thing)
    mine = {seen.connection for seen in emu.requests}
    emu.requests.clear()
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    process = fork.Process(target=_in_child, args=(thing, there))
    process.start()
    there.close()
    assert here.recv() == "used"
    process.join()
    assert process.exitcode == 0
    here.close()
    assert len(emu.requests) == requests_of(name)
    theirs = {seen.connection for seen in emu.requests}
    assert mine.isdisjoint(theirs)
    use(thing)
    assert len(emu.requests) == 2 * requests_of(name)
    assert theirs.isdisjoint(seen.connection for seen in emu.requests[requests_of(name) :])
