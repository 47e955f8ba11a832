"""Every command of README and of the handbook names what exists: targets, extras, options."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from importlib.util import find_spec

import pytest

from tests.docs.blocks import PAGES, ROOT, blocks

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINNED = {
    line.partition("==")[0].lower()
    for line in (ROOT / "constraints" / "dev.txt").read_text(encoding="utf-8").splitlines()
}
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
PACKAGES = (
    "aimlapi_core",
    "langchain_aimlapi",
    "llama_index_aimlapi",
    "aimlapi_ray",
    "aimlapi_emulator",
    "aimlapi_cli",
)
CODE = "".join(
    path.read_text(encoding="utf-8")
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
)
# Its arguments are names of cases.
WITHOUT_HELP = {"benchmarks.profile"}
# Variables that other packages read: what a recipe says of them is run with them.
OF_OTHERS = ("LANGSMITH_", "LANGFUSE_", "OTEL_")
# Uninstalled before this distribution is installed.
OLDER = "langchain-aimlapi"

COMMANDS = [
    pytest.param(line, id=f"{block.name} {line}")
    for page in PAGES
    for block in blocks(page)
    if block.language == "sh"
    for line in block.text.replace("\\\n", " ").splitlines()
    if line.strip() and not line.startswith("#")
]
# In sentences and tables.
COMMANDS += [
    pytest.param(line, id=f"{page} {line}")
    for page, text in PAGES.items()
    for line in re.findall(r"`(pip (?:un)?install [^`]+)`", text)
]


@cache
def options_of(module: str, *command: str) -> str:
    """The help of `python -m module`."""
    done = subprocess.run(
        [sys.executable, "-m", module, *command, "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_make(words: list[str]) -> None:
    for word in words:
        assert "=" in word or word in TARGETS, f"no target {word!r}"


def check_install(words: list[str]) -> None:
    for word in words:
        if word.startswith("-") or "=" in word:
            assert word in ("-e", "--upgrade"), word
            continue
        word, _, address = word.partition(" @ ")
        name, _, extras = word.rstrip("]").partition("[")
        # The project itself is not on PyPI: it is installed from a repository or a clone.
        is_ours = name == PROJECT["name"] and address.startswith("git+https://")
        assert name == "." or is_ours or name.lower() in PINNED, word
        known = PROJECT["optional-dependencies"]
        assert all(extra in known for extra in extras.split(",") if extras), word


def check_uv(words: list[str]) -> None:
    """`uv pip install` or `uv sync`, with the two options that the handbook speaks of."""
    command = " ".join(words)
    for option in ("--link-mode copy", "--reinstall-package llama-index-core"):
        command = command.replace(f" {option}", "", 1)
    assert command in ("sync", "pip install llama-index-core"), command


def check_module(module: str, words: list[str]) -> None:
    if not any(word.startswith("-") for word in words) and module in WITHOUT_HELP:
        assert find_spec(module), module
        return
    words = words[: words.index("--")] if "--" in words else words  # behind it, another's
    shown = options_of(module)
    for word in words:
        if word.startswith("--"):
            option = re.escape(word.partition("=")[0])
            assert re.search(rf"{option}\b", shown), f"{module} has no {word}"
    commands = re.findall(r"^  \{([\w,-]+)\}", shown, re.M)
    if commands and words and not words[0].startswith("-"):
        assert words[0] in commands[0].split(","), f"{module} has no command {words[0]!r}"


def check_subcommand(words: list[str]) -> None:
    """`aimlapi COMMAND …`, and behind `--` another command."""
    name, *rest = words
    end = rest.index("--") if "--" in rest else len(rest)
    shown = options_of("aimlapi_cli", name)
    for word in rest[:end]:
        if word.startswith("-"):
            assert re.search(rf"{re.escape(word)}\b", shown), f"aimlapi {name} has no {word}"
    if rest[end + 1 :]:
        check(rest[end + 1 :])


def check(words: list[str]) -> None:
    """Raise where a command names something that does not exist."""
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        check(["export", words.pop(0)])
    if not words:  # a line of a .env file
        return
    program, *rest = words
    if program == "export":
        names = [word.partition("=")[0] for word in rest]
        names = [name for name in names if not name.startswith(OF_OTHERS)]
        assert all(f'"{name}"' in CODE for name in names), f"no code of ours reads {names}"
    elif program == "make":
        check_make(rest)
    elif program == "pip" and rest[0] == "install":
        check_install(rest[1:])
    elif program == "uv":
        check_uv(rest)
    elif program == "pip" and rest[0] == "uninstall":
        assert {*rest[1:]} <= {"-y", OLDER, PROJECT["name"]}, rest
    elif "|" in words:  # what pipes in and out is the shell's
        at = words.index("aimlapi")
        check(words[at : [*words, "|"].index("|", at)])
    elif program == "aimlapi":
        check_subcommand(rest)
    elif program in PROJECT.get("scripts", {}):
        check_module(PROJECT["scripts"][program].partition(":")[0], rest)
    elif program == "pytest":
        check_module("pytest", rest)
    elif program.endswith("python") and rest[0] == "-m":
        check_module(rest[1], rest[2:])
    elif program.endswith("python"):
        assert (ROOT / rest[0]).is_file(), rest[0]
    else:
        raise AssertionError(f"nobody checks {program!r}")


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_names_what_exists(line: str) -> None:
    check(shlex.split(line, comments=True))


@pytest.mark.parametrize(
    "line",
    [
        "make moon",
        "pip install '.[moon]'",
        "pip install 'aimlapi-integrations[langchain]'",
        "pip uninstall moon-of-nothing",
        "pip install moon-of-nothing",
        "python -m aimlapi_emulator --moon",
        "python -m aimlapi_core moon",
        "aimlapi moon",
        "aimlapi ask --moon",
        "git diff | aimlapi ask hi --moon | jq .",
        "aimlapi emulator -- aimlapi ask --moon",
        "python examples/moon.py",
        "export AIMLAPI_MOON=1",
        "rm -rf moon",
    ],
)
def test_a_wrong_command_is_noticed(line: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        check(shlex.split(line))
