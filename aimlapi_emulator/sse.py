"""Server-sent events as bytes, with the faults that stand between events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import errors
from .faults import Fault

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
    done: bool,
) -> list[bytes]:
    """The events of a stream, one entry each.

    Args:
        payloads: the JSON of each event.
        fault: what goes wrong between the events.
        error: (event name, payload) of the in-stream error, told how many events went before.
        named: whether events carry an `event:` line with their type.
        done: whether `[DONE]` ends the stream.
    """
    line = fault.newline
    made = [
        frame(
            errors.dump(payload).decode(),
            line,
            str(payload["type"]) if named else None,
        )
        for payload in payloads
    ]
    if fault.error_event is not None:
        before = min(fault.error_after_events, len(made))
        event, payload = error(fault, before)
        text = errors.dump(payload).decode()
        made = [*made[:before], frame(text, line, event)]
    elif done and fault.done:
        made.append(frame("[DONE]", line))
    if fault.malformed_event:
        made.insert(len(made) // 2, frame('{"id":"broken","choices":[{"index":0,', line))
    return apply_lines(made, fault)


def apply_lines(made: list[bytes], fault: Fault) -> list[bytes]:
    """Comments before events, and the missing blank line at the end."""
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
        message = fault.message or errors.default_message(status)
        if fault.error_event == "openai":
            return None, errors.openai(status, message)
        if fault.error_event == "problem":
            return None, errors.problem(status, message, path, request_id)
        if fault.error_event == "legacy":
            return None, errors.legacy(status, message, path, request_id)
        if fault.error_event == "event":
            return "error", errors.legacy(status, message, path, request_id)
        raise ValueError(f"unknown error event {fault.error_event!r} for this endpoint")

    return make
