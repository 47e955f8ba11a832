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


def imported(package: str, name: str) -> set[str]:
    """The modules that importing the class brings into a fresh interpreter."""
    code = f"import sys; from {package} import {name}; print('\\n'.join(sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def of_ours(modules: set[str]) -> list[str]:
    """Those of them that are this project's."""
    return sorted(module for module in modules if module.split(".")[0] in OURS)


if __name__ == "__main__":
    pinned = {package: of_ours(imported(package, name)) for name, package in CLASSES.items()}
    PINNED.write_text(json.dumps(pinned, indent=1) + "\n")
