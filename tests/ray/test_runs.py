"""Whole runs on a cluster of this machine: workers and drivers that are killed, runs that end.

What the emulator has seen is the judge: answers are held back where a kill must find calls under
way, so that it is known which those are.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aimlapi_emulator import Emulator, Fault
from aimlapi_ray.journal import Journal
from tests.docs.blocks import blocks
from tests.ray import __path__ as HERE
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="make test-all installs Ray"),
]

ROOT = Path(HERE[0]).parents[1]
ROWS, WORKERS, CONCURRENCY = 40, 2, 4
AT_ONCE = WORKERS * CONCURRENCY
FIRST = 10  # rows that are answered before the calls are held back
HELD_S = 30.0  # all workers begin within that time
FOR_EVER_S = 3600.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, str]]:
    """A cluster of its own process; gives the environment that leads to it."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIML")},
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",  # or a token would be left in the home folder
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # what makes it listen on the loopback alone
        "PYTHONPATH": str(ROOT),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tests.ray.cluster"],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as head:
        assert head.stdout is not None
        address = head.stdout.readline().strip()
        assert address.startswith("127.0.0.1:")
        yield {**environment, "RAY_ADDRESS": address}
        head.communicate()  # the end of its input is the end of the cluster


class Job:
    """One job's folder, and drivers that run it."""

    def __init__(self, environment: dict[str, str], folder: Path, emu: Emulator) -> None:
        self._environment = {**environment, "AIMLAPI_BASE_URL": emu.base_url}
        self._emu = emu
        self._drivers: list[subprocess.Popen[str]] = []
        self.journal = folder / "journal.sqlite"
        self._pids = folder / "pids"
        self._pids.mkdir()

    def start(self, **given: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.ray.driver", str(self.journal), str(self._pids)]
        driver = subprocess.Popen(
            command + [f"{name}={json.dumps(value)}" for name, value in given.items()],
            env=self._environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._drivers.append(driver)
        return driver

    def close(self) -> None:
        """End the drivers that still run."""
        for driver in self._drivers:
            if driver.poll() is None:
                driver.kill()
            driver.communicate()

    def hold_back_all_but(
        self, first: int, slots: int = AT_ONCE, held_s: float = FOR_EVER_S
    ) -> Callable[[], None]:
        """The first requests are answered at once, and those that fill the slots then late.

        Gives a function that waits until all slots wait: what went before is in the journal then.
        """
        self._emu.faults[:] = [None] * first + [Fault(delay_head_s=held_s)] * slots
        seen = len(self._emu.requests) + first + slots

        def wait() -> None:
            wait_until(lambda: len(self._emu.requests) >= seen)
            assert len(self._emu.requests) == seen

        return wait

    def workers(self) -> list[int]:
        """Those that live, the newest first: one of a killed driver may have noted itself late."""
        noted = sorted(self._pids.iterdir(), key=lambda pid: pid.stat().st_mtime, reverse=True)
        return [int(pid.name) for pid in noted if _is_alive(int(pid.name))]

    def forget_workers(self) -> None:
        for pid in self._pids.iterdir():
            pid.unlink()

    def times_seen(self) -> Counter[int]:
        """How often the emulator was asked for each row."""
        texts = (json.dumps(seen.body) for seen in self._emu.requests)
        return Counter(
            int(found[1]) for text in texts if (found := re.search(r"Row (\d+)\.", text))
        )


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def job(cluster: dict[str, str], tmp_path: Path, emu: Emulator) -> Iterator[Job]:
    made = Job(cluster, tmp_path, emu)
    yield made
    made.close()


def reported(driver: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = driver.communicate()
    assert driver.returncode == 0, err[-4_000:]
    (line,) = (line for line in out.splitlines() if line.startswith("{"))
    report: dict[str, Any] = json.loads(line)
    return report


def test_a_killed_driver_is_resumed_and_then_a_worker_is_killed(job: Job, emu: Emulator) -> None:
    until_held = job.hold_back_all_but(FIRST)
    driver = job.start()
    until_held()
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()

    job.forget_workers()
    until_held = job.hold_back_all_but(FIRST, held_s=HELD_S)
    driver = job.start()
    until_held()
    os.kill(job.workers()[0], signal.SIGKILL)
    report = reported(driver)

    seen = job.times_seen()
    again = sum(times - 1 for times in seen.values())
    assert again == report["repeated"] == AT_ONCE + CONCURRENCY
    assert len(emu.ledger.entries) == ROWS + again
    assert (report["skipped"], report["answered"], report["right"]) == (FIRST, ROWS - FIRST, ROWS)
    assert (report["failed"], report["not_asked"]) == (0, 0)
    assert (report["unknown"], report["job_unknown"]) == (CONCURRENCY, again)
    dearest = max(entry.usage.credits for entry in emu.ledger.entries)
    assert 0 < emu.ledger.credits - report["job_credits"] <= again * dearest


def test_ctrl_c_ends_a_run_soon_and_keeps_what_was_written(job: Job, emu: Emulator) -> None:
    until_held = job.hold_back_all_but(FIRST, slots=CONCURRENCY)
    driver = job.start(workers=1)
    until_held()
    os.killpg(driver.pid, signal.SIGINT)
    _, err = driver.communicate()
    assert err.splitlines()[-1] == "KeyboardInterrupt"
    with Journal(job.journal, job="test", model="openai/gpt-5-2") as journal:
        report = journal.report()
    assert (report.answered, report.not_asked) == (FIRST, ROWS - FIRST)
    assert report.cost.unknown == CONCURRENCY
    assert 0 < report.cost.credits < emu.ledger.credits


def test_an_error_that_all_rows_meet_ends_the_run(job: Job, emu: Emulator) -> None:
    report = reported(job.start(api_key="sk-broke", workers=1))
    assert report["ended"] == "InsufficientFundsError"
    assert 1 <= len(emu.requests) <= CONCURRENCY
    assert report["not_asked"] == ROWS - len(emu.requests)
    assert (report["answered"], report["credits"], report["right"]) == (0, 0, 0)


def test_the_example_survives_the_worker_that_it_kills(cluster: dict[str, str]) -> None:
    """The very program that `RAY_ADDRESS` sends to a cluster; its last line is the ledger's."""
    run = subprocess.run(
        [sys.executable, "examples/batch_ray.py", "--kill-one"],
        env=cluster,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-4_000:]
    assert "100 rows: 100 answered, 0 answered before, 0 failed, 0 not asked" in run.stdout
    (repeated,) = re.findall(r"lost: (\d+) rows", run.stdout)
    (asked,) = re.findall(r"The emulator was asked (\d+) times", run.stdout)
    assert 1 <= int(repeated) <= 8
    assert 101 <= int(asked) <= 100 + int(repeated)
    assert f"not in the total: {repeated} calls" in run.stdout


def test_the_sample_of_the_handbook_runs(
    cluster: dict[str, str], emu: Emulator, tmp_path: Path
) -> None:
    code, printed = (block.text for block in list(blocks("docs/scaling.md"))[:2])
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**cluster, "AIMLAPI_API_KEY": "sk-x", "AIMLAPI_BASE_URL": emu.base_url},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-4_000:]
    assert printed in run.stdout
    assert len(emu.ledger.entries) == 2
