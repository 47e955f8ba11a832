"""Sends tools whose names the API does not take under other names, and restores their own.

Names of MCP servers' tools may have dots and slashes (`files.read`), and more than 64 characters.
A request whose names are all fit, as nearly all are, is not touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aimlapi_core._history.names import TOOL_NAME, wire_tool_name
from aimlapi_core._wire.stream_reader import Accumulator
from aimlapi_core.errors import AIMLAPIError, StreamError
from aimlapi_core.types import (
    ChatRequest,
    Finished,
    Message,
    NamedTool,
    Reply,
    StreamEvent,
    Tool,
    ToolCall,
    ToolCallDelta,
)


def with_wire_tool_names(request: ChatRequest) -> tuple[ChatRequest, dict[str, str]]:
    """The request under names that the API takes, and each changed tool's own name by those."""
    for tool in request.tools:
        if isinstance(tool, Tool) and not TOOL_NAME.fullmatch(tool.name):
            break
    else:
        return request, {}
    wire = {t.name: wire_tool_name(t.name) for t in request.tools if isinstance(t, Tool)}
    choice = request.tool_choice
    if isinstance(choice, NamedTool):
        choice = replace(choice, name=wire.get(choice.name, choice.name))
    sent = replace(
        request,
        tools=tuple(
            replace(tool, name=wire[tool.name]) if isinstance(tool, Tool) else tool
            for tool in request.tools
        ),
        tool_choice=choice,
        messages=tuple(_renamed_calls(message, wire) for message in request.messages),
    )
    return sent, {new: name for name, new in wire.items() if new != name}


def _renamed_calls(message: Message, names: Mapping[str, str]) -> Message:
    if not any(isinstance(part, ToolCall) for part in message.parts):
        return message
    parts = (
        replace(part, name=names.get(part.name, part.name)) if isinstance(part, ToolCall) else part
        for part in message.parts
    )
    return replace(message, parts=tuple(parts))


def with_own_names(reply: Reply, own_names: Mapping[str, str]) -> Reply:
    """The reply with the tools' own names in its calls."""
    choices = (
        replace(
            choice,
            parts=tuple(
                replace(part, name=own_names.get(part.name, part.name))
                if isinstance(part, ToolCall)
                else part
                for part in choice.parts
            ),
        )
        for choice in reply.choices
    )
    return replace(reply, choices=tuple(choices))


class OwnNamesAccumulator(Accumulator):
    """An accumulator whose events and replies have the tools' own names; used as the inner one."""

    def __init__(self, inner: Accumulator, own_names: Mapping[str, str]) -> None:
        self._inner = inner
        self._own_names = own_names

    @property
    def complete(self) -> bool:
        """Whether the answer is complete; usage and cost may follow."""
        return self._inner.complete

    def feed(self, name: str, data: str) -> list[StreamEvent]:
        """The events of one payload."""
        try:
            events = self._inner.feed(name, data)
        except AIMLAPIError as error:
            self._rename_partial(error)
            raise
        return self._renamed(events)

    def close(self) -> list[StreamEvent]:
        """The last events, at the end of the body."""
        try:
            events = self._inner.close()
        except AIMLAPIError as error:
            self._rename_partial(error)
            raise
        return self._renamed(events)

    def reply(self, headers: Mapping[str, str]) -> Reply:
        """The reply accumulated so far."""
        return with_own_names(self._inner.reply(headers), self._own_names)

    def _renamed(self, events: list[StreamEvent]) -> list[StreamEvent]:
        self.done = self._inner.done
        self.may_hold_halves = self._inner.may_hold_halves
        return [self._renamed_event(event) for event in events]

    def _renamed_event(self, event: StreamEvent) -> StreamEvent:
        if isinstance(event, ToolCallDelta) and event.name is not None:
            return replace(event, name=self._own_names.get(event.name, event.name))
        if isinstance(event, Finished):
            return replace(event, reply=with_own_names(event.reply, self._own_names))
        return event

    def _rename_partial(self, error: AIMLAPIError) -> None:
        if isinstance(error, StreamError) and error.partial is not None:
            error.partial = with_own_names(error.partial, self._own_names)
