"""One break tried: its tests run without it and with it, in a copy of the checkout."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from tests.mutations.breaks import Break, Finding

MARGIN = 5  # what takes this many times as long as without the break is a hang
LEAST_HANG_S = 20.0

# Times of change, one a break: Python takes compiled code for that of a file by its size and the
# second of its last change.
_STAMPS = count(10**9)


class Worker:
    """Runs pytest in a copy of the checkout, in a process that is made when it is needed."""

    def __init__(self, copy: Path) -> None:
        self.copy = copy
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, arguments: Sequence[str], bound_s: float | None = None) -> dict[str, Any]:
        """What `worker.run` answers, or as much of it as is known of a run that was ended."""
        process = self._process = self._process or await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(arguments).encode() + b"\n")
        try:
            async with asyncio.timeout(bound_s):
                line = await process.stdout.readline()
        except TimeoutError:
            await self.close()
            return {"code": 1, "failed": [f"none ended within {bound_s:.0f} s"]}
        if not line:
            await self.close()
        answer: dict[str, Any] = json.loads(line or b'{"code": null, "output": "pytest died"}')
        return answer

    async def _start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.mutations.worker",
            cwd=self.copy,
            # The copy stands before the installed packages, in what the tests start as well.
            env={**os.environ, "PYTHONPATH": str(self.copy), "PYTHONDONTWRITEBYTECODE": ""},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is this process's to handle
        )

    async def close(self) -> None:
        """End the process and what it has started."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(LEAST_HANG_S):
                    await process.wait()
            except TimeoutError:
                process.kill()


async def judge(worker: Worker, row: Break) -> Finding:
    """Run the row's tests without the break, then with it."""
    before = await worker.run(row.tests)
    if before["code"] != 0 or not before["ran"]:
        return Finding("error", f"without the break:\n{before['output']}")
    with broken(worker.copy / row.file, row):
        return verdict(await worker.run(["-x", *row.tests], hang_s(before["seconds"])))


def hang_s(usual_s: float) -> float:
    """When something that usually takes so long is a hang."""
    return max(LEAST_HANG_S, MARGIN * usual_s)


@contextmanager
def broken(path: Path, row: Break) -> Iterator[None]:
    """The file with the break in it."""
    whole = path.read_bytes()
    old, new = row.old.encode(), row.new.encode()
    stat, stamp = path.stat(), next(_STAMPS)
    path.write_bytes(whole.replace(old, new, 1))
    os.utime(path, (stamp, stamp))
    try:
        yield
    finally:
        path.write_bytes(whole)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def verdict(found: dict[str, Any]) -> Finding:
    """What a run with the break says of it."""
    if found["code"] == 1 and found["failed"]:
        return Finding("noticed", found["failed"][0])
    if found["code"] == 0 and found["ran"]:
        return Finding("missed")
    return Finding("error", found["output"])
