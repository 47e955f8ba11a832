"""Break the code, one break at a time, and see a test fail each time: `make mutations`.

The breaks are made in copies of the checkout, one for each core. A break's tests are run first on
the code as it is: what fails there notices nothing. What was found is kept in a journal and holds
until a file changes, so that a run which was ended goes on where it stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.mutations.breaks import Break, Finding, load
from tests.mutations.journal import Journal
from tests.mutations.trial import Worker, judge

ROOT = Path(__file__).parents[2]
JOURNAL = ROOT / ".mutations.jsonl"


def main(arguments: Sequence[str]) -> int:
    """1 when a break was missed or could not be judged, 130 when the run was ended early."""
    options = parse(arguments)
    if options.fresh:
        JOURNAL.unlink(missing_ok=True)
    rows = [row for row in load() if options.only in f"{row.promise} {row.file}"][options.part]
    files = checked_out()
    journal = Journal(JOURNAL, digest(files))
    left = [row for row in rows if row not in journal]
    print(f"Breaks: {len(rows)}, in the journal: {len(rows) - len(left)}", flush=True)
    start = time.monotonic()

    def note(row: Break, finding: Finding) -> None:
        journal[row] = finding
        print(f"{finding.outcome:8} {finding.seconds:5.1f} s  {row.promise}", flush=True)

    try:
        asyncio.run(try_all(left, files, note))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("Ended early: the same command goes on from here.")
        return 130
    return report({row: journal[row] for row in rows}, time.monotonic() - start)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """`part` is given as the slice that takes it."""

    def part(text: str) -> slice:
        number, parts = map(int, text.split("/"))
        if not 1 <= number <= parts:
            raise ValueError
        return slice(number - 1, None, parts)

    parser = argparse.ArgumentParser(prog="python -m tests.mutations.run")
    parser.add_argument("--part", type=part, default="1/1", help="2/4 is the second of four")
    parser.add_argument("--only", default="", help="part of a promise or of a file's name")
    parser.add_argument("--fresh", action="store_true", help="forget what was found before")
    return parser.parse_args(arguments)


def report(findings: dict[Break, Finding], seconds: float) -> int:
    """Print what is to be mended, and the sums."""
    for row, finding in findings.items():
        if finding.outcome != "noticed":
            print(f"\n{finding.outcome.upper()}: {row.promise}\n  {row.file}")
            print(f"  {row.old!r}\n  -> {row.new!r}")
            print(*(f"  {test}" for test in row.tests), finding.why, sep="\n")
    outcomes = [finding.outcome for finding in findings.values()]
    print(
        f"\nBreaks: {len(outcomes)}, noticed: {outcomes.count('noticed')}, "
        f"missed: {outcomes.count('missed')}, not judged: {outcomes.count('error')}; "
        f"{seconds / 60:.1f} minutes"
    )
    return int(outcomes.count("noticed") < len(outcomes))


def checked_out() -> list[str]:
    """The files of the checkout, but for those that git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in set(names.split("\0")) if (ROOT / name).is_file())


def digest(files: list[str]) -> str:
    """Of all that a finding hangs on, but for the rows: each is part of its own key."""
    state = hashlib.sha256(sys.version.encode())
    for name in files:
        if not (name.startswith("tests/mutations/") and name.endswith(".toml")):
            state.update(f"{name}\0".encode() + hashlib.sha256((ROOT / name).read_bytes()).digest())
    return state.hexdigest()


async def try_all(
    rows: list[Break], files: list[str], note: Callable[[Break, Finding], None]
) -> None:
    """Share the rows out among as many workers as there are cores."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    left = iter(rows)
    async with asyncio.TaskGroup() as group:
        for _ in range(min(os.cpu_count() or 1, len(rows))):
            group.create_task(try_each(left, files, note))


async def try_each(
    rows: Iterator[Break], files: list[str], note: Callable[[Break, Finding], None]
) -> None:
    """Try one row after the other in a copy of the checkout."""
    with tempfile.TemporaryDirectory(prefix="mutations-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "copy"
        for name in files:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
        worker = Worker(copy)
        try:
            for row in rows:
                start = time.monotonic()
                finding = await judge(worker, row)
                note(row, replace(finding, seconds=round(time.monotonic() - start, 1)))
        finally:
            await worker.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
