"""Whether a tag may be released: `python -m scripts.release v1.2.3` says what disagrees.

The tag, the version in `aimlapi_core/_version.py` and the changelog's first version have to be
the same, nothing may be left under [Unreleased], and pyproject.toml has to name the repository.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from aimlapi_core import __version__

ROOT = Path(__file__).parents[1]
_HEADING = re.compile(r"^## \[(?P<name>[^\]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?[ ]*$", re.M)


def disagreements(tag: str, version: str, changelog: str, project: dict[str, Any]) -> list[str]:
    """What stands in the way of a release, a sentence each; `project` is pyproject's table."""
    found = []
    if tag != f"v{version}":
        found.append(f"The tag is {tag!r}, and aimlapi_core/_version.py says {version!r}.")
    headings = list(_HEADING.finditer(changelog))
    ends = [heading.start() for heading in headings[1:]] + [len(changelog)]
    texts = {
        heading["name"]: changelog[heading.end() : end].strip()
        for heading, end in zip(headings, ends, strict=True)
    }
    if texts.get("Unreleased"):
        found.append("CHANGELOG.md has lines under [Unreleased]: they belong to the new version.")
    newest = next((one for one in headings if one["name"] != "Unreleased"), None)
    if newest is None or newest["name"] != version:
        named = newest["name"] if newest else "none"
        found.append(f"CHANGELOG.md's first version is {named}, not {version}.")
    elif not newest["date"] or not texts[version]:
        found.append(f"CHANGELOG.md's {version} has no date, or no line.")
    if "Repository" not in project.get("urls", {}):
        found.append("pyproject.toml names no Repository under [project.urls].")
    return found


def main(arguments: list[str]) -> int:
    """0 when all agree, 1 when not, 2 without a tag."""
    if len(arguments) != 1:
        print("usage: python -m scripts.release vX.Y.Z", file=sys.stderr)
        return 2
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    found = disagreements(arguments[0], __version__, changelog, project)
    print("\n".join(found or [f"{arguments[0]} may be released."]))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
