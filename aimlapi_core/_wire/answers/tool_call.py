"""Accumulates the deltas of one tool call of a chat completion."""

from __future__ import annotations

import json
from collections.abc import Set
from typing import Any

from aimlapi_core._json_reading import ArgumentsStart, loads
from aimlapi_core.types import ToolCall


class ToolCallAccumulator:
    """Accumulates the deltas of one tool call: `add` many times, `finish` once or more.

    Both return what can be given out of id, name and arguments. A name is held while it is the
    beginning of a longer one in `tool_names`, those of the tools that were offered: some servers
    split names, and others repeat them. Where none was offered, the first piece is the name.
    """

    __slots__ = (
        "_arguments",
        "_has_begun",
        "_held",
        "_is_custom",
        "_start",
        "_text_before",
        "_tool_names",
        "extra",
        "id",
        "index",
        "name",
    )

    def __init__(self, index: int, tool_names: Set[str], text_before: int) -> None:
        self.index = index
        self._is_custom = False
        self._text_before = text_before
        self.id: str | None = None
        self.name: str | None = None
        self.extra: dict[str, Any] | None = None
        self._tool_names = tool_names
        self._arguments: list[str] = []
        self._has_begun = False  # whether something of the arguments was given out
        self._start: ArgumentsStart | None = None  # what was not, while it may be a placeholder
        self._held: tuple[str | None, str] | None = None  # id and arguments, until the name is told

    @property
    def is_held(self) -> bool:
        """Whether its name is held, and with it what came beside."""
        return self._held is not None

    def is_continued_by(self, name: str) -> bool:
        """Whether `name` is a further piece of this call's name."""
        if self._held is None or self.name is None:
            return False
        joined = self.name + name
        return any(known.startswith(joined) for known in self._tool_names)

    def goes_on_with(self, name: str | None, arguments: str) -> bool:
        """Whether a delta with this call's index and another id continues it.

        One with a name does only if the name is this call's, or a piece of it, and the arguments
        so far are none or not yet whole: a call of the same function would begin with them.
        """
        if name is None or self.name is None or self.is_continued_by(name):
            return True
        return name == self.name and bool(arguments) and not self._is_whole()

    def _is_whole(self) -> bool:
        try:
            return isinstance(loads("".join(self._arguments)), dict)
        except ValueError:
            return False

    def add(
        self, call_id: str | None, name: str | None, arguments: str
    ) -> tuple[str | None, str | None, str]:
        new_id = call_id if self.id is None else None
        self.id = self.id or call_id
        new_name = name if self.name is None else None
        if self.name is None:
            self.name = name
        elif name is not None and self.is_continued_by(name):
            self.name += name
        if arguments and not self._has_begun:
            if self._start is not None or not arguments.startswith('{"'):  # nearly all begin so
                self._start = self._start or ArgumentsStart()
                arguments = self._start.feed(arguments)
            self._has_begun = bool(arguments)
            self._start = None if arguments else self._start
        if arguments:
            self._arguments.append(arguments)
        if new_name is None and self._held is None:
            return new_id, None, arguments
        held_id, held_arguments = self._held or (None, "")
        self._held = held_id or new_id, held_arguments + arguments
        return (None, None, "") if self._may_go_on() else self.release()

    def _may_go_on(self) -> bool:
        name = self.name or ""
        if self._held and self._held[1] and name in self._tool_names:
            return False
        return any([known != name and known.startswith(name) for known in self._tool_names])

    def release(self) -> tuple[str | None, str | None, str]:
        """What was held, with the name as it is."""
        call_id, arguments = self._held or (None, "")
        self._held = None
        return call_id, self.name, arguments

    def quoted(self, text: str) -> str:
        """A piece of a custom tool's text as part of a JSON string, which `finish` closes.

        The text may be a JSON object, and must not be taken for the arguments of a function.
        """
        escaped = json.dumps(text, ensure_ascii=False)[1:-1]
        opening = "" if self._is_custom else '"'
        self._is_custom = True
        return opening + escaped

    def finish(self) -> tuple[str | None, str | None, str]:
        rest = self._start.text() if self._start is not None else ""
        rest += '"' if self._is_custom else ""
        self._start, self._has_begun, self._is_custom = None, True, False
        self._arguments.append(rest)
        call_id, name, arguments = self.release() if self._held else (None, None, "")
        return call_id, name, arguments + rest

    def to_tool_call(self) -> ToolCall:
        rest = self._start.text() if self._start is not None else ""
        arguments = "".join(self._arguments) + rest
        return ToolCall(
            self.id or "",
            self.name or "",
            arguments,
            extra=self.extra,
            text_before=self._text_before,
        )
