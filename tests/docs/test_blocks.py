"""Every block of README and of the handbook runs, and prints what the page says that it does."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from tests.docs.blocks import PAGES, ROOT, Block, after, before, blocks

LANGUAGES = {"python", "diff", "sh", "text", "yaml"}
MARKS = re.compile(r"|output|pytest|heavy(: [a-z-]+(, [a-z-]+)*)?")
# README shows no outputs: what each of its programs must print at least.
README_SAYS = ["Sørvågen", "14:05 in Paris", "automated in 1986", "Budget: 0.5 USD"]
# These pages are about requests that go wrong.
WRONG_ON_PURPOSE = {"docs/errors.md"}
# Ids differ from run to run: of spans, of requests (UUIDs), of inferences.
IDS = re.compile(
    r"\b([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16}|[\w-]{21})(?= |$)", re.M
)
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("AIML", "LANGSMITH", "LANGCHAIN"))
}


def programs(page: str, mark: str = "") -> list[tuple[str, str]]:
    """Name and code of the page's programs with that mark."""
    return [
        (block.name, after(block.text) if block.language == "diff" else block.text)
        for block in blocks(page)
        if block.language in ("python", "diff") and block.mark == mark
    ]


def shown(page: str) -> dict[str, str]:
    """What the page says that its programs print, by their names."""
    found: dict[str, str] = {}
    last: Block | None = None
    for block in blocks(page):
        if block.mark == "output":
            assert last is not None, f"{block.name}: the output of nothing"
            found[last.name] = block.text
        last = block
    return found


def numbered(text: str) -> str:
    """Each id as its number in the order in which they first appear; no blanks at line ends."""
    ids = list(dict.fromkeys(IDS.findall(text)))
    lines = IDS.sub(lambda id_: f"id{ids.index(id_[0])}", text).splitlines()
    return "\n".join(line.rstrip() for line in lines).strip()


def faults(result: dict[str, Any]) -> Iterator[str]:
    """What is wrong with one program's run."""
    name = result["name"]
    page = name.partition(":")[0]
    if result["exit_code"]:
        yield f"{name}: it raised, left something open or did not end"
        return
    printed, said = numbered(result["printed"]), numbered(shown(page).get(name, ""))
    if said and printed != said:
        yield f"{name}: the page shows\n{said}\nand it printed\n{printed}"
    if result["problems"] and page not in WRONG_ON_PURPOSE:
        yield f"{name}: {result['problems']}"


Result = dict[str, Any]


def run(
    programs: list[tuple[str, str]],
    tests: list[tuple[str, str, list[str]]],
    environment: Mapping[str, str] = MappingProxyType({}),
) -> tuple[list[Result], str]:
    """The results of programs and of files of tests, and what was written to stderr.

    They run in forks of one process, which imports the frameworks once. `environment` is added.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.run_programs"],
        input=json.dumps([*((name, code, None) for name, code in programs), *tests]),
        env={**ENVIRONMENT, **environment, "PYTHONIOENCODING": "utf-8"},
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    results: list[Result] = json.loads(done.stdout)
    return results, done.stderr


def check(programs: list[tuple[str, str]], tests: list[tuple[str, str, list[str]]]) -> list[Result]:
    """Run them, and judge the results."""
    results, stderr = run(programs, tests)
    wrong = [fault for result in results for fault in faults(result)]
    wrong += [
        f"{result['name']}: pytest says\n{result.get('printed')}"
        for result in results[len(programs) :]
        if not re.search(r"\d+ passed", result.get("printed", ""))
    ]
    assert not wrong, "\n".join([*wrong, stderr])
    return results


def options_of(page: str) -> list[str]:
    """The options that the page runs pytest with."""
    shown = [block.text for block in blocks(page) if block.language == "sh"]
    found = re.findall(r"^pytest (.*)$", "\n".join(shown), re.M)
    return shlex.split(found[0]) if found else []


def test_every_program_runs_and_prints_what_its_page_shows() -> None:
    only = os.environ.get("PAGE")
    pages = [only] if only else PAGES
    tests = [
        (name, code, ["-q", *options_of(page)])
        for page in pages
        for name, code in programs(page, "pytest")
    ]
    assert tests or only
    results = check([program for page in pages for program in programs(page)], tests)
    if only:
        return
    readme = [result["printed"] for result in results if result["name"].startswith("README.md")]
    for printed, said in zip(readme, README_SAYS, strict=True):
        assert said in printed


def test_the_long_programs_are_those_that_the_tests_of_ray_run() -> None:
    # On a cluster of their own: tests/ray/test_runs.py.
    assert [page for page in PAGES if programs(page, "heavy")] == ["docs/scaling.md"]


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_what_it_is(page: str) -> None:
    found = list(blocks(page))
    assert len(found) * 2 == len(re.findall(r"^ *```", PAGES[page], re.M)), "a fence of other form"
    for block in found:
        assert block.language in LANGUAGES, f"{block.name}: {block.language!r}"
        assert MARKS.fullmatch(block.mark), f"{block.name}: {block.mark!r}"
        assert block.mark != "output" or block.language == "text", block.name
        if block.language == "text" and not block.mark:
            with pytest.raises(SyntaxError):  # code would be a python block, and run
                compile(block.text, block.name, "exec")


@pytest.mark.parametrize("page", PAGES)
def test_programs_before_a_change_are_python(page: str) -> None:
    for block in blocks(page):
        if block.language == "diff":
            compile(before(block.text), block.name, "exec")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page: str) -> None:
    """Links to other sites aside; those from page to page are checked by `make docs` too."""
    for target in re.findall(r"\]\(([^)\s]+?)(?:#[^)]*)?\)", PAGES[page]):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), target
