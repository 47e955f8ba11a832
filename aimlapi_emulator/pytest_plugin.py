"""Fixtures for tests of a program that calls the service. Opt in, in a conftest.py or test file:

    pytest_plugins = ["aimlapi_emulator.pytest_plugin"]

A test that takes `aimlapi_emulator` talks to the emulator and to nobody else: for its time
AIMLAPI_BASE_URL and AIMLAPI_API_KEY point there, and variables with a key of the user's own are
gone. When it fails, its report shows the requests that were seen.

PYTEST_DONT_REWRITE: there is no assert here, and `filterwarnings` may import this module before
pytest marks plugins for rewriting, of which it would warn.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any

import pytest

from aimlapi_emulator.cli.environment import environment_overrides
from aimlapi_emulator.emulator import Emulator
from aimlapi_emulator.scripting.request_view import SeenRequest

_EMULATOR = pytest.StashKey[Emulator]()
_PASSED = pytest.StashKey[bool]()
_BEFORE = pytest.StashKey[Mapping[str, tuple[str | None, str | None]]]()
_LONGEST = 100


class UnusedRuleWarning(UserWarning):
    """A scripted rule that answered nothing in a test that passed.

    A warning, since an agent may rightly go another way; pytest's `filterwarnings` makes it an
    error: `error::aimlapi_emulator.pytest_plugin.UnusedRuleWarning`.
    """


@pytest.fixture(scope="session")
def aimlapi_emulator_server() -> Iterator[Emulator]:
    """The one emulator of a test run (of each worker of pytest-xdist).

    Override it to set its schema or latency.
    """
    with Emulator() as running:
        yield running


@pytest.fixture
def aimlapi_emulator(
    aimlapi_emulator_server: Emulator,
    request: pytest.FixtureRequest,
) -> Iterator[Emulator]:
    """The running emulator with nothing left of the test before, and the environment set to it."""
    emulator = aimlapi_emulator_server.start()  # which a test may have stopped
    emulator.clear()
    wanted = environment_overrides(emulator.base_url, os.environ)
    request.node.stash[_BEFORE] = {
        name: (value, os.environ.get(name)) for name, value in wanted.items()
    }
    request.node.stash[_EMULATOR] = emulator
    with pytest.MonkeyPatch.context() as patch:  # a test may undo those of its own
        for name, value in wanted.items():
            _set(patch, name, value)
        yield emulator
    if request.node.stash.get(_PASSED, False):
        for rule in emulator.unused_rules():
            told = f"{request.node.nodeid}: no request was answered by {rule!r}"
            warnings.warn(UnusedRuleWarning(told), stacklevel=1)


def _set(patch: pytest.MonkeyPatch, name: str, value: str | None) -> None:
    if value is None:
        patch.delenv(name, raising=False)
    else:
        patch.setenv(name, value)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Puts back what the test's own monkeypatch took for the user's: it may be undone last."""
    try:
        return (yield)
    finally:
        for name, (ours, before) in item.stash.get(_BEFORE, {}).items():
            if os.environ.get(name) == ours != before:
                _set(pytest.MonkeyPatch(), name, before)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds what the emulator saw to the report of a test that failed."""
    report = yield
    if report.when == "call":
        item.stash[_PASSED] = report.passed
    emulator = item.stash.get(_EMULATOR, None)
    if emulator is not None and report.failed and report.when != "teardown":
        told = "\n".join(map(_escaped, _told(emulator)))
        report.sections.append(("AI/ML API emulator", told))
    return report


def _told(emulator: Emulator) -> list[str]:
    lines = [
        line for seen in list(emulator.requests) for line in _read(_of_request, seen, "a request")
    ]
    lines = lines or ["no request was seen"]
    for rule in emulator.unused_rules():
        lines += _read(lambda one: [f"answered nothing: {one!r}"], rule, "a rule")
    if emulator.faults:
        lines.append(f"faults that no request has met: {len(emulator.faults)}")
    return lines


def _read(read: Callable[[Any], Iterable[str]], thing: Any, word: str) -> list[str]:
    """Its lines; of what raises one that says so: a report that fails would end the whole run."""
    try:
        return list(read(thing))
    except Exception as exc:
        return [f"{word} could not be read: {type(exc).__name__}: {exc}"]


def _escaped(line: str) -> str:
    """Of a request's text what no terminal takes, and what would steer it, in escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _of_request(seen: SeenRequest) -> Iterator[str]:
    said = " ".join(seen.last_message.split())
    said = f"{said[: _LONGEST - 3]}..." if len(said) > _LONGEST else said
    parts = [seen.method, seen.path, str(seen.status or "dropped"), seen.model]
    yield " ".join([*filter(None, parts), *([f'"{said}"'] if said else [])])
    if seen.rule:
        yield f"    answered by {seen.rule}"
    for problem in seen.problems:
        yield f"    problem: {problem}"
    for name in seen.ineffective_fault_fields:
        yield f"    its fault's {name} did nothing"
