"""mypy and pyright, strict, over the programs of this folder; mypy over README's samples too.

In a folder without the project's settings, as a user has them. Pyright's strict mode takes offence
at the frameworks' own types in README's samples ("partially unknown").
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.docs.blocks import ROOT, blocks

PROGRAMS = Path(__file__).parent


def main() -> int:
    """0 if neither has a remark."""
    samples = [block.text for block in blocks("README.md") if block.language == "python"]
    assert samples, "README has no sample"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, code in enumerate(samples):
            (folder / f"readme_{number}.py").write_text(code, encoding="utf-8")
        for program in PROGRAMS.glob("user_*.py"):
            shutil.copy(program, folder)
        settings = {
            "typeCheckingMode": "strict",
            "include": ["user_*.py"],
            "extraPaths": [str(ROOT)],  # pyright does not follow the link of an editable install
        }
        (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
        python = [sys.executable, "-m"]
        mypy = [*python, "mypy", "--strict", "--cache-dir", str(ROOT / ".mypy_cache" / "user"), "."]
        pyright = [*python, "basedpyright", "--pythonpath", sys.executable]
        codes = [
            subprocess.run(command, cwd=folder, check=False).returncode
            for command in (mypy, pyright)
        ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
