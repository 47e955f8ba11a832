"""`mypy --strict` over the programs of this folder and README's samples, as a user has them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.docs.blocks import ROOT, blocks

PROGRAMS = Path(__file__).parent


def main() -> int:
    """mypy's exit code."""
    samples = [block.text for block in blocks("README.md") if block.language == "python"]
    assert samples, "README has no sample"
    with tempfile.TemporaryDirectory() as folder:
        for number, code in enumerate(samples):
            (Path(folder) / f"readme_{number}.py").write_text(code, encoding="utf-8")
        programs = map(str, sorted(PROGRAMS.glob("user_*.py")))
        # In a folder without the project's settings: a user has none of them.
        options = ["--strict", "--cache-dir", str(ROOT / ".mypy_cache" / "user")]
        command = [sys.executable, "-m", "mypy", *options, *programs, "."]
        return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
