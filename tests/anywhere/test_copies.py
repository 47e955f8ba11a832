"""One object, sent or copied anywhere, before and after its first call: it works, and each call is
one request."""

from __future__ import annotations

import copy
import importlib
import multiprocessing
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle
import httpx
import pytest
from langchain_core.rate_limiters import InMemoryRateLimiter

from aimlapi_emulator import Emulator
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding
from tests.anywhere.objects import KEY, NAMES, make, requests_of, use

COPIES: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "cloudpickle": lambda thing: cloudpickle.loads(cloudpickle.dumps(thing)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}

every = pytest.mark.parametrize("name", NAMES)
called = pytest.mark.parametrize("called", [False, True], ids=["before use", "after use"])


@pytest.mark.half("how", "called", "name")
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


@every
def test_a_cloudpickle_that_a_library_brings_takes_it_where_there_is_no_other(
    name: str, emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray has a copy of its own, and so has Spark."""
    library = ModuleType("library")
    library.__path__ = [str(Path(cloudpickle.__file__).parents[1])]
    monkeypatch.setitem(sys.modules, "library", library)
    copied = importlib.import_module("library.cloudpickle")
    thing = make(name, emu.base_url)
    monkeypatch.delitem(sys.modules, "cloudpickle")
    twin = copied.loads(copied.dumps(thing))
    assert type(twin) is type(thing)
    use(twin)


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


class _Locked:
    """A key function with what no pickler takes."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __call__(self) -> str:
        return KEY


REMEDY = "cannot be pickled.*def in a module"
KEY_SAID = f"api_key .*{REMEDY}"
UNPICKLABLE: dict[str, tuple[Callable[[], Any], str]] = {
    "key of chat, LC": (lambda: ChatAIMLAPI(api_key=lambda: KEY), KEY_SAID),
    "key of embeddings, LC": (
        lambda: AIMLAPIEmbeddings(api_key=lambda: KEY),
        KEY_SAID,
    ),
    "key, LI": (lambda: AIMLAPI(api_key=lambda: KEY), KEY_SAID),
    "key of embeddings, LI": (lambda: AIMLAPIEmbedding(api_key=lambda: KEY), KEY_SAID),
    "key of a binding": (lambda: ChatAIMLAPI().bind(api_key=lambda: KEY), KEY_SAID),
    "on_usage": (
        lambda: AIMLAPIEmbeddings(api_key=KEY, on_usage=lambda reply: None),
        f"on_usage of AIMLAPIEmbeddings {REMEDY}",
    ),
    "custom_get_token_ids": (
        lambda: ChatAIMLAPI(api_key=KEY, custom_get_token_ids=lambda text: [1]),
        f"custom_get_token_ids of ChatAIMLAPI {REMEDY}",
    ),
    "extra_body": (
        lambda: ChatAIMLAPI(api_key=KEY, extra_body={"f": lambda: 1}),
        f"extra_body of ChatAIMLAPI {REMEDY}",
    ),
}


@pytest.mark.parametrize("name", UNPICKLABLE)
def test_what_pickle_refuses_is_named_with_its_remedy_and_copies_work(name: str) -> None:
    made, said = UNPICKLABLE[name]
    thing = made()
    with pytest.raises(TypeError, match=said):
        pickle.dumps(thing)
    for copied in (
        cloudpickle.loads(cloudpickle.dumps(thing)),
        copy.deepcopy(thing),
        copy.copy(thing),
    ):
        assert type(copied) is type(thing)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"api_key": _Locked()}, "api_key is a function that cannot be pickled"),
        ({"rate_limiter": InMemoryRateLimiter()}, "rate_limiter .*lock.*leave it out"),
        ({"http_client": httpx.Client()}, "hold sockets"),
    ],
)
def test_locks_are_shared_by_copies_and_named_in_pickles(
    arguments: dict[str, Any], said: str
) -> None:
    model = ChatAIMLAPI(**{"api_key": KEY, **arguments})
    for dumps in (pickle.dumps, cloudpickle.dumps):
        with pytest.raises(TypeError, match=said):
            dumps(model)
    (name,) = arguments
    for twin in (copy.deepcopy(model), model.model_copy(deep=True)):
        assert getattr(twin, name) is getattr(model, name)


@pytest.mark.parametrize("key", [KEY, lambda: KEY], ids=["text", "function"])
@pytest.mark.parametrize("name", NAMES[:4])
def test_an_object_made_of_a_dump_takes_its_key_from_the_environment(
    name: str, key: Any, emu: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No dump that can be written to a file holds a key, so another program gives it one."""
    monkeypatch.setenv("AIMLAPI_API_KEY", "sk-other-1111")
    thing = make(name, emu.base_url, api_key=key)
    assert KEY not in thing.model_dump_json()
    use(type(thing).model_validate_json(thing.model_dump_json()))
    assert emu.requests[-1].headers["authorization"].endswith("1111")
    given = {**thing.model_dump(mode="json"), "api_key": "sk-given-2222"}
    use(type(thing).model_validate(given))
    assert emu.requests[-1].headers["authorization"].endswith("2222")
    if hasattr(thing, "from_dict"):
        use(type(thing).from_dict(thing.to_dict(), api_key="sk-given-3333"))
        assert emu.requests[-1].headers["authorization"].endswith("3333")
