"""Runs pytest once for each line of stdin, a JSON list of its arguments; answers with a JSON line.

Each run is a fork of this process, which has imported pytest's plugins and the frameworks, but
nothing of this project: importing them is most of what a short run costs. The answer comes when
the run has ended and all that it started is killed. A run that dies ends this process too.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
import tempfile
import time
from contextlib import suppress
from importlib.metadata import entry_points
from typing import Any

import pytest

PRELOADED = ["hypothesis", "langchain.agents", "llama_index.core", "mcp", "vcr"]


class Record:
    """What the tests of one run did."""

    def __init__(self) -> None:
        self.ran = 0
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest for each test's setup, call and teardown."""
        self.ran += report.when == "call" and not report.skipped
        if report.failed:
            self.failed.append(report.nodeid)


def main() -> None:
    """Serve until stdin ends."""
    for plugin in entry_points(group="pytest11"):
        plugin.load()
    for name in PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # the collector would copy the pages that the forks share
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for line in sys.stdin:
        answer = in_a_fork(json.loads(line))
        if not answer:
            sys.exit(1)
        print(answer, flush=True)


def in_a_fork(arguments: list[str]) -> str:
    """What `run` gives, as JSON; nothing where it died."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as answer:
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            json.dump(run(arguments), answer)
            answer.flush()
            os._exit(0)  # whatever threads are left
        try:
            os.waitpid(pid, 0)
        finally:  # when this process is ended too
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        answer.seek(0)
        return answer.read()


def run(arguments: list[str]) -> dict[str, Any]:
    """Run pytest in this process, which is of no other use afterwards."""
    with tempfile.TemporaryFile() as output, open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        record, start = Record(), time.monotonic()
        quiet = ["-q", "--disable-warnings", "-p", "no:cacheprovider"]
        code = pytest.main([*quiet, *arguments], plugins=[record])
        sys.stdout.flush()
        output.seek(0)
        told = output.read().decode(errors="replace")[-2000:]
    return {
        "code": code,
        "output": told,
        "seconds": time.monotonic() - start,
        **vars(record),
    }


if __name__ == "__main__":
    main()
