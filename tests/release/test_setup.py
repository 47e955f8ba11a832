"""`make PYTHON=…` takes that interpreter or says what is wrong with it: scripts/setup.sh.

In a folder that holds the script and the files that it reads; uv and the interpreters are small
programs that stand in for what a machine has.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.release_check import NONE, installed

ROOT = Path(__file__).parents[2]
READ = (
    "pyproject.toml",
    "constraints/dev.txt",
    "constraints/vcrpy.txt",
    "aimlapi_core/_version.py",
)
TOOLS = ("cat", "cksum", "cp", "dirname", "grep", "head", "mkdir", "rm", "sh")
# Makes an environment and notes what it was asked for.
UV = f"""#!/bin/sh
echo "$@" >> asked
case "$*" in
venv*) {sys.executable} -m venv --without-pip .venv ;;
*--target*) mkdir .vcrpy ;;
esac
"""
# A Python whose environments hold nothing but itself, and which does whatever else it is told.
EMPTY = """#!/bin/sh
[ "$2" != venv ] || { mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; }
"""
# Says that it is another Python than it is.
POSING = """#!/bin/sh
exec {python} -c '
import os, sys
{pose}
code = sys.argv[2]
sys.argv[1:3] = []
exec(code)' "$@"
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the scripts, and a PATH of few programs."""
    for name in READ:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "scripts").mkdir()
    for path in (ROOT / "scripts").glob("*.sh"):
        shutil.copy(path, tmp_path / "scripts")
    (tmp_path / "bin").mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found, name
        (tmp_path / "bin" / name).symlink_to(found)
    return tmp_path


def program(path: Path, text: str) -> Path:
    """A program at that path."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def posing(path: Path, pose: str) -> Path:
    """A Python that says something else of itself."""
    return program(path, POSING.format(python=sys.executable, pose=pose))


def run(
    clone: Path,
    *arguments: str,
    python: str | Path = "",
    script: str = "scripts/setup.sh",
    **environment: str,
) -> str:
    """What the script says, and what uv was asked for; its exit code comes first."""
    asked = clone / "asked"
    asked.unlink(missing_ok=True)
    done = subprocess.run(
        ["sh", script, *arguments],
        cwd=clone,
        env={"PATH": str(clone / "bin"), "PYTHON": str(python), **environment},
        capture_output=True,
        text=True,
    )
    told = asked.read_text(encoding="utf-8") if asked.exists() else ""
    return f"{done.returncode} {done.stderr}{told}"


@pytest.mark.parametrize("script", ["scripts/setup.sh", "scripts/environment.sh"])
def test_a_python_that_is_no_program_is_named(clone: Path, script: str) -> None:
    program(clone / "bin" / "uv", UV)
    told = run(clone, ".other", python="/no/python", script=script)
    assert told.startswith("1 ")
    assert "PYTHON=/no/python is no program that runs Python" in told


@pytest.mark.parametrize("script", ["scripts/setup.sh", "scripts/environment.sh"])
def test_a_python_that_is_too_old_is_named(clone: Path, script: str) -> None:
    program(clone / "bin" / "uv", UV)
    old = posing(clone / "bin" / "old", "sys.version_info = (3, 10, 13)")
    told = run(clone, ".other", python=old, script=script)
    assert told.startswith("1 ")
    assert f"PYTHON={old} is Python 3.10.13" in told
    assert "venv --quiet" not in told


def test_without_any_python_one_is_asked_for(clone: Path) -> None:
    told = run(clone)
    assert told.startswith("1 ")
    assert "no python3 was found" in told


def test_uv_takes_the_python_that_was_named(clone: Path) -> None:
    program(clone / "bin" / "uv", UV)
    assert f"venv --quiet --python {sys.executable} .venv" in run(clone, python=posed(clone))


def posed(clone: Path) -> Path:
    """A program that runs this very Python."""
    return posing(clone / "bin" / "mine", f'sys._base_executable = "{sys.executable}"')


