"""Try what dist/ holds, the very files that are published, from outside.

`python -m scripts.release_check [--newest] [EXTRA...]`: the files in both are those of
tests/release/contents.json; the wheel works in an empty environment with each extra ("-" is none)
but those in `LEFT_OUT`, and the sdist in one without any. The versions are those of
constraints/dev.txt, or with --newest what a user gets today.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from email.parser import BytesParser
from pathlib import Path

from aimlapi_core import __version__
from aimlapi_emulator import Emulator
from tests.release.contents import PINNED, Built

ROOT = Path(__file__).parents[1]
SMOKE = ROOT / "tests" / "release" / "smoke.py"
NONE = "-"
LEFT_OUT = {"ray": "Ray alone is 80 MB; make test-all runs its tests"}
_AT_ONCE = 2
_NAME = f"aimlapi_integrations-{__version__}"


def published(dist: Path) -> Built:
    """The wheel and the sdist of this version."""
    return Built(dist / f"{_NAME}-py3-none-any.whl", dist / f"{_NAME}.tar.gz")


def stray(dist: Path) -> list[str]:
    """How dist/ and its two files differ from what is to be published, a sentence each."""
    built = published(dist)
    wanted, there = {built.wheel.name, built.sdist.name}, {path.name for path in dist.glob("*")}
    if there != wanted:
        return [f"{dist.name}/ holds {sorted(there)}, not {sorted(wanted)}: run make build"]
    pinned: dict[str, list[str]] = json.loads(PINNED.read_text(encoding="utf-8"))
    return [
        f"the {kind} holds {sorted({*found} - {*pinned[kind]})} more than {PINNED.name} says, "
        f"and lacks {sorted({*pinned[kind]} - {*found})}"
        for kind, found in built.files().items()
        if found != pinned[kind]
    ]


def tries(built: Built, wanted: list[str]) -> list[tuple[Path, str]]:
    """Which file is installed with which extra."""
    return [*((built.wheel, extra) for extra in wanted), (built.sdist, NONE)]


def extras(wheel: Path) -> list[str]:
    """No extra, and those that the wheel's metadata offers."""
    with zipfile.ZipFile(wheel) as opened:
        (name,) = (one for one in opened.namelist() if one.endswith(".dist-info/METADATA"))
        offered = BytesParser().parsebytes(opened.read(name)).get_all("Provides-Extra") or []
    return [NONE, *(extra for extra in offered if extra not in LEFT_OUT)]


def installed(file: Path, extra: str, into: Path, newest: bool) -> Path:
    """Make a venv with that file in it; gives its Python. Raises CalledProcessError."""
    wanted = str(file) if extra == NONE else f"{file}[{extra}]"
    pins = [] if newest else ["-c", str(ROOT / "constraints" / "dev.txt")]
    python = into / "bin" / "python"
    uv = shutil.which("uv")
    if uv:
        run([uv, "venv", "--quiet", "--python", sys.executable, str(into)], into.parent)
        pip = [uv, "pip", "{}", "--quiet", "--python", str(python)]
        pins += ["--link-mode", "copy"]  # nltk refuses to read hard links
    else:
        # The pip of this environment is newer than the one that a venv would bring.
        run([sys.executable, "-m", "venv", "--without-pip", str(into)], into.parent)
        pip = [sys.executable, "-m", "pip", "--python", str(python), "{}", "--quiet"]
        pins.append("--no-compile")  # most of it is never imported
    for action, *more in (("install", *pins, wanted), ("check",)):
        run([*(part.format(action) for part in pip), *more], into.parent)
    return python


def run(command: list[str], cwd: Path, **environment: str) -> None:
    """Run it outside of the project, without the project's paths; told only when it fails."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIML", "PYTHON", "VIRTUAL"))}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=900,
    )
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
        raise subprocess.CalledProcessError(done.returncode, command)


def check(file: Path, extra: str, newest: bool) -> None:
    """Raises CalledProcessError where the file does not work with that extra."""
    with tempfile.TemporaryDirectory() as folder, Emulator() as emulator:
        python = installed(file, extra, Path(folder) / "venv", newest)
        service = {"AIMLAPI_API_KEY": "smoke", "AIMLAPI_BASE_URL": emulator.base_url}
        smoke = [str(python), "-I", "-W", "error::ResourceWarning", str(SMOKE), extra]
        run(smoke, Path(folder), **service)
        run([str(python), "-m", "aimlapi_core", "doctor"], Path(folder), **service)


def works(file: Path, extra: str, newest: bool) -> bool:
    """Whether `check` went well, which is printed."""
    began_s = time.monotonic()
    try:
        check(file, extra, newest)
    except subprocess.CalledProcessError as failure:
        print(f"FAILED {file.name}[{extra}]: {' '.join(failure.cmd)}", file=sys.stderr)
        return False
    print(f"ok {file.name}[{extra}] in {time.monotonic() - began_s:.0f} s", flush=True)
    return True


def main() -> int:
    """1 when something is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extras", nargs="*", metavar="EXTRA")
    parser.add_argument("--newest", action="store_true", help="without constraints")
    given = parser.parse_args()
    wrong = stray(ROOT / "dist")
    if wrong:
        print("FAILED:", *wrong, sep="\n", file=sys.stderr)
        return 1
    built = published(ROOT / "dist")
    offered = extras(built.wheel)
    unknown = set(given.extras) - set(offered)
    if unknown:
        parser.error(f"no such extra: {', '.join(unknown)}. There are: {' '.join(offered)}")
    for extra, reason in LEFT_OUT.items():
        print(f"left out: {extra} ({reason})", flush=True)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        tried = pool.map(
            lambda one: works(one[0], one[1], given.newest), tries(built, given.extras or offered)
        )
    return int(not all(tried))


if __name__ == "__main__":
    sys.exit(main())
