"""Apply each break to a copy of the project and see its tests fail: `make mutations`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutations.breaks import BREAKS, Break

ROOT = Path(__file__).parents[2]
PARTS = ("aimlapi_core", "langchain_aimlapi", "llama_index_aimlapi", "aimlapi_emulator", "tests")


def main(words: list[str]) -> int:
    """1 when a break went unnoticed. `words`: only the promises that hold one of them."""
    chosen = [b for b in BREAKS if not words or any(word in b.promise for word in words)]
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for part in PARTS:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, copy / part, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", copy)
        missed = [broken.promise for broken in chosen if not noticed(copy, broken)]
    print(f"{len(chosen) - len(missed)} of {len(chosen)} breaks were noticed")
    return int(bool(missed))


def noticed(copy: Path, broken: Break) -> bool:
    """Whether a test fails with this line broken."""
    path = copy / broken.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(broken.old, broken.new, 1), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", broken.tests]
    # The copy stands before the installed packages.
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, timeout=120, check=False
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
