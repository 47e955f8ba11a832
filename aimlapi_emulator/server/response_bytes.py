"""Headers and body bytes of a response, as its fault sets, cuts and splits them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

from aimlapi_emulator._version import __version__
from aimlapi_emulator.faults.fault import Fault
from aimlapi_emulator.messages import BOM, Response

_WRITE_SIZE = 16_384
_WITHOUT_BODY = (204, 304)
_FIRST_BYTE = re.compile(rb"[\xc0-\xff]")  # of a character of several, in UTF-8


def final_body(out: Response) -> Response:
    """The response with its byte order mark; without a body if its status allows none."""
    if out.status in _WITHOUT_BODY:
        return replace(out, body=b"", events=None)
    if not out.fault.bom:
        return out
    if out.events is None:
        return replace(out, body=BOM + out.body)
    return replace(out, events=(BOM, *out.events))


def header_list(out: Response) -> list[tuple[str, str]]:
    """The names and values of all headers that are sent, the fault's last."""
    now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    found = {"date": now, "server": f"aimlapi-emulator/{__version__}", **out.headers}
    if out.fault.content_type is not None:
        found["content-type"] = out.fault.content_type
    extra = {name.lower() for name in out.fault.headers}
    found = {name: value for name, value in found.items() if name not in extra}
    ends_early = out.fault.drop_with == "end" and (
        out.fault.cut_after_bytes is not None or out.fault.cut_after_events is not None
    )
    if out.status in _WITHOUT_BODY:
        pass
    elif out.events is None and not ends_early:
        found["content-length"] = str(len(out.body))
    else:
        found["transfer-encoding"] = "chunked"
    return [*found.items(), *out.fault.headers.items()]


def batched_events(out: Response) -> Iterator[bytes]:
    """The body, or whole events in blocks of about `_WRITE_SIZE` bytes."""
    if out.events is None:
        if out.body:
            yield out.body
        return
    block: list[bytes] = []
    size = 0
    for event in out.events:
        block.append(event)
        size += len(event)
        if size >= _WRITE_SIZE:
            yield b"".join(block)
            block, size = [], 0
    if block:
        yield b"".join(block)


def truncate(out: Response) -> tuple[list[bytes], bool]:
    """(the events or body after a cut, whether they were cut)."""
    fault = out.fault
    body = [out.body] if out.events is None else list(out.events)
    was_cut = False
    events = fault.cut_after_events
    if events is not None and out.events is not None and events <= len(body) - fault.bom:
        body, was_cut = body[: events + fault.bom], True
    size = fault.cut_after_bytes
    if size is not None and size <= sum(map(len, body)):
        body, was_cut = list(_first_bytes(body, size)), True
    return body, was_cut


def _first_bytes(body: Iterable[bytes], size: int) -> Iterator[bytes]:
    for part in body:
        if size <= 0:
            return
        yield part[:size]
        size -= len(part)


def split_writes(body: list[bytes], fault: Fault) -> Iterator[bytes]:
    """The bytes of each write; the parts unchanged if no fault splits them."""
    whole = b"".join(body)
    if fault.split_characters:
        ends = [match.end() for match in _FIRST_BYTE.finditer(whole)]
    elif fault.piece_size is not None:
        ends = list(range(fault.piece_size, len(whole), fault.piece_size))
    else:
        yield from (part for part in body if part)
        return
    for start, end in pairwise([0, *ends, len(whole)]):
        yield whole[start:end]
