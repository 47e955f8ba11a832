"""Encodes server-sent events, with the faults that act on events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aimlapi_emulator.endpoints import error_bodies
from aimlapi_emulator.faults.fault import Fault
from aimlapi_emulator.faults.fault_field import FaultError, resolve_index

Payload = Mapping[str, Any]


def frame(data: str, newline: str = "\n", event: str | None = None) -> bytes:
    """One event: an `event:` line if it has a name, its data, a blank line."""
    head = f"event: {event}{newline}" if event else ""
    return f"{head}data: {data}{newline}{newline}".encode("utf-8", "replace")


def frames(
    payloads: Iterable[Payload],
    fault: Fault,
    error: Callable[[Fault, int], tuple[str | None, Payload]],
    *,
    named: bool,
) -> list[bytes]:
    """The events of a stream, one entry each.

    Args:
        payloads: the JSON of each event.
        fault: the fault to apply.
        error: makes (event name, payload) of the in-stream error, given the number of events
            before it.
        named: whether events have an `event:` line with their type, as on Responses. Otherwise
            `[DONE]` ends the stream.
    """
    line = fault.newline
    sent = list(payloads)
    if fault.pad_event_bytes:
        middle = len(sent) // 2
        sent[middle] = {**sent[middle], "obfuscation": "x" * fault.pad_event_bytes}
    events = [
        frame(error_bodies.dump(payload).decode(), line, payload["type"] if named else None)
        for payload in sent
    ]
    if fault.error_event is not None:
        before = min(fault.error_after_events, len(events))
        event, payload = error(fault, before)
        text = error_bodies.dump(payload).decode()
        events = [*events[:before], frame(text, line, event)]
    elif not named and fault.done_sentinel:
        events.append(frame("[DONE]", line))
    if fault.malformed_event:
        events.insert(len(events) // 2, frame('{"id":"broken","choices":[{"index":0,', line))
    return arrange(events, fault)


def arrange(events: list[bytes], fault: Fault) -> list[bytes]:
    """The events after faults of their order, comments and the final blank line."""
    if fault.repeat_event is not None:
        at = resolve_index(fault.repeat_event, len(events))
        events = events if at is None else [*events[: at + 1], *events[at:]]
    if fault.swap_event is not None:
        at = resolve_index(fault.swap_event, len(events))
        if at is not None and at + 1 < len(events):
            events = [*events[:at], events[at + 1], events[at], *events[at + 2 :]]
    if fault.comments:
        comment = f": keep-alive{fault.newline}{fault.newline}".encode()
        events = [comment + one for one in events]
    if not fault.final_blank_line and events:
        events = [*events[:-1], events[-1].removesuffix(fault.newline.encode())]
    return events


def chat_error(path: str, request_id: str) -> Callable[[Fault, int], tuple[str | None, Payload]]:
    """Makes the in-stream errors that both endpoints have."""

    def make(fault: Fault, before: int) -> tuple[str | None, Payload]:
        status = 500
        message = fault.message or error_bodies.default_message(status)
        if fault.error_event == "openai":
            return None, error_bodies.openai(status, message)
        if fault.error_event == "problem":
            return None, error_bodies.problem(status, message, path, request_id)
        if fault.error_event == "legacy":
            return None, error_bodies.legacy(status, message, path, request_id)
        if fault.error_event == "event":
            return "error", error_bodies.legacy(status, message, path, request_id)
        raise FaultError(f"error_event={fault.error_event!r} is of /v1/responses only")

    return make
