"""Run examples in one process, which imports a framework once: `python batch.py NAME...`.

Prints JSON: for each name what it printed, how it failed, and the requests that the emulator saw.
"""

from __future__ import annotations

import io
import json
import runpy
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str) -> dict[str, Any]:
    """What came of one example."""
    service: Any = sys.modules.get("_service")
    before = len(service.emulator.requests) if service else 0
    printed, failure = io.StringIO(), ""
    try:
        with redirect_stdout(printed):
            runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    except BaseException:
        failure = traceback.format_exc()
    seen = sys.modules["_service"].emulator.requests[before:]
    return {
        "printed": printed.getvalue(),
        "failure": failure,
        "requests": [(one.path, one.status, one.problems) for one in seen],
    }


if __name__ == "__main__":
    sys.path.insert(0, str(EXAMPLES))
    print(json.dumps({name: run(name) for name in sys.argv[1:]}))
