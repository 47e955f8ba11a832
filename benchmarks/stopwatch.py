"""CPU time between two moments, and who spends it.

The sampler looks at each thread's stack at each tick of the profiling timer, and books the thread's
CPU time since the look before. Nothing is counted, so small functions are not made dearer than they
are. A call into C counts for the function that makes it. The looks are the main thread's: while it
waits without end for another thread, none is taken.
"""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from collections import defaultdict
from types import FrameType
from typing import Any

from benchmarks.goals import Figures

TICK_S = 0.001  # the kernel may make it longer
PART = "part: "  # what the names of the sampler's figures begin with

# The first of these that a file's path holds names the part; code of Python's own library counts
# for the package that calls it, but for these two.
PARTS = {
    "/aimlapi_core/_io/": "ours: connections",
    "/aimlapi_core/": "ours: requests, answers",
    "/langchain_aimlapi/": "ours: requests, answers",
    "/llama_index_aimlapi/": "ours: requests, answers",
    "/h11/": "h11",
    "/httpcore/": "httpcore, sockets",
    "/httpx/": "httpx",
    "/anyio/": "anyio",
    "/pydantic/": "pydantic",
    "/numpy/": "numpy",
    "/langchain_core/": "LangChain",
    "/langchain/": "LangChain",
    "/langgraph/": "LangChain",
    "/langsmith/": "LangChain",
    "/llama_index/": "LlamaIndex",
    "/llama_index_instrumentation/": "LlamaIndex",
    "/asyncio/": "asyncio",
    "/json/": "json",
}
COLLECTION = "garbage collection"
REST = "the rest"


class Stopwatch:
    """CPU and wall time since it was made. `sampler` is on while one runs."""

    sampler: Sampler | None = None

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        if self.sampler is not None:
            self.sampler.start()

    def per(self, count: int) -> Figures:
        """Microseconds for each of `count` things."""
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        parts: Figures = {} if self.sampler is None else self.sampler.stop()
        shares = {name: seconds / count * 1e6 for name, seconds in parts.items()}
        return {"cpu_us": cpu / count * 1e6, "wall_us": wall / count * 1e6, **shares}


class Sampler:
    """CPU seconds by part of the stack's top, from `start` to `stop`."""

    def start(self) -> None:
        """Look from now on, in the main thread."""
        self._found: defaultdict[str, float] = defaultdict(float)
        self._last = {thread: _cpu_s(thread) for thread in sys._current_frames()}
        gc.callbacks.insert(0, self._collected)  # before others', which would get the tick
        signal.signal(signal.SIGPROF, self._tick)
        signal.setitimer(signal.ITIMER_PROF, TICK_S, TICK_S)

    def _tick(self, number: int, frame: FrameType | None) -> None:
        frames = {**sys._current_frames(), threading.get_ident(): frame}
        for thread, one in frames.items():
            now = _cpu_s(thread)
            self._found[part(one)] += now - self._last.get(thread, 0.0)
            self._last[thread] = now

    def _collected(self, phase: str, info: dict[str, Any]) -> None:
        """Runs right after a collection, and so do the ticks of its time."""

    def stop(self) -> Figures:
        """The seconds by part."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        gc.callbacks.remove(self._collected)
        return {PART + name: seconds for name, seconds in self._found.items()}


def _cpu_s(thread: int) -> float:
    """The CPU seconds of a thread that lives."""
    return time.clock_gettime(time.pthread_getcpuclockid(thread))


def part(frame: FrameType | None) -> str:
    """Whose time it is when this frame runs."""
    if frame is not None and frame.f_code is Sampler._collected.__code__:
        return COLLECTION
    while frame is not None:
        path = frame.f_code.co_filename
        for piece, name in PARTS.items():
            if piece in path:
                return name
        if not _is_python_s_own(path):
            break
        frame = frame.f_back
    return REST


def _is_python_s_own(path: str) -> bool:
    libraries = (f"{sys.base_prefix}/lib/python3", "<")
    return path.startswith(libraries) and "/site-packages/" not in path
