"""Runs pytest once for each line of stdin, a JSON list of its arguments; answers with a JSON line.

Each run is a fork of this process, which has imported pytest's plugins and the frameworks, but
nothing of this project: importing them is most of what a short run costs. Elsewhere than on Linux,
where forking a process that has loaded so much is not safe, a process serves one line. A process
whose run ended without an answer ends too.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
import tempfile
from contextlib import suppress
from importlib.metadata import entry_points
from typing import NoReturn

import pytest

FORKS = sys.platform == "linux"
PRELOADED = ["hypothesis", "langchain.agents", "llama_index.core", "mcp", "vcr"]


class Record:
    """What the tests of one run did."""

    def __init__(self) -> None:
        self.ran = 0
        self.failed: list[str] = []
        self.slowest_s = 0.0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest for each test's setup, call and teardown."""
        self.ran += report.when == "call" and not report.skipped
        self.slowest_s = max(self.slowest_s, report.duration)
        if report.failed:
            self.failed.append(report.nodeid)


def main() -> None:
    """Serve until stdin ends."""
    if FORKS:
        preload()
    for line in sys.stdin:
        pid = os.fork() if FORKS else 0
        if pid == 0:
            run(json.loads(line))
        if not ended_well(pid):
            sys.exit(1)


def preload() -> None:
    """Import what the tests will, and keep the collector from copying its pages."""
    for plugin in entry_points(group="pytest11"):
        plugin.load()
    for name in PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def ended_well(pid: int) -> bool:
    """Wait for the run, then end what it has started; this alone when this process is ended."""
    with suppress(PermissionError, ProcessLookupError):  # it did so itself, or is gone
        os.setpgid(pid, pid)
    try:
        return os.waitpid(pid, 0)[1] == 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def run(arguments: list[str]) -> NoReturn:
    """Run pytest in this process, answer and end, whatever threads are left."""
    answer = os.dup(1)
    if FORKS:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with tempfile.TemporaryFile() as output, open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        record = Record()
        code = pytest.main(["-q", "-p", "no:cacheprovider", *arguments], plugins=[record])
        sys.stdout.flush()
        output.seek(0)
        told = output.read().decode(errors="replace")[-2000:]
    found = {"code": code, "output": told, **vars(record)}
    with open(answer, "w", encoding="utf-8") as stdout:
        stdout.write(json.dumps(found) + "\n")
    os._exit(0)


if __name__ == "__main__":
    main()
