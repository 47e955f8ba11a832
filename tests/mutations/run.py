"""Apply each break to a copy of the project and see its tests fail: `make mutations`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from tests.mutations import BREAKS
from tests.mutations.breaks import Break

ROOT = Path(__file__).parents[2]
HANG_S = 60  # a test that takes so long has noticed the break: tests wait without bounds
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".bench", ".*_cache", ".hypothesis", "__pycache__", "dist", "build"
)


def main(words: list[str]) -> int:
    """1 when a break went unnoticed. `words`: only the promises that hold one of them."""
    chosen = [b for b in BREAKS if not words or any(word in b.promise for word in words)]
    workers = os.cpu_count() or 1
    copies: SimpleQueue[Path] = SimpleQueue()

    def try_one(broken: Break) -> bool:
        copy = copies.get()
        try:
            return noticed(copy, broken)
        finally:
            copies.put(copy)

    with ExitStack() as stack:
        for _ in range(workers):
            copy = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "copy"
            shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
            copies.put(copy)
        pool = stack.enter_context(ThreadPoolExecutor(workers))
        found = list(pool.map(try_one, chosen))
    missed = [broken.promise for broken, seen in zip(chosen, found, strict=True) if not seen]
    print(f"{len(chosen) - len(missed)} of {len(chosen)} breaks were noticed")
    for promise in missed:
        print(f"MISSED: {promise}")
    return int(bool(missed))


def noticed(copy: Path, broken: Break) -> bool:
    """Whether a test fails with this line broken."""
    path = copy / broken.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(broken.old, broken.new, 1), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += ["-o", f"faulthandler_timeout={HANG_S}", broken.tests]
    # The copy stands before the installed packages.
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, timeout=3 * HANG_S, check=False
        )
        failed = run.returncode == 1
    except subprocess.TimeoutExpired:  # a hang is noticed too
        failed = True
    finally:
        path.write_text(whole, encoding="utf-8")
    print(f"{'noticed' if failed else 'MISSED '}  {broken.promise}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
