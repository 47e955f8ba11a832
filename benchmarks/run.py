"""Run the cases and say which goals hold: `python -m benchmarks.run [--quick] [CASE…]`.

A CASE is a name or a pattern such as `langchain.*`. In each round every job of a case runs once,
in a process of its own, in turn with the others; a goal's ratio is taken within a round, and
what counts is the median over the rounds. Absolute figures of two runs are not to be compared.
A job that fails is said so in its goals' rows, and stops nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import certifi

from benchmarks import page, server
from benchmarks.cases import CASES
from benchmarks.goals import Case
from benchmarks.machine import machine
from benchmarks.results import Result, rounded, rows
from benchmarks.workers import JobError, Workers

MINUTES = 14.0
QUICK_ROUNDS = 2


class Plan:
    """How many rounds each case gets, so that all end within `minutes`; how much time is left.

    Where the machine is slower than the cases' `seconds` say, those that are left get fewer.
    """

    def __init__(self, cases: Sequence[Case], minutes: float) -> None:
        self._left_s = sum(case.seconds * case.rounds for case in cases)
        self._planned_s = 0.0  # of the cases that are done
        self._began = time.monotonic()
        self._end = self._began + minutes * 60

    @property
    def left_s(self) -> float:
        """Seconds until the last case is done, by the pace so far."""
        spent = time.monotonic() - self._began
        pace = max(1.0, spent / self._planned_s) if self._planned_s > 20 else 1.0
        return self._left_s * pace

    def rounds(self, case: Case) -> int:
        """Those that there is time for, at least one."""
        room = max(0.0, self._end - time.monotonic())
        needed = self.left_s
        return case.rounds if needed <= room else max(1, int(case.rounds * room / needed))

    def done(self, case: Case) -> None:
        """Take it from what is left."""
        self._left_s -= case.seconds * case.rounds
        self._planned_s += case.seconds * case.rounds


def run_case(case: Case, rounds: int, workers: Workers) -> Result:
    """Each job's figures, one a round. The order turns round, so that no job is always first.

    A job that failed is left out of the rounds that follow.
    """
    labels = list(case.jobs)
    result = Result({label: [] for label in labels}, {})
    with tempfile.TemporaryDirectory() as cache:
        for number in range(rounds):
            turn = number % len(labels)
            for label in labels[turn:] + labels[:turn]:
                figures = None
                if label not in result.failures:
                    try:
                        figures = workers.measured({**case.jobs[label], "cache": cache})
                    except JobError as failure:
                        result.failures[label] = str(failure)
                result.figures[label].append(figures)
    return result


def line(case: Case, found: list[dict[str, Any]], result: Result, took: str) -> str:
    """What is printed of a case."""
    words = {True: "held", False: "MISSED", None: ""}
    parts = [f"{row['what']} {page.measured(row)} {words[row['held']]}".strip() for row in found]
    parts += [f"{label} FAILED: {why}" for label, why in result.failures.items()]
    return f"{case.name:38} {took}{'; '.join(parts)}"


def chosen(patterns: Sequence[str]) -> list[Case]:
    """The cases that a pattern names; all without one."""
    cases = [case for case in CASES if not patterns or any(fnmatch(case.name, p) for p in patterns)]
    if not cases:
        raise SystemExit(f"No such case. There are: {', '.join(case.name for case in CASES)}")
    return cases


def lighter(case: Case) -> Case:
    """The case with a quarter of its repetitions, in two rounds."""
    jobs = {
        label: {**job, "times": max(1, job["times"] // 4)} if "times" in job else job
        for label, job in case.jobs.items()
    }
    rounds = min(case.rounds, QUICK_ROUNDS)
    return replace(case, jobs=jobs, rounds=rounds, seconds=case.seconds / 2)


@contextmanager
def _servers(cases: Sequence[Case]) -> Iterator[dict[str, str]]:
    """The servers' origins by scheme, with the certificates' file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        origins = {"http": stack.enter_context(server.running())}
        if any(job.get("tls") for case in cases for job in case.jobs.values()):
            pair = server.self_signed(folder)
            origins["https"] = stack.enter_context(server.running(tls=pair))
            bundle = folder / "bundle.pem"  # all that is trusted otherwise is read too
            bundle.write_bytes(Path(certifi.where()).read_bytes() + pair[0].read_bytes())
            origins["bundle"] = str(bundle)
        yield origins


def run(cases: Sequence[Case], minutes: float) -> dict[str, Any]:
    """All rows and figures; a line is printed of each case."""
    report: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "goals": [],
        "figures": {},
        "seconds": {},
    }
    plan = Plan(cases, minutes)
    with _servers(cases) as origins, Workers(origins) as workers:
        for number, case in enumerate(cases, 1):
            rounds, began = plan.rounds(case), time.monotonic()
            result = run_case(case, rounds, workers)
            seconds = time.monotonic() - began
            plan.done(case)
            found = rows(case, result)
            report["goals"] += found
            report["figures"][case.name] = rounded(result.figures)
            report["seconds"][case.name] = round(seconds / rounds, 1)
            left = f"{plan.left_s // 60:.0f}:{plan.left_s % 60:02.0f}"
            took = f"{number:2}/{len(cases)} {rounds} x {seconds / rounds:5.1f} s, {left:>5} left  "
            print(line(case, found, result, took), flush=True)
    return report


def main() -> int:
    """Print a line for each case, write what was asked for; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--quick", action="store_true", help="2 rounds, a quarter of the calls")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="fewer rounds behind that")
    parser.add_argument(
        "--publish",
        action="store_true",
        help="write benchmarks/latest.json, and from it the pages and pictures",
    )
    parser.add_argument("--list", action="store_true", help="the names of the cases")
    given = parser.parse_args()
    cases = chosen(given.cases)
    if given.list:
        print("\n".join(case.name for case in cases))
        return 0
    if given.quick:
        cases = [lighter(case) for case in cases]
    report = {**run(cases, given.minutes), "quick": given.quick}
    if given.publish:
        page.publish(report)
    print(page.verdict(report))
    return int(any(row["held"] is False for row in report["goals"]))


if __name__ == "__main__":
    sys.exit(main())
