"""One measurement, or a process that makes each of many in a fork of its own.

`python -m benchmarks.worker '{"measure": …}'` measures once and prints one JSON object of numbers.
`python -m benchmarks.worker --fork MODULE…` imports the modules, then forks for each line of its
input, a job in JSON, and prints one line each: numbers, or `{"failed": …}`. So an import is paid
for once, and yet each measurement finds what a new process would find behind its imports.
CPU time is the process's own, all threads together.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any

from benchmarks import footprint, measures, ray_rows
from benchmarks.goals import Figures
from benchmarks.stopwatch import Sampler, Stopwatch


def profile(given: dict[str, Any]) -> Figures:
    """The figures of another measure, and its CPU time by part."""
    measure, job = MEASURES[given["of"]], {**given, "measure": given["of"]}
    Stopwatch.sampler = Sampler()
    return measure(job)


MEASURES: dict[str, Callable[[dict[str, Any]], Figures]] = {
    "call": measures.call,
    "acall": measures.acall,
    "stream": measures.stream,
    "astream": measures.astream,
    "agent": measures.agent,
    "embed": measures.embed,
    "in_flight": measures.in_flight,
    "together": measures.together,
    "first_call": footprint.first_call,
    "construct": footprint.construct,
    "imports": footprint.imports,
    "held": footprint.held,
    "objects": footprint.objects,
    "size_of_work": footprint.size_of_work,
    "ray_rows": ray_rows.ray_rows,
    "asyncio_rows": ray_rows.asyncio_rows,
    "profile": profile,
}


def measured(given: dict[str, Any]) -> Figures:
    """The figures of one job, in this process."""
    return MEASURES[given["measure"]](given)


def _imported(modules: list[str]) -> str:
    """Import them; gives the reason where that fails, which each job is then answered with."""
    try:
        for module in modules:
            import_module(module)
    except Exception:
        return traceback.format_exc()
    return ""


def _fork(line: str, results: int) -> None:
    """Measure in a child, which writes its line itself, unless it dies."""
    child = os.fork()
    if child:
        status = os.waitpid(child, 0)[1]
        if status:
            _write(results, {"failed": f"its process ended with {status}"})
        return
    try:
        gc.collect()  # what the import left; each child begins alike
        _write(results, measured(json.loads(line)))
    except BaseException:
        _write(results, {"failed": traceback.format_exc()})
    os._exit(0)


def _write(results: int, found: dict[str, Any]) -> None:
    os.write(results, json.dumps(found).encode() + b"\n")


def main() -> None:
    """Measure what the argument says, or what comes."""
    if sys.argv[1] != "--fork":
        print(json.dumps(measured(json.loads(sys.argv[1]))))
        return
    results = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no result
    failed = _imported(sys.argv[2:])
    for line in sys.stdin:
        if failed:
            _write(results, {"failed": failed})
        else:
            _fork(line, results)


if __name__ == "__main__":
    main()
