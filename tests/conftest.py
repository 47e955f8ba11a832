from __future__ import annotations

import gc
import logging
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from aimlapi_emulator import Emulator

OPENAPI_DIR = os.environ.get("AIMLAPI_OPENAPI_DIR")
_accepted: list[tuple[str, Any]] = []


# `nohup`, and a shell that starts work in the background, have signals ignored. What tests start
# would inherit that, and wait for ever for the signal that a test sends it.
_HANDLERS = {"SIGINT": signal.default_int_handler, "SIGHUP": signal.SIG_DFL}
for _name, _handler in _HANDLERS.items():
    _number = getattr(signal, _name, None)  # Windows has no SIGHUP
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than cores: a third of the tests' time is spent waiting for sockets."""
    return (os.cpu_count() or 1) + 2


gc.disable()  # until all is collected: next to nothing of it is garbage


def pytest_collection_finish() -> None:
    """Leave what is imported and collected (millions of objects: both frameworks, all tests) out of
    every later collection: each `gc.collect()` of a test took more than a second with it."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the second half of the products that are marked `half`, but where one is named."""
    if any("[" in name for name in config.args):
        return
    indices: dict[tuple[str, str], dict[int, int]] = {}

    def index(item: Any, axis: str) -> int:
        of_axis = indices.setdefault((item.nodeid.partition("[")[0], axis), {})
        return of_axis.setdefault(id(item.callspec.params[axis]), len(of_axis))

    def is_left_out(item: pytest.Item) -> bool:
        mark = item.get_closest_marker("half")
        return mark is not None and sum(index(item, axis) for axis in mark.args) % 2 == 1

    left_out = dict.fromkeys(filter(is_left_out, items))
    config.hook.pytest_deselected(items=[*left_out])
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True, scope="module")
def _what_stays_of_a_module_is_left_out_too() -> Iterator[None]:
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """One emulator for all tests."""
    with Emulator(only_known_models=True) as running:
        yield running


@pytest.fixture
def emu(emulator: Emulator) -> Emulator:
    """The emulator with nothing left of the test before."""
    emulator.clear()
    return emulator


_VARIABLES = ("AIMLAPI_API_KEY", "AIML_API_KEY", "AIMLAPI_BASE_URL", "AIMLAPI_API_BASE")


@pytest.fixture(autouse=True)
def _no_key_in_the_air(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test but the live ones sees the key or the URL of whoever runs it."""
    if request.node.get_closest_marker("live") is None:
        for name in _VARIABLES:
            monkeypatch.delenv(name, raising=False)


_LOG = logging.getLogger("aimlapi_emulator.requests")
_WATCHED = logging.DEBUG - 1  # a level that no test sets


class _Accepted(logging.Filter):
    """Notes the valid requests among those that the emulators log.

    Where no test asked for them they go no further: pytest would keep each until its test ends.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        seen, schema = record.__dict__["request"], record.__dict__["schema"]
        if schema == "strict" and seen.method == "POST" and not seen.problems and seen.body:
            _accepted.append((seen.path, seen.body))
        return _LOG.level != _WATCHED


@pytest.fixture(scope="session", autouse=True)
def _watch_accepted_requests() -> Iterator[None]:
    """Notes every request that an emulator finds valid, when the vendor's files are at hand."""
    if not OPENAPI_DIR:
        yield
        return
    notes = _Accepted()
    _LOG.addFilter(notes)
    _LOG.setLevel(_WATCHED)
    yield
    _LOG.setLevel(logging.NOTSET)
    _LOG.removeFilter(notes)


@pytest.fixture(autouse=True)
def _accepted_requests_fit_the_published_schemas() -> Iterator[None]:
    _accepted.clear()
    yield
    if OPENAPI_DIR:
        from tests.openapi import problems

        found = [p for path, body in _accepted for p in problems(OPENAPI_DIR, path, body)]
        assert not found, "\n".join(sorted(set(found)))
