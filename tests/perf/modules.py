"""Write `modules.json` anew: `python -m tests.perf.modules`, after a module came or went."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CLASSES = {"ChatAIMLAPI": "langchain_aimlapi", "AIMLAPI": "llama_index_aimlapi"}
ROOT = Path(__file__).parent.parent.parent
PINNED = Path(__file__).with_name("modules.json")
OURS = ("aimlapi_core", "langchain_aimlapi", "llama_index_aimlapi", "aimlapi_emulator")


PROGRAM = """
import json, sys
from {package} import {name}
modules = [*sys.modules]
from benchmarks.footprint import construct
made = construct({{"subject": {name!r}, "times": 1, "origin": "https://127.0.0.1:9"}})
print(json.dumps([modules, made["opened"]]))
"""


def imported(package: str, name: str) -> tuple[set[str], int]:
    """The modules that importing the class brings into a fresh interpreter, and how many files,
    sockets and TLS contexts the first object opens there."""
    command = [sys.executable, "-c", PROGRAM.format(package=package, name=name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    modules, opened = json.loads(done.stdout)
    return set(modules), opened


def of_ours(modules: set[str]) -> list[str]:
    """Those of them that are this project's."""
    return sorted(module for module in modules if module.split(".")[0] in OURS)


if __name__ == "__main__":
    pinned = {package: of_ours(imported(package, name)[0]) for name, package in CLASSES.items()}
    PINNED.write_text(json.dumps(pinned, indent=1) + "\n")
