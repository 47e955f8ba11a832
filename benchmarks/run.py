"""Run the cases and say which goals hold: `python -m benchmarks.run [--quick] [CASE…]`.

A CASE is a name or a pattern such as `langchain.*`. In each round every job of a case runs once,
in a process of its own, in turn with the others; a goal's ratio is taken within a round, and
what counts is the median over the rounds. Absolute figures of two runs are not to be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import certifi

from benchmarks import server
from benchmarks.cases import CASES, Case, Figures, Goal, Job
from benchmarks.chart import drawn
from benchmarks.machine import machine

ROUNDS = 7
JOB_S = 600
_NEEDS = {
    "ChatOpenAI": "langchain_openai",
    "ChatMistralAI": "langchain_mistralai",
    "OpenAILike": "llama_index.llms.openai_like",
    "OpenAI": "llama_index.llms.openai",
    "OpenAIEmbeddings": "langchain_openai",
    "OpenAIEmbedding": "llama_index.embeddings.openai",
}

Rounds = dict[str, list[Figures]]


def measured(job: Job, origins: dict[str, str]) -> Figures:
    """The figures of one job, measured in a new process."""
    given = {**job, "origin": origins["https" if job.get("tls") else "http"]}
    command = [sys.executable, "-m", "benchmarks.worker", json.dumps(given)]
    root = Path(__file__).parent.parent
    environment = {**os.environ, "SSL_CERT_FILE": origins["bundle"]} if job.get("tls") else None
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=JOB_S, cwd=root, env=environment
    )
    if done.returncode:
        raise RuntimeError(f"{dict(job)} failed:\n{done.stderr[-3000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def available(job: Job) -> bool:
    """Whether what the job measures is installed."""
    needed = _NEEDS.get(job["subject"])
    try:
        return needed is None or find_spec(needed) is not None
    except ModuleNotFoundError:
        return False


def run_case(case: Case, rounds: int, origins: dict[str, str]) -> Rounds:
    """Each job's figures, one a round. The order turns round, so that no job is always first."""
    jobs = {label: job for label, job in case.jobs.items() if available(job)}
    labels = list(jobs)
    out: Rounds = {label: [] for label in labels}
    for number in range(rounds):
        turn = number % len(labels)
        for label in labels[turn:] + labels[:turn]:
            try:
                out[label].append(measured(jobs[label], origins))
            except (RuntimeError, subprocess.TimeoutExpired) as failure:
                print(f"{case.name}, {label}: {failure}", file=sys.stderr)
    return {label: figures for label, figures in out.items() if len(figures) == rounds}


def values(goal: Goal, rounds: Rounds) -> list[float]:
    """The goal's value in each round; empty when something that it needs was not measured."""
    each = zip(*rounds.values(), strict=True)
    try:
        return [goal.value(dict(zip(rounds, figures, strict=True))) for figures in each]
    except KeyError:
        return []


def bound_text(goal: Goal) -> str:
    """What the goal asks for."""
    if goal.bound is None:
        return "shown only"
    return f"{'at least' if goal.at_least else 'at most'} {goal.bound:.3g}{goal.unit}"


def judged(case: Case, rounds: Rounds) -> list[dict[str, Any]]:
    """A row for each goal of the case."""
    rows = []
    for goal in case.goals:
        found = values(goal, rounds)
        value = median(found) if found else None
        rows.append(
            {
                "case": case.name,
                "rounds": len(found),
                "against": goal.what,
                "goal": bound_text(goal),
                "measured": value,
                "low": min(found, default=None),
                "high": max(found, default=None),
                "unit": goal.unit,
                "held": None if value is None else goal.holds(value),
            }
        )
    return rows


def row_text(row: dict[str, Any]) -> str:
    """A goal's row of the table."""
    if row["measured"] is None:
        return f"{row['case']:31} {row['against']:38} {row['goal']:>18}  not measured"
    spread = f"({row['low']:.3g} to {row['high']:.3g})"
    verdict = {True: "held", False: "MISSED", None: ""}[row["held"]]
    value = f"{row['measured']:.3g}{row['unit']}"
    return (
        f"{row['case']:31} {row['against']:38} {row['goal']:>18}  {value:>9} {spread:18} {verdict}"
    )


def figures_text(case: Case, rounds: Rounds) -> str:
    """The medians behind a case's ratios."""
    shown = {
        label: median(figures[case.shown] for figures in found)
        for label, found in rounds.items()
        if case.shown in found[0]
    }
    texts = ", ".join(f"{label} {value:,.1f}" for label, value in shown.items())
    return f"    {case.unit}: {texts}"


def chosen(patterns: Sequence[str]) -> list[Case]:
    """The cases that a pattern names; all without one."""
    cases = [case for case in CASES if not patterns or any(fnmatch(case.name, p) for p in patterns)]
    if not cases:
        raise SystemExit(f"No such case. There are: {', '.join(case.name for case in CASES)}")
    return cases


def lighter(case: Case) -> Case:
    """The case with a quarter of its repetitions."""
    jobs = {
        label: {**job, "times": max(1, job["times"] // 4)} if "times" in job else job
        for label, job in case.jobs.items()
    }
    return replace(case, jobs=jobs)


def run(cases: Sequence[Case], rounds: int, into: Path | None = None) -> dict[str, Any]:
    """All rows and figures, printed and written as they come."""
    report: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "rounds": rounds,
        "goals": [],
        "figures": {},
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        origins = {"http": stack.enter_context(server.running())}
        if any(job.get("tls") for case in cases for job in case.jobs.values()):
            pair = server.self_signed(folder)
            origins["https"] = stack.enter_context(server.running(tls=pair))
            bundle = folder / "bundle.pem"  # all that is trusted otherwise is read too
            bundle.write_bytes(Path(certifi.where()).read_bytes() + pair[0].read_bytes())
            origins["bundle"] = str(bundle)
        for case in cases:
            found = run_case(case, min(rounds, case.most_rounds), origins)
            rows = judged(case, found)
            report["goals"] += rows
            report["figures"][case.name] = found
            print("\n".join([*map(row_text, rows), figures_text(case, found)]), flush=True)
            if into is not None:
                into.write_text(json.dumps(report, indent=1) + "\n")
    return report


def main() -> int:
    """Print the table, write what was asked for; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--quick", action="store_true", help="3 rounds, a quarter of the calls")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--chart", type=Path, help="where to draw the chart, as SVG")
    parser.add_argument("--list", action="store_true", help="the names of the cases")
    given = parser.parse_args()
    cases = chosen(given.cases)
    if given.list:
        print("\n".join(case.name for case in cases))
        return 0
    if given.quick:
        cases = [lighter(case) for case in cases]
    report = run(cases, given.rounds or (3 if given.quick else ROUNDS), given.json)
    if given.chart:
        given.chart.write_text(drawn(report))
    missed = [row for row in report["goals"] if row["held"] is False]
    print(f"{len(report['goals'])} goals, {len(missed)} missed; {report['machine']}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
