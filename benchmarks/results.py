"""The rows of goals from what a case's jobs gave."""

from __future__ import annotations

from statistics import median
from typing import Any, NamedTuple

from benchmarks.cases import PEERS
from benchmarks.goals import Case, Figures, Goal

Rounds = dict[str, list[Figures | None]]  # by label; None where the job failed


class Result(NamedTuple):
    """What a case's jobs gave, and why some gave nothing."""

    figures: Rounds
    failures: dict[str, str]


def values(goal: Goal, rounds: Rounds) -> list[float]:
    """The goal's value in each round that has what it needs."""
    out = []
    for figures in zip(*rounds.values(), strict=True):
        found = {label: one for label, one in zip(rounds, figures, strict=True) if one is not None}
        try:
            out.append(goal.value(found))
        except KeyError:  # a job failed
            continue
    return out


def rows(case: Case, result: Result) -> list[dict[str, Any]]:
    """A row for each goal of the case."""
    return [_row(case, goal, result) for goal in case.goals]


def _row(case: Case, goal: Goal, result: Result) -> dict[str, Any]:
    found = values(goal, result.figures)
    value = median(found) if found else None
    beside = _medians(goal.beside, result.figures)
    ours = next(iter(case.jobs))
    row = {
        "case": case.name,
        "what": goal.what,
        "goal": goal.asks,
        "unit": goal.unit,
        "rounds": len(found),
        "measured": value,
        "low": min(found, default=None),
        "high": max(found, default=None),
        "held": None if value is None else goal.holds(value),
        "figure": goal.beside,
        "ours": beside.get(ours),
        "peers": {
            label: beside.get(label)
            for label, job in case.jobs.items()
            if job["subject"] in PEERS and goal.beside
        },
        "limit": beside.get(case.limit),
    }
    failed = {label: why for label, why in result.failures.items() if _matters(label, case, row)}
    return {**row, "failures": failed}


def _matters(label: str, case: Case, row: dict[str, Any]) -> bool:
    """Whether a job that failed stands in the row, or the row's value needs it."""
    return row["measured"] is None or label in row["peers"] or label == case.limit


def _medians(figure: str, rounds: Rounds) -> dict[str, float]:
    """The figure of each job that has it."""
    out = {}
    for label, figures in rounds.items():
        found = [one[figure] for one in figures if one is not None and figure in one]
        if found:
            out[label] = median(found)
    return out


def rounded(rounds: Rounds) -> Rounds:
    """The figures with five digits, which is more than they are good for."""
    return {
        label: [
            one and {name: float(f"{value:.5g}") for name, value in one.items()} for one in figures
        ]
        for label, figures in rounds.items()
    }