def test_another_python_makes_it_anew_and_the_same_or_none_does_not(clone: Path) -> None:
    program(clone / "bin" / "uv", UV)
    mine = posed(clone)
    other = posing(clone / "bin" / "other", f'sys._base_executable = "{clone}/other"')
    assert "venv --quiet" in run(clone, python=mine)
    assert run(clone, python=mine) == "0 "
    assert run(clone) == "0 "
    assert f"venv --quiet --python {clone / 'other'}" in run(clone, python=other)
    assert "venv --quiet" in run(clone, python=mine)


def test_without_uv_its_environment_says_what_to_do(clone: Path) -> None:
    uv = program(clone / "bin" / "uv", UV)
    run(clone, python=sys.executable)
    uv.unlink()
    told = run(clone, "heavy")
    assert told.startswith("1 ")
    assert "make clean" in told


def test_a_group_is_installed_by_what_made_the_environment(clone: Path) -> None:
    program(clone / "bin" / "uv", UV)
    run(clone, python=sys.executable)
    assert "--group heavy" in run(clone, "heavy")


def test_the_newest_vcrpy_is_installed_beside_it_and_once(clone: Path) -> None:
    program(clone / "bin" / "uv", UV)
    run(clone, python=sys.executable)
    (line,) = installs(run(clone, "vcrpy"))
    assert "--target .vcrpy --no-deps -r constraints/vcrpy.txt" in line
    assert run(clone, "vcrpy") == "0 "
    (clone / "constraints" / "vcrpy.txt").write_text("vcrpy==0\n", encoding="utf-8")
    assert installs(run(clone, "vcrpy"))


def test_an_environment_is_made_when_its_arguments_change(clone: Path) -> None:
    base = program(clone / "base", EMPTY)
    mine = posing(clone / "bin" / "mine", f'sys._base_executable = "{base}"')

    def made(*arguments: str) -> bool:
        told = run(clone, ".other", *arguments, python=mine, script="scripts/environment.sh")
        assert told.startswith("0 "), told
        return "Setting up .other" in told

    assert made("a")
    assert not made("a")
    assert made("b")
    assert not made("b")
    (clone / "constraints" / "dev.txt").write_text("a==1\n", encoding="utf-8")
    assert made("b")


def installs(asked: str) -> list[str]:
    """The lines by which uv was asked to install."""
    return [line for line in asked.splitlines() if "pip install " in line]


@pytest.mark.parametrize("group", [(), ("heavy",)])
def test_uv_is_told_to_copy(clone: Path, group: tuple[str, ...]) -> None:
    """By an option, which goes before a UV_LINK_MODE: nltk refuses to read hard links."""
    program(clone / "bin" / "uv", UV)
    (line,) = installs(run(clone, *group, python=sys.executable))
    assert "--link-mode copy" in line


def test_uv_is_told_to_copy_where_a_wheel_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "uv", '#!/bin/sh\necho "$@" >> asked\n')
    monkeypatch.setenv("PATH", str(tmp_path))
    installed(tmp_path / "a.whl", NONE, tmp_path / "venv", newest=True)
    (line,) = installs((tmp_path / "asked").read_text(encoding="utf-8"))
    assert "--link-mode copy" in line


def test_uv_may_be_named(clone: Path) -> None:
    uv = program(clone / "another-uv", UV)
    assert installs(run(clone, python=sys.executable, UV=str(uv)))


def test_an_empty_uv_stands_for_pip_alone(clone: Path) -> None:
    program(clone / "bin" / "uv", UV)
    run(clone, python=sys.executable)
    told = run(clone, "heavy", UV="")
    assert told.startswith("1 ")
    assert "This .venv holds no pip" in told
    assert not installs(told)


def test_clean_leaves_no_environment() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nclean:")[2]
    assert {".venv", ".bench", ".oldest", ".clients", ".vcrpy"} <= set(recipe.split())


def test_the_scripts_are_plain_sh() -> None:
    for path in (ROOT / "scripts").glob("*.sh"):
        subprocess.run(["sh", "-n", str(path)], check=True)
