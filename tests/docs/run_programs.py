"""Run programs and files of tests one after the other, each in a process of its own.

On stdin a list of [name, code, options]: without options (null) a program, which runs beside an
emulator of its own; with a list of them a file of tests, for pytest. On stdout, for each, what it
printed, what the emulator found wrong with its requests, and the exit code, which is 1 where it
raised, failed or left anything open: its traceback is on stderr then. The frameworks take seconds
to import: that is done once, and the processes are forked.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import multiprocessing
import os
import runpy
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aimlapi_emulator import Emulator
from tests.docs.loopback import refuse_other_hosts

# Imported before the fork where a program imports the first name.
_SLOW_TO_IMPORT = {
    "langchain_aimlapi": "langchain_aimlapi",
    "langchain.agents": "langchain.agents",
    "llama_index": "llama_index_aimlapi",
}
_AT_MOST_S = 600  # for one program, so that a hang is told by its name
_left_open: list[str] = []


def run_tests(name: str, code: str, options: list[str], folder: Path) -> None:
    """Run a file of tests as a user would; the result is written to result.json."""
    path = folder / "test_mine.py"
    path.write_text(code, encoding="utf-8")
    os.chdir(folder)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exit_code = pytest.main([*options, "-p", "no:cacheprovider", str(path)])
    result = {"printed": printed.getvalue(), "problems": []}
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    sys.exit(exit_code)


def run(name: str, code: str, folder: Path) -> None:
    """Run one program; the result is written to result.json."""
    path = folder / "program.py"
    path.write_text(code, encoding="utf-8")
    printed = io.StringIO()
    with Emulator() as emulator:
        os.environ.update(AIMLAPI_API_KEY="sk-of-no-account", AIMLAPI_BASE_URL=emulator.base_url)
        with contextlib.redirect_stdout(printed):
            runpy.run_path(str(path), run_name="__main__")
            gc.collect()
        problems = [found for seen in emulator.requests for found in seen.problems]
    result = {"printed": printed.getvalue(), "problems": problems}
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    if _left_open:
        sys.exit(f"{name} leaves open: {_left_open}")


def run_apart(name: str, code: str, options: list[str] | None) -> dict[str, Any]:
    """The result of one program, or file of tests, that runs in a fork of this process."""
    with tempfile.TemporaryDirectory() as folder:
        start: Callable[..., None] = run if options is None else run_tests
        given = [name, code, *([] if options is None else [options]), Path(folder)]
        process = multiprocessing.get_context("fork").Process(target=start, args=given, name=name)
        process.start()
        process.join(_AT_MOST_S)
        if process.is_alive():
            process.kill()
            process.join()
        written = Path(folder) / "result.json"
        result = json.loads(written.read_text(encoding="utf-8")) if written.exists() else {}
    return {"name": name, "exit_code": process.exitcode, **result}


def main() -> None:
    """Run all."""
    programs = json.load(sys.stdin)
    importlib.import_module("httpcore")  # which httpx imports with its first client
    for imported, module in _SLOW_TO_IMPORT.items():
        if any(f"from {imported}" in code for _, code, _ in programs):
            importlib.import_module(module)
    sys.unraisablehook = lambda raised: _left_open.append(repr(raised.exc_value))
    sys.addaudithook(refuse_other_hosts)
    warnings.simplefilter("error", ResourceWarning)
    gc.freeze()  # what was imported is not looked through again in each process
    json.dump([run_apart(*program) for program in programs], sys.stdout)


if __name__ == "__main__":
    main()
