"""Rules in a YAML or JSON file: a list whose entries are the arguments of `Emulator.when`.

`when` is text that the last message contains; `pattern`, in its place, a regular expression. A
fault is written as in a prompt's directive: `status=503 times=2`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aimlapi_emulator.faults.directives import parse
from aimlapi_emulator.faults.fault_field import FaultError, nearest
from aimlapi_emulator.scripting.rule import Rule
from aimlapi_emulator.scripting.rule_validation import as_tool_calls, check_rule
from aimlapi_emulator.scripting.types import RuleError

_LOG = logging.getLogger("aimlapi_emulator")
_MEMBERS = (
    "when pattern text json tool_call arguments tool_calls fault model endpoint times".split()
)


class RulesFile:
    """The rules of a file, read again when it changes. Raises RuleError where they are wrong."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._seen = self._signature()
        self._rules = self._read()

    def rules(self) -> list[Rule]:
        """The rules of the file as it is now; those before if it became unreadable, with a log."""
        seen = self._signature()
        if seen != self._seen:
            self._seen = seen
            try:
                self._rules = self._read()
                _LOG.warning("%s: %d rules read again", self.path, len(self._rules))
            except RuleError as exc:
                _LOG.warning("%s; the rules before it changed still hold", exc)
        return self._rules

    def _signature(self) -> tuple[int, int]:
        with contextlib.suppress(OSError):
            found = self.path.stat()
            return found.st_mtime_ns, found.st_size
        return 0, 0

    def _read(self) -> list[Rule]:
        try:
            text = self.path.read_text(encoding="utf-8")
            entries = json.loads(text) if self.path.suffix == ".json" else _from_yaml(text)
        except (OSError, ValueError) as exc:
            raise RuleError(f"{self.path}: {exc}") from None
        if not isinstance(entries, list):
            raise RuleError(f"{self.path} is no list of rules: begin each with '- when: ...'")
        return [self._rule(number, entry) for number, entry in enumerate(entries, 1)]

    def _rule(self, number: int, entry: Any) -> Rule:
        where = f"{self.path}, rule {number}"
        if not isinstance(entry, Mapping) or len({"when", "pattern"} & set(entry)) != 1:
            raise RuleError(f"{where}: needs either 'when' or 'pattern'")
        for name in entry:
            if name not in _MEMBERS:
                raise RuleError(f"{where}: unknown member {name!r}{nearest(str(name), _MEMBERS)}")
        given = dict(entry)
        try:
            is_pattern = "pattern" in given
            condition = re.compile(given.pop("pattern")) if is_pattern else given.pop("when")
            if "fault" in given:
                times, given["fault"] = parse(given["fault"])
                given.setdefault("times", times)
            several = [tuple(one) for one in given.pop("tool_calls", ())] or None
            one = given.pop("tool_call", None), given.pop("arguments", None)
            rule = Rule(condition, tool_calls=as_tool_calls(*one, several), **given)
            check_rule(rule)
        except (RuleError, FaultError, re.error, TypeError, AttributeError) as exc:
            raise RuleError(f"{where}: {exc}") from None
        return rule


def _from_yaml(text: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise ValueError("PyYAML reads it: pip install 'aimlapi-integrations[emulator]'") from None
    try:
        return yaml.safe_load(text) or []
    except yaml.YAMLError as exc:
        raise ValueError(" ".join(str(exc).split())) from None
