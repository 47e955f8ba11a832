"""Where our time goes in one case: `python -m benchmarks.profile langchain.stream.text [LINES]`.

cProfile in this process around our subject's measure, own time first. It makes calls dearer than
they are: compare shares, and measure a change by `benchmarks.run`.
"""

from __future__ import annotations

import cProfile
import pstats
import sys

from benchmarks import server
from benchmarks.cases import CASES
from benchmarks.worker import MEASURES

_OURS = ("ChatAIMLAPI", "AIMLAPI")


def main() -> None:
    """Print the functions that took most, by own time and by time with what they called."""
    name, lines = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30
    case = next(case for case in CASES if case.name == name)
    job = next(job for job in case.jobs.values() if job["subject"] in _OURS)
    with server.running() as origin:
        given = {**job, "origin": origin}
        measure = MEASURES[job["measure"]]
        measure(given)  # imports and first connections are not the point
        profile = cProfile.Profile()
        profile.runcall(measure, given)
    stats = pstats.Stats(profile)
    for order in ("tottime", "cumulative"):
        stats.sort_stats(order).print_stats(lines)


if __name__ == "__main__":
    main()
