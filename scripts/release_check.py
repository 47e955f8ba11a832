"""Install the wheel of dist/ into an empty environment per extra and try it from outside.

`python -m scripts.release_check [--newest] [EXTRA...]`: all extras of the wheel, and none ("-").
The versions are those of constraints/dev.txt, or with --newest what a user gets today.
"""

from __future__ import annotations

import argparse
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

from aimlapi_emulator import Emulator

ROOT = Path(__file__).parents[1]
SMOKE = ROOT / "tests" / "release" / "smoke.py"
NONE = "-"
LEFT_OUT = {"ray": "Ray alone is 80 MB"}
_AT_ONCE = 2


def extras(wheel: Path) -> list[str]:
    """No extra, and those that the wheel's metadata offers."""
    with zipfile.ZipFile(wheel) as opened:
        (name,) = (one for one in opened.namelist() if one.endswith(".dist-info/METADATA"))
        offered = BytesParser().parsebytes(opened.read(name)).get_all("Provides-Extra") or []
    return [NONE, *(extra for extra in offered if extra not in LEFT_OUT)]


def installed(wheel: Path, extra: str, into: Path, newest: bool) -> Path:
    """Make a venv with the wheel in it; gives its Python. Raises CalledProcessError."""
    wanted = str(wheel) if extra == NONE else f"{wheel}[{extra}]"
    pins = [] if newest else ["-c", str(ROOT / "constraints" / "dev.txt")]
    python = into / "bin" / "python"
    uv = shutil.which("uv")
    if uv:
        run([uv, "venv", "--quiet", "--python", sys.executable, str(into)], into.parent)
        pip = [uv, "pip", "{}", "--quiet", "--python", str(python)]
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


def check(wheel: Path, extra: str, newest: bool) -> None:
    """Raises CalledProcessError where the wheel does not work with that extra."""
    with tempfile.TemporaryDirectory() as folder, Emulator() as emulator:
        python = installed(wheel, extra, Path(folder) / "venv", newest)
        service = {"AIMLAPI_API_KEY": "smoke", "AIMLAPI_BASE_URL": emulator.base_url}
        smoke = [str(python), "-I", "-W", "error::ResourceWarning", str(SMOKE), extra]
        run(smoke, Path(folder), **service)
        run([str(python), "-m", "aimlapi_core", "doctor"], Path(folder), **service)


def works(wheel: Path, extra: str, newest: bool) -> bool:
    """Whether `check` went well, which is printed."""
    began_s = time.monotonic()
    try:
        check(wheel, extra, newest)
    except subprocess.CalledProcessError as failure:
        print(f"FAILED {wheel.name}[{extra}]: {' '.join(failure.cmd)}", file=sys.stderr)
        return False
    print(f"ok {wheel.name}[{extra}] in {time.monotonic() - began_s:.0f} s", flush=True)
    return True


def main() -> int:
    """1 when an extra does not work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extras", nargs="*", metavar="EXTRA")
    parser.add_argument("--newest", action="store_true", help="without constraints")
    given = parser.parse_args()
    try:
        (wheel,) = (ROOT / "dist").glob("*.whl")
    except ValueError:
        parser.error("dist/ holds not one wheel: run make build")
    offered = extras(wheel)
    unknown = set(given.extras) - set(offered)
    if unknown:
        parser.error(f"no such extra: {', '.join(unknown)}. There are: {' '.join(offered)}")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        tried = pool.map(lambda extra: works(wheel, extra, given.newest), given.extras or offered)
    return int(not all(tried))


if __name__ == "__main__":
    sys.exit(main())
