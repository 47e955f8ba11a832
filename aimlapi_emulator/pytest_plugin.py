"""Pytest plugin: an emulator as a fixture. Opt in, in a conftest.py or test file:

    pytest_plugins = ["aimlapi_emulator.pytest_plugin"]

For a test that takes `aimlapi_emulator`, AIMLAPI_BASE_URL and AIMLAPI_API_KEY point to the
emulator, and variables with the user's own key are removed. If the test fails, its report shows the
recorded requests.

PYTEST_DONT_REWRITE: there is no assert here, and `filterwarnings` may import this module before
pytest marks plugins for rewriting, which would be a warning.
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
_CHANGED_VARIABLES = pytest.StashKey[Mapping[str, tuple[str | None, str | None]]]()
_MAX_TEXT_LENGTH = 100
_ONLY_KNOWN = "--aimlapi-only-known-models"


class UnusedRuleWarning(UserWarning):
    """A scripted rule that answered no request in a test that passed.

    A warning, since an agent may take another path; pytest's `filterwarnings` makes it an error:
    `error::aimlapi_emulator.pytest_plugin.UnusedRuleWarning`.
    """


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the plugin's option, where pytest loads the plugin before it reads its arguments."""
    parser.getgroup("aimlapi_emulator", "AI/ML API emulator").addoption(
        _ONLY_KNOWN,
        action="store_true",
        help="refuse ids of models that the emulator's tables do not have (default: answer any)",
    )


@pytest.fixture(scope="session")
def aimlapi_emulator_server(pytestconfig: pytest.Config) -> Iterator[Emulator]:
    """The one emulator of a test run (of each worker of pytest-xdist).

    Override it to set its schema, latency and so on.
    """
    only_known = bool(pytestconfig.getoption(_ONLY_KNOWN, default=False))
    with Emulator(schema="live", only_known_models=only_known) as running:
        yield running


@pytest.fixture
def aimlapi_emulator(
    aimlapi_emulator_server: Emulator,
    request: pytest.FixtureRequest,
) -> Iterator[Emulator]:
    """The running emulator, cleared, with the environment pointing to it."""
    emulator = aimlapi_emulator_server.start()  # a test may have stopped it
    emulator.clear()
    wanted = environment_overrides(emulator.base_url, os.environ)
    request.node.stash[_CHANGED_VARIABLES] = {
        name: (value, os.environ.get(name)) for name, value in wanted.items()
    }
    request.node.stash[_EMULATOR] = emulator
    with pytest.MonkeyPatch.context() as patch:  # a test may undo its own `monkeypatch`
        for name, value in wanted.items():
            _set(patch, name, value)
        yield emulator
    if request.node.stash.get(_PASSED, False):
        for rule in emulator.unused_rules():
            message = f"{request.node.nodeid}: no request was answered by {rule!r}"
            warnings.warn(UnusedRuleWarning(message), stacklevel=1)


def _set(patch: pytest.MonkeyPatch, name: str, value: str | None) -> None:
    if value is None:
        patch.delenv(name, raising=False)
    else:
        patch.setenv(name, value)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Restores variables that the test's own monkeypatch, undone last, has set to our values."""
    try:
        return (yield)
    finally:
        for name, (ours, before) in item.stash.get(_CHANGED_VARIABLES, {}).items():
            if os.environ.get(name) == ours != before:
                _set(pytest.MonkeyPatch(), name, before)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the recorded requests to the report of a failed test."""
    report = yield
    if report.when == "call":
        item.stash[_PASSED] = report.passed
    emulator = item.stash.get(_EMULATOR, None)
    if emulator is not None and report.failed and report.when != "teardown":
        text = "\n".join(map(_escaped, _report_lines(emulator)))
        report.sections.append(("AI/ML API emulator", text))
    return report


def _report_lines(emulator: Emulator) -> list[str]:
    lines = [
        line
        for seen in list(emulator.requests)
        for line in _safe_lines(_request_lines, seen, "a request")
    ]
    lines = lines or ["no request was seen"]
    for rule in emulator.unused_rules():
        lines += _safe_lines(lambda one: [f"answered nothing: {one!r}"], rule, "a rule")
    if emulator.faults:
        lines.append(f"faults that no request has met: {len(emulator.faults)}")
    return lines


def _safe_lines(describe: Callable[[Any], Iterable[str]], thing: Any, word: str) -> list[str]:
    """Its lines, or one with the exception: an exception here would end the whole run."""
    try:
        return list(describe(thing))
    except Exception as exc:
        return [f"{word} could not be read: {type(exc).__name__}: {exc}"]


def _escaped(line: str) -> str:
    """The line with control and other unprintable characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _request_lines(seen: SeenRequest) -> Iterator[str]:
    text = " ".join(seen.last_message.split())
    text = f"{text[: _MAX_TEXT_LENGTH - 3]}..." if len(text) > _MAX_TEXT_LENGTH else text
    parts = [seen.method, seen.path, str(seen.status or "dropped"), seen.model]
    yield " ".join([*filter(None, parts), *([f'"{text}"'] if text else [])])
    if seen.rule:
        yield f"    answered by {seen.rule}"
    for problem in seen.problems:
        yield f"    problem: {problem}"
    for name in seen.ineffective_fault_fields:
        yield f"    its fault's {name} did nothing"
