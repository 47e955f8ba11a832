"""What a case is: jobs by label, and goals that the figures of each round are held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Job = Mapping[str, Any]
Figures = dict[str, float]
Round = Mapping[str, Figures]  # by label


def number(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


@dataclass(frozen=True)
class Goal:
    """A value of one round's figures, held against a bound.

    `beside` is the figure of ours, of the peers and of the limit that is shown beside the value.
    """

    what: str
    value: Callable[[Round], float]
    bound: float
    at_least: bool = False
    unit: str = "x"
    beside: str = ""

    def holds(self, value: float) -> bool:
        """Whether a measured value meets the goal."""
        return value >= self.bound if self.at_least else value <= self.bound

    @property
    def asks(self) -> str:
        """What the goal asks for, such as `at most 1.1x`."""
        return f"{'at least' if self.at_least else 'at most'} {number(self.bound)}{self.unit}"


@dataclass(frozen=True)
class Case:
    """Jobs by label, ours first, run one after the other in each round, and their goals.

    `limit` is the label of the limit. `seconds` is what a round takes on a quiet machine of two
    cores: the run plans its time by it.
    """

    name: str
    jobs: Mapping[str, Job]
    goals: tuple[Goal, ...] = ()
    limit: str = ""
    rounds: int = 5
    seconds: float = 5


def ratio(what: str, of: str, over: str, bound: float, figure: str = "cpu_us") -> Goal:
    """One job's figure over another's."""
    return Goal(what, lambda found: found[of][figure] / found[over][figure], bound, beside=figure)


def faster(peer: str, ours: str, bound: float) -> Goal:
    """How many times our CPU time the peer's is."""

    def value(found: Round) -> float:
        return found[peer]["cpu_us"] / found[ours]["cpu_us"]

    return Goal(f"{peer} over ours", value, bound, at_least=True, beside="cpu_us")


def figure(what: str, label: str, name: str, bound: float, unit: str = "") -> Goal:
    """One figure of one job."""
    return Goal(what, lambda found: found[label][name], bound, unit=unit)
