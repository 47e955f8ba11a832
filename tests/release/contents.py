"""What the wheel and the sdist hold.

Write `contents.json` anew after a file came or went: `python -m tests.release.contents`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

ROOT = Path(__file__).parents[2]
PINNED = Path(__file__).with_name("contents.json")


@dataclass(frozen=True)
class Built:
    """The two files of a release."""

    wheel: Path
    sdist: Path

    def files(self) -> dict[str, list[str]]:
        """The names in both, without the version that stands in some of them."""
        with zipfile.ZipFile(self.wheel) as wheel, tarfile.open(self.sdist) as sdist:
            top = self.wheel.name.split("-py3")[0]
            return {
                "wheel": sorted(name.removeprefix(f"{top}.") for name in wheel.namelist()),
                "sdist": sorted(
                    member.name.removeprefix(f"{top}/")
                    for member in sdist.getmembers()
                    # hatchling adds the ignore file that it obeyed, where there is one.
                    if not member.isdir() and not member.name.endswith("/.gitignore")
                ),
            }

    def metadata(self) -> Message:
        """The wheel's."""
        with zipfile.ZipFile(self.wheel) as wheel:
            (name,) = (one for one in wheel.namelist() if one.endswith(".dist-info/METADATA"))
            return BytesParser().parsebytes(wheel.read(name))


def build(into: Path, *arguments: str, source: Path = ROOT) -> Path:
    """Build with the build backend that is installed here, without a registry; gives `into`."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(into), *arguments]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return into


def built(into: Path) -> Built:
    """The sdist, and the wheel that is made from it."""
    build(into)
    (wheel,), (sdist,) = into.glob("*.whl"), into.glob("*.tar.gz")
    return Built(wheel, sdist)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PINNED.write_text(json.dumps(built(Path(folder)).files(), indent=1) + "\n", "utf-8")
