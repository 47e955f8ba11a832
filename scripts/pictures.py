"""Draw README's pictures: `python -m scripts.pictures`.

docs/performance.svg is the chart of the kept run of `make bench`, docs/demo.svg a recording of
the demo on the emulator.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from benchmarks import chart
from scripts import terminal

ROOT = Path(__file__).parents[1]
TITLE = "make demo (on the local emulator, no language model; pauses cut to 1 s)"


def performance() -> str:
    """The chart of benchmarks/latest.json."""
    report = json.loads((ROOT / "benchmarks" / "latest.json").read_text(encoding="utf-8"))
    return chart.drawn(report)


def demo() -> str:
    """The demo, run now and without a key. The picture draws the colours of a terminal itself."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIML")}
    command = [sys.executable, str(ROOT / "examples" / "demo.py")]
    pieces = terminal.recorded(command, {**kept, "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"})
    return terminal.drawn(pieces, TITLE)


if __name__ == "__main__":
    for name, draw in (("performance", performance), ("demo", demo)):
        (ROOT / "docs" / f"{name}.svg").write_text(draw(), encoding="utf-8")
