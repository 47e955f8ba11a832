"""Processes that measure: one for each set of imports, which forks for each job."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import IO, Any

from benchmarks import embedding_models, subjects
from benchmarks.goals import Figures, Job

ROOT = Path(__file__).parents[1]
EXTRA = ROOT / ".bench-extra" / "bin" / "python"
JOB_S = 180.0

Key = tuple[str, bool, tuple[str, ...]]  # interpreter, TLS, modules


class JobError(Exception):
    """A job that gave no figures; the text says why in one line."""


class Workers:
    """Gives the figures of jobs. Enter it; its processes end when it is left.

    `origins` are the servers' by scheme, with `bundle`, the certificates to trust.
    """

    def __init__(self, origins: dict[str, str]) -> None:
        self._origins = origins
        self._processes: dict[Key, subprocess.Popen[str]] = {}

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._processes.values():
            _kill(process)
        for process in self._processes.values():
            _end(process)

    def measured(self, job: Job) -> Figures:
        """The figures of one job. Raises JobError."""
        key = _key(job)
        process = self._processes.get(key)
        if process is None or process.poll() is not None:
            process = self._processes[key] = self._started(key)
        given = {**job, "origin": self._origins["https" if job.get("tls") else "http"]}
        timer = Timer(JOB_S, _kill, [process])
        timer.start()
        try:
            line = _asked(process, json.dumps(given))
        finally:
            timer.cancel()
        if not line:
            raise JobError(f"its process ended, or took longer than {JOB_S:.0f} s")
        found: dict[str, Any] = json.loads(line)
        if "failed" in found:
            raise JobError(found["failed"].strip().splitlines()[-1])
        return found

    def _started(self, key: Key) -> subprocess.Popen[str]:
        python, tls, modules = key
        bundle = {"SSL_CERT_FILE": self._origins["bundle"]} if tls else {}
        return subprocess.Popen(
            [python, "-m", "benchmarks.worker", "--fork", *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={**os.environ, **bundle},
            start_new_session=True,
        )


def _asked(process: subprocess.Popen[str], line: str) -> str:
    given: IO[str] | None = process.stdin
    found: IO[str] | None = process.stdout
    assert given is not None
    assert found is not None
    with suppress(BrokenPipeError):
        given.write(f"{line}\n")
        given.flush()
    return found.readline()


def _key(job: Job) -> Key:
    python = str(EXTRA) if job.get("extra") else sys.executable
    if job.get("extra") and not EXTRA.exists():
        raise JobError("its environment, .bench-extra, could not be made")
    modules = _modules(job)
    missing = [name for name in modules if not job.get("extra") and not _is_installed(name)]
    if missing:
        raise JobError(f"{missing[0]} is not installed")
    return python, bool(job.get("tls")), modules


def _modules(job: Job) -> tuple[str, ...]:
    """What the subject is imported from: imports are no part of a measurement."""
    subject = job["subject"]
    if job["measure"] in ("imports", "ray_rows"):
        return ()
    agents = ("langchain.agents",) if "agent" in (job["measure"], job.get("of")) else ()
    if subject in subjects.SUBJECTS:
        return subjects.SUBJECTS[subject].module, *agents
    if subject in embedding_models.MODULES:
        return (embedding_models.MODULES[subject],)
    return (subject,)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its package is not there
        return False


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[str]) -> None:
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()
