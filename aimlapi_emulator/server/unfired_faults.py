"""Which fields of a fault found nothing to act on in the answer that was made.

A test whose fault never fires proves nothing, so the emulator says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from aimlapi_emulator.endpoints.sse import place
from aimlapi_emulator.faults.fault import Fault, changed
from aimlapi_emulator.messages import Outgoing

_OF_ANSWERS = frozenset(
    "success_status refusal empty finish_reason usage cost_metadata tool_delta reasoning "
    "shuffle_data drop_row".split()
)
_OF_STREAMS = frozenset(
    "cut_after_events error_event error_after_events newline comments final_blank_line "
    "done_sentinel malformed_event repeat_event swap_event pad_event_bytes single_delta "
    "tool_delta".split()
)
# What an endpoint's answers do not have, by the last word of its path.
_OF_OTHERS: Mapping[str, frozenset[str]] = {
    "completions": frozenset(("shuffle_data", "drop_row")),
    "responses": frozenset(("shuffle_data", "drop_row", "done_sentinel", "tool_delta")),
    "embeddings": frozenset(("refusal", "finish_reason", "reasoning")),
}


def unfired(out: Outgoing, path: str) -> tuple[str, ...]:
    """The names of those fields, as far as the answer's endpoint, kind and length tell."""
    fault = out.fault
    given = changed(fault)
    if not given:
        return ()
    endpoint = path.rsplit("/", 1)[-1]
    idle = set(_OF_OTHERS.get(endpoint, ()))
    if fault.is_raw or out.status >= 400:
        idle |= _OF_ANSWERS
    if out.events is None:
        idle |= _OF_STREAMS
    if fault.usage == "cumulative" and (out.events is None or endpoint != "completions"):
        idle.add("usage")
    idle |= _behind_the_end(out, fault)
    return tuple(name for name in given if name in idle)


def _behind_the_end(out: Outgoing, fault: Fault) -> set[str]:
    events = len(out.events or ())
    body = out.body if out.events is None else b"".join(out.events)
    idle = set()
    if fault.cut_after_bytes is not None and fault.cut_after_bytes > len(body) + 3 * fault.bom:
        idle.add("cut_after_bytes")
    if fault.cut_after_events is not None and fault.cut_after_events > events:
        idle.add("cut_after_events")
    if fault.error_event is not None and fault.error_after_events > events - 1:
        idle.add("error_after_events")
    if fault.repeat_event is not None and place(fault.repeat_event, events - 1) is None:
        idle.add("repeat_event")
    if fault.swap_event is not None and place(fault.swap_event, events) in (None, events - 1):
        idle.add("swap_event")
    if fault.split_characters and body.isascii():
        idle.add("split_characters")
    return idle
