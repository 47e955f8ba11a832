"""What was found, kept in a file from run to run."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from tests.mutations.breaks import Break, Finding


class Journal:
    """Findings by their rows, in a file that several runs may write to at a time."""

    def __init__(self, path: Path, state: str) -> None:
        self._path, self._state = path, state
        self._findings: dict[str, Finding] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            with suppress(ValueError, KeyError):  # the last line of a run that was killed
                entry = json.loads(line)
                found = Finding(entry["outcome"], entry["why"], entry["seconds"])
                self._findings[entry["key"]] = found

    def __contains__(self, row: Break) -> bool:
        return self._key(row) in self._findings

    def __getitem__(self, row: Break) -> Finding:
        return self._findings[self._key(row)]

    def __setitem__(self, row: Break, finding: Finding) -> None:
        """Errors are not written: they may be of the machine."""
        self._findings[self._key(row)] = finding
        if finding.outcome != "error":
            entry = {"key": self._key(row), "promise": row.promise, **asdict(finding)}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def _key(self, row: Break) -> str:
        return hashlib.sha256(json.dumps([self._state, asdict(row)]).encode()).hexdigest()
