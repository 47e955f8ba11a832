"""Whole runs on a cluster of this machine: workers and drivers that are killed, runs that end.

What the emulator has seen is the judge: answers are held back where a kill must find calls under
way, so that it is known which those are.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aimlapi_emulator import Emulator, Fault
from tests.ray import __path__ as HERE

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="make test-all installs Ray"),
]

ROOT = Path(HERE[0]).parents[1]
ROWS, WORKERS, CONCURRENCY = 40, 2, 4
AT_ONCE = WORKERS * CONCURRENCY
FIRST = 10  # rows that are answered before the calls are held back
HELD_S = 12.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, str]]:
    """A cluster as `ray start` makes one; gives the environment that leads to it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIML")},
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",
        "PYTHONPATH": str(ROOT),
    }
    ray = Path(sys.executable).with_name("ray")
    folder = Path(tempfile.mkdtemp(prefix="ray"))  # a short path: sockets are made in it
    log = folder / "log"
    command = [ray, "start", "--head", "--block", "--num-cpus=2", "--include-dashboard=false"]
    command += ["--node-ip-address=127.0.0.1", f"--port={port}", "--disable-usage-stats"]
    with log.open("w") as out:
        head = subprocess.Popen(
            [*command, "--object-store-memory=100000000", f"--temp-dir={folder}"],
            env=environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        wait_for(lambda: "Ray runtime started" in log.read_text() or head.poll() is not None)
        assert head.poll() is None, log.read_text()
        yield {**environment, "RAY_ADDRESS": f"127.0.0.1:{port}"}
    finally:
        os.killpg(head.pid, signal.SIGKILL)
        head.wait()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(is_so: Callable[[], bool], within_s: float = 90.0) -> None:
    until = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)


class Job:
    """One job's folder, and drivers that run it."""

    def __init__(self, environment: dict[str, str], folder: Path, emu: Emulator) -> None:
        self._environment = {**environment, "AIMLAPI_BASE_URL": emu.base_url}
        self._folder = folder
        self._emu = emu
        (folder / "pids").mkdir()

    def start(self, **given: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.ray.driver"]
        command += [str(self._folder / "journal.sqlite"), str(self._folder / "pids")]
        return subprocess.Popen(
            command + [f"{name}={json.dumps(value)}" for name, value in given.items()],
            env=self._environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def hold_back_all_but(self, first: int) -> None:
        """The first requests are answered at once, and those that fill the slots then late."""
        self._emu.faults[:] = [None] * first + [Fault(delay_head_s=HELD_S)] * AT_ONCE

    def wait_until_held(self, first: int) -> None:
        """Until all slots wait; what went before is in the journal then."""
        wait_for(lambda: len(self._emu.seen) >= first + AT_ONCE)
        assert len(self._emu.seen) == first + AT_ONCE

    def workers(self) -> list[int]:
        return [int(pid.name) for pid in (self._folder / "pids").iterdir()]

    def times_seen(self) -> Counter[int]:
        """How often the emulator was asked for each row."""
        texts = (json.dumps(seen.body) for seen in self._emu.seen)
        return Counter(
            int(found[1]) for text in texts if (found := re.search(r"Row (\d+)\.", text))
        )


@pytest.fixture
def job(cluster: dict[str, str], tmp_path: Path, emu: Emulator) -> Job:
    return Job(cluster, tmp_path, emu)


def reported(driver: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = driver.communicate(timeout=150)
    assert driver.returncode == 0, err[-4_000:]
    (line,) = (line for line in out.splitlines() if line.startswith("{"))
    report: dict[str, Any] = json.loads(line)
    return report


def test_a_killed_worker_loses_no_row_and_repeats_its_calls_under_way(
    job: Job, emu: Emulator
) -> None:
    job.hold_back_all_but(FIRST)
    driver = job.start()
    job.wait_until_held(FIRST)
    os.kill(job.workers()[0], signal.SIGKILL)
    report = reported(driver)
    seen = job.times_seen()
    twice = [row for row, times in seen.items() if times == 2]
    assert len(twice) == report["repeated"] == CONCURRENCY
    assert len(emu.ledger.entries) == sum(seen.values()) == ROWS + CONCURRENCY
    assert (report["answered"], report["right"], report["failed"]) == (ROWS, ROWS, {})
    once = {entry.usage.credits for entry in emu.ledger.entries}
    assert report["unknown"] == CONCURRENCY
    assert report["credits"] < emu.ledger.credits
    assert emu.ledger.credits - report["credits"] <= CONCURRENCY * max(once)


def test_a_killed_driver_is_resumed_and_nothing_that_was_written_is_asked_again(
    job: Job, emu: Emulator
) -> None:
    job.hold_back_all_but(FIRST)
    driver = job.start()
    job.wait_until_held(FIRST)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.communicate()
    report = reported(job.start())
    seen = job.times_seen()
    assert report["skipped"] == FIRST
    assert report["repeated"] == AT_ONCE == sum(times == 2 for times in seen.values())
    assert len(emu.ledger.entries) == ROWS + AT_ONCE
    assert (report["answered"], report["right"]) == (ROWS - FIRST, ROWS)
    assert (report["unknown"], report["job_unknown"]) == (0, AT_ONCE)


def test_ctrl_c_ends_a_run_soon_and_keeps_what_was_written(job: Job, emu: Emulator) -> None:
    job.hold_back_all_but(FIRST)
    driver = job.start()
    job.wait_until_held(FIRST)
    began_s = time.monotonic()
    os.killpg(driver.pid, signal.SIGINT)
    _, err = driver.communicate(timeout=60)
    assert "KeyboardInterrupt" in err
    assert time.monotonic() - began_s < HELD_S
    report = reported(job.start())
    assert (report["skipped"], report["right"]) == (FIRST, ROWS)


def test_failed_rows_are_told_and_asked_by_the_next_run(job: Job, emu: Emulator) -> None:
    report = reported(job.start(broken=[3, 5]))
    assert sorted(report["failed"]) == ["3", "5"]
    assert report["failed"]["3"].startswith("BadRequestError")
    assert (report["answered"], report["right"], report["ended"]) == (38, 38, None)
    assert report["credits"] == emu.ledger.credits
    again = reported(job.start())
    assert (again["answered"], again["skipped"], again["failed"]) == (2, 38, {})
    assert again["job_credits"] == emu.ledger.credits
    assert len(emu.ledger.entries) == ROWS + 2


def test_a_run_without_funds_ends_at_once(job: Job, emu: Emulator) -> None:
    report = reported(job.start(api_key="sk-broke"))
    assert report["ended"] == "InsufficientFundsError"
    assert len(emu.seen) <= AT_ONCE
    assert report["not_asked"] == ROWS - len(emu.seen)
    assert report["credits"] == 0


def test_the_budget_is_the_clusters(job: Job, emu: Emulator) -> None:
    report = reported(job.start(budget_usd=0.002))
    assert report["ended"] == "BudgetExceededError"
    most = max(entry.usage.credits for entry in emu.ledger.entries)
    assert 4_000 - most <= report["credits"] < 4_000 + AT_ONCE * most
    assert report["credits"] == emu.ledger.credits
    assert report["not_asked"] == ROWS - len(emu.seen) > 0
