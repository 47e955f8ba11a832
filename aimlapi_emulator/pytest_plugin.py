"""Fixtures for tests of a program that calls the service. Opt in, in a conftest.py or test file:

    pytest_plugins = ["aimlapi_emulator.pytest_plugin"]

A test that takes `aimlapi_emulator` talks to the emulator and to nobody else: for its time
AIMLAPI_BASE_URL and AIMLAPI_API_KEY point there, and variables with a key of the user's own are
gone. When it fails, its report shows the requests that were seen.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Generator, Iterator

import pytest

from .asked import SeenRequest
from .emulator import Emulator
from .environment import changes

_EMULATOR = pytest.StashKey[Emulator]()
_FAILED = pytest.StashKey[bool]()
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
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Emulator]:
    """The running emulator with nothing left of the test before, and the environment set to it."""
    emulator = aimlapi_emulator_server
    emulator.clear()
    for name, value in changes(emulator.base_url, os.environ).items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    request.node.stash[_EMULATOR] = emulator
    yield emulator
    if not request.node.stash.get(_FAILED, False):
        for rule in emulator.unused_rules():
            told = f"{request.node.nodeid}: no request was answered by {rule!r}"
            warnings.warn(UnusedRuleWarning(told), stacklevel=1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds what the emulator saw to the report of a test that failed."""
    report = yield
    emulator = item.stash.get(_EMULATOR, None)
    if emulator is not None and report.failed and report.when != "teardown":
        item.stash[_FAILED] = True
        report.sections.append(("AI/ML API emulator", "\n".join(_told(emulator))))
    return report


def _told(emulator: Emulator) -> list[str]:
    lines = [line for seen in list(emulator.seen) for line in _of_request(seen)]
    lines = lines or ["no request was seen"]
    lines += [f"answered nothing: {rule!r}" for rule in emulator.unused_rules()]
    if emulator.faults:
        lines.append(f"faults that no request has met: {len(emulator.faults)}")
    return lines


def _of_request(seen: SeenRequest) -> Iterator[str]:
    said = " ".join(seen.last_message.split())
    said = f"{said[: _LONGEST - 3]}..." if len(said) > _LONGEST else said
    parts = [seen.method, seen.path, str(seen.status or "dropped"), seen.model]
    yield " ".join([*filter(None, parts), *([f'"{said}"'] if said else [])])
    if seen.rule:
        yield f"    answered by {seen.rule}"
    for problem in seen.problems:
        yield f"    problem: {problem}"
    for name in seen.unfired:
        yield f"    its fault's {name} did nothing"
