"""Draw README's pictures: `python -m scripts.pictures`.

docs/performance.svg and docs/profile.svg are drawn from the kept run of `make bench`, docs/demo.svg
is a recording of the demo on the emulator.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks import page
from scripts import terminal

ROOT = Path(__file__).parents[1]
TITLE = "make demo (on the local emulator, no language model; pauses cut to 1 s)"


def demo() -> str:
    """The demo, run now and without a key. The picture draws the colours of a terminal itself."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIML")}
    command = [sys.executable, str(ROOT / "examples" / "demo.py")]
    pieces = terminal.recorded(command, {**kept, "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"})
    return terminal.drawn(pieces, TITLE)


if __name__ == "__main__":
    drawn = {"demo": demo(), **{name: page.picture(name) for name in page.PICTURES}}
    for name, picture in drawn.items():
        (ROOT / "docs" / f"{name}.svg").write_text(picture, encoding="utf-8")
