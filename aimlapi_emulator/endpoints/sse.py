"""Server-sent events as bytes, with the faults that stand between events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aimlapi_emulator.endpoints import error_bodies
from aimlapi_emulator.faults.fault import Fault
from aimlapi_emulator.faults.fault_field import FaultError, resolve_index

Payload = Mapping[str, Any]


def frame(data: str, newline: str = "\n", event: str | None = None) -> bytes:
    """One event: an `event:` line when it has a name, its data, a blank line."""
    head = f"event: {event}{newline}" if event else ""
    return f"{head}data: {data}{newline}{newline}".encode("utf-8", "replace")


def frames(
    payloads: Iterable[Payload],
    fault: Fault,
    error: Callable[[Fault, int], tuple[str | None, Payload]],
    *,
    named: bool,
    done_sentinel: bool,
) -> list[bytes]:
    """The events of a stream, one entry each.

    Args:
        payloads: the JSON of each event.
        fault: what goes wrong between the events.
        error: (event name, payload) of the in-stream error, told how many events went before.
        named: whether events carry an `event:` line with their type.
        done_sentinel: whether `[DONE]` ends the stream.
    """
    line = fault.newline
    told = list(payloads)
    if fault.pad_event_bytes:
        middle = len(told) // 2
        told[middle] = {**told[middle], "obfuscation": "x" * fault.pad_event_bytes}
    made = [
        frame(
            error_bodies.dump(payload).decode(),
            line,
            str(payload["type"]) if named else None,
        )
        for payload in told
    ]
    if fault.error_event is not None:
        before = min(fault.error_after_events, len(made))
        event, payload = error(fault, before)
        text = error_bodies.dump(payload).decode()
        made = [*made[:before], frame(text, line, event)]
    elif done_sentinel and fault.done_sentinel:
        made.append(frame("[DONE]", line))
    if fault.malformed_event:
        made.insert(len(made) // 2, frame('{"id":"broken","choices":[{"index":0,', line))
    return arranged(made, fault)


def arranged(made: list[bytes], fault: Fault) -> list[bytes]:
    """The events in the order that a fault wants, comments before them, their end as it wants."""
    if fault.repeat_event is not None:
        at = resolve_index(fault.repeat_event, len(made))
        made = made if at is None else [*made[: at + 1], *made[at:]]
    if fault.swap_event is not None:
        at = resolve_index(fault.swap_event, len(made))
        if at is not None and at + 1 < len(made):
            made = [*made[:at], made[at + 1], made[at], *made[at + 2 :]]
    if fault.comments:
        comment = f": keep-alive{fault.newline}{fault.newline}".encode()
        made = [comment + one for one in made]
    if not fault.final_blank_line and made:
        made = [*made[:-1], made[-1].removesuffix(fault.newline.encode())]
    return made


def chat_error(path: str, request_id: str) -> Callable[[Fault, int], tuple[str | None, Payload]]:
    """Makes the in-stream errors that both endpoints know."""

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
